"""What the buttons of a user's own page do: calendars, and where else to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.access.decide import told
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UsageError
from bespeak.integrations import calendar_links
from bespeak.integrations.calendar_links import Shows
from bespeak.integrations.calendar_service import calendar_links_in
from bespeak.ledger import validation
from bespeak.notices import store, targets
from bespeak.notices.model import Channel
from bespeak.notices.service import notices_in
from bespeak.notices.store import new_secret
from bespeak.web.form import Message, whole_number

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
    secret = calendar_links.new_secret()
    digest = calendar_links.hashed(secret)
    made = calendar_links_in(book).make(form.by, digest, Shows(word), target, names_hidden=hidden)
    address = f"{form.base}/calendar/{secret}.ics"
    note = "Whoever has this address sees what you may see. It is shown only now:"
    return Message("done", f"Calendar: {escape_unprintable(made.title)}.", note, (address,))


def revoke_calendar(book: Ledger, form: Form, identifier: str) -> Message:
    """End a calendar link."""
    ended = calendar_links_in(book).revoke(form.by, identifier)
    return Message("done", f"Revoked: {escape_unprintable(ended.title)}.")


def tell(book: Ledger, form: Form, word: str) -> Message:
    """Tell the viewer's notices somewhere else too."""
    if word not in (Channel.MAIL.value, Channel.WEBHOOK.value):
        raise UsageError("the page asked for an unknown way to be told; load it again")
    channel = Channel(word)
    target = targets.checked(channel, form.text("target"))
    secret = new_secret(channel)
    notices_in(book).subscribe(form.by, channel, target, (), secret)
    lines = (secret,) if secret else ()
    note = "It is signed with this secret, which is shown only now:" if lines else ""
    return Message("done", f"You will be told by {word} to {targets.shown(channel, target)}.", note, lines)


def untell(book: Ledger, form: Form, identifier: str) -> Message:
    """Stop telling somewhere."""
    ended = notices_in(book).unsubscribe(form.by, identifier)
    return Message("done", f"No more notices to {targets.shown(ended.channel, ended.target)}.")


def set_resource(book: Ledger, form: Form, _: str) -> Message:
    """Declare a resource, or change its seats and its description."""
    name, seats = form.text("name"), form.text("capacity") or "1"
    capacity = whole_number(seats)
    if capacity is None:
        raise UsageError(f"{seats!a} is no number of seats")
    book.resource_set(name, form.by, capacity=capacity, description=form.text("description"))
    return Message("done", f"{escape_unprintable(name)} is declared.")


def remove_resource(book: Ledger, form: Form, name: str) -> Message:
    """Remove a resource that nobody uses."""
    book.resource_remove(name, form.by)
    return Message("done", f"{escape_unprintable(name)} is removed.")


def grant(book: Ledger, form: Form, _: str) -> Message:
    """Give somebody a role."""
    selector = form.text("selector") or "*"
    rule, _is_new = book.rights_grant(form.text("principal"), form.text("role"), form.by, selector=selector)
    return Message("done", f"Granted: {escape_unprintable(told(rule))}.")


def revoke_rule(book: Ledger, form: Form, identifier: str) -> Message:
    """Remove a rule."""
    return Message("done", f"Revoked: {escape_unprintable(book.rights_revoke(identifier, form.by))}.")


def revoke_token(book: Ledger, form: Form, identifier: str) -> Message:
    """Make a token worthless."""
    found = book.token_revoke(identifier, form.by)
    return Message("done", f"Token {found.id} of {escape_unprintable(found.holder)} is revoked.")
