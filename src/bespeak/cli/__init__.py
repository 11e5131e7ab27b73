"""The command line: one table says what can be typed, one module a command group does it.

No rules live here: a command reads what was typed, calls one service and prints. Every command is declared once, in
:mod:`bespeak.cli.tables`. From that table a small parser reads well-formed command lines without loading anything, and
Click (which alone would take most of the start-up budget) is generated only for help, errors and completion.
"""
