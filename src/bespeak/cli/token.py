"""``token create|list|revoke``: what programs on other machines sign in with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.access.serialize import token_json
from bespeak.argv.declarations import Argument, Option, command
from bespeak.base import timeparse
from bespeak.base.clock import DAY_US, FOREVER_US
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UsageError
from bespeak.cli.output import table
from bespeak.cli.rights import LABEL_OPTION, ON_OPTION, selectors

if TYPE_CHECKING:
    from bespeak.access.model import Token
    from bespeak.cli.context import Context, Values

_LIFE_US = 90 * DAY_US


@command(
    "token create",
    text="The token is printed once; the book keeps a hash of it only. Programs have it in the variable BESPEAK_TOKEN.",
    examples=(
        ("token create --user ci:nightly --expires 30d", "a pipeline without an identity of its own"),
        ("token create --user alice --scope read --on 'rack*'", "to look at the racks, and nothing else"),
    ),
    options=(
        Option(("--user",), "Whom the token stands for.", "USER", required=True, complete="user"),
        Option(
            ("--scope",),
            "What it may be used for: read, book, manage, admin, coord, mcp (default: read, book, coord and mcp).",
            "SCOPE",
            many=True,
        ),
        Option(("--expires",), "When it ends: a duration, a time, or forever (default 90d).", "TIME"),
        Option(("--name",), "What it is for.", "TEXT"),
        ON_OPTION,
        LABEL_OPTION,
    ),
)
def create(context: Context, values: Values) -> int:
    """Make a token for a server's clients."""
    from bespeak.access.tokens import hashed, new_token

    book = context.book(create=True)
    secret = new_token()
    made = book.token_create(
        context.holder(),
        values["user"],
        hashed(secret),
        name=values["name"] or "",
        scopes=tuple(part for text in values["scope"] for part in text.split(",") if part),
        selectors=selectors(values),
        expires_us=_end_us(values["expires"], book.now_us()),
    )
    context.done = f"token {made.id} is made"
    if context.json:
        context.print_json({**token_json(made), "token": secret})
        return 0
    scopes = ", ".join(scope.value for scope in made.scopes)
    context.warn(f"token {made.id} of {made.holder} ({scopes}), until {_shown(made.expires_us)}; shown only now")
    context.print(secret)
    return 0


@command(
    "token list",
    examples=(("token list", "who administers the book sees all, others their own"),),
)
def list_(context: Context, values: Values) -> int:  # noqa: ARG001 the shape of a command
    """Print the tokens of the book, never the secret."""
    book = context.book()
    found = book.token_list(context.holder())
    if context.json:
        context.print_json({"tokens": [token_json(one) for one in found]})
        return 0
    now_us = book.now_us()
    cells = [
        (one.id, one.holder, one.name, " ".join(scope.value for scope in one.scopes), _state(one, now_us), _used(one))
        for one in found
    ]
    headers = ("ID", "USER", "NAME", "SCOPES", "STATE", "LAST USE")
    context.print(table(headers, cells) if cells else "no tokens")
    return 0


@command(
    "token revoke",
    examples=(("token revoke 8f3a2c10", "worthless from now on"),),
    arguments=(Argument("ID"),),
)
def revoke(context: Context, values: Values) -> int:
    """Make a token worthless; everybody may revoke their own."""
    found = context.book().token_revoke(values["id"], context.holder())
    context.answer(token_json(found), f"revoked token {found.id} of {escape_unprintable(found.holder)}")
    return 0


def _end_us(text: str | None, now_us: int) -> int:
    if text is None:
        return now_us + _LIFE_US
    try:
        return min(now_us + timeparse.duration(text), FOREVER_US)
    except UsageError:
        end_us = timeparse.optional("--expires", text, lambda word: timeparse.instant(word, now_us=now_us))
        return now_us if end_us is None else end_us


def _shown(instant_us: int) -> str:
    return "it is revoked" if instant_us >= FOREVER_US else timeparse.show(instant_us)


def _state(of: Token, now_us: int) -> str:
    if of.revoked_us is not None:
        return f"revoked {timeparse.show(of.revoked_us)}"
    if of.expires_us <= now_us:
        return f"expired {timeparse.show(of.expires_us)}"
    return "good" if of.expires_us >= FOREVER_US else f"good until {timeparse.show(of.expires_us)}"


def _used(of: Token) -> str:
    return "never" if of.used_us is None else timeparse.show(of.used_us)
