"""What all commands of coord share: options, JSON output with its envelope, errors in the words of the contract."""

from __future__ import annotations

import sys
import time

from bespeak.argv.declarations import Argument, Option
from bespeak.base.errors import BespeakError
from bespeak.cli import output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bespeak.cli.context import Context, Values
    from bespeak.coord.diagrams import Diagram
    from bespeak.coord.missing_addresses import MissingAddress
    from bespeak.coord.service import Coord

    Run = Callable[[Context, Values], int]

_FORMATS = ("json", "text")
STARTED = "coord.started"


ADDRESSES = Argument("ADDRESS", many=True)
ID = Argument("ID")
RUN = Option(
    ("--run-id",),
    "For whom; at most 256 characters (default: $BESPEAK_RUN_ID, else the session of the agent or shell).",
    "ID",
)
TTL = Option(("--ttl",), "For how long, in seconds, 1 to 31536000 (default 3600).", "SECONDS")
JSON = (Option(("-j",), "The same as --json."), Option(("--format",), "json or text.", "FORMAT"))
EDGE_VERBS = {"call": "calls", "inherit": "derives from", "use": "uses"}
"""What a dependency of each kind says of its two ends."""

ADDRESS_HELP = """An address is a file (src/a.py), a symbol (src/a.py::Class.method), a folder (src/) or a pattern
('src/**/*.py'). Paths start from the folder you are in; :/ at the beginning means the root of the repository."""


def contract_command(run: Run) -> Run:
    """Let a command take ``-j`` and ``--format json`` for ``--json``, and say mistakes as the contract words them."""

    def command(context: Context, values: Values) -> int:
        context.meta[STARTED] = time.perf_counter()
        chosen = values.get("format")
        context.json = bool(context.json or values.get("j") or chosen == "json")
        try:
            if chosen is not None and chosen not in _FORMATS:
                from bespeak.coord.errors import ClaimError

                raise ClaimError(f"Invalid --format: {chosen!a}; choose one of: {', '.join(_FORMATS)}")
            return run(context, values)
        except BespeakError as error:
            return _failed(context, error)

    return command


def _failed(context: Context, error: BespeakError) -> int:
    from bespeak.coord.errors import ClaimError

    if context.debug:
        raise error
    from bespeak.argv.option_names import in_options
    from bespeak.cli.errors import say

    if context.json or not isinstance(error, ClaimError):
        return say(in_options(error), error.exit_code, error.details, as_json=context.json)
    output.to_stderr(f"❌ {output.one_line(in_options(error))}")
    return error.exit_code


def envelope(context: Context, exit_code: int = 0) -> dict[str, object]:
    """Return what every JSON answer begins with."""
    elapsed = time.perf_counter() - context.meta[STARTED]
    return {"schema_version": "1", "duration_ms": round(elapsed * 1000, 3), "exit_code": exit_code}


def failing(given: Iterable[str], known: Sequence[str], any_: Iterable[str]) -> set[str]:
    """Return for what ``--fail-on`` wants a command to fail.

    Args:
        given: what was typed.
        known: what can be.
        any_: what ``any`` stands for.

    Raises:
        ClaimError: something else was typed.
    """
    wanted: set[str] = set()
    for word in given:
        if word not in ("any", *known):
            from bespeak.base.display import short_repr
            from bespeak.coord.errors import ClaimError

            raise ClaimError(f"Invalid --fail-on: {short_repr(word)}; choose one of: {', '.join(('any', *known))}")
        wanted.update(any_ if word == "any" else (word,))
    return wanted


def out_time(instant_us: int) -> str:
    """Return an instant for stdout: as the contract has it, without a zone; on a terminal with UTC and the user's."""
    return _time(instant_us, on_terminal=sys.stdout.isatty())


def error_time(instant_us: int) -> str:
    """Return an instant for stderr; see :func:`out_time`."""
    return _time(instant_us, on_terminal=sys.stderr.isatty())


def _time(instant_us: int, *, on_terminal: bool) -> str:
    from bespeak.coord.serialize import plain_time

    if not on_terminal:
        return plain_time(instant_us)
    from bespeak.base.timeparse import show

    there = show(instant_us)
    return f"{plain_time(instant_us)} UTC" + ("" if there.endswith(" UTC") else f", {there}")


def say_absent(absent: Iterable[MissingAddress]) -> None:
    """Say on stderr which addresses name nothing in the work tree."""
    from bespeak.cli import output

    for each in absent:
        output.to_stderr(f"note: {each.text}")


def one_form(context: Context, values: Values) -> None:
    """Refuse more than one of ``--json``, ``--dot`` and ``--mermaid``.

    Raises:
        ClaimError: more than one was asked for.
    """
    if values["dot"] + values["mermaid"] + context.json > 1:
        from bespeak.coord.errors import ClaimError

        raise ClaimError("Choose one of --json, --dot and --mermaid")


def print_form(
    context: Context,
    values: Values,
    code: int,
    *,
    as_json: Callable[[], dict[str, object]],
    diagram: Callable[[], Diagram],
    text: Callable[[], str],
) -> int:
    """Print an answer in the form that was asked for; return the exit code.

    Args:
        context: of the command.
        values: with ``dot`` and ``mermaid``.
        code: how the command exits.
        as_json: returns the answer without its envelope.
        diagram: returns it as a diagram.
        text: returns it in words.
    """
    if context.json:
        context.print_json(envelope(context, code) | as_json())
    elif values["dot"] or values["mermaid"]:
        from bespeak.coord.diagrams import DOT, MERMAID, render

        context.print(render(diagram(), DOT if values["dot"] else MERMAID))
    else:
        context.print(text())
    return code


def with_coord(context: Context, work: Callable[[Coord], int]) -> int:
    """Open the claims of the repository one stands in, and close them after ``work``."""
    from bespeak.coord.service import open_coord

    coord = open_coord(ledger=context.ledger_flag)
    try:
        return work(coord)
    finally:
        coord.close()


def say_how_to_be_known(run_id: str | None, holders: Iterable[str]) -> None:
    """Tell a caller without a run id how to have one, where a claim of such a caller is in the way.

    Args:
        run_id: as typed; None if none was.
        holders: the runs whose claims are in the way.
    """
    from bespeak.coord.run_id import given_run_id, is_made_up

    if run_id is None and not given_run_id() and any(is_made_up(holder) for holder in holders):
        output.to_stderr(
            "No run id was given, neither here nor for that claim. A run whose commands are started in sessions of "
            "their own is known again by its id only: set BESPEAK_RUN_ID in its environment before it claims anything."
        )
