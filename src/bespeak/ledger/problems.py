"""Errors as the problem documents of RFC 9457, and back: an error of the server is the same error in the client."""

from __future__ import annotations

from importlib import import_module

from bespeak.base.codec import Codec, DecodeError, encode
from bespeak.base.errors import BespeakError, Field
from bespeak.ledger.operations import VALUES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TYPE_PREFIX = "urn:bespeak:problem:"
MEDIA_TYPE = "application/problem+json"
_BASE, _LEDGER, _COORD = "bespeak.base.errors", "bespeak.ledger.errors", "bespeak.coord.errors"
ERRORS = {
    "error": (_BASE, "BespeakError"),
    "usage": (_BASE, "UsageError"),
    "no_context": (_BASE, "NoContextError"),
    "no_book": (_BASE, "NoBookError"),
    "not_found": (_BASE, "NotFoundError"),
    "not_ready": (_BASE, "NotReadyError"),
    "wrong_state": (_BASE, "WrongStateError"),
    "busy": (_BASE, "BusyError"),
    "gate_refused": (_BASE, "GateRefusedError"),
    "not_allowed": (_BASE, "NotAllowedError"),
    "unavailable": (_BASE, "UnavailableError"),
    "locked": (_BASE, "LockedError"),
    "outcome_unknown": (_BASE, "OutcomeUnknownError"),
    "wait_timed_out": (_BASE, "WaitTimedOutError"),
    "refused": (_LEDGER, "RefusedError"),
    "undeclared": (_LEDGER, "UndeclaredError"),
    "host_busy": (_LEDGER, "HostBusyError"),
    "claim": (_COORD, "ClaimError"),
    "claim_refused": (_COORD, "ClaimRefusedError"),
}
"""Where the class of each error is, by its code. Other classes are told as their nearest ancestor."""

FACTS = {
    "refused": {"refusal": "Refusal", "request": "Request"},
    "undeclared": {"name": "str"},
    "claim_refused": {"conflicts": "list[Conflict]", "run_id": "str", "addresses": "tuple[str, ...]"},
}
"""What an error carries beside its line and its details, by code: the attributes with their kinds."""

_CODES = {place: code for code, place in ERRORS.items()}
_BY_EXIT_CODE = {
    2: "usage", 3: "no_context", 4: "not_found", 5: "not_ready", 6: "wrong_state", 7: "busy", 8: "gate_refused",
    9: "unavailable", 10: "wait_timed_out", 12: "not_allowed",
}  # fmt: skip


def code_of(error: BespeakError) -> str:
    """Return the code that stands for an error: that of its class, else of its nearest ancestor that has one."""
    for kind in type(error).__mro__:
        code = _CODES.get((kind.__module__, kind.__name__))
        if code is not None:
            return code
    return "error"


def to_problem(error: BespeakError) -> dict[str, Any]:
    """Return an error as a problem document, without its status."""
    code = code_of(error)
    found: dict[str, Any] = {
        "type": TYPE_PREFIX + code,
        "title": type(error).__name__.removesuffix("Error"),
        "detail": str(error),
        "code": code,
        "exit_code": error.exit_code,
        "parts": [[str(part), isinstance(part, Field)] for part in error.parts],
        "details": encode(error.details),
    }
    return found | {name: encode(getattr(error, name)) for name in FACTS.get(code, ())}


def from_problem(found: dict[str, Any]) -> BespeakError:
    """Return the error that a problem document stands for.

    Raises:
        DecodeError: it is no problem document of ours.
    """
    code = str(found.get("code") or _BY_EXIT_CODE.get(_whole(found.get("exit_code")), "error"))
    if code not in ERRORS:
        code = _BY_EXIT_CODE.get(_whole(found.get("exit_code")), "error")
    kind = _class_of(code)
    error = kind.__new__(kind)
    codec = Codec(VALUES | {"Conflict": "bespeak.coord.model"}, lenient=True)
    facts = FACTS.get(code, {})
    try:
        for name, annotation in facts.items():
            setattr(error, name, codec.decode(annotation, found[name], name))
        details = codec.decode("dict[str, object]", found.get("details", {}), "details")
        parts = codec.decode("list[tuple[str, bool]]", found.get("parts", []), "parts")
        line = codec.decode("str", found.get("detail", found.get("title", "")), "detail")
    except KeyError as error_:
        raise DecodeError(f"the problem {code} has no {error_}") from None
    BespeakError.__init__(error, *([Field(text) if is_field else text for text, is_field in parts] or [line]))
    error.details = details
    return error


def _class_of(code: str) -> type[BespeakError]:
    module, name = ERRORS[code]
    kind: type[BespeakError] = getattr(import_module(module), name)
    return kind


def _whole(found: object) -> int:
    return found if isinstance(found, int) else 1
