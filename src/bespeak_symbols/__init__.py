"""Symbols and call graphs of source code: what each file defines and uses, and who depends on whom.

The package stands alone: it imports nothing of bespeak. It works in three steps, each kept for the next time:

1. **Extract.** One file's bytes become :class:`~bespeak_symbols.model.Facts`: its symbols, imports, references and
   bindings. Facts depend on the bytes alone, so :mod:`~bespeak_symbols.cache` keeps them by the id of the content.
   :mod:`~bespeak_symbols.extraction` reads one file, :mod:`~bespeak_symbols.worker_processes` many at once.
2. **Resolve.** The facts of one file, seen among those of all files of a revision (a
   :class:`~bespeak_symbols.snapshot.Snapshot`), become edges: this symbol calls, uses, derives from or imports that
   one, and how sure that is. :mod:`~bespeak_symbols.edge_cache` keeps them for as long as no file changes.
3. **Ask.** :class:`~bespeak_symbols.call_graph.CallGraph` answers what a symbol depends on and who depends on it. It
   resolves only the files that may matter: :mod:`~bespeak_symbols.name_index` says which mention a name.

::

    with Index(reader, "symbols.sqlite3") as index:      # reader: an object_reader.ObjectReader, such as git's
        graph = CallGraph(index.snapshot("HEAD"))
        for edge in graph.into("src/store.py::Store.save"):
            print(edge.caller, edge.kind, edge.confidence)

Languages are known to a :class:`~bespeak_symbols.backend.Backend` only. There is one, :mod:`bespeak_symbols.native`,
which parses with tree-sitter; its docstring says what to write for a new language.
"""
