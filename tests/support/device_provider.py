"""A provider with a device flow, in this process: the part of one that a command line meets."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from support.issuers import Issuer

CLIENT = "bespeak-cli"


class DeviceProvider(Issuer):
    """Answers the device flow; ``answers`` says what each question for a token is told first."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1", "EC")
        self.answers: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.revoked: list[str] = []
        self.good_refresh = "refresh-0"
        self.gives_refresh = True
        self.user = "alice"
        self.lifetime = 300
        self.interval = 1

    def configuration(self):
        """Return what it publishes."""
        names = ("device_authorization", "token", "revocation", "userinfo")
        return {
            "issuer": self.address,
            "jwks_uri": f"{self.address}/keys",
            **{f"{name}_endpoint": f"{self.address}/{name}" for name in names},
        }

    def answer(self, path, form):
        """Return the status and the document for a request."""
        if path == "/.well-known/openid-configuration":
            return 200, self.configuration()
        if path == "/userinfo":
            return 200, {"sub": "7", "preferred_username": self.user, "groups": ["lab"], "iss": "elsewhere"}
        if path == "/keys":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        self.forms.append(form)
        return {"/device_authorization": self._begin, "/token": self._token, "/revocation": self._revoke}[path](form)

    def _begin(self, form):
        assert form["client_id"] == CLIENT
        address = f"{self.address}/device"
        known = {"verification_uri": address, "verification_uri_complete": f"{address}?user_code=ABCD-EFGH"}
        return 200, {"device_code": "d", "user_code": "ABCD-EFGH", "expires_in": 60, "interval": self.interval, **known}

    def _token(self, form):
        if form["grant_type"] == "refresh_token" and form["refresh_token"] != self.good_refresh:
            return 400, {"error": "invalid_grant"}
        if self.answers:
            return 400, {"error": self.answers.pop(0)}
        found = {"id_token": self.id_token(), "access_token": "opaque", "token_type": "Bearer"}
        if self.gives_refresh:
            self.good_refresh = f"refresh-{len(self.forms)}"
            found["refresh_token"] = self.good_refresh
        return 200, found

    def _revoke(self, form):
        self.revoked.append(form["token"])
        return 200, {}

    def id_token(self):
        """Return an ID token that ends after the lifetime that is set."""
        import time

        return self.token(aud=CLIENT, preferred_username=self.user, exp=int(time.time()) + self.lifetime)


@contextmanager
def device_provider():
    """Run a provider for as long as the block runs."""
    provider = DeviceProvider()

    class Handler(BaseHTTPRequestHandler):
        def _reply(self):
            length = int(self.headers.get("Content-Length") or 0)
            form = {key: value[0] for key, value in parse_qs(self.rfile.read(length).decode()).items()}
            status, document = provider.answer(self.path, form)
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _reply  # noqa: N815 the name that the library calls

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
