"""Who may speak to a server that listens; configuration, the extra, and the guide."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bespeak.base.errors import needs_extra
from support.agents import (
    HELLO,
    TOKEN,
    ask,
    fail,
    hello,
    over_http,
    over_stdio,
    run,
)


def test_what_cannot_be_listened_to_is_said_in_one_line(project, cli):
    for words, said in (
        (["--http", "0.0.0.0:0", "--token", "hunter2"], "--token: name the variable or the file that has it"),
        (["--http", "0.0.0.0:0", "--token", "env:NOT_SET"], "--token: the variable 'NOT_SET' is not set"),
        (["--http", "127.0.0.1:0", "--token", "file:nowhere"], "--token: 'nowhere': No such file"),
        (["--http", "nonsense"], "--http: 'nonsense' is not of the form HOST:PORT"),
        (["--http", "127.0.0.1:99999"], "is not of the form HOST:PORT"),
        (["--path", "/x"], "--path goes with --http or --socket"),
        (["--socket", "s", "--http", "127.0.0.1:0"], "choose one of --http and --socket"),
        (["--socket", "s", "--token", "env:X"], "--token goes with --http"),
        (["--socket", "s", "--allow-user", "no such"], "--allow-user: there is no account 'no such'"),
        (["--allow-user", "root"], "--allow-user goes with --socket"),
        (["--http", "127.0.0.1:0", "--path", "x"], "--path: 'x' is no path such as /mcp"),
        (["--repository", "nowhere"], "--repository: 'nowhere' is no folder"),
        (["--root", "nowhere"], "--root: 'nowhere' is no folder"),
        (["--client", "claude"], "--client goes with 'mcp config'"),
    ):
        done = cli("mcp", *words)
        assert done.returncode == 2, words
        assert said in done.stderr
        assert "hunter2" not in done.stderr
    taken = cli("mcp", "--http", "192.0.2.1:0")
    assert (taken.returncode, "192.0.2.1" in taken.stderr) == (9, True)


def test_a_token_is_asked_for_on_this_machine_too(project, listening):
    url, _ = listening()
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer no"}, {"Authorization": TOKEN}):
        status, answered = hello(url, **headers)
        assert (status, answered["WWW-Authenticate"]) == (401, "Bearer")

    async def scenario():
        async with over_http(url) as client:
            assert (await ask(client, "list"))["count"] == 0
            assert "this server was started for" in await fail(client, "list", repository="/")

    run(scenario)


def test_a_token_is_made_and_kept_where_nobody_else_reads_it(project, cli, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    process = cli.start("mcp", "--http", "127.0.0.1:0", "--json")
    said = json.loads(process.stdout.readline())
    kept = Path(said["token_file"])
    assert kept.is_relative_to(tmp_path / "state")
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    token = kept.read_text().strip()
    assert len(token) >= 40
    assert token not in json.dumps(said)
    assert hello(said["url"], Authorization="")[0] == 401
    assert hello(said["url"], Authorization=f"Bearer {token}")[0] == 200
    process.terminate()
    process.wait(60)
    assert not kept.exists()


def test_a_name_that_is_not_its_own_is_refused(project, listening):
    url, _ = listening("--allow-host", "build1.example.org", "--path", "/tools")
    assert url.endswith("/tools")
    for headers, status in (
        ({"Host": "evil.example.org"}, 421),
        ({"Origin": "http://evil.example.org"}, 403),
        ({"Host": "127.0.0.1.evil.example.org:80"}, 421),
        ({"Host": "build1.example.org:80"}, 200),
        ({"Host": "localhost:1", "Origin": "http://localhost:3000"}, 200),
    ):
        assert hello(url, **headers)[0] == status, headers


@pytest.mark.parametrize("client", ["claude", "cursor", "vscode", "generic"])
def test_the_configuration_starts_a_server(client, project, cli):
    done = cli("mcp", "config", "--client", client, "--read-only", "--json")
    (servers,) = json.loads(done.stdout).values()
    server = servers["bespeak"]
    assert server["args"][-2:] == ["mcp", "--read-only"]
    process = subprocess.run(
        [server["command"], *server["args"]], input=json.dumps({"jsonrpc": "2.0", **HELLO}) + "\n", capture_output=True,
        text=True, check=True, timeout=60,
    )  # fmt: skip
    assert json.loads(process.stdout)["result"]["serverInfo"]["name"] == "bespeak"
    page = cli("mcp", "config", "--client", client, "--read-only").stdout
    assert json.loads(page[page.index("{") :]) == json.loads(done.stdout)
    assert cli("mcp", "config", "--client", "emacs").returncode == 2


def test_without_the_extra_one_line_says_how_to_get_it(project):
    program = "import sys; sys.modules['mcp'] = None; from bespeak.cli.main import main; sys.exit(main(['mcp']))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 9
    assert done.stderr == f"bespeak: error: {needs_extra('mcp', 'mcp')}\n"


def test_the_guide_is_a_resource_and_a_prompt_too(project):
    async def scenario():
        async with over_stdio() as client:
            assert "BESPEAK_RUN_ID" in client.instructions
            (listed,) = (await client.list_resources()).resources
            (read,) = (await client.read_resource(listed.uri)).contents
            (prompt,) = (await client.list_prompts()).prompts
            (message,) = (await client.get_prompt(prompt.name)).messages
            guide = (await ask(client, "guide"))["guide"]
            assert read.text == message.content.text == guide
            assert "AGENTS" not in guide
            assert "coord reserve" in (await ask(client, "guide", agents_md=True))["guide"]
            for wrong in (client.read_resource("bespeak://x"), client.get_prompt("x")):
                with pytest.raises(Exception, match="known: "):
                    await wrong

    run(scenario)
