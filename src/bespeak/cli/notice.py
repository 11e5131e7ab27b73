"""``notice list|add|targets|remove|replay``: what you were told, and where else you want to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base import timeparse
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UsageError
from bespeak.base.ids import short_id
from bespeak.cli.output import table
from bespeak.notices.serialize import notice_json, subscription_json

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.notices.model import Kind, Subscription

_CHANNELS = ("webhook", "mail", "chat")
_LIMIT = 50


@command(
    "notice list",
    examples=(("notice list", "your turn, ends soon, somebody waits, taken away, free"),),
    options=(Option(("--limit",), f"At most so many (default {_LIMIT}).", "NUMBER", kind="int"),),
)
def list_(context: Context, values: Values) -> int:
    """Print what whoever asks was told, newest first."""
    from bespeak.notices.service import notices_in

    limit = _LIMIT if values["limit"] is None else values["limit"]
    if limit < 1:
        raise UsageError("--limit: at least 1")
    found = notices_in(context.book()).listed(context.holder(), limit)
    if context.json:
        context.print_json({"notices": [notice_json(one) for one in found]})
        return 0
    for one in found:
        context.print(f"{timeparse.show(one.at_us)}  {one.text}")
    if not found:
        context.print("no notices")
    return 0


@command(
    "notice add",
    text="A running `bespeak serve` makes the notices and sends them. A webhook is signed as Standard Webhooks says; "
    "its secret is printed once.",
    examples=(
        ("notice add --webhook https://hooks.example.com/lab", "everything, signed"),
        ("notice add --mail alice@example.com --on your_turn --on taken_away", "the two that matter, by mail"),
    ),
    options=(
        Option(("--webhook",), "Send a POST request to this address.", "URL"),
        Option(("--mail",), "Send mail to this address.", "ADDRESS"),
        Option(("--chat",), "Tell a chat, by its apprise URL (extra on the server: chat).", "URL"),
        Option(
            ("--on",),
            "Only your_turn, ends_soon, somebody_waits, taken_away, moved, free or approval; may be repeated.",
            "KIND",
            many=True,
        ),
    ),
)
def add(context: Context, values: Values) -> int:
    """Tell whoever asks somewhere else too."""
    from bespeak.notices import targets
    from bespeak.notices.model import Channel
    from bespeak.notices.service import notices_in
    from bespeak.notices.store import new_secret

    given = [name for name in _CHANNELS if values[name] is not None]
    if len(given) != 1:
        raise UsageError("notice add: one of --webhook, --mail and --chat")
    channel = Channel(given[0])
    target = targets.checked(channel, values[given[0]])
    secret = new_secret(channel)
    notices = notices_in(context.book(create=True))
    made = notices.subscribe(context.holder(), channel, target, _kinds(values["on"]), secret)
    if context.json:
        context.print_json({**subscription_json(made), "secret": secret or None})
        return 0
    context.warn(f"notices go to {targets.shown(channel, target)} too; id {short_id(made.id)}")
    if secret:
        context.warn("what they are signed with is shown only now:")
        context.print(secret)
    return 0


def _kinds(names: tuple[str, ...]) -> tuple[Kind, ...]:
    from bespeak.notices.model import Kind

    known = {kind.value: kind for kind in Kind}
    for name in names:
        if name not in known:
            raise UsageError(f"--on: {name!a} is no kind of notice; they are {', '.join(known)}")
    return tuple(known[name] for name in names)


@command("notice targets", examples=(("notice targets", "where you are told, beside your page"),))
def targets_(context: Context, values: Values) -> int:  # noqa: ARG001 the shape of a command
    """Print where whoever asks is told."""
    from bespeak.notices.service import notices_in

    found = notices_in(context.book()).subscriptions(context.holder())
    if context.json:
        context.print_json({"targets": [subscription_json(one) for one in found]})
        return 0
    cells = [_cells(one) for one in found]
    context.print(table(("ID", "BY", "TO", "ABOUT"), cells) if cells else "nowhere but on your page")
    return 0


def _cells(of: Subscription) -> tuple[str, str, str, str]:
    from bespeak.notices.targets import shown

    about = " ".join(kind.value for kind in of.kinds) or "everything"
    return short_id(of.id), of.channel.value, escape_unprintable(shown(of.channel, of.target)), about


@command(
    "notice remove",
    examples=(("notice remove 8f3a2c10", "nothing more goes there"),),
    arguments=(Argument("ID"),),
)
def remove(context: Context, values: Values) -> int:
    """Stop telling somewhere."""
    from bespeak.notices.service import notices_in

    ended = notices_in(context.book()).unsubscribe(context.holder(), values["id"])
    context.answer(subscription_json(ended), f"removed {short_id(ended.id)}")
    return 0


@command(
    "notice replay",
    examples=(("notice replay 8f3a2c10 --last 2h", "sends again what was made in the last two hours"),),
    arguments=(Argument("ID"),),
    options=(Option(("--last",), "What was made in so long (default 24h).", "DURATION"),),
)
def replay(context: Context, values: Values) -> int:
    """Send again what was sent, with the same ids."""
    from bespeak.base.clock import DAY_US
    from bespeak.notices.service import notices_in

    length_us = DAY_US if values["last"] is None else timeparse.duration(values["last"])
    count = notices_in(context.book()).replay(context.holder(), values["id"], length_us)
    context.answer({"notices": count}, f"{count} notices are sent again")
    return 0
