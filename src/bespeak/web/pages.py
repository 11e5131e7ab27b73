"""The pages: each reads the book, makes a view for who looks, and renders it. No HTTP here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from bespeak.access.model import Right
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import NotFoundError
from bespeak.integrations import calendar_links
from bespeak.ledger.inventory import read as inventory
from bespeak.ledger.model import Holder
from bespeak.notices import store
from bespeak.web import read, read_claims_and_jobs
from bespeak.web.form import Message, local_path, whole_number
from bespeak.web.render import render
from bespeak.web.row_cache import rendered_rows
from bespeak.web.viewer import OpenRights, Viewer
from bespeak.web.views import claims_jobs_admin, details, now, timeline
from bespeak.web.wallclock import WallClock, zone_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from bespeak.ledger.model import Reservation
    from bespeak.ledger.service import Ledger

LOG_ROWS = 100
_HISTORY_ROWS = 30
_NOTICES = 20


_NAVIGATION_OF_ALL = (("/now", "now"), ("/timeline", "timeline"), ("/log", "log"))
_NAVIGATION = (
    ("/now", "now"),
    ("/timeline", "timeline"),
    ("/mine", "mine"),
    ("/log", "log"),
    ("/claims", "claims"),
    ("/jobs", "jobs"),
    ("/admin", "admin"),
)


class SignInNeededError(Exception):
    """The page is for those who are signed in, or this viewer may not see anything of it."""


@dataclass(frozen=True, slots=True)
class Site:
    """What is the same on every page.

    Args:
        with_token: people can sign in with a token.
        provider: the address at which people sign in with an account; empty where there is none.
        sign_out: the address that ends a session; empty where the viewer has none.
    """

    with_token: bool = False
    provider: str = ""
    sign_out: str = ""

    @property
    def sign_in(self) -> str:
        """Return the address of the page where people sign in; empty where there is none."""
        return "/sign-in" if self.with_token or self.provider else ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser asks for.

    Args:
        viewer: who looks.
        zone: their time zone.
        query: the parameters of the address, each with its values.
        fragment: only the parts that can change are wanted, by the script of an open page.
        message: what an action before this page has to say.
    """

    viewer: Viewer
    zone: tzinfo
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    fragment: bool = False
    message: Message | None = None
    site: Site = field(default_factory=Site)

    def one(self, name: str) -> str | None:
        """Return the first value of a parameter."""
        return next(iter(self.query.get(name, ())), None)

    def only(self) -> Sequence[str] | None:
        """Return the resources that an open page asks for again; None means all."""
        return self.query.get("only") if self.fragment else None

    def render(self, template: str, page: str, **values: object) -> str:
        """Return the HTML of a page."""
        values.setdefault("message", self.message)
        return render(
            template,
            self.viewer,
            page=page,
            navigation=_NAVIGATION if self.viewer.user is not None else _NAVIGATION_OF_ALL,
            sign_in=self.site.sign_in,
            sign_out=self.site.sign_out,
            **values,
        )


def _clock(asked: Asked, now_us: int) -> WallClock:
    return WallClock(asked.zone, now_us)


def now_page(book: Ledger, asked: Asked) -> str:
    """Return the page *now*, or those of its rows that are asked for again."""
    _require_look(asked)
    board = read.board(book, only=asked.only())
    view = rendered_rows(board, asked.viewer, _clock(asked, board.now_us))
    if asked.fragment and asked.only() is not None:
        return asked.render("now_fragment.html", "now", view=view)
    return asked.render("now.html", "now", view=view, last_seq=view.last_seq)


def wall_page(book: Ledger, asked: Asked) -> str:
    """Return the page for a screen on a wall, on which nothing is anybody's own."""
    _require_look(asked)
    board = read.board(book)
    seen = asked.viewer.allowed(Right.LOOK, board.names)
    board = replace(board, resources=tuple(one for one in board.resources if one.name in seen))
    clock = _clock(asked, board.now_us)
    wall = Viewer(None, OpenRights(public=True), names_hidden=asked.viewer.names_hidden)
    view = now.now_view(board, wall, clock)
    return asked.render("wall.html", "wall", view=view, last_seq=view.last_seq, now=clock.moment(board.now_us))


def timeline_page(book: Ledger, asked: Asked) -> str:
    """Return the timeline, or those of its rows that are asked for again."""
    _require_look(asked)
    span = next((one for one in timeline.Span if one.value == asked.one("span")), timeline.Span.DAY)
    clock = _clock(asked, book.now_us())
    day = _day(asked.one("day")) or clock.today()
    board = read.board(book, window_us=timeline.window(span, day, clock), only=asked.only())
    view = timeline.timeline_view(board, asked.viewer, _clock(asked, board.now_us), span, day)
    if asked.fragment and asked.only() is not None:
        return asked.render("timeline_lanes.html", "timeline", view=view)
    here = "/timeline?" + urlencode({"span": view.span, "day": view.day})
    zone = zone_name(asked.zone)
    return asked.render("timeline.html", "timeline", view=view, last_seq=view.last_seq, here=here, zone=zone)


def _day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if date(1971, 1, 1) <= day <= date(9998, 1, 1) else None


