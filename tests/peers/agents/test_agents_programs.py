"""What ``agents setup`` writes is read by the programs themselves, and the guard's words reach the model."""

from __future__ import annotations

import json

import pytest

from support.fake_model import fake_model

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
    [("claude", "Connected"), ("codex", "enabled"), ("gemini", "Connected"), ("opencode", "connected")],
)
def test_the_server_of_tools_is_known_to_the_program(project, program, client, connected):
    path = program(client)
    said = project.bespeak("agents", "setup", client)
    assert ("trust" in said) == (client != "opencode")
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
