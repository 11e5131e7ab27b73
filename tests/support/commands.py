"""Every command of ``bespeak`` itself, as it is declared beside its handler."""

from bespeak.argv.declarations import Command, Program
from bespeak.cli.index import PROGRAM

LOADED = [(entry, found) for entry, found in PROGRAM.commands()]
SUMMARIES = {found.name: entry.summary for entry, found in LOADED}
COMMANDS = [found for _, found in LOADED if isinstance(found, Command)]
PROGRAMS = [found for _, found in LOADED if isinstance(found, Program)]
ALL_PROGRAMS = [PROGRAM, *PROGRAMS]
EVERYWHERE = [
    (program, found) for program in ALL_PROGRAMS for _, found in program.commands() if isinstance(found, Command)
]
"""(program, command) for each command of each program."""
