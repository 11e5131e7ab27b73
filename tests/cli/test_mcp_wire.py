"""Nonsense on the wire of a client: each line has its own answer, and the connection lives on."""

from __future__ import annotations

import json

import pytest

from support.agents import HELLO, begin, call, speak

PARSE, INVALID = -32700, -32600
PING = '"jsonrpc": "2.0", "method": "ping"'
NONSENSE = {
    "not json": ("not json", PARSE, None),
    "cut off": ('{"jsonrpc": "2.0", "id": 7, "me', PARSE, None),
    "a batch": (f'[{{"id": 7, {PING}}}, {{"id": 8, {PING}}}]', INVALID, None),
    "an empty object": ("{}", INVALID, None),
    "nested deeply": ("[" * 100_000, PARSE, None),
    "nested deeply in a request": ('{"id": 7, ' + PING + ', "params": ' + '{"a":' * 100_000, PARSE, None),
    "half a surrogate pair": (f'{{"id": 7, {PING}, "params": {{"a": "\\ud800"}}}}', INVALID, 7),
    "half a surrogate pair as id": (f'{{"id": "\\ud800", {PING}}}', INVALID, None),
    "no id": (f'{{"id": null, {PING}}}', INVALID, None),
    "a control character": (f'{{"id": 7, {PING}, "params": {{"a": "\x00"}}}}', PARSE, None),
    "five million bytes": ("x" * 5_000_000, INVALID, None),
    "five million bytes of a request": (
        '{"id": 7, ' + PING + ', "params": {"a": "' + "y" * 5_000_000 + '"}}',
        INVALID,
        None,
    ),
    "64 MiB": ("z" * (64 * 1024 * 1024), INVALID, None),
}


def answer(process):
    """Return what the server says next."""
    return json.loads(process.stdout.readline())


def say(process, text):
    """Send a line, whatever is in it."""
    process.stdin.write(text + "\n")
    process.stdin.flush()


def end(process):
    process.stdin.close()
    assert process.wait(60) == 0
    assert "Traceback" not in process.stderr.read()


def test_each_line_that_is_no_message_has_its_answer_and_the_next_request_its_own(project, cli):
    process = begin(cli)
    for number, (name, (line, code, identifier)) in enumerate(NONSENSE.items(), 100):
        say(process, line)
        refused = answer(process)
        assert (refused["error"]["code"], refused["id"]) == (code, identifier), name
        speak(process, {"id": number, "method": "ping"})
        assert answer(process) == {"jsonrpc": "2.0", "id": number, "result": {}}, name
    speak(process, call(2, "check", addresses=["src/a.py"]))
    assert answer(process)["result"]["structuredContent"]["free"] is True
    end(process)


def test_lines_that_arrive_together_with_one_that_is_too_long_are_all_answered(project, cli):
    process = begin(cli)
    pings = [json.dumps({"jsonrpc": "2.0", "id": number, "method": "ping"}) for number in range(20, 30)]
    say(process, "\n".join(["x" * 4_200_000, *pings, "y" * 4_200_000, *pings]))
    told = [answer(process) for _ in range(22)]
    assert sum("error" in one for one in told) == 2
    assert sorted(one["id"] for one in told if "result" in one) == sorted([*range(20, 30)] * 2)
    end(process)


def test_bytes_that_are_no_text_are_refused_with_their_id(project, cli):
    process = begin(cli)
    process.stdin.flush()
    process.stdin.buffer.write(b'{"jsonrpc": "2.0", "id": 3, "method": "caf\xe9"}\n')
    process.stdin.buffer.flush()
    refused = answer(process)
    assert (refused["error"]["code"], refused["id"]) == (PARSE, 3)
    end(process)


def test_requests_with_one_id_are_both_answered(project, cli):
    process = begin(cli)
    speak(process, {"id": 5, "method": "ping"}, {"id": 5, "method": "ping"})
    assert [answer(process)["id"] for _ in range(2)] == [5, 5]
    end(process)


def test_a_nul_in_an_argument_is_refused_by_the_tool(project, cli):
    process = begin(cli)
    speak(process, call(6, "check", addresses=["a\0"]))
    result = answer(process)["result"]
    assert (result["isError"], result["structuredContent"]["code"]) == (True, "ERROR")
    end(process)


@pytest.mark.parametrize(
    "line", ['{"jsonrpc": "2.0", "id": 1, "result": 3}', '{"id": 9, "error": "\\ud800"}', "", " \r"]
)
def test_answers_that_are_none_are_not_answered(project, cli, line):
    process = begin(cli)
    say(process, line)
    speak(process, {"id": 4, "method": "ping"})
    assert answer(process)["id"] == 4
    end(process)


def test_the_last_line_counts_without_an_end(project, cli):
    process = cli.start("mcp")
    process.stdin.write(json.dumps({"jsonrpc": "2.0", **HELLO}))
    process.stdin.close()
    assert answer(process)["id"] == HELLO["id"]
    assert process.wait(60) == 0
