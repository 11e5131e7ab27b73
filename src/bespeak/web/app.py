"""The pages as routes of the server."""

from __future__ import annotations

import gzip
import hashlib
import os
from dataclasses import dataclass
from datetime import UTC
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bespeak.base.errors import BespeakError, NotFoundError, UsageError
from bespeak.integrations import calendar_links, ical
from bespeak.server.middleware import is_utf8
from bespeak.server.open_streams import EventStream
from bespeak.server.rate_limit import guessed
from bespeak.server.sign_in.authenticator import SignIn
from bespeak.server.stream_access import stream_access
from bespeak.web import csrf, pages
from bespeak.web.actions import act, status_of
from bespeak.web.form import Form, Message, whole_number
from bespeak.web.live import Stream
from bespeak.web.pages import Asked, SignInNeededError
from bespeak.web.render import STATIC_TYPES, static_file, static_url
from bespeak.web.sign_in import as_seen_by, viewer_of
from bespeak.web.wallclock import zone_named

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from bespeak.access.model import Caller
    from bespeak.ledger.service import Ledger
    from bespeak.server.settings import ServerSettings
    from bespeak.web.viewer import Viewer

    Make = Callable[[Ledger, Asked], tuple[str, int]]

router = APIRouter()

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_SMALLEST_COMPRESSED = 1_000
_LARGE = 200_000
_MOST_FIELDS = 200
_FOR_EVER = "public, max-age=31536000, immutable"
_FORM = "application/x-www-form-urlencoded"
_TEXT = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class _Browser:
    """What a request tells about the browser; read in the loop, used in the thread that makes the page."""

    zone: tzinfo
    query: dict[str, list[str]]
    fragment: bool
    gzips: bool
    secret: str
    fresh: bool
    """The secret is new, and the browser has to be told."""


def _browser(request: Request) -> _Browser:
    query: dict[str, list[str]] = {}
    for name, value in _fields(request.scope["query_string"]):
        query.setdefault(name, []).append(value)
    secret = csrf.secret_of(request.cookies.get(_cookie(request)))
    named = query.get("zone", [""])[0] or unquote(request.cookies.get("zone", ""))
    return _Browser(
        zone_named(named, _server_zone()),
        query,
        fragment="bespeak-fragment" in request.headers,
        gzips="gzip" in request.headers.get("accept-encoding", ""),
        secret=secret or csrf.new_secret(),
        fresh=secret is None,
    )


