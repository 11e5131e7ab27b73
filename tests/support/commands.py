"""Every command of the command line, as declared in its table."""

from bespeak.argv.declarations import Group
from bespeak.cli import tables


def every():
    for name in tables.names():
        found = tables.lookup(name)
        yield from found.commands if isinstance(found, Group) else (found,)


EVERY = list(every())
COMMANDS = [command for command in EVERY if not command.delegate]
