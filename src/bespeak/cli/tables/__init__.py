"""Every command, declared once. Commands are declared in the module of their wing, loaded when one of them is typed."""

from __future__ import annotations

from bespeak.argv.declarations import Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.argv.declarations import Command, Group

SHARED = (
    Option(("--ledger",), "The book: a path, or postgresql://... (default: settings, else a file of yours).", "URL"),
    Option(("--as-user",), "Act for this user; said on every use, and recorded.", "USER", complete="user"),
    Option(
        ("-R", "--skip-reservation-check"),
        "Skip the gate's check. For a broken scheduler only; loud, and logged.",
    ),
    Option(
        ("-l", "--lab"),
        "The lab; repeat it or separate with commas. [env: BESPEAK_LAB]",
        "LAB",
        many=True,
        complete="lab",
    ),
    Option(("--json",), "Print one JSON document instead of text."),
    Option(("--debug",), "Show the full traceback of an error."),
    Option(("--no-color",), "No colours, even on a terminal."),
)
"""The options that every command takes, before its name or after it."""

WINGS = {
    "book": ("reserve", "extend", "shorten", "release", "kick", "run"),
    "look": ("list", "who", "show", "free", "log", "watch"),
    "resources": ("resource",),
    "gate": ("gate", "reservation", "lab"),
    "power": ("power", "host"),
    "coord": ("coord",),
    "agents": ("mcp",),
    "programs": ("runner", "job", "completion"),
}
"""The module that declares each command, in the order of the help page."""


def names() -> list[str]:
    """Return the first words of all commands, in the order of the help page."""
    return [name for wing in WINGS.values() for name in wing]


def lookup(name: str) -> Command | Group | None:
    """Return what the first word of a command line calls, or None."""
    for wing, known in WINGS.items():
        if name in known:
            module = __import__(f"bespeak.cli.tables.{wing}", fromlist=["ENTRIES"])
            entries: tuple[Command | Group, ...] = module.ENTRIES
            return next(entry for entry in entries if entry.name == name)
    return None
