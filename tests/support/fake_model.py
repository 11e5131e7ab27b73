"""A model of ours on 127.0.0.1, for the programs of coding agents: it asks for one tool, then says that it is done.

It answers the streaming interfaces of Anthropic (``/v1/messages``) and OpenAI (``/v1/responses``,
``/v1/chat/completions``), and keeps what it is asked, so that tests see what reaches a model.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DONE = "All is done."


@dataclass
class FakeModel:
    """What the model wants, and what it has heard.

    Args:
        steps: the tools that it asks for, one after the other: name and input.
    """

    steps: list[tuple[str, dict[str, object]]]
    url: str = ""
    heard: list[dict[str, object]] = field(default_factory=list)

    def next_step(self, asked: dict[str, object], results: int) -> tuple[str, dict[str, object]] | None:
        """Keep a request; return the tool to ask for, None when the model is done.

        A request without tools (for a title, say) is beside the conversation, and not kept.
        """
        if not asked.get("tools"):
            return None
        self.heard.append(asked)
        return self.steps[results] if results < len(self.steps) else None

    @property
    def last(self) -> str:
        """The last request as text, in which the whole conversation is, with the tools' results."""
        return json.dumps(self.heard[-1], ensure_ascii=False)


@contextmanager
def fake_model(*steps):
    """Serve a model that asks for these tools."""
    model = FakeModel(list(steps))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"model": model}))
    server.daemon_threads = True
    model.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    model: FakeModel

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        kinds = {"/v1/messages": _anthropic, "/v1/responses": _responses, "/v1/chat/completions": _completions}
        kind = kinds.get(self.path.partition("?")[0])
        if kind is None:
            self._send(404, "application/json", b"{}")
            return
        events = "".join(
            (f"event: {event['type']}\n" if "type" in event else "") + f"data: {json.dumps(event)}\n\n"
            for event in kind(self.model, asked)
        )
        self._send(200, "text/event-stream", (events + ("data: [DONE]\n\n" if kind is _completions else "")).encode())

    def do_GET(self) -> None:
        self._send(404, "application/json", b"{}")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing on stderr."""


def _anthropic(model, asked):
    """Return the events of one answer of Anthropic's interface."""
    blocks = [block for said in asked["messages"] if isinstance(said["content"], list) for block in said["content"]]
    step = model.next_step(asked, sum(block.get("type") == "tool_result" for block in blocks))
    if step is None:
        block, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": DONE}
    else:
        block = {"type": "tool_use", "id": f"toolu_{len(model.heard)}", "name": step[0], "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(step[1])}
    said = {
        "id": f"msg_{len(model.heard)}",
        "type": "message",
        "role": "assistant",
        "model": asked["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    yield {"type": "message_start", "message": said}
    yield {"type": "content_block_start", "index": 0, "content_block": block}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    reason = "end_turn" if step is None else "tool_use"
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None},
        "usage": {"output_tokens": 1},
    }
    yield {"type": "message_stop"}


def _responses(model, asked):
    """Return the events of one answer of OpenAI's newer interface."""
    results = sum(item.get("type") in {"function_call_output", "custom_tool_call_output"} for item in asked["input"])
    step = model.next_step(asked, results)
    number = len(model.heard)
    if step is None:
        content = [{"type": "output_text", "text": DONE, "annotations": []}]
        item = {"type": "message", "role": "assistant", "id": f"msg_{number}", "content": content}
    elif "patch" in step[1]:
        item = {"type": "custom_tool_call", "call_id": f"call_{number}", "name": step[0], "input": step[1]["patch"]}
    else:
        words = json.dumps(step[1])
        item = {"type": "function_call", "call_id": f"call_{number}", "name": step[0], "arguments": words}
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    usage |= {"input_tokens_details": None, "output_tokens_details": None}
    yield {"type": "response.created", "response": {"id": f"resp_{number}"}}
    yield {"type": "response.output_item.done", "output_index": 0, "item": item}
    yield {"type": "response.completed", "response": {"id": f"resp_{number}", "usage": usage}}


def _completions(model, asked):
    """Return the pieces of one answer of OpenAI's older interface."""
    step = model.next_step(asked, sum(said["role"] == "tool" for said in asked["messages"]))
    number = len(model.heard)
    whole = {"id": f"chat_{number}", "object": "chat.completion.chunk", "created": 1, "model": asked["model"]}
    if step is None:
        delta = {"role": "assistant", "content": DONE}
    else:
        call = {"name": step[0], "arguments": json.dumps(step[1])}
        calls = [{"index": 0, "id": f"call_{number}", "type": "function", "function": call}]
        delta = {"role": "assistant", "tool_calls": calls}
    yield whole | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    end = {"index": 0, "delta": {}, "finish_reason": "stop" if step is None else "tool_calls"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    yield whole | {"choices": [end], "usage": usage}
