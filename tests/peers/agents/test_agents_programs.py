"""What ``agents setup`` writes is read by the programs themselves, and the guard's words reach the model."""

from __future__ import annotations

import json
import sys

import pytest

from support.fake_model import fake_model
from support.repositories import git

TIMES = 5
"""Gemini CLI and opencode wait 5 s for a server that starts, which a loaded machine may need longer for: ask again."""


def trust(project, client):
    """Say for a client what its user is asked once: that this folder may start programs."""
    folder = str(project.folder)
    if client == "claude":
        project.write(".claude/settings.json", json.dumps({"enableAllProjectMcpServers": True}))
    elif client == "codex":
        project.write(".codex/config.toml", f'[projects."{folder}"]\ntrust_level = "trusted"\n')
    elif client == "gemini":
        project.write(".gemini/trustedFolders.json", json.dumps({folder: "TRUST_FOLDER"}))


@pytest.mark.parametrize(
    ("client", "connected"),
    [("claude", "Connected"), ("codex", "enabled"), ("gemini", "Connected")],
)
def test_the_server_of_tools_is_known_to_the_program(project, program, client, connected):
    path = program(client)
    said = project.bespeak("agents", "setup", client)
    assert "you trust this folder" in said
    trust(project, client)
    for _ in range(TIMES):
        listed = project.run(path, "mcp", "list")
        if any(connected in line for line in listed.splitlines() if "bespeak" in line):
            return
    pytest.fail(listed)


def ask_claude(project, path, model):
    """Let Claude Code do what the model wants, without asking anybody."""
    argv = ("-p", "change x", "--permission-mode", "acceptEdits")
    assert "All is done." in project.run(path, *argv, ANTHROPIC_BASE_URL=model.url, ANTHROPIC_API_KEY="none")


def claude_edits(project):
    """Return the tools that a model asks Claude Code for, to read the file and change it."""
    name = str(project.file)
    return [
        ("Read", {"file_path": name}),
        ("Edit", {"file_path": name, "old_string": "x = 1", "new_string": "x = 2"}),
    ]


def test_claude_code_tells_the_model_who_has_claimed_what_it_edits(project, program):
    path = program("claude")
    project.bespeak("agents", "setup", "claude")
    project.bespeak("coord", "reserve", "m.py", "--run-id", "other")
    trust(project, "claude")
    with fake_model(*claude_edits(project)) as model:
        ask_claude(project, path, model)
    assert "already reserved by run-id 'other'" in model.last
    assert "Another run has claimed this." in model.last
    assert project.file.read_text() == "x = 2\n"


def test_claude_code_does_not_edit_what_a_guard_refuses_and_the_model_hears_why(project, program):
    path = program("claude")
    project.bespeak("agents", "setup", "--refuse", "claude")
    project.bespeak("coord", "reserve", "m.py", "--run-id", "other")
    trust(project, "claude")
    with fake_model(*claude_edits(project)) as model:
        ask_claude(project, path, model)
    assert "already reserved by run-id 'other'" in model.last
    assert "Take other work, or wait until it is released." in model.last
    assert project.file.read_text() == "x = 1\n"


def test_claude_code_tells_the_model_after_a_command_that_writes(project, program):
    path = program("claude")
    project.bespeak("agents", "setup", "claude")
    project.bespeak("coord", "reserve", "m.py", "--run-id", "other")
    project.write(
        ".claude/settings.json",
        json.dumps({"enableAllProjectMcpServers": True, "permissions": {"allow": ["Bash"]}}),
    )
    with fake_model(("Bash", {"command": "echo 'x = 3' > m.py", "description": "write x"})) as model:
        ask_claude(project, path, model)
    assert "already reserved by run-id 'other'" in model.last
    assert "This work tree changes what another run has claimed." in model.last
    assert project.file.read_text() == "x = 3\n"


CLAIM = f"setsid -w {sys.executable} -P -m bespeak coord reserve m.py"
COMMIT = (
    "echo 'x = 4' > m.py && "
    "setsid -w git -c user.name=t -c user.email=t@example.org commit -qam four && git log --oneline"
)


def test_claude_code_commits_what_an_earlier_command_of_its_own_has_claimed(project, program):
    """It starts each command in a session of its own; the hook at its start gives all of them one run id."""
    path = program("claude")
    project.bespeak("coord", "guard", "install", "--refuse")
    project.bespeak("agents", "setup", "--refuse", "claude")
    project.write(
        ".claude/settings.json",
        json.dumps({"enableAllProjectMcpServers": True, "permissions": {"allow": ["Bash"]}}),
    )
    with fake_model(
        ("Bash", {"command": CLAIM, "description": "claim m.py"}),
        ("Bash", {"command": COMMIT, "description": "commit"}),
    ) as model:
        ask_claude(project, path, model)
    assert "four" in model.last
    assert git(project.folder, "log", "--format=%s", "-1").strip() == "four"


