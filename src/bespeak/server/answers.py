"""Answers of the API: one JSON form of the book's values, and the headers that go with them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from bespeak.base.json_text import compact
from bespeak.ledger.serialize import position_json, reservation_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from bespeak.ledger.model import QueuePosition, Reservation

    Json = dict[str, Any]

API = "/api/v1"
NUMBER_HEADER = "Bespeak-Number"


def answer(document: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON document as an answer; in ASCII, so that any text of a book can be sent."""
    return Response(compact(document), status, headers, "application/json")


def reservation_document(found: Reservation, now_us: int, position: QueuePosition | None = None) -> Json:
    """Return a reservation as it stands at ``now_us`` (µs UTC), with its position where it waits."""
    document: Json = {**reservation_json(found, now_us), "now_us": now_us}
    if position is not None:
        document["position"] = position_json(position)
    return document


def reservation_answer(
    found: Reservation, now_us: int, status: int = 200, *, position: QueuePosition | None = None, made: bool = False
) -> Response:
    """Return a reservation as an answer; ``made`` says where it is found from now on."""
    headers = {}
    if found.fencing_token is not None:
        headers[NUMBER_HEADER] = str(found.fencing_token)
    if made:
        headers["Location"] = f"{API}/reservations/{found.id}"
    return answer(reservation_document(found, now_us, position), status, headers)


def cached(request: Request, document: Json, *, without: str = "now_us", headers: Mapping[str, str]) -> Response:
    """Return a document with its ETag, or 304 where the client has it already.

    Args:
        request: what was asked.
        document: the answer.
        without: a member that changes although nothing has changed.
        headers: of the answer.
    """
    text = compact({name: value for name, value in document.items() if name != without})
    etag = f'W/"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'
    known = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
    if etag in known or "*" in known:
        return Response(status_code=304, headers={**headers, "ETag": etag})
    return answer(document, headers={**headers, "ETag": etag})
