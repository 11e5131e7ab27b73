"""Requests are answered the same whether FastAPI does it or the shorter way for well-formed ones."""

import json
import re
from typing import Annotated

import pytest
from fastapi import Depends, Header, Query, Request

from bespeak.server import app, direct_routes
from bespeak.server.answers import API
from bespeak.server.arguments import Arguments, NotUnderstoodError
from bespeak.server.schemas import KickRequest
from support.server import serving

HOUR_US = 3_600_000_000
START_US = 4_000_000_000_000_000
JSON = {"Content-Type": "application/json"}
_NEEDS_QUERY = {"who_has", "check_right", "cancel_maintenance"}
"""Those that cannot be asked without a query, which FastAPI reads."""


def _reserve(name, **more):
    body = {"resources": [name], "starts_us": START_US, "duration_us": HOUR_US, **more}
    return "POST", "/reservations", JSON, json.dumps(body).encode()


def _post(body, headers=JSON, path="/reservations"):
    return "POST", path, headers, body


DEEP = b'{"resources": ' + b"[" * 3_000 + b"]" * 3_000 + b"}"
REQUESTS = [
    _reserve("rack1"),
    _reserve("rack1"),
    _reserve("rack0", queue=True, starts_us=None),
    _reserve("rack2", purpose="a", tags={"k": "v"}),
    _reserve("rack3", starts_us=float(START_US)),
    _reserve("rack3", duration_us="7"),
    _reserve("rack3", mode="other"),
    _reserve("rack3", unknown=1),
    _reserve("rack3", tags={"k": 1}),
    _reserve("rack3", next_fit=1),
    _reserve("\ud800"),
    _reserve(""),
    _post(b'{"resources": ["rack4"], "duration_us": 1, "duration_us": 3600000000}'),
    _post(b""),
    _post(b"{"),
    _post(b"[]"),
    _post(b"null"),
    _post(b"NaN"),
    _post(DEEP),
    _post(b"\xef\xbb\xbf" + _reserve("rack5")[3]),
    _post(_reserve("rack6")[3].decode().encode("utf-16")),
    _post(_reserve("rack7")[3].decode().encode("latin-1") + b"\xff"),
    _post(_reserve("rack7")[3], {}),
    _post(_reserve("rack8")[3], {"Content-Type": "text/plain"}),
    _post(_reserve("rack9")[3], {"Content-Type": "Application/JSON; charset=utf-8"}),
    _post(_reserve("rack10")[3], {"Content-Type": "application/problem+json"}),
    _post(_reserve("rack11")[3], {**JSON, "Idempotency-Key": "one"}),
    _post(_reserve("rack11")[3], {**JSON, "Idempotency-Key": "one"}),
    _post(_reserve("rack12")[3], {**JSON, "Idempotency-Key": "one"}),
    _post(_reserve("rack13")[3], {**JSON, "Prefer": "wait=0"}),
    _post(_reserve("rack14")[3], {**JSON, "Bespeak-As-User": "b%C3%B6b"}),
    _post([_reserve("rack16")[3][:20], _reserve("rack16")[3][20:]]),
    _post(_reserve("rack17")[3], JSON, "/reservations/"),
    _post(_reserve("rack17")[3], JSON, "/reservations?limit=1"),
    _post(_reserve("rack1")[3], JSON, "/in-the-way"),
    _post(b'{"resources": ["rack1"]}', {**JSON, "Bespeak-Within": "x"}, "/gate"),
    _post(b'{"reason": "because"}', JSON, "/reservations/nothing/kick"),
    _post(b'{"reason": ""}', JSON, "/reservations/nothing/kick"),
    _post(b"", {"If-Match": "7"}, "/reservations/nothing/keep-alive"),
    _post(b"", {}, "/reservations/nothing/keep-alive"),
    _post(b"{}", JSON, "/call/policy"),
    _post(b"[]", JSON, "/call/policy"),
    _post(b"{}", JSON, "/call/nothing"),
    ("GET", "/reservations", {}, None),
    ("GET", "/reservations?limit=1", {}, None),
    ("GET", "/reservations?limit=x", {}, None),
    ("GET", "/reservations?state=waiting&state=pending", {}, None),
    ("GET", "/reservations/nothing", {"If-Match": '"1"'}, None),
    ("GET", "/who", {}, None),
    ("GET", "/who?resource=rack1", {}, None),
    ("GET", "/me", {}, None),
    ("GET", "/me?x=y", {}, None),
    ("HEAD", "/me", {}, None),
    ("GET", "/nothing", {}, None),
    ("DELETE", "/me", {}, None),
    ("PUT", "/resources/room%2Fa/b%20c", JSON, b'{"capacity": 2}'),
    ("GET", "/resources/room/a/b c", {}, None),
    ("GET", "/resources/", {}, None),
    ("DELETE", "/resources/rack1", {}, None),
    ("DELETE", "/reservations/nothing?reason=x", {}, None),
]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A client of a server, and one of another that leaves everything to FastAPI."""
    folder = tmp_path_factory.mktemp("both")
    with serving(str(folder / "direct.db")) as direct, pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "DirectRoutes", lambda _app, inner, _routers, _prefix: inner)
        with serving(str(folder / "whole.db")) as whole, direct.client("alice") as one, whole.client("alice") as other:
            yield one, other


def _sent(client, request):
    method, path, headers, body = request
    found = client.request(method, path, headers=headers, content=body)
    names = sorted(name for name in found.headers if name != "content-length")
    return found.status_code, names, _plain(found.text)


def _plain(text):
    """Return an answer without what differs from one time to the next."""
    text = re.sub(r"urn:uuid:[0-9a-zA-Z-]+", "URN", text)
    text = re.sub(r"\b[0-9a-z]{26}\b|\b[0-9a-f]{8}-[0-9a-f-]{27}\b", "ID", text)
    text = re.sub(r'"cursor":"[^"]*"', '"cursor":"CURSOR"', text)
    text = re.sub(r'"short_id":"[^"]*"', '"short_id":"SHORT"', text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.+]+", "INSTANT", text)
    return re.sub(r"\b\d{16,19}\b", "US", text)


def _asked(request):
    """Return a request to send; one whose body comes in pieces anew each time."""
    *rest, body = request
    return (*rest, iter(body)) if isinstance(body, list) else request


@pytest.mark.parametrize("several", [REQUESTS[start : start + 10] for start in range(0, len(REQUESTS), 10)])
def test_both_ways_answer_the_same(both, several):
    direct, whole = both
    for request in several:
        assert _sent(direct, _asked(request)) == _sent(whole, _asked(request)), request


def _routes():
    return direct_routes.DirectRoutes(None, None, map(app._load, app.ROUTERS), API)


def test_every_handler_is_answered_directly_but_those_that_need_a_query():
    every = {route.name for name in app.ROUTERS for route in app._load(name).routes}
    assert every - _routes().answered == _NEEDS_QUERY


async def _nobody():
    return None


async def _of_a_query(limit: int = 1):
    return limit


async def _needs_a_query(resource: str):
    return resource


async def _several_bodies(one: KickRequest, other: KickRequest):
    return one, other


async def _body_or_none(asked: KickRequest | None = None):
    return asked


async def _bounded_header(key: Annotated[str | None, Header(alias="Key", max_length=3)] = None):
    return key


async def _counted_header(key: Annotated[int | None, Header(alias="Key")] = None):
    return key


async def _depends_on_a_query(limit: Annotated[int, Depends(_of_a_query)]):
    return limit


def _in_a_thread(request: Request):
    return request


@pytest.mark.parametrize(
    "handler",
    [
        _needs_a_query,
        _several_bodies,
        _bounded_header,
        _counted_header,
        _depends_on_a_query,
        _in_a_thread,
        _body_or_none,
    ],
)
def test_a_handler_of_another_form_is_left_to_fastapi(handler):
    with pytest.raises(NotUnderstoodError):
        Arguments(handler)


def test_a_part_of_a_query_is_known():
    async def listed(limit: Annotated[int, Query(ge=1)] = 5):
        return limit

    assert Arguments(listed).takes_query
    assert not Arguments(_nobody).takes_query
