"""What is read from a client's line: a message, or the answer to what is none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from bespeak.mcp import framing
from bespeak.mcp.framing import Lines, Refusal, read

PARSE, INVALID = -32700, -32600


@given(st.lists(st.binary(max_size=12), max_size=8), st.integers(1, 9))
def test_lines_do_not_depend_on_how_they_arrive(texts, size):
    wire = b"".join(text.replace(b"\n", b"") + b"\n" for text in texts)
    lines = Lines(longest=8)
    found = [line for start in range(0, len(wire), size) for line in lines.feed(wire[start : start + size])]
    assert found == [line if len(line) <= 8 else None for line in wire.split(b"\n")[:-1]]


def test_a_line_that_is_too_long_is_told_before_it_ends_and_keeps_nothing():
    lines = Lines(longest=4)
    assert lines.feed(b"12345") == [None]
    assert lines.feed(b"678") == []
    assert lines.feed(b"9\nnext\nthen") == [b"next"]
    assert lines.feed(b"\n") == [b"then"]


@pytest.mark.parametrize(
    ("line", "code", "identifier"),
    [
        (None, INVALID, None),
        (b"not json", PARSE, None),
        (b'{"id": 1', PARSE, None),
        (b"[" * 100_000, PARSE, None),
        (b'{"a":' * 100_000, PARSE, None),
        (b'{"jsonrpc": "2.0", "id": 3, "method": "x\xff"}', PARSE, 3),
        (b'{"jsonrpc": "2.0", "id": 4, "method": "x\x00"}', PARSE, None),
        (b'{"jsonrpc": "2.0", "id": 5, "method": "x", "params": {"a": "\\ud800"}}', INVALID, 5),
        (b'{"jsonrpc": "2.0", "id": 5, "method": "x", "params": {"\\udfff": 1}}', INVALID, 5),
        (b'{"jsonrpc": "2.0", "id": "\\ud800", "method": "x"}', INVALID, None),
        (b'[{"jsonrpc": "2.0", "id": 6, "method": "x"}]', INVALID, None),
        (b"[]", INVALID, None),
        (b"{}", INVALID, None),
        (b"7", INVALID, None),
        (b'"text"', INVALID, None),
        (b'{"jsonrpc": "1.0", "id": "a", "method": "x"}', INVALID, "a"),
        (b'{"jsonrpc": "2.0", "id": true, "method": "x"}', INVALID, None),
        (b'{"jsonrpc": "2.0", "id": null, "method": "x"}', INVALID, None),
        (b'{"jsonrpc": "2.0", "id": 1.5, "method": "x", "params": {}}', INVALID, None),
        (b'{"jsonrpc": "2.0", "id": 8, "method": 9}', INVALID, 8),
        (b'{"jsonrpc": "2.0", "id": 8, "method": "x", "params": "text"}', INVALID, 8),
    ],
)
def test_what_is_no_message_is_answered(line, code, identifier):
    found = read(line)
    assert isinstance(found, Refusal)
    assert (found.answer.error.code, found.answer.id) == (code, identifier)
    sent = json.loads(found.answer.model_dump_json(by_alias=True, exclude_unset=True))
    assert set(sent) == {"jsonrpc", "id", "error"}


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"jsonrpc": "2.0", "id": 1, "method": "x", "params": {"a": "\\u0000 \\ud83d\\ude00"}}', JSONRPCRequest),
        (b'{"jsonrpc": "2.0", "method": "x"}\r', JSONRPCNotification),
        (b'{"jsonrpc": "2.0", "method": "x", "params": {"id": 1}}', JSONRPCNotification),
        (b'{"jsonrpc": "2.0", "id": 1, "result": {}}', JSONRPCResponse),
        (b'{"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": ""}}', JSONRPCError),
    ],
)
def test_what_is_a_message_is_passed_on(line, kind):
    assert isinstance(read(line), kind)


@pytest.mark.parametrize("line", [b"", b" \r", b'{"jsonrpc": "2.0", "id": 1, "result": 3}', b'{"error": "\\ud800"}'])
def test_nothing_and_answers_that_are_none_are_not_answered(line):
    assert read(line) is None


@given(st.binary(max_size=200))
def test_whatever_comes_is_read(line):
    assert read(line) is None or read(line) is not None


def test_as_much_as_over_http_may_be_said_in_a_message():
    assert framing.LONGEST_LINE == 4 * 1024 * 1024
