"""What the tools of the book and of the gate return."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from bespeak.mcp.coord_schemas import Instant, Micros


class Booked(TypedDict):
    """One reservation as it stands."""

    id: str
    short_id: str
    number: Annotated[int | None, Field(description="fencing number; null while waiting")]
    state: Annotated[str, Field(description="waiting, awaiting (approval), pending, active or ended")]
    holder: str
    holder_kind: str
    acting: Annotated[str | None, Field(description="who really asked, if somebody else")]
    host: str | None
    process: str | None
    seen: Instant
    seen_us: Micros
    resources: list[str]
    mode: Literal["exclusive", "shared"]
    starts: Instant
    starts_us: Micros
    ends: Instant
    ends_us: Micros
    created: Instant
    created_us: Micros
    ended_at: Instant
    ended_at_us: Micros
    ended_why: str | None
    ended_note: str
    purpose: str
    tags: dict[str, str]
    priority: int


class InTheWay(TypedDict):
    """Who holds one resource that was asked for."""

    resource: str
    holder: str
    holder_kind: str
    host: str | None
    process: str | None
    seen: Instant
    seen_us: Micros
    reservation_id: str
    mode: Literal["exclusive", "shared"]
    waiting: Annotated[bool, Field(description="promised to somebody in the queue")]
    starts: Instant
    starts_us: Micros
    ends: Instant
    ends_us: Micros
    purpose: str


class BookAnswer(TypedDict):
    """A reservation with `status` reserved or extended; or who is in the way, with `status` refused or timed_out."""

    status: Annotated[
        Literal["reserved", "extended", "awaiting", "refused", "timed_out"],
        Field(description="reserved or extended: it is yours; awaiting: not before somebody approves it"),
    ]
    conflicts: list[InTheWay]
    next_free: Annotated[str | None, Field(description="when the same request would be granted; null for never")]
    next_free_us: Micros
    reason: NotRequired[Annotated[str, Field(description="why not, in one line")]]
    id: NotRequired[str]
    short_id: NotRequired[str]
    number: NotRequired[int | None]
    state: NotRequired[str]
    holder: NotRequired[str]
    holder_kind: NotRequired[str]
    acting: NotRequired[str | None]
    host: NotRequired[str | None]
    process: NotRequired[str | None]
    seen: NotRequired[Instant]
    seen_us: NotRequired[Micros]
    resources: NotRequired[list[str]]
    mode: NotRequired[Literal["exclusive", "shared"]]
    starts: NotRequired[Instant]
    starts_us: NotRequired[Micros]
    ends: NotRequired[Instant]
    ends_us: NotRequired[Micros]
    created: NotRequired[Instant]
    created_us: NotRequired[Micros]
    ended_at: NotRequired[Instant]
    ended_at_us: NotRequired[Micros]
    ended_why: NotRequired[str | None]
    ended_note: NotRequired[str]
    purpose: NotRequired[str]
    tags: NotRequired[dict[str, str]]
    priority: NotRequired[int]
    properties: NotRequired[
        Annotated[dict[str, dict[str, str | int | float | bool]], Field(description="labels of the resources")]
    ]


class Changed(TypedDict):
    """Reservations that were changed."""

    reservations: list[Booked]


class Standing(TypedDict):
    """How a reservation stands now."""

    id: str
    state: str


class Answered(TypedDict):
    """Reservations that were answered, and how they stand then."""

    reservations: list[Standing]


class BookList(TypedDict):
    """What is held, booked and waited for."""

    reservations: list[Booked]
    more: Annotated[bool, Field(description="limit has cut something off")]


class Who(TypedDict):
    """Who holds a resource, who waits, who has it booked next."""

    resource: str
    reservations: list[Booked]


FreeWindow = TypedDict(
    "FreeWindow",
    {"resource": str, "from": Instant, "from_us": Micros, "until": Instant, "until_us": Micros},
)
"""The first free window of a resource."""


class Free(TypedDict):
    """From when each resource is free, and until when."""

    resources: list[FreeWindow]


class Holder(TypedDict):
    """Somebody who holds what is missing."""

    username: str
    until: Instant
    open_ended: bool
    where: str | None


class Missing(TypedDict):
    """A resource that is required and not held."""

    resource: str
    holders: list[Holder]
    free_from: Annotated[str | None, Field(description="null: now, never, or nobody can say")]


class GateAnswer(TypedDict):
    """Whether a user may touch a lab now."""

    lab: str
    username: str | None
    allowed: bool
    checked: Annotated[bool, Field(description="false: no backend is configured, nothing was asked")]
    skipped: bool
    backend: str
    decided_by: Annotated[str | None, Field(description="the settings file that chose the backend")]
    within: Annotated[str | None, Field(description="the only reservation that counts, inside bespeak run")]
    book: Annotated[str | None, Field(description="the book that was asked")]
    required: list[str]
    held: list[str]
    missing: list[Missing]
    text: str
    free: Annotated[
        list[FreeWindow], Field(description="the first free window of each missing resource, if bespeak's book knows")
    ]
