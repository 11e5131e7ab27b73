"""Ready configuration for the programs that start tools for agents."""

from __future__ import annotations

import json

CLIENTS = ("claude", "cursor", "vscode", "generic")
_FILES = {
    "claude": "Claude Code: .mcp.json in the project (or: claude mcp add bespeak -- {words})",
    "cursor": "Cursor: .cursor/mcp.json in the project, or ~/.cursor/mcp.json",
    "vscode": "Visual Studio Code: .vscode/mcp.json in the workspace",
    "generic": "Most other clients",
}


def configuration(client: str, words: list[str]) -> dict[str, object]:
    """Return what goes into the client's file.

    Args:
        client: one of :data:`CLIENTS`.
        words: the command that starts the server.
    """
    server: dict[str, object] = {"command": words[0], "args": words[1:]}
    if client == "vscode":
        return {"servers": {"bespeak": {"type": "stdio", **server, "cwd": "${workspaceFolder}"}}}
    return {"mcpServers": {"bespeak": {"type": "stdio", **server} if client == "claude" else server}}


def page(client: str, words: list[str]) -> str:
    """Return the configuration for people: where it goes, and what it is."""
    from shlex import join

    where = _FILES[client].format(words=join(words))
    return f"{where}\n\n{json.dumps(configuration(client, words), indent=2)}"
