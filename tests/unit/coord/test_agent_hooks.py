"""What an agent's hook is told and answers: each agent in its own form, and nothing passes that cannot be understood."""

import json
import os
import subprocess
import sys

import pytest

from bespeak.coord.agent_hooks import LIMIT_BYTES, read_input
from bespeak.coord.errors import ClaimError
from support.repositories import git


def edit(document, *words, cwd=None, action="edit", **env):
    command = [sys.executable, "-m", "bespeak", "coord", "guard", action, *words]
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return subprocess.run(command, input=text, capture_output=True, check=False, cwd=cwd, env=os.environ | env)


def call(name, event="PreToolUse", tool="Edit", **more):
    return {"hook_event_name": event, "tool_name": tool, "tool_input": {"file_path": name}} | more


@pytest.fixture
def claimed(run, repo):
    run("reserve", "src/a.py", "--run-id", "other")
    return str(repo / "src/a.py")


@pytest.mark.parametrize("event", ["PreToolUse", "PostToolUse", "AfterTool", None])
def test_a_warning_reaches_the_model(claimed, event):
    document = call(claimed, event)
    if event is None:
        del document["hook_event_name"]
    warned = edit(document)
    answer = json.loads(warned.stdout)
    assert warned.returncode == 0
    assert "already reserved by run-id 'other'" in answer["systemMessage"]
    specific = answer["hookSpecificOutput"]
    assert specific == {"hookEventName": event or "PreToolUse", "additionalContext": answer["systemMessage"]}


def test_a_refusal_is_said_in_the_form_of_claude_codex_and_vscode(claimed):
    refused = edit(call(claimed), "--refuse")
    said = json.loads(refused.stdout)["hookSpecificOutput"]
    assert (refused.returncode, said["hookEventName"], said["permissionDecision"]) == (2, "PreToolUse", "deny")
    assert said["permissionDecisionReason"] == refused.stderr.decode().rstrip("\n")
    assert "already reserved by run-id 'other'" in said["permissionDecisionReason"]
    assert "updatedInput" not in said


def test_gemini_and_cursor_are_answered_as_they_document(claimed):
    gemini = edit(call(claimed, "BeforeTool", "write_file"), "--refuse")
    assert (gemini.returncode, json.loads(gemini.stdout)["decision"]) == (2, "block")
    assert "already reserved" in json.loads(gemini.stdout)["reason"]
    cursor = edit(call(claimed, "preToolUse", "Write"), "--refuse")
    said = json.loads(cursor.stdout)
    assert (cursor.returncode, said["permission"]) == (2, "deny")
    assert said["agent_message"] == said["user_message"] == cursor.stderr.decode().rstrip("\n")
    assert json.loads(edit(call(claimed, "preToolUse", "Write")).stdout)["permission"] == "allow"
    assert "already reserved" in json.loads(edit(call(claimed, "postToolUse", "Write")).stdout)["additional_context"]


def test_nothing_is_said_of_a_free_file(claimed, repo):
    done = edit(call(str(repo / "src/b.py")), "--refuse")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_session_is_the_run_and_the_folder_is_where_names_start(run, repo, tmp_path):
    run("reserve", "src/a.py", "--run-id", "s-1")
    run("reserve", "src/b.py", "--run-id", "s-1/helper")
    where = str(repo / "src")
    assert edit(call("a.py", cwd=where, session_id="s-1"), "--refuse", cwd=tmp_path).returncode == 0
    assert edit(call("b.py", cwd=where, session_id="s-1", agent_id="helper"), "--refuse", cwd=tmp_path).returncode == 0
    assert edit(call("b.py", cwd=where, session_id="s-1", agent_id="two"), "--refuse", cwd=tmp_path).returncode == 2
    assert edit(call("a.py", cwd=where, session_id="s-2"), "--refuse", cwd=tmp_path).returncode == 2
    assert edit(call("a.py", cwd=where, conversation_id="s-1"), "--refuse", cwd=tmp_path).returncode == 0
    assert edit(call("a.py", cwd=where, sessionId="s-1"), "--refuse", cwd=tmp_path).returncode == 0
    assert edit(call("a.py", cwd=where), "--refuse", cwd=tmp_path, BESPEAK_RUN_ID="s-1").returncode == 0


def test_the_parts_that_a_session_holds_are_shared_out(run, repo):
    run("reserve", "src/a.py::f", "--run-id", "other")
    run("reserve", "src/a.py::g", "--run-id", "s-1")
    assert edit(call("src/a.py", session_id="s-1"), "--refuse").returncode == 0
    assert edit(call("src/a.py", session_id="s-2"), "--refuse").returncode == 2


