"""Shell completion: the script a shell evaluates, and the answers to its questions.

It is silent about every failure: a shell prompt is no place for an error.
"""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
    shell_complete,
)

from bespeak.argv.click_adapter import Root

if TYPE_CHECKING:
    from bespeak.argv.declarations import Program

_PLAIN_WORD = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


@add_completion_class
class QuotingBash(BashComplete):
    """Bash puts an offered word into the command line as it stands, so a name has to be quoted here.

    Zsh and fish quote what they insert. Within quotes that the user has begun, other rules hold than outside of them;
    only names that need no quotes are offered there.
    """

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return what may be offered: within quotes only words that mean the same with and without them."""
        found = super().get_completions(args, incomplete)
        quoting = any(quote in os.environ.get("COMP_WORDS", "") for quote in "'\"\\")
        return [item for item in found if not quoting or _PLAIN_WORD.fullmatch(item.value)]

    def format_completion(self, item: CompletionItem) -> str:
        """Return the line that the shell's script reads, its word quoted."""
        return f"{item.type},{shlex.quote(item.value) if item.type == 'plain' else item.value}"


SHELLS = ("bash", "zsh", "fish")


def script(program: Program, prog: str, variable: str, shell: str) -> str:
    """Return what a shell has to evaluate so that it completes a program.

    Args:
        program: its declaration.
        prog: the name it is called by.
        variable: the environment variable that makes the program answer the shell.
        shell: one of :data:`SHELLS`.
    """
    made = get_completion_class(shell)
    if made is None:
        raise AssertionError(f"Click knows no shell {shell}")
    return made(Root(program), {}, prog, variable).source()


def answer(program: Program, prog: str, variable: str, instruction: str) -> int:
    """Answer a shell's question; the words typed are in its own variables.

    Args:
        program: its declaration.
        prog: the name it is called by.
        variable: the environment variable that had ``instruction``.
        instruction: what the shell wants.
    """
    return shell_complete(Root(program), {}, prog, variable, instruction)
