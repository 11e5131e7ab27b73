"""The reference page of the command line, written from the table of commands: ``python tests/support/clipage.py``."""

import os
import sys
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))

from bespeak.argv.declarations import Command
from bespeak.cli.index import PROGRAM
from support.commands import LOADED

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "cli.md"
PAGES = {"bespeak job": "jobs.md", "bespeak runner": "runner.md"}
HEAD = """# The command line

`bespeak [OPTIONS] COMMAND ...`. This page is written from the table that the command line itself is read from; `--help` behind any
command says the same. What each command prints with `--json` is in [json.md](json.md), the exit codes in
[exit-codes.md](exit-codes.md).

## Durations and times

A duration is whole numbers with units, from large to small: `90s`, `15m`, `2h`, `1d`, `1w`, `1h30m`. `forever` means no end, and has to
be said.

A time is `14:00`, `fri 14:00`, `today 9:00`, `tomorrow 9:00`, `2026-11-24 14:00`, ISO 8601 (`2026-11-24T14:00+01:00`), seconds since
1970 (`1795347000`, 9 to 11 digits), `+2h` or `now+2h` from now, `-1d` ago, or `now`. A time of day may be followed by a zone: `tomorrow 9:00 Europe/Berlin`, `14:00 UTC`, `14:00 +01:00`. Without one it is the machine's.

What could be read in two ways is refused, with the readings it could have: `05/06/2026`, `14:00` when that is past today, `fri 14:00` on a
Friday, and times of day that the change of the clocks skips or repeats.

```console
$ bespeak reserve rack3 --for 90 # exit 2
bespeak: error: --for: '90' is not clear: it could be '90s', '90m' or '90h'
$ bespeak reserve rack3 --at '2027-03-28 02:30 Europe/Berlin' # exit 2
bespeak: error: --at: '2027-03-28 02:30 Europe/Berlin' is not clear (the clocks go forward, so it is never shown): it could be '2027-03-28T01:30+01:00' or '2027-03-28T03:30+02:00'
```

## Options of every command

They may be typed before the command or after it.
"""


def options(found):
    lines = ["| option | does |", "| --- | --- |"]
    for option in found:
        metavar = f"[{option.metavar}]" if option.optional_value else option.metavar
        metavar += "..." if option.words else ""
        flags = ", ".join(f"`{flag}{' ' + metavar if metavar else ''}`" for flag in option.flags)
        more = " May be repeated." if option.many and "repeat" not in option.text else ""
        lines.append(f"| {flags} | {option.text}{more} |".replace("`|", "` |"))
    return "\n".join(lines)


def section(program, entry, command):
    if not isinstance(command, Command):
        return "\n\n".join(
            [f"## {entry.name}", entry.summary, f"    {command.name} COMMAND ...", inner_program(command)]
        )
    words = [argument.metavar + ("..." if argument.many else "") for argument in command.arguments]
    words = [
        word if argument.required else f"[{word}]" for word, argument in zip(words, command.arguments, strict=True)
    ]
    by_flag = {option.flags[-1]: option for option in command.options}
    one_of = " | ".join(f"{flag} {by_flag[flag].metavar}".strip() for flag in command.one_of)
    words += [f"{flag} {option.metavar}" for flag, option in by_flag.items() if option.required]
    words += [f"({one_of})"] if one_of else []
    dashes = "[--]" if command.tail_at_word else "--"
    words += [f"[{dashes} {command.tail}...]"] if command.tail else []
    heading = f"{program.name} {command.name}"
    parts = [f"## {heading.removeprefix('bespeak ')}", entry.summary, f"    {' '.join([heading, *words])}"]
    parts += [
        paragraph.replace("\n", " ")
        for paragraph in command.text.split("\n\n")
        if paragraph and "Durations are written" not in paragraph
    ]
    parts += [options(command.options)] if command.options else []
    width = max(len(line) for line, _ in command.examples)
    examples = (f"{program.name} {line:<{width}}  # {does}" for line, does in command.examples)
    parts.append("\n".join(["```text", *examples, "```"]))
    return "\n\n".join(parts)


def inner_program(program):
    """The commands of a program that has a command line of its own under our name."""
    parts = [f"More in [{PAGES[program.name]}]({PAGES[program.name]})."]
    if program.shared:
        parts += ["Options of every one of its commands:", options(program.shared)]
    return "\n\n".join([*parts, *(section(program, *one) for one in program.commands())])


def page():
    version = (
        "| `--version` | Print the version (before a command only). |\n| `-h`, `--help` | Show the help of a command. |"
    )
    return (
        "\n\n".join(
            [HEAD + "\n" + options(PROGRAM.shared) + "\n" + version, *(section(PROGRAM, *one) for one in LOADED)]
        )
        + "\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