ESCAPED = b'{"tool_input": {"file\\u005fpath": "src/a.py"}}'
NESTED = {"tool_input": {"changes": [{"one": {"filePath": "src/a.py"}}]}}
PATCH = "*** Begin Patch\n*** Update File: src/b.py\n*** Move to: src/a.py\n@@\n-x\n+y\n*** End Patch\n"
INNER = "*** Begin Patch\n*** Update File: a.py\n@@\n-x\n+y\n*** End Patch\n"


@pytest.mark.parametrize(
    "document",
    [
        ESCAPED,
        NESTED,
        {"tool_name": "editFiles", "tool_input": {"files": ["src/b.py", "src/a.py"]}},
        {"tool_name": "apply_patch", "tool_input": {"command": PATCH}},
        {"tool_name": "apply_patch", "tool_input": {"patchText": PATCH}},
        {"tool_name": "Bash", "tool_input": {"command": f"apply_patch <<'EOF'\n{PATCH}EOF\n"}},
        {"tool_name": "Bash", "tool_input": {"command": f"cd 'src' && apply_patch <<'EOF'\n{INNER}EOF\n"}},
        {"tool_name": "mcp__files__put", "tool_input": {"path": "src/a.py"}},
        {"tool_name": "edit", "tool_input": '{"file_path": "src/a.py"}'},
        {"file_path": "src/sub/../a.py"},
    ],
)
def test_a_file_is_found_however_it_is_named(claimed, document):
    refused = edit(document, "--refuse")
    assert (refused.returncode, b"already reserved" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    "form",
    [
        "file://{}/src/a.py",
        "file://localhost{}/src/a.py",
        "FILE:{}/src/%61.py",
        "file:///{}/src/a.py",
        " file://{}/src/a.py",
        "/{}/src/a.py",
        "~/{home}/src/a.py",
        "~/{home}/src/../src/a.py",
    ],
)
def test_an_address_and_a_path_from_home_are_files_too(claimed, repo, form):
    name = form.format(repo, home=repo.name)
    for document in (
        call(name),
        {"tool_name": "apply_patch", "tool_input": {"command": PATCH.replace("src/a.py", name)}},
    ):
        refused = edit(document, "--refuse", cwd="/", HOME=str(repo.parent))
        assert (refused.returncode, b"already reserved" in refused.stderr) == (2, True)
    free = edit(call(name.replace("a.py", "b.py").replace("%61", "b")), "--refuse", HOME=str(repo.parent))
    assert (free.returncode, free.stderr) == (0, b"")


@pytest.mark.parametrize("folder", ["file://{}/src", "~/{home}/src"])
def test_the_folder_where_names_start_is_read_in_the_same_forms(claimed, repo, folder):
    where = folder.format(repo, home=repo.name)
    refused = edit(call("a.py", cwd=where), "--refuse", cwd="/", HOME=str(repo.parent))
    assert (refused.returncode, b"already reserved" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    "name",
    [
        "file://elsewhere/src/a.py",
        "file:src/a.py",
        "file:///src/a%2.py",
        "file:///src/a%00.py",
        "file:///src/a.py?x",
        "file:///src/a.py#L1",
        "file:",
        "vscode-remote://ssh/src/a.py",
        "untitled:a.py",
        "C:\\src\\a.py",
        "~nobody-has-this-name/src/a.py",
    ],
)
def test_a_file_that_cannot_be_read_from_its_address_is_refused(claimed, name):
    for document in (call(name), call("src/b.py", cwd=name)):
        refused = edit(document, "--refuse")
        assert (refused.returncode, refused.stderr.count(b"\n")) == (2, 1)
        assert b"Nobody can say whether another run has claimed this" in refused.stderr
    assert edit(call(name, tool="Read"), "--refuse").returncode == 0


def test_a_name_that_looks_like_an_address_can_be_said_as_a_path(claimed):
    for name in ("./untitled:a.py", "./~a.py", "src/x:y.py", "src/~a.py"):
        assert edit(call(name), "--refuse").returncode == 0