def resource_page(book: Ledger, asked: Asked, name: str) -> str:
    """Return the page of one resource.

    Raises:
        NotFoundError: the book does not know it.
    """
    board = read.board(book, window_us=(book.now_us(), _far(book)), only=[name])
    if not board.resources or not asked.viewer.may(Right.LOOK, name):
        raise NotFoundError(f"the book knows no resource {name!r}")
    clock = _clock(asked, board.now_us)
    entries = read.newest_log(book, before_seq=None, limit=_HISTORY_ROWS, resource=name)
    history = details.log_view(entries, asked.viewer, clock, limit=_HISTORY_ROWS)
    usage = read.usage(book, name, details.USAGE_WINDOW_US)
    entry = book.engine.read(lambda tx: inventory.entries(tx, [name]))[name]
    view = details.resource_view(board, entry, history, usage, asked.viewer, clock)
    return asked.render("resource.html", "resource", view=view, last_seq=board.last_seq)


def _far(book: Ledger) -> int:
    return book.now_us() + details.AHEAD_US


def reservation_page(book: Ledger, asked: Asked, text: str) -> str:
    """Return the page of one reservation.

    Raises:
        NotFoundError: there is none that the viewer may see.
    """
    found = book.find(text)
    viewer = asked.viewer
    hidden = viewer.names_hidden and found.holder != viewer.user
    if hidden or not all(viewer.may(Right.LOOK, name) for name in found.resources):
        raise NotFoundError(f"no reservation {text!a}")
    clock = _clock(asked, book.now_us())
    entries = book.log(reservation_id=found.id, limit=_HISTORY_ROWS, newest_first=True)
    history = details.log_view(entries, viewer, clock, limit=_HISTORY_ROWS)
    view = details.reservation_view(found, history, viewer, clock, may_answer=_may_answer(book, viewer, found))
    return asked.render("reservation.html", "reservation", view=view)


def _may_answer(book: Ledger, viewer: Viewer, found: Reservation) -> bool:
    """Tell whether the viewer may approve or refuse a reservation."""
    if viewer.user is None or not found.is_awaiting:
        return False
    return any(one.id == found.id for one in book.to_approve(Holder(viewer.user)))


def mine_page(book: Ledger, asked: Asked) -> str:
    """Return what the viewer holds, has booked and waits for, and what others want the viewer to approve."""
    user = _require_signed_in(asked)
    account = read.account(book, user)
    clock = _clock(asked, account.now_us)
    view = details.mine_view(account, asked.viewer, clock, book.to_approve(Holder(user)))
    told = [(clock.moment(one.at_us), one.text) for one in store.notices(book, user, limit=_NOTICES)]
    return asked.render(
        "mine.html",
        "mine",
        view=view,
        notices=told,
        calendars=calendar_links.links(book, user),
        targets=details.target_rows(store.subscriptions(book, user)),
    )


def log_page(book: Ledger, asked: Asked) -> str:
    """Return the log, newest first."""
    _require_look(asked)
    before_seq = whole_number(asked.one("before") or "")
    entries = read.newest_log(book, before_seq=before_seq, limit=LOG_ROWS + 1)
    view = details.log_view(entries, asked.viewer, _clock(asked, book.now_us()), limit=LOG_ROWS)
    return asked.render("log.html", "log", view=view, newest=before_seq is None)


def _require_look(asked: Asked) -> None:
    """Refuse a page of the whole book to those who may look at nothing.

    Raises:
        SignInNeededError: nobody is signed in, and the page is not public.
    """
    if asked.viewer.user is None and not asked.viewer.may(Right.LOOK):
        raise SignInNeededError


def said_page(asked: Asked, message: Message) -> str:
    """Return what an action has to say: the message alone for an open page, else a page of its own."""
    if asked.fragment:
        return asked.render("message.html", "said", message=message)
    return asked.render("said.html", "said", message=message)


def failure_page(asked: Asked, text: str) -> str:
    """Return a page that says what failed."""
    return said_page(asked, Message("error", "That did not work:", escape_unprintable(text)))


def sign_in_page(asked: Asked, next_path: str = "/now") -> str:
    """Return the page that those who are not signed in get instead."""
    site = asked.site
    return asked.render(
        "sign_in.html", "sign in", provider=site.provider, with_token=site.with_token, next=local_path(next_path)
    )


def claims_page(book: Ledger, asked: Asked) -> str:
    """Return the claims of agents in the repositories of this book, and which of them meet."""
    _require_signed_in(asked)
    found = read_claims_and_jobs.claims(book)
    return asked.render("claims.html", "claims", view=claims_jobs_admin.claims_view(found, _clock(asked, found.now_us)))


def jobs_page(book: Ledger, asked: Asked) -> str:
    """Return the newest jobs, with what has become of them."""
    _require_signed_in(asked)
    found = read_claims_and_jobs.jobs(book)
    return asked.render("jobs.html", "jobs", view=claims_jobs_admin.jobs_view(found, _clock(asked, found.now_us)))


def admin_page(book: Ledger, asked: Asked) -> str:
    """Return what the viewer may administer: resources, rights, tokens."""
    user = _require_signed_in(asked)
    entries = book.engine.read(lambda tx: list(inventory.entries(tx).values()))
    clock = _clock(asked, book.now_us())
    tokens = book.token_list(Holder(user))
    view = claims_jobs_admin.admin_view(entries, book.rights_list().rules, tokens, asked.viewer, clock)
    return asked.render("admin.html", "admin", view=view)


def _require_signed_in(asked: Asked) -> str:
    """Return who is signed in.

    Raises:
        SignInNeededError: nobody is.
    """
    if asked.viewer.user is None:
        raise SignInNeededError
    return asked.viewer.user
