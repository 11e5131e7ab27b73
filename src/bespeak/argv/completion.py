"""Shell completion: the script a shell evaluates, and the answers to its questions."""

from __future__ import annotations

from bespeak.cli.main import COMPLETE_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values


def script(context: Context, values: Values) -> int:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    from bespeak.argv.click_adapter import Root

    made = get_completion_class(values["shell"])
    if made is None:
        raise AssertionError(f"Click knows no shell {values['shell']}")
    text = made(Root(), {}, "bespeak", COMPLETE_VARIABLE).source()
    context.answer({"shell": values["shell"], "script": text}, text)
    return 0


def answer(instruction: str) -> int:
    """Answer a shell's question; the words typed are in its own variables."""
    from click.shell_completion import shell_complete

    from bespeak.argv.click_adapter import Root

    return shell_complete(Root(), {}, "bespeak", COMPLETE_VARIABLE, instruction)
