"""The documents of the API: what clients send, checked; and what they get, for the description of the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from bespeak.base import timeparse
from bespeak.base.clock import FOREVER_US, from_iso
from bespeak.base.errors import UsageError
from bespeak.ledger.model import Holder, Mode, Need, Request

FOREVER = "forever"
_MOST_INTEGER = 2**63 - 1

Instant = Annotated[StrictInt, Field(ge=0, le=_MOST_INTEGER, description="µs since 1970, UTC.")]
Duration = Annotated[StrictInt, Field(ge=1, le=_MOST_INTEGER, description="µs.")]
IsoInstant = Annotated[str, Field(max_length=64, description="ISO 8601 with an offset.")]


REASON: str = Field("", description="Why, for the log; needed where it is somebody else's.", max_length=1_000)


class Asked(BaseModel):
    """A document that a client sends; members that nobody knows are refused."""

    model_config = ConfigDict(extra="forbid")


class Window(Asked):
    """The end of something: after a duration or at an instant."""

    ends: IsoInstant | None = Field(None, description='ISO 8601 with an offset, or "forever".')
    ends_us: Instant | None = None
    duration: Annotated[str, Field(max_length=64)] | None = Field(None, description='As it is typed: "2h", "forever".')
    duration_us: Duration | None = None

    def end(self) -> int | None:
        """Return the end, µs UTC."""
        if self.ends is not None and self.ends_us is not None:
            raise UsageError("ends and ends_us are the same; give one")
        if self.ends == FOREVER:
            return FOREVER_US
        return self.ends_us if self.ends is None else instant("ends", self.ends)

    def length(self) -> int | None:
        """Return the duration, µs."""
        if self.duration is not None and self.duration_us is not None:
            raise UsageError("duration and duration_us are the same; give one")
        return self.duration_us if self.duration is None else timeparse.duration(self.duration)


class ShortenRequest(Window):
    """The new end, or how much less."""

    reason: str = REASON


class NeedRequest(Asked):
    """Resources that are wanted for what they are."""

    count: StrictInt = Field(1, description="How many.", ge=1, le=1_000)
    label: str = Field("", description="What their labels must match: `arm64 and ram>=4`.", max_length=10_000)


class ReservationRequest(Window):
    """What somebody wants to hold."""

    resources: list[str] = Field([], description="By name; all or none of them.", max_length=1_000)
    needs: list[NeedRequest] = Field([], description="By need, beside those that are named.", max_length=100)
    prefer: str = Field("", description="Of those that match the needs, rather these: an expression.")
    same: list[str] = Field([], description="Labels in which all must agree.", max_length=100)
    starts: IsoInstant | None = Field(None, description="By default now.")
    starts_us: Instant | None = None
    mode: Literal["exclusive", "shared"] = "exclusive"
    purpose: str = ""
    tags: dict[str, str] = {}
    next_fit: StrictBool = Field(False, description="Take the first window from the start on in which all are free.")
    keepalive_us: Duration | None = Field(None, description="The hold lapses so long after its last sign of life.")
    check_in_us: Duration | None = Field(None, description="Given back if nobody uses it for so long from its start.")
    open_end: StrictBool = Field(False, description="Until it is given back; others can book what follows its end.")
    queue: StrictBool = Field(False, description="Wait in the line; with `Prefer: wait=N` in this request.")
    priority: Annotated[StrictInt, Field(ge=-1_000, le=1_000)] = Field(0, description="Of a place in the line.")

    def start(self) -> int | None:
        """Return the start, µs UTC."""
        if self.starts is not None and self.starts_us is not None:
            raise UsageError("starts and starts_us are the same; give one")
        return self.starts_us if self.starts is None else instant("starts", self.starts)

    def request(self, holder: Holder) -> Request:
        """Return the request that this means."""
        length_us, ends_us = self.length(), self.end()
        if length_us is not None and length_us >= FOREVER_US and ends_us is None:
            length_us, ends_us = None, FOREVER_US
        if not self.resources and not self.needs:
            raise UsageError("resources: name at least one, or say with needs what labels must match")
        return Request(
            tuple(self.resources),
            holder,
            starts_us=self.start(),
            duration_us=length_us,
            ends_us=ends_us,
            mode=Mode(self.mode),
            purpose=self.purpose,
            tags=tuple(self.tags.items()),
            next_fit=self.next_fit,
            keepalive_us=self.keepalive_us,
            needs=tuple(Need(need.count, need.label) for need in self.needs),
            prefer=self.prefer,
            same=tuple(self.same),
            check_in_us=self.check_in_us,
            open_end=self.open_end,
        )


class KickRequest(Asked):
    """Why a reservation is taken away."""

    reason: str = Field(description="The holder will read it.", min_length=1)


class ReleaseRequest(Asked):
    """What to give back: resources that are held, or everything."""

    resources: list[str] | None = None
    mine: StrictBool = False


class GateRequest(Asked):
    """What a tool needs."""

    resources: list[str] = Field(description="All of these.", min_length=1, max_length=1_000)


class ResourceRequest(Asked):
    """What is declared about a resource; what is absent stays as it is."""

    capacity: StrictInt | None = Field(None, description="Exclusive holders it seats at once.")
    description: str | None = None


def instant(name: str, text: str) -> int:
    """Return the instant that a text of a request names, µs UTC.

    Raises:
        UsageError: it is none, or has no offset.
    """
    from datetime import datetime

    try:
        if datetime.fromisoformat(text).tzinfo is None:
            raise UsageError(f"{name}: {text!a} has no offset; write it like 2030-05-01T14:00+00:00")
        return from_iso(text)
    except (ValueError, OverflowError):
        raise UsageError(f"{name}: {text!a} is no time like 2030-05-01T14:00+00:00") from None


class Answer(BaseModel):
    """A document that a client gets; later versions may have further members."""

    model_config = ConfigDict(extra="allow")


class ReservationDocument(Answer):
    """A reservation as it stands."""

    id: str
    short_id: str
    number: int | None = Field(description="The fencing token; null while it waits.")
    state: Literal["waiting", "awaiting", "pending", "active", "ended"]
    holder: str
    acting: str | None = Field(description="Who really asked, where that is somebody else.")
    resources: list[str]
    mode: Literal["exclusive", "shared"]
    starts: str | None
    starts_us: int | None
    ends: str | None = Field(description="Null where there is no end.")
    ends_us: int | None
    created: str | None
    created_us: int | None
    ended_at: str | None
    ended_at_us: int | None
    ended_why: str | None
    ended_note: str
    purpose: str
    tags: dict[str, str]
    priority: int
    open_end: bool = Field(description="It lasts until it is given back.")
    approval: Literal["asked", "given", "refused"] | None = Field(description="Null where none is needed.")
    needs: list[dict[str, Any]] = Field(description="What was asked for by need in the queue: count and label.")
    now_us: int = Field(description="The book's instant at which this document was made.")


class Reservations(Answer):
    """Several reservations."""

    reservations: list[ReservationDocument]
    now_us: int


class ManyReservations(Reservations):
    """What was booked of many, and what was not."""

    skipped: list[dict[str, Any]] = Field(description="Windows that somebody is in the way of: `conflicts`.")


class ReservationPage(Reservations):
    """A page of a list."""

    more: bool
    cursor: str | None = Field(description="Send it as `cursor` for the next page.")


class ResourceReservations(Reservations):
    """Who has a resource now, and who comes next."""

    resource: str


class Booking(Answer):
    """What is in the way."""

    resource: str
    holder: str
    reservation_id: str
    mode: str
    waiting: bool
    starts: str | None
    starts_us: int | None
    ends: str | None
    ends_us: int | None
    purpose: str


class Conflicts(Answer):
    """What keeps a request from being granted now."""

    conflicts: list[Booking]


class NextFree(Answer):
    """The first start at which a request would be granted; null when never."""

    next_free: str | None
    next_free_us: int | None


class FreeWindow(Answer):
    """The first free window of a resource."""

    resource: str
    from_us: int | None
    until: str | None
    until_us: int | None


class FreeWindows(Answer):
    """The first free window of each resource."""

    resources: list[FreeWindow]


class GateDocument(Answer):
    """Whether the caller holds what is needed."""

    user: str
    allowed: bool
    held: list[str]
    missing: list[str]
    others: dict[str, list[dict[str, Any]]] = Field(description="Who holds each missing one, and until when.")
    free: dict[str, str | None] = Field(description="From when on each missing one is free; null: now, or never known.")


class ResourceDocument(Answer):
    """A resource."""

    name: str
    capacity: int
    declared: bool
    description: str


class ResourcePage(Answer):
    """A page of the resources."""

    resources: list[ResourceDocument]
    more: bool
    cursor: str | None


class LogEntryDocument(Answer):
    """A change of the book."""

    seq: int
    at: str | None
    at_us: int | None
    action: str
    who: str
    acting: str | None
    reservation_id: str | None
    resources: list[str]
    before: dict[str, Any]
    after: dict[str, Any]


class LogPage(Answer):
    """Changes of the book."""

    entries: list[LogEntryDocument]
    more: bool


class CallerDocument(Answer):
    """Who calls, as the server sees it."""

    user: str
    holder: str
    kind: str
    method: str
    groups: list[str]
    scopes: list[str] | None


class BookDocument(Answer):
    """The book that is served."""

    name: str
    version: str
    engine: Literal["sqlite", "postgresql"]
    default_for_us: int
    strict: bool
    api: int
    now: str
    now_us: int


class TimeDocument(Answer):
    """The present instant of the book."""

    now: str
    now_us: int


class Problem(Answer):
    """What failed (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    exit_code: int
