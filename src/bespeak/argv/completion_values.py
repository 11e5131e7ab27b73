"""What the shell is offered as the value of an option or argument: the names that the program knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from bespeak.argv.declarations import load

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

    from bespeak.argv.declarations import Program

MOST_OFFERED = 500


def completions(program: Program, kind: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Return the function that completes values of a kind (see :class:`bespeak.argv.declarations.Option`)."""

    def offer(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:  # noqa: ARG001
        try:
            known: dict[str, str] = load(program.sources)[kind](context)
        except Exception:  # noqa: BLE001 whatever goes wrong, a prompt is no place to say it
            return []
        return [
            CompletionItem(name, help=text)
            for name, text in sorted(known.items())
            if name.startswith(begun) and name.isprintable() and name[:1] != "-"  # that would be taken for an option
        ][:MOST_OFFERED]

    return offer