DEEP = b'{"tool_input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "no JSON object"),
        (b"\xff{", "no JSON object"),
        (b'{"file_path": "src/a.py', "no JSON object"),
        (b'{"file_path": "src/b.py"} x', "no JSON object"),
        (b'["src/a.py"]', "no JSON object"),
        (b'{"file_path": "src/b.py", "file_path": "src/a.py"}', "no JSON object"),
        (b"not JSON", "no JSON object"),
        ('{"file_path": "src/a.py"}'.encode("utf-16"), "no JSON object"),
        ('{"file_path": "src/a.py"}'.encode("utf-16-le"), "no JSON object"),
        (DEEP, "nested too deeply"),
        (b'{"file_path": "src/b.py", "content": "' + b"x" * 64 * 1024 * 1024 + b'"}', "longer than"),
        (b"{}", "names no file"),
        (b'{"file_path": 7}', "no text"),
        (b'{"file_path": ["src/a.py"]}', "no text"),
        (b'{"tool_name": "Write", "tool_input": {"content": "x"}}', "names no file"),
        (b'{"file_path": ""}', "can be no file"),
        (b'{"file_path": "a\\u0000b"}', "can be no file"),
        (b'{"file_path": "\\ud800"}', "can be no file"),
        (b'{"file_path": "src/b.py", "cwd": 1}', "no text"),
        (b'{"file_path": "src/b.py", "session_id": {}}', "no text"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_input_that_cannot_be_understood_is_no_permission(claimed, document, reason):
    refused = edit(document, "--refuse")
    said = refused.stderr.decode()
    assert (refused.returncode, said.count("\n")) == (2, 1)
    assert said.startswith("❌ Nobody can say whether another run has claimed this: ")
    assert reason in said
    assert json.loads(refused.stdout)["hookSpecificOutput"]["permissionDecision"] == "deny"
    warned = edit(document)
    assert (warned.returncode, warned.stdout) == (1, b"")
    assert reason in warned.stderr.decode()


def test_a_file_with_a_further_name_is_refused(claimed, repo):
    os.link(claimed, repo / "src/same.py")
    refused = edit(call(str(repo / "src/same.py")), "--refuse")
    assert (refused.returncode, b"hard links" in refused.stderr, refused.stderr.count(b"\n")) == (2, True, 1)
    (repo / "src/link.py").symlink_to("b.py")
    assert edit(call(str(repo / "src/link.py")), "--refuse").returncode == 0


APPLIES_NONE = ("Bash", {"command": f"cat > notes <<'EOF'\n{PATCH}EOF\n", "path": "src/a.py"})


def test_reading_a_claimed_file_or_running_a_command_is_no_edit(claimed):
    for tool, given in (
        ("Read", {"file_path": claimed}),
        ("Bash", {"command": "ls"}),
        ("mcp__x__look", {}),
        APPLIES_NONE,
    ):
        assert edit({"tool_name": tool, "tool_input": given}, "--refuse").returncode == 0


def test_a_mention_of_a_file_in_the_new_text_is_no_file():
    given = read_input(b'{"tool_input": {"new_string": "\\"file_path\\": \\"no\\"", "file_path" : "s/\\u00e4.py"}}')
    assert given.files == ("s/ä.py",)


def test_input_up_to_the_limit_is_read():
    start, end = b'{"file_path": "a", "content": "', b'"}'
    document = start + b"x" * (LIMIT_BYTES - len(start) - len(end)) + end
    assert read_input(document).files == ("a",)
    with pytest.raises(ClaimError, match="longer than"):
        read_input(document + b" ")


def after(folder, *words, **more):
    told = {"hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_input": {"command": "sed"}, "cwd": str(folder)}
    return edit(told | more, *words, action="changed", cwd="/")


def test_what_a_command_wrote_is_seen_after_it(run, repo):
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "one")
    assert after(repo, "--refuse").returncode == 0
    run("reserve", "src/a.py", "src/new.py", "src/b.py", "--run-id", "other")
    assert (after(repo, "--refuse").returncode, after(repo, "--refuse").stdout) == (0, b"")
    os.utime(repo / "src/b.py")
    (repo / "src/a.py").write_text("changed = 1\n")
    (repo / "src/new.py").write_text("new = 1\n")
    refused = after(repo / "src", "--refuse")
    assert (refused.returncode, refused.stderr.count(b"already reserved")) == (2, 2)
    assert json.loads(refused.stdout)["decision"] == "block"
    assert "src/new.py" in json.loads(after(repo).stdout)["hookSpecificOutput"]["additionalContext"]
    assert after(repo, "--refuse", session_id="other").returncode == 0
    git(repo, "add", ".")
    assert after(repo, "--refuse").returncode == 2
    git(repo, "commit", "-qm", "two")
    assert after(repo, "--refuse").returncode == 0


def test_a_command_outside_of_a_repository_changes_nothing_claimed(tmp_path):
    assert after(tmp_path, "--refuse").returncode == 0
    assert edit(b"", "--refuse", action="changed").returncode == 2