def _fields(sent: bytes) -> list[tuple[str, str]]:
    """Return the fields of a query or a form.

    Raises:
        UsageError: they are no text, or no page of ours has so many.
    """
    if not is_utf8(sent):
        raise UsageError("the fields of the form are no percent-encoded UTF-8")
    try:
        return parse_qsl(sent.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise UsageError(f"at most {_MOST_FIELDS} fields") from None


def _caller(request: Request) -> Caller | None:
    caller: Caller | None = request.scope.get("state", {}).get("caller")
    return caller


def _server_zone() -> tzinfo:
    return zone_named(os.environ.get("TZ"), UTC)


def _cookie(request: Request) -> str:
    return csrf.cookie_name(secure=request.url.scheme == "https")


def _base(request: Request) -> str:
    """Return the address of the server as the settings say it, else as this browser knows it."""
    sign_in = getattr(request.app.state, "sign_in", None)
    said = sign_in.settings.url if isinstance(sign_in, SignIn) else ""
    return (said or str(request.base_url)).rstrip("/")


def _site(request: Request, caller: Caller | None) -> pages.Site:
    sign_in = getattr(request.app.state, "sign_in", None)
    settings = sign_in.settings if isinstance(sign_in, SignIn) else None
    going = quote(str(request.url.path), safe="")
    return pages.Site(
        with_token=settings is not None,
        provider=f"/auth/login?next={going}" if settings is not None and settings.oidc is not None else "",
        sign_out="/auth/logout" if caller is not None and caller.method == "session" else "",
    )


async def _answer(request: Request, page: str, make: Make) -> Response:
    """Answer with what ``make`` makes, in a thread that reads the book."""
    browser = _browser(request)
    state = request.app.state
    settings: ServerSettings = state.settings
    public, hidden = page in settings.public, settings.names_hidden
    caller = _caller(request)

    def work(ledger: Ledger) -> tuple[bytes, bool, int]:
        ledger = as_seen_by(ledger, caller)
        viewer = viewer_of(ledger, caller, csrf.masked(browser.secret), public=public, names_hidden=hidden)
        asked = Asked(viewer, browser.zone, browser.query, fragment=browser.fragment, site=_site(request, caller))
        try:
            text, status = make(ledger, asked)
        except SignInNeededError:
            text, status = pages.sign_in_page(asked, request.url.path), HTTPStatus.UNAUTHORIZED
        except BespeakError as error:
            text, status = pages.failure_page(asked, str(error)), status_of(error)
        return *_packed(text.encode(), gzips=browser.gzips), status

    body, compressed, status = await request.app.state.book.read(work)
    headers = {
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",  # with "no-referrer", browsers send forms with the origin "null"
        "Vary": "Accept-Encoding, Cookie",
    }
    if compressed:
        headers["Content-Encoding"] = "gzip"
    response = Response(body, status, headers, _TEXT)
    if browser.fresh:
        secure = request.url.scheme == "https"
        response.set_cookie(_cookie(request), browser.secret, path="/", secure=secure, httponly=True, samesite="strict")
    return response


def _packed(body: bytes, *, gzips: bool) -> tuple[bytes, bool]:
    """Compress a page; a large one fast, a small one well."""
    if not gzips or len(body) < _SMALLEST_COMPRESSED:
        return body, False
    return gzip.compress(body, 1 if len(body) > _LARGE else 6, mtime=0), True


@router.get("/")
async def first_page() -> Response:
    """Go to the page *now*."""
    return RedirectResponse("/now", HTTPStatus.SEE_OTHER)


@router.get("/now")
async def now(request: Request) -> Response:
    """Each resource: free, held by whom until when and why, waited for."""
    return await _answer(request, "now", lambda book, asked: (pages.now_page(book, asked), HTTPStatus.OK))


@router.get("/wall")
async def wall(request: Request) -> Response:
    """The same for a screen on a wall."""
    return await _answer(request, "now", lambda book, asked: (pages.wall_page(book, asked), HTTPStatus.OK))


@router.get("/timeline")
async def timeline(request: Request) -> Response:
    """Resources by day, week or month."""
    return await _answer(request, "timeline", lambda book, asked: (pages.timeline_page(book, asked), HTTPStatus.OK))


@router.get("/resource/{name:path}")
async def resource(request: Request, name: str) -> Response:
    """One resource with its history, use, and who comes next."""
    return await _answer(request, "now", lambda book, asked: (pages.resource_page(book, asked, name), HTTPStatus.OK))


@router.get("/reservation/{identifier}")
async def reservation(request: Request, identifier: str) -> Response:
    """One reservation."""
    return await _answer(
        request, "reservation", lambda book, asked: (pages.reservation_page(book, asked, identifier), HTTPStatus.OK)
    )


@router.get("/mine")
async def mine(request: Request) -> Response:
    """What the viewer has."""
    return await _answer(request, "mine", lambda book, asked: (pages.mine_page(book, asked), HTTPStatus.OK))


@router.get("/claims")
async def claims(request: Request) -> Response:
    """What agents have claimed in the repositories of this book."""
    return await _answer(request, "claims", lambda book, asked: (pages.claims_page(book, asked), HTTPStatus.OK))


@router.get("/jobs")
async def jobs(request: Request) -> Response:
    """Jobs, and what has become of them."""
    return await _answer(request, "jobs", lambda book, asked: (pages.jobs_page(book, asked), HTTPStatus.OK))


@router.get("/admin")
async def admin(request: Request) -> Response:
    """Resources, rights and tokens."""
    return await _answer(request, "admin", lambda book, asked: (pages.admin_page(book, asked), HTTPStatus.OK))


@router.get("/sign-in")
async def sign_in(request: Request) -> Response:
    """Where people sign in."""
    return await _answer(request, "sign in", lambda _, asked: (pages.sign_in_page(asked), HTTPStatus.OK))


@router.get("/log")
async def log(request: Request) -> Response:
    """Every change of the book."""
    return await _answer(request, "log", lambda book, asked: (pages.log_page(book, asked), HTTPStatus.OK))


@router.post("/act")
async def press(request: Request) -> Response:
    """Do what a button says, if the form is of this server."""
    fields = dict(_fields(await request.body()))
    browser = _browser(request)
    caller = _caller(request)
    genuine = csrf.from_here(request.headers, secure=request.url.scheme == "https") and csrf.fits(
        fields.get("csrf", ""), None if browser.fresh else browser.secret
    )
    if caller is None or not genuine or not request.headers.get("content-type", "").startswith(_FORM):
        return await _answer(request, "act", lambda _, asked: _not_genuine(asked, signed_in=caller is not None))

    def work(ledger: Ledger) -> Message:
        ledger = as_seen_by(ledger, caller)
        viewer = viewer_of(ledger, caller, "", public=False)
        return act(ledger, Form(fields, viewer, browser.zone, _base(request)))

    said = await request.app.state.book.write(work)
    if said.status == HTTPStatus.OK and not browser.fragment:
        return RedirectResponse(quote(said.back, safe="/?&=%:+,"), HTTPStatus.SEE_OTHER)
    return await _answer(request, "act", lambda _, asked: (pages.said_page(asked, said), said.status))


def _not_genuine(asked: Asked, *, signed_in: bool) -> tuple[str, int]:
    if not signed_in:
        return pages.sign_in_page(asked), HTTPStatus.UNAUTHORIZED
    said = Message(
        "error", "Nothing was done:", "the form is not of this page; load the page again and press once more"
    )
    return pages.said_page(asked, said), HTTPStatus.FORBIDDEN


@router.get("/calendar/{token}.ics")
async def calendar(request: Request, token: str) -> Response:
    """A calendar, for whoever has its secret address."""

    def work(ledger: Ledger) -> bytes | None:
        try:
            return ical.calendar(ledger, calendar_links.find(ledger, token))
        except NotFoundError:
            return None

    body = await request.app.state.book.read(work)
    if body is None:
        return _no_calendar(request)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=60"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, headers=headers, media_type="text/calendar; charset=utf-8")


def _no_calendar(request: Request) -> Response:
    """Answer a guess; one address has so many of them in a minute as of wrong tokens."""
    if wait := guessed(request):
        headers = {"Retry-After": str(wait)}
        return Response("come back later\n", HTTPStatus.TOO_MANY_REQUESTS, headers, "text/plain")
    return Response("no such calendar\n", HTTPStatus.NOT_FOUND, media_type="text/plain")


@router.get("/live")
async def live(request: Request) -> Response:
    """Tell an open page what changes, as server-sent events."""
    caller, settings, hub = _caller(request), request.app.state.settings, request.app.state.events
    if caller is None and not settings.public:
        return Response(status_code=HTTPStatus.UNAUTHORIZED)

    def viewer_in(ledger: Ledger) -> Viewer:
        return viewer_of(as_seen_by(ledger, caller), caller, "", public=True)

    said = request.headers.get("last-event-id") or request.query_params.get("after") or ""
    after = whole_number(said)
    stream = Stream(request.app.state.book, hub, stream_access(request.app, request.scope), viewer_in)
    sent = stream.events(hub.last if after is None else after)
    return EventStream(request.app.state.streams, sent, {"Cache-Control": "no-store"})


@router.get("/static/{digest}/{name}")
async def static(digest: str, name: str) -> Response:
    """A file that pages load."""
    if name not in STATIC_TYPES or static_url(name) != f"/static/{digest}/{name}":
        return Response(status_code=HTTPStatus.NOT_FOUND)
    return Response(static_file(name), 200, {"Cache-Control": _FOR_EVER}, STATIC_TYPES[name])
