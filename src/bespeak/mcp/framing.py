"""Lines of the protocol taken apart: each is a message, or has the answer that says why it is none.

JSON-RPC 2.0 wants an answer to whatever is no request: a client that waits for one must not wait for ever, and what
follows a bad line must not suffer for it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from mcp_types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    jsonrpc_message_adapter,
)

LONGEST_LINE = 4 * 1024 * 1024
"""Bytes of one message; as many as over HTTP."""
_SURROGATE = re.compile("[\ud800-\udfff]")


class Lines:
    """Takes a stream of bytes apart into lines.

    Args:
        longest: bytes of the longest line that is kept.
    """

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._kept = bytearray()
        self._skipping = False

    def feed(self, block: bytes) -> list[bytes | None]:
        """Return the lines that ``block`` ends; None for a line as soon as it is too long, and nothing of its rest."""
        found: list[bytes | None] = []
        *ended, begun = block.split(b"\n")
        for part in ended:
            self._keep(part, found)
            if not self._skipping:
                found.append(bytes(self._kept))
            self._kept.clear()
            self._skipping = False
        self._keep(begun, found)
        return found

    def _keep(self, part: bytes, found: list[bytes | None]) -> None:
        if self._skipping:
            return
        self._kept += part
        if len(self._kept) > self._longest:
            self._kept.clear()
            self._skipping = True
            found.append(None)


@dataclass(frozen=True)
class Refusal:
    """The answer to a line that is no message."""

    answer: JSONRPCError


def read(line: bytes | None) -> JSONRPCMessage | Refusal | None:
    """Return the message in a line, or the answer to what is none; None where no answer is due.

    Args:
        line: one line without its end; None for one that was too long.
    """
    if line is None:
        return _error(INVALID_REQUEST, f"a message is longer than {LONGEST_LINE} bytes", None)
    if not line.strip():
        return None
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return _error(PARSE_ERROR, "a message is not UTF-8", _identifier(_loaded(line.decode("utf-8", "replace"))))
    try:
        found = jsonrpc_message_adapter.validate_json(text, by_name=False)
    except ValueError:
        return _refused(text)
    # With an id of a wrong kind it is taken for a notification, and whoever sent it would wait for ever.
    if isinstance(found, JSONRPCNotification) and "id" in json.loads(text):
        return _error(INVALID_REQUEST, "the id of a request is a text or a whole number", None)
    return found


def _refused(text: str) -> Refusal | None:
    """Return what is wrong with a message; an answer that is none is not answered, or both ends would for ever."""
    found = _loaded(text)
    if found is None:
        return _error(PARSE_ERROR, "a message is not JSON, or nested too deeply", None)
    if isinstance(found, list):
        return _error(INVALID_REQUEST, "several messages in one (a batch) are not part of the protocol", None)
    if isinstance(found, dict) and "method" not in found and ("result" in found or "error" in found):
        return None
    if _SURROGATE.search(json.dumps(found, ensure_ascii=False)):
        return _error(
            INVALID_REQUEST, "a text has half a surrogate pair in it, which is no Unicode", _identifier(found)
        )
    return _error(INVALID_REQUEST, "a message is not a request of JSON-RPC 2.0", _identifier(found))


def _loaded(text: str) -> Any:
    """Return what a text is as JSON, more leniently than the protocol; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _identifier(found: Any) -> str | int | None:
    """Return the id of a request, as far as it can be told."""
    given = found.get("id") if isinstance(found, dict) else None
    if isinstance(given, str) and not _SURROGATE.search(given):
        return given
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def _error(code: int, message: str, identifier: str | int | None) -> Refusal:
    return Refusal(JSONRPCError(jsonrpc="2.0", id=identifier, error=ErrorData(code=code, message=message)))
