"""The API does what its description says, whatever schemathesis sends to it."""

from __future__ import annotations

import json
import subprocess

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "ignored_auth",
    "unsupported_method",
)
SECONDS = 60
REFUSED = ["400", "401", "403", "404", "406", "413", "422", "428", "429", "5xx"]
"""How what breaks the schema may be answered: schemathesis' own list, 413 for what is too large to be read, and 429: it
tries wrong credentials more often than an address may."""

NEVER_ENDS = "/api/v1/events"


def test_nothing_that_is_generated_finds_a_difference(peer, cli, tmp_path):
    environment = peer("schemathesis", ["schemathesis==4.32.5"])
    book = str(tmp_path / "book.db")
    server = cli.start("--ledger", book, "serve", "--port", "0", "--socket", str(tmp_path / "s"), "--json")
    url = json.loads(server.stdout.readline())["url"]
    scopes = [word for scope in ("read", "book", "manage", "admin") for word in ("--scope", scope)]
    made = cli("--ledger", book, "token", "create", "--user", "alice", *scopes, "--json")
    token = json.loads(made.stdout)["token"]
    settings = f"[checks.negative_data_rejection]\nexpected-statuses = {json.dumps(REFUSED)}\n"
    (tmp_path / "schemathesis.toml").write_text(settings)
    command = [environment.program("st"), "run", f"{url}/openapi.json", "-H", f"Authorization: Bearer {token}"]
    command += ["--exclude-path", NEVER_ENDS, "--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing"]
    command += ["--max-time", str(SECONDS), "--warnings", "off", "--no-color"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    server.terminate()
    server.wait(60)
    assert server.stderr.read() == ""
