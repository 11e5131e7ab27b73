"""What failed, as a problem document (RFC 9457): a stable type, and the fields of the error."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from bespeak.base.errors import BespeakError, OutcomeUnknownError, UnavailableError, WrongStateError
from bespeak.base.json_text import compact
from bespeak.ledger.errors import RefusedError, UndeclaredError
from bespeak.ledger.problems import MEDIA_TYPE, TYPE_PREFIX, to_problem
from bespeak.ledger.serialize import refusal_json
from bespeak.server.identity import SAFE_METHODS, NotSignedInError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

log = logging.getLogger("bespeak.server")

_CODES: dict[str, tuple[str, int]] = {
    "UsageError": ("usage", 400),
    "NoContextError": ("no_context", 404),
    "NoBookError": ("no_book", 503),
    "NotFoundError": ("not_found", 404),
    "UndeclaredError": ("undeclared", 404),
    "NotReadyError": ("not_ready", 409),
    "WrongStateError": ("wrong_state", 409),
    "BusyError": ("busy", 409),
    "RefusedError": ("refused", 409),
    "GateRefusedError": ("gate_refused", 403),
    "UnavailableError": ("unavailable", 503),
    "LockedError": ("locked", 503),
    "OutcomeUnknownError": ("outcome_unknown", 503),
    "IdempotencyMismatchError": ("idempotency_mismatch", 422),
    "HostBusyError": ("host_busy", 409),
    "ClaimError": ("claim", 400),
    "ClaimRefusedError": ("claim_refused", 409),
    "NotAllowedError": ("not_allowed", 403),
    "WaitTimedOutError": ("wait_timed_out", 408),
    "NotSignedInError": ("not_signed_in", 401),
}
_OF_STATUS = {400: "usage", 413: "too_large"}
PROBLEM = "problem"
"""In the state of a request: the code of the problem that it was answered with."""
_WWW_AUTHENTICATE = 'Bearer realm="bespeak"'


def response(error: BespeakError, scope: Scope | None = None) -> Response:
    """Return the answer that tells of an error."""
    code, status = next((_CODES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _CODES), ("", 500))
    document: dict[str, Any] = {
        **to_problem(error),
        "type": f"{TYPE_PREFIX}{code or 'error'}",
        "title": _title(code or "error"),
        "status": status,
        "code": code or "error",
        **_facts(error),
    }
    if isinstance(error, WrongStateError) and scope is not None and _has_precondition(scope):
        document["status"] = status = 412
    headers = {}
    if code in ("unavailable", "locked"):
        headers["Retry-After"] = "1"
    if isinstance(error, NotSignedInError):
        headers["WWW-Authenticate"] = _WWW_AUTHENTICATE
    return _answer(document, status, scope, headers)


def _has_precondition(scope: Scope) -> bool:
    return any(name == b"if-match" and value != b"*" for name, value in scope["headers"])


def _facts(error: BespeakError) -> dict[str, Any]:
    if isinstance(error, RefusedError):
        facts: dict[str, Any] = refusal_json(error.refusal)
        first = next(iter(facts["conflicts"]), None)
        if first is not None:
            facts |= {
                "holder": first["holder"],
                "until": first["ends"],
                "until_us": first["ends_us"],
                "purpose": first["purpose"],
            }
        return facts
    if isinstance(error, UndeclaredError):
        return {"name": error.name, "nearest": error.details.get("nearest", [])}
    return {}


def plain(status: int, detail: str, scope: Scope | None = None, code: str = "http", **headers: str) -> Response:
    """Return a problem that is no error of the book's.

    Args:
        status: the status of the answer.
        detail: what is wrong.
        scope: the request.
        code: the kind of problem.
        headers: further headers, with underscores for hyphens.
    """
    document = {
        "type": f"{TYPE_PREFIX}{code}",
        "title": _title(code),
        "status": status,
        "detail": detail,
        "code": code,
        "exit_code": 2 if code == "usage" else 1,
        "parts": [[detail, False]],
        "details": {},
    }
    return _answer(document, status, scope, {name.replace("_", "-"): value for name, value in headers.items()})


def of_http(error: HTTPException, scope: Scope) -> Response:
    """Return what is told of an error that is one of HTTP and not of the book."""
    headers = {name.replace("-", "_"): value for name, value in (error.headers or {}).items()}
    code = _OF_STATUS.get(error.status_code, "http")
    return plain(error.status_code, str(error.detail), scope, code, **headers)


def internal(scope: Scope, error: Exception) -> Response:
    """Return what is told of a fault that nobody foresaw: nothing but the number under which the log has it now."""
    log.error("request %s failed", scope["state"]["request_id"], exc_info=error)
    return plain(500, "the server failed; its log says why", scope, "internal")


async def ended(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request that was not answered before the server ended; whether it was done is not known."""
    if scope["method"] in SAFE_METHODS:
        error: BespeakError = UnavailableError("the server is stopping; ask again")
    else:
        error = OutcomeUnknownError(
            "the server is stopping; it may or may not have been done: "
            "ask again, under the same Idempotency-Key if there was one"
        )
    answered = response(error, scope)
    answered.headers["Connection"] = "close"
    await answered(scope, receive, send)


def _answer(document: dict[str, Any], status: int, scope: Scope | None, headers: dict[str, str]) -> Response:
    if scope is not None and "request_id" in scope.get("state", {}):
        document["instance"] = f"urn:uuid:{scope['state']['request_id']}"
        scope["state"][PROBLEM] = document["code"]
    return Response(compact(document), status, headers, MEDIA_TYPE)


def _title(code: str) -> str:
    return code.replace("_", " ").capitalize()


def install(app: FastAPI) -> None:
    """Have the application tell errors as problem documents."""
    app.add_exception_handler(BespeakError, _of_bespeak)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(ClientDisconnect, _of_leaving)
    app.add_exception_handler(Exception, _of_fault)


async def _of_bespeak(request: Request, error: Exception) -> Response:
    assert isinstance(error, BespeakError)  # noqa: S101 registered for it
    return response(error, request.scope)


async def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 registered for it
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path", "header"))
    text = f"{where or 'body'}: {first['msg']}"
    return plain(400, text, request.scope, "usage")


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 registered for it
    return of_http(error, request.scope)


async def _of_leaving(request: Request, _: Exception) -> Response:
    return plain(400, "the client has left before its request was whole", request.scope)


async def _of_fault(request: Request, error: Exception) -> Response:
    return internal(request.scope, error)
