"""``approve`` and ``refuse``: answering a reservation of a resource that asks for approval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.errors import UsageError
from bespeak.cli import formatting, output
from bespeak.cli.modify import named, say

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values

IDS = Argument("ID", many=True, required=False, complete="reservation")


@command(
    "approve",
    text="Without an id, prints what awaits your approval. Who may approve is said by the resource (`resource set "
    "--approval`): those whom it names, the admins of the policy, and whoever a rule makes its manager. Until it is "
    "approved, a reservation keeps its time from everybody else, and is nobody's hold; unanswered, it expires at its "
    "start, but not before the policy's approval_within (default 4h) has passed.",
    examples=(("approve", "what awaits your approval"), ("approve 8f3a2c10", "it is a hold from its start on")),
    arguments=(IDS,),
)
def approve(context: Context, values: Values) -> int:
    """Approve reservations, or print those that can be approved."""
    book, holder = context.book(), context.holder()
    if not values["id"]:
        return _to_approve(context)
    found = {one.id: one for one in (named(book, word) for word in values["id"])}
    return say(context, "approved", [book.approve(identifier, holder) for identifier in found])


@command(
    "refuse",
    text="Its time is free at once. Who may do that is who may approve it.",
    examples=(("refuse 8f3a2c10 --reason 'audit that day'", "whoever asked reads it"),),
    arguments=(Argument("ID", many=True, complete="reservation"),),
    options=(Option(("--reason",), "Why; must be given. Whoever asked for it will read it.", "TEXT"),),
)
def refuse(context: Context, values: Values) -> int:
    """Refuse reservations that await approval."""
    if not values["reason"]:
        raise UsageError("refuse: --reason must be given; whoever asked for it will read it")
    book, holder = context.book(), context.holder()
    found = {one.id: one for one in (named(book, word) for word in values["id"])}
    return say(context, "refused", [book.refuse(identifier, holder, values["reason"]) for identifier in found])


def _to_approve(context: Context) -> int:
    book = context.book()
    found, now_us = book.to_approve(context.holder()), book.now_us()
    if context.json:
        from bespeak.ledger.serialize import reservation_json

        context.print_json({"reservations": [reservation_json(one, now_us) for one in found]})
        return 0
    context.print(formatting.rows(found, now_us, output.width()) if found else "nothing awaits your approval")
    return 0
