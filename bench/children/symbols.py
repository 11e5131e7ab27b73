"""Open the symbol index of a repository, ask who calls a symbol, and print what took how long."""

import sys
import time

from bespeak.coord.symbol_index import open_index
from bespeak.git import repository
from bespeak_symbols.call_graph import CallGraph

words = sys.argv[2:]
started = time.perf_counter()
with open_index(repository.find(sys.argv[1])) as index:
    snapshot = index.worktree() if "--worktree" in words else index.snapshot("HEAD")
    print(f"open={time.perf_counter() - started}", f"read={index.read_count}")
    graph = CallGraph(snapshot)
    started = time.perf_counter()
    if words and "::" in words[0]:
        edges = graph.into(words[0])
        print(f"into={time.perf_counter() - started}", f"edges={len(edges)}", f"resolved={len(graph.resolved)}")
    if "--depth" in words:
        started = time.perf_counter()
        reached = graph.reach([words[0]], int(words[2]))
        print(f"reach={time.perf_counter() - started}", f"reached={len(reached)}")
