"""A Redfish service that behaves as one tells it: sessions, accounts, systems that are sick, answers of any size."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ROOT = "/redfish/v1/"
SYSTEMS = "/redfish/v1/Systems"
SESSIONS = "/redfish/v1/SessionService/Sessions"


class RedfishService(ThreadingHTTPServer):
    """A service on a port of this machine.

    Args:
        password: the account is ``admin``; None for a service without accounts.
        sessions: whether the root names sessions.
        basic: whether a login with each request is taken too.
    """

    daemon_threads = True

    def __init__(self, password: str | None = None, *, sessions: bool = True, basic: bool = False) -> None:
        self.password = password
        self.sessions = sessions
        self.basic = basic
        self.tokens: dict[str, str] = {}
        self.logins: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.resets: list[str] = []
        self.changes: list[tuple[str, Any]] = []
        self.obeys = True
        """Whether a change that is accepted is made."""
        self.pages: dict[str, Any] = {}
        self.instead: Callable[[str, str], tuple[int, dict[str, str], bytes] | None] = lambda method, path: None
        self.on_reset: Callable[[str, str], int] | None = None
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def add(self, identity: str, power: str = "Off", resets: list[str] | None = None, **more: Any) -> dict[str, Any]:
        """Add a system; return it, to be changed."""
        path = f"{SYSTEMS}/{identity}"
        reset: dict[str, Any] = {"target": f"{path}/Actions/ComputerSystem.Reset"}
        if resets is not None:
            reset["ResetType@Redfish.AllowableValues"] = resets
        system = {"@odata.id": path, "Id": identity, "Name": f"node {identity}", "PowerState": power, **more}
        self.pages[path] = {"Actions": {"#ComputerSystem.Reset": reset}, **system}
        return self.pages[path]

    def page(self, path: str) -> Any:
        if path == ROOT:
            links = {"Links": {"Sessions": {"@odata.id": SESSIONS}}} if self.sessions else {}
            return {"Id": "root", "Systems": {"@odata.id": SYSTEMS}, **links}
        if path == SYSTEMS:
            return {"Members": [{"@odata.id": each} for each in self.pages if self.is_system(each)]}
        return self.pages.get(path)

    @staticmethod
    def is_system(path: str) -> bool:
        return path.startswith(f"{SYSTEMS}/") and "/" not in path.removeprefix(f"{SYSTEMS}/")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away."""


class _Handler(BaseHTTPRequestHandler):
    server: RedfishService
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        method, path = self.command, self.path
        self.server.asked.append((method, path))
        special = self.server.instead(method, path)
        if special is not None:
            self.say(*special)
        elif method == "POST" and path == SESSIONS and self.server.sessions:
            self.log_in(body)
        elif path != ROOT and not self.known():
            self.say(401)
        elif method == "DELETE":
            self.say(204 if self.server.tokens.pop(path, None) else 404)
        elif method == "POST" and path.endswith("/Actions/ComputerSystem.Reset"):
            self.reset(path, body.get("ResetType"))
        elif method == "PATCH" and path in self.server.pages:
            self.server.changes.append((path, body))
            if self.server.obeys:
                self.server.pages[path].setdefault("Boot", {}).update(body.get("Boot", {}))
            self.say(204)
        elif (page := self.server.page(path)) is not None:
            self.say(200, {}, json.dumps(page).encode())
        else:
            self.say(404, {}, json.dumps({"error": {"code": "Base.1.0", "message": "not there"}}).encode())

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - the base class's names

    def known(self) -> bool:
        if self.server.password is None or self.headers.get("X-Auth-Token") in self.server.tokens.values():
            return True
        said = self.headers.get("Authorization")
        if said is None:
            return False
        self.server.logins.append("basic")
        import base64

        right = base64.b64encode(f"admin:{self.server.password}".encode()).decode()
        return self.server.basic and said == f"Basic {right}"

    def log_in(self, body: dict[str, str]) -> None:
        self.server.logins.append("session")
        if body != {"UserName": "admin", "Password": self.server.password}:
            self.say(401)
            return
        number = len(self.server.logins)
        path, token = f"{SESSIONS}/{number}", f"token-{number}"
        self.server.tokens[path] = token
        self.say(201, {"X-Auth-Token": token, "Location": path}, b'{"Id": "1"}')

    def reset(self, path: str, kind: str) -> None:
        system = self.server.pages[path.partition("/Actions/")[0]]
        allowed = system["Actions"]["#ComputerSystem.Reset"].get("ResetType@Redfish.AllowableValues")
        if allowed is not None and kind not in allowed:
            self.say(400, {}, json.dumps({"error": {"message": f"no {kind} here"}}).encode())
            return
        self.server.resets.append(kind)
        if self.server.on_reset is not None:
            self.say(self.server.on_reset(path, kind))
            return
        system["PowerState"] = "Off" if kind in {"ForceOff", "GracefulShutdown"} else "On"
        self.say(204)

    def say(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def redfish_service(password: str | None = None, **options: bool) -> Iterator[RedfishService]:
    """Run a service within the block."""
    service = RedfishService(password, **options)
    try:
        yield service
    finally:
        service.shutdown()
        service.server_close()
