"""Setting up agents' programs: nothing of theirs is lost, doing it again changes nothing, and it can be taken out."""

import json
import os
import shutil
import subprocess
import sys
import tomllib

import pytest

from bespeak.cli.main import main
from bespeak.mcp.agent_setup import CLIENTS
from support.repositories import git

ALL = pytest.mark.parametrize("client", sorted(CLIENTS))


@pytest.fixture
def repo(tmp_path, monkeypatch):
    root = tmp_path / "repo"
    (root / "src").mkdir(parents=True)
    (root / "src/a.py").write_text("x = 1\n")
    git(root, "init", "-q", "-b", "main")
    monkeypatch.chdir(root / "src")
    return root


@pytest.fixture
def setup(capsys):
    def setup_(*words):
        code = main(["--json", "agents", "setup", *words])
        out, err = capsys.readouterr()
        return code, json.loads(out or err)

    return setup_


def states(answer):
    return {one["state"] for one in answer["files"]}


def tree(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and ".git" not in path.parts}


@ALL
def test_setting_up_checking_and_removing(setup, repo, client):
    before = tree(repo)
    code, answer = setup("--check", client)
    assert (code, answer["ok"], states(answer)) == (1, False, {"missing"})
    assert tree(repo) == before
    code, answer = setup(client)
    assert (code, states(answer), answer["folder"]) == (0, {"written"}, str(repo))
    made = tree(repo)
    assert {str(path.relative_to(repo)) for path in made} - {"src/a.py"} == {file.path for file in CLIENTS[client]}
    assert setup(client)[1]["files"] == [{"path": file.path, "state": "unchanged"} for file in CLIENTS[client]]
    assert setup("--check", client)[0] == 0
    assert setup("--check", "--refuse", client)[0] == 1
    assert tree(repo) == made
    assert states(setup("--remove", client)[1]) == {"removed"}
    assert tree(repo) == before
    assert not [path for path in repo.iterdir() if path.name not in {"src", ".git"}]
    assert states(setup("--remove", client)[1]) == {"unchanged"}


THEIRS = {
    "$schema": "x",
    "mcpServers": {"other": {"command": "o", "env": {"ü": "1"}}},
    "servers": {"other": {}},
    "mcp": {"other": {}},
    "hooks": {
        "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "lint"}]}],
        "preToolUse": [{"command": "lint"}],
        "BeforeTool": [{"hooks": [{"type": "command", "command": "coord guard edit"}]}],
    },
    "last": [1, 2.5, None],
}


@ALL
@pytest.mark.parametrize("indent", [2, 4, "\t"])
def test_what_is_there_stays_and_comes_back(setup, repo, client, indent):
    paths = [repo / file.path for file in CLIENTS[client] if file.path.endswith(".json")]
    theirs = json.dumps({"version": 1, **THEIRS}, indent=indent, ensure_ascii=False) + "\n"
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(theirs)
        path.chmod(0o640)
    assert setup("--check", client)[1]["files"][-1]["state"] in {"outdated", "missing"}
    assert setup("--refuse", client)[0] == 0
    for path in paths:
        text = path.read_text()
        found = json.loads(text)
        assert list(found) == ["version", *THEIRS]
        assert text.splitlines()[1].startswith(json.dumps([0], indent=indent).splitlines()[1].rstrip("0"))
        assert (found["last"], found["mcpServers"]["other"]) == (THEIRS["last"], THEIRS["mcpServers"]["other"])
        for event, entries in THEIRS["hooks"].items():
            assert [entry for entry in entries if entry not in found["hooks"][event]] == []
        assert path.stat().st_mode & 0o777 == 0o640
    setup("--remove", client)
    assert [path.read_text() for path in paths] == [theirs] * len(paths)


def test_a_hook_that_somebody_put_beside_ours_stays(setup, repo):
    setup("claude")
    path = repo / ".claude/settings.local.json"
    found = json.loads(path.read_text())
    found["hooks"]["PreToolUse"][0]["hooks"].append({"type": "command", "command": "lint"})
    path.write_text(json.dumps(found))
    assert setup("--refuse", "claude")[0] == 0
    ours, other = json.loads(path.read_text())["hooks"]["PreToolUse"][0]["hooks"]
    assert (ours["command"].endswith("coord guard edit --refuse"), other["command"]) == (True, "lint")
    setup("--remove", "claude")
    hooks = json.loads(path.read_text())["hooks"]
    assert hooks == {"PreToolUse": [{"matcher": found["hooks"]["PreToolUse"][0]["matcher"], "hooks": [other]}]}


