"""What the buttons of a user's own page do: calendars, and where else to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UsageError
from bespeak.integrations import calendar_links
from bespeak.integrations.calendar_links import Shows
from bespeak.ledger import validation
from bespeak.notices import store, targets
from bespeak.notices.model import Channel
from bespeak.web.form import Message

if TYPE_CHECKING:
    from bespeak.ledger.service import Ledger
    from bespeak.web.form import Form


def notify(book: Ledger, form: Form, name: str) -> Message:
    """Tell the viewer once when a resource is free."""
    validation.check_name("resource", name)
    store.watch(book, form.by.user, name)
    return Message("done", f"You will be told when {escape_unprintable(name)} is free.")


def make_calendar(book: Ledger, form: Form, what: str) -> Message:
    """Make a calendar link, whose address is shown this once."""
    word, _, target = what.partition(":")
    if word not in {shows.value for shows in Shows}:
        raise UsageError("the page asked for an unknown calendar; load it again")
    if target:
        validation.check_name("resource", target)
    hidden = form.text("hide") == "yes"
    made, token = calendar_links.make(book, form.by.user, Shows(word), target, names_hidden=hidden)
    address = f"{form.base}/calendar/{token}.ics"
    note = "Whoever has this address sees what you may see. It is shown only now:"
    return Message("done", f"Calendar: {escape_unprintable(made.title)}.", note, (address,))


def revoke_calendar(book: Ledger, form: Form, identifier: str) -> Message:
    """End a calendar link."""
    ended = calendar_links.revoke(book, form.by.user, identifier)
    return Message("done", f"Revoked: {escape_unprintable(ended.title)}.")


def tell(book: Ledger, form: Form, word: str) -> Message:
    """Tell the viewer's notices somewhere else too."""
    if word not in (Channel.MAIL.value, Channel.WEBHOOK.value):
        raise UsageError("the page asked for an unknown way to be told; load it again")
    channel = Channel(word)
    target = targets.checked(channel, form.text("target"))
    made = store.subscribe(book, form.by.user, channel, target)
    lines = (made.secret,) if made.secret else ()
    note = "It is signed with this secret, which is shown only now:" if lines else ""
    return Message("done", f"You will be told by {word} to {targets.shown(channel, target)}.", note, lines)


def untell(book: Ledger, form: Form, identifier: str) -> Message:
    """Stop telling somewhere."""
    ended = store.unsubscribe(book, form.by.user, identifier)
    return Message("done", f"No more notices to {targets.shown(ended.channel, ended.target)}.")
