"""The backend that parses with tree-sitter. Each family of languages is a package, loaded for its first file.

All families have the same seven modules, and a few of their own where a language needs them:

=============== =======================================================================================================
Module          What it does
=============== =======================================================================================================
``extract``     ``extract(source, path)``: walks the syntax tree of one file and returns its facts
``declarations`` what the file declares: functions, types, fields, variables
``expressions`` expressions and types as text with dots: ``store.items[0].save()`` is ``store.items.[].save.()``
``imports``     which file or package an import means, and the names of each file, made once a snapshot
``members``     what a class or a type, or one that it derives from, has under a name
``evaluate``    what such a text means at a place: followed part by part, through imports, bindings and members
``resolve``     ``resolve(path, world)``: the edges that start in a file
=============== =======================================================================================================

The first three read one file and know nothing of others; the last four read facts and never a syntax tree. What they
share is told once for all languages:

- :mod:`.meaning`: one value for what an expression may mean. ``evaluate`` makes and follows it, ``resolve`` makes edges
  of it. Rust still has a value of its own beside it.
- :mod:`.inheritance`: in which order the bases of a class are searched, and which methods may run instead of one. A
  family gives two hooks: what something derives from directly, and which method of the same name replaces another.
- :mod:`bespeak_symbols.confidence`: how sure an edge is. A family has no numbers of its own.

To add a language:

1. Write a package with these modules; ``go`` is the shortest. Its ``__init__`` has ``extract`` and ``resolve`` (the
   protocol :class:`~bespeak_symbols.model.Language`).
2. Use what there is: :mod:`bespeak_symbols.syntax` parses, walks and makes digests of tokens. For languages with
   braces :mod:`.block_extractor` (C, C++, Go) or :mod:`.scope_walker` (Java, Rust) collects the facts and knows which
   local variable a name means.
3. Add a ``Reader`` with the suffixes and the grammar to :mod:`.registry`, and the grammar's package to the extra
   ``symbols`` in ``pyproject.toml`` and to ``constraints.txt``.
4. Write small programs with their calls by hand into ``tests/corpus/<language>``, and a README there that states the
   recall; ``tests/unit/symbols/test_corpus.py`` then measures it. ``test_any_bytes.py`` in
   ``tests/unit/symbols/native/`` feeds any bytes to every suffix: facts must come, whatever the file holds.

What a language cannot tell must be uncertain (a confidence below :data:`~bespeak_symbols.model.CERTAIN`) or left out:
of the edges called certain, 98 of 100 have to be true.
"""