def ask_codex(project, path, *steps):
    """Let Codex do what a model wants, without asking anybody; return the model."""
    with fake_model(*steps) as model:
        project.write(
            ".codex/config.toml",
            'model = "gpt-5.5"\nmodel_provider = "ours"\ncheck_for_update_on_startup = false\n'
            f'[analytics]\nenabled = false\n[projects."{project.folder}"]\ntrust_level = "trusted"\n'
            f'[model_providers.ours]\nname = "ours"\nbase_url = "{model.url}/v1"\nwire_api = "responses"\n',
        )
        free = ("--dangerously-bypass-hook-trust", "--dangerously-bypass-approvals-and-sandbox")
        assert "All is done." in project.run(path, "exec", *free, "change x")
    return model


PATCH = "*** Begin Patch\n*** Update File: m.py\n@@\n-x = 1\n+x = 2\n*** End Patch\n"


def test_codex_refuses_or_warns_of_a_patch_also_of_one_in_a_command(project, program):
    path = program("codex")
    project.bespeak("agents", "setup", "--refuse", "codex")
    project.bespeak("coord", "reserve", "m.py", "--run-id", "other")
    in_command = ("exec_command", {"cmd": f"apply_patch <<'EOF'\n{PATCH}EOF\n"})
    model = ask_codex(project, path, ("apply_patch", {"patch": PATCH}), in_command)
    assert model.last.count("Take other work, or wait until it is released.") == 2
    assert project.file.read_text() == "x = 1\n"
    project.bespeak("agents", "setup", "codex")
    model = ask_codex(project, path, in_command)
    assert "already reserved by run-id 'other'" in model.last
    assert project.file.read_text() == "x = 2\n"


def test_codex_commits_what_an_earlier_command_of_its_own_has_claimed(project, program):
    path = program("codex")
    project.bespeak("coord", "guard", "install", "--refuse")
    model = ask_codex(project, path, *(("exec_command", {"cmd": command}) for command in (CLAIM, COMMIT)))
    assert git(project.folder, "log", "--format=%s", "-1").strip() == "four", model.last


PATIENCE = {"mcp_timeout": 120_000}
"""In ms: how long opencode waits for a server that starts."""


def edits(project):
    """Return the tools that a model asks opencode for, to read the file and change it."""
    name = str(project.file)
    return ("read", {"filePath": name}), ("edit", {"filePath": name, "oldString": "x = 1", "newString": "x = 2"})


def ask_opencode(project, path, *steps):
    """Let opencode do what a model wants; return the model."""
    with fake_model(*steps) as model:
        provider = {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": f"{model.url}/v1", "apiKey": "none"},
            "models": {"fake": {}},
        }
        settings = {
            "provider": {"ours": provider},
            "small_model": "ours/fake",
            "share": "disabled",
            "experimental": PATIENCE,
        }
        project.write(".config/opencode/opencode.json", json.dumps(settings))
        assert "All is done." in project.run(path, "run", "-m", "ours/fake", "change x")
    return model


def test_opencode_has_the_tools_and_refuses_or_warns_of_an_edit(project, program):
    path = program("opencode")
    project.bespeak("agents", "setup", "--refuse", "opencode")
    project.bespeak("coord", "reserve", "m.py", "--run-id", "other")
    for _ in range(TIMES):
        model = ask_opencode(project, path, *edits(project))
        assert "Take other work, or wait until it is released." in model.last
        assert project.file.read_text() == "x = 1\n"
        if "bespeak_reserve" in model.last:
            break
    else:
        pytest.fail("opencode does not offer the tools to its model")
    project.bespeak("agents", "setup", "opencode")
    model = ask_opencode(project, path, *edits(project))
    assert "already reserved by run-id 'other'" in model.last
    assert project.file.read_text() == "x = 2\n"


def test_opencode_commits_what_an_earlier_command_of_its_own_has_claimed(project, program):
    path = program("opencode")
    project.bespeak("coord", "guard", "install", "--refuse")
    project.bespeak("agents", "setup", "opencode")
    (project.folder / "opencode.json").unlink()  # the server of tools, which takes long to start and is not asked
    model = ask_opencode(
        project, path, *(("bash", {"command": command, "description": "x"}) for command in (CLAIM, COMMIT))
    )
    assert git(project.folder, "log", "--format=%s", "-1").strip() == "four", model.last
