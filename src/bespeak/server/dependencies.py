"""What handlers are given: the book, who calls, and in whose name."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Header, Request

from bespeak.base.errors import UsageError
from bespeak.ledger.current_hold import CurrentHold
from bespeak.ledger.model import Holder
from bespeak.server.book import ServedBook
from bespeak.server.identity import Caller, NotSignedInError

CALLER = "caller"
_MOST_DIGITS = 18


def _book(request: Request) -> ServedBook:
    book: ServedBook = request.app.state.book
    return book


def _maybe_who(request: Request) -> Caller | None:
    caller: Caller | None = request.scope["state"].get(CALLER)
    return caller


def _who(request: Request) -> Caller:
    caller = _maybe_who(request)
    if caller is None:
        raise NotSignedInError("sign in first: send a token as 'Authorization: Bearer TOKEN'")
    return caller


SIGNED_IN = Depends(_who)
"""For routes that need somebody signed in, whoever it is."""
Book = Annotated[ServedBook, Depends(_book)]
Who = Annotated[Caller, Depends(_who)]
MaybeWho = Annotated[Caller | None, Depends(_maybe_who)]


def _holder(
    who: Who,
    as_user: Annotated[
        str | None,
        Header(alias="Bespeak-As-User", description="Act for this user (percent-encoded UTF-8); it is recorded."),
    ] = None,
) -> Holder:
    if not as_user:
        return Holder(who.holder)
    return Holder(unquote(as_user), who.holder)


By = Annotated[Holder, Depends(_holder)]
"""Whose reservations are meant, and who really asks."""


def _fencing_token(
    if_match: Annotated[
        str | None,
        Header(alias="If-Match", description='The fencing token that the reservation must have: `"N"`, or `*`.'),
    ] = None,
) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip()
    number = text[1:-1]
    quoted = text.startswith('"') and text.endswith('"')
    if not (quoted and number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS):
        raise UsageError(f'If-Match: {text[:40]!a} is no fencing token in quotes, such as "17"')
    return int(number)


FencingToken = Annotated[int | None, Depends(_fencing_token)]


def _within(
    within: Annotated[
        str | None,
        Header(alias="Bespeak-Within", description="The hold of the `bespeak run` around the client: `ID;NUMBER`."),
    ] = None,
) -> CurrentHold | None:
    if not within:
        return None
    identifier, _, number = within.partition(";")
    if not (identifier.isascii() and number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS):
        raise UsageError(f"Bespeak-Within: {within[:60]!a} is no reservation with its number, such as ID;17")
    return CurrentHold(identifier, int(number))


Within = Annotated[CurrentHold | None, Depends(_within)]
