"""The command line: one module a group of commands; each command is declared beside its handler.

No rules live here: a command reads what was typed, calls one service and prints. :mod:`bespeak.cli.index` lists the
commands and where they are; :mod:`bespeak.argv` reads them.
"""
