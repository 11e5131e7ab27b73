"""Agents that claim one symbol at the same instant, each a process of its own.

python claiming.py crowd|refuse REPOSITORY URL AGENTS ROUNDS
python claiming.py one REPOSITORY URL RUN_ID
"""

import json
import os
import sys

from bespeak.coord.errors import ClaimRefusedError
from bespeak.coord.schema import COORD
from bespeak.coord.service import Coord
from bespeak.git.repository import find
from bespeak.storage import open_engine


def claim(coord, kind, run_id, symbol):
    """Return how many conflicts the agent was told; for ``refuse``, whether it was refused."""
    try:
        made = coord.reserve([symbol], run_id=run_id, refuse=kind == "refuse")
    except ClaimRefusedError:
        return 1
    return len(made.conflicts)


def agent(number, kind, root, url, gates, result):
    coord = Coord(find(root), open_engine(url, [COORD]), "r")
    coord.check(["a.py"], run_id="warm")
    os.write(result, b"r")
    for turn, gate in enumerate(gates):
        os.read(gate, 1)
        os.write(result, bytes([claim(coord, kind, f"run-{number}", f"a.py::f{turn}")]))
    os._exit(0)


def crowd(kind, root, url, agents, rounds):
    if url.startswith("postgresql:"):
        import bespeak.storage.postgres.engine  # noqa: F401 -- imported once, before the forks
    open_engine(url, [COORD]).close()
    gates = [os.pipe() for _ in range(rounds)]
    results = []
    for number in range(agents):
        reading, writing = os.pipe()
        if not os.fork():
            agent(number, kind, root, url, [gate[0] for gate in gates], writing)
        os.close(writing)
        results.append(reading)
    for reading in results:
        assert os.read(reading, 1) == b"r"
    told = []
    for _, opener in gates:
        os.write(opener, b"!" * agents)  # one token each: all go
        told.append([os.read(reading, 1)[0] for reading in results])
    print(json.dumps(told))


def main():
    kind, root, url, *rest = sys.argv[1:]
    if kind == "one":
        coord = Coord(find(root), open_engine(url, [COORD]), "r")
        coord.reserve(["a.py::f", "b/"], run_id=rest[0])
        coord.close()
    else:
        crowd(kind, root, url, int(rest[0]), int(rest[1]))


if __name__ == "__main__":
    main()