@pytest.mark.parametrize(
    ("client", "path", "text", "reason"),
    [
        ("claude", ".mcp.json", '{"mcpServers": {"bespeak": {"command": "mine"}}}', "not of this command's making"),
        ("claude", ".claude/settings.local.json", "{ // a comment\n}", "no plain JSON"),
        ("claude", ".claude/settings.local.json", '{"a": 1, "a": 2}', "stands twice"),
        ("claude", ".claude/settings.local.json", '{"hooks": []}', "is no object"),
        ("claude", ".claude/settings.local.json", '{"hooks": {"PostToolUse": {}}}', "is no list"),
        ("claude", ".claude/settings.local.json", "[]", "no JSON object"),
        ("claude", ".claude", "a file", "something else than a folder"),
        ("codex", ".codex/config.toml", "model = ", "is no TOML"),
        ("codex", ".codex/config.toml", "mcp_servers = {}\n", "in one line"),
        ("codex", ".codex/config.toml", '[mcp_servers.bespeak]\ncommand = "x"\n', "not of this command's making"),
        ("opencode", ".opencode/plugins/bespeak.js", "export const Mine = 1\n", "not of this command's making"),
    ],
)
def test_what_cannot_be_merged_is_refused_and_nothing_is_written(setup, repo, client, path, text, reason):
    (repo / path).parent.mkdir(parents=True, exist_ok=True)
    (repo / path).write_text(text)
    before = tree(repo)
    code, answer = setup(client)
    assert (code, reason in answer["error"], path in answer["error"]) == (6, True, True)
    assert tree(repo) == before


def test_a_link_out_of_the_repository_is_not_followed(setup, repo, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (repo / ".claude").symlink_to(tmp_path / "elsewhere")
    code, answer = setup("claude")
    assert (code, "leads out of the repository" in answer["error"]) == (6, True)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_toml_file_keeps_its_comments(setup, repo):
    path = repo / ".codex/config.toml"
    path.parent.mkdir()
    theirs = '# mine\nmodel = "x"\n\n[mcp_servers.other]\ncommand = "o"\n'
    path.write_text(theirs)
    setup("codex")
    assert path.read_text().startswith(theirs)
    found = tomllib.loads(path.read_text())["mcp_servers"]
    assert (found["other"], found["bespeak"]["args"][-1]) == ({"command": "o"}, "mcp")
    path.write_text(path.read_text() + "[last]\n")
    assert setup("--check", "codex")[0] == 0
    setup("--remove", "codex")
    assert path.read_text() == theirs + "[last]\n"


@ALL
def test_files_that_git_keeps_name_no_path_of_this_machine(setup, repo, client, tmp_path):
    setup(client)
    git(repo, "add", ".")
    assert (setup("--check", client)[0], setup(client)[0]) == (1, 0)
    texts = [(repo / file.path).read_text() for file in CLIENTS[client]]
    assert not [text for text in texts if "/bespeak coord" in text or '"/' in text or sys.executable in text]
    assert all("bespeak" in text for text in texts)
    code = main(["--ledger", str(tmp_path / "book"), "agents", "setup", client])
    assert code == 6


def claim(repo):
    assert main(["coord", "reserve", ":/src/a.py", "--run-id", "other"]) == 0
    return str(repo / "src/a.py")


def test_the_hooks_that_are_written_work_from_anywhere(setup, repo, capsys):
    setup("--refuse", "claude")
    name = claim(repo)
    capsys.readouterr()
    (group,) = json.loads((repo / ".claude/settings.local.json").read_text())["hooks"]["PreToolUse"]
    said = json.dumps({"hook_event_name": "PreToolUse", "tool_name": "Edit", "tool_input": {"file_path": name}})
    done = subprocess.run(
        group["hooks"][0]["command"], shell=True, input=said, text=True, capture_output=True, check=False, cwd="/"
    )
    assert (done.returncode, "already reserved by run-id 'other'" in done.stderr) == (2, True)


ASK = """
const plugin = await (await import(process.argv[1])).BespeakGuard({ directory: process.argv[2] })
const input = { tool: "edit", sessionID: process.argv[4] }
const shell = { env: {} }
await plugin["shell.env"](input, shell)
if (shell.env.BESPEAK_RUN_ID !== input.sessionID) throw new Error("the shell does not know its session")
const output = { args: { filePath: process.argv[3] }, output: "done" }
try { await plugin["tool.execute.before"](input, output) } catch (error) { console.log("refused", error.message) }
await plugin["tool.execute.after"](input, output)
console.log(output.output)
"""


def test_the_plugin_for_opencode_refuses_and_warns(setup, repo, capsys):
    node = shutil.which("node")
    plugin = repo / ".opencode/plugins/bespeak.js"
    name = claim(repo)
    (repo / "src/a.py").write_text("x = 2\n")
    capsys.readouterr()
    for words, session, refused, told in (
        ([], "s", False, True),
        (["--refuse"], "s", True, True),
        (["--refuse"], "other", False, False),
    ):
        setup(*words, "opencode")
        assert "tool.execute.before" in plugin.read_text()
        if node is None:
            continue
        module = shutil.copy(plugin, repo.parent / f"plugin-{session}-{len(words)}.mjs")
        asked = subprocess.run(
            [node, "--input-type=module", "-e", ASK, str(module), str(repo), name, session],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ,
        )
        assert asked.stdout.startswith("refused") == refused
        assert ("already reserved" in asked.stdout.partition("done")[2]) == told


def test_check_and_remove_exclude_each_other(setup, repo):
    assert setup("--check", "--remove", "claude")[0] == 2


@ALL
def test_what_a_client_asks_its_user_is_said_when_it_is_set_up(setup, repo, client):
    asks = client in {"claude", "codex", "gemini"}
    assert ("trust" in setup("--check", client)[1]) is False
    assert ("you trust this folder" in setup(client)[1].get("trust", "")) == asks
    assert ("trust" in setup(client)[1]) == asks
    assert ("trust" in setup("--remove", client)[1]) is False
