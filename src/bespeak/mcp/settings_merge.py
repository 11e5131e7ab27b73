"""Merging entries of ours into settings files of other programs, and taking them out again.

What is there stays as it is: keys keep their order, the indentation is kept, and a file that has all that is wanted
is not written. What cannot be read without losing something (comments, a name twice) is refused.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from dataclasses import dataclass
from typing import Any, Protocol

from bespeak.base.errors import WrongStateError
from bespeak.mcp.client_config import configuration

NAME = "bespeak"
_ACTIONS = ("edit", "changed", "session")
_BEGIN, _END = "# bespeak agents setup: begin", "# bespeak agents setup: end"
_BLOCK = re.compile(rf"\n?^{_BEGIN}$.*?^{_END}$\n?", re.DOTALL | re.MULTILINE)
_OWN_KEYS = {"type", "command", "args", "cwd", "enabled"}


@dataclass(frozen=True, slots=True)
class HookCommands:
    """How an agent's program starts bespeak.

    Args:
        words: the program with its options.
        refuse: its hooks refuse instead of warning.
    """

    words: tuple[str, ...]
    refuse: bool

    @property
    def server(self) -> list[str]:
        """The words that start the server of tools."""
        return [*self.words, "mcp"]

    def hook(self, action: str) -> list[str]:
        """Return the words that a hook calls."""
        return [*self.words, "coord", "guard", action, *(["--refuse"] if self.refuse else [])]


class SettingsFile(Protocol):
    """One file of a client."""

    @property
    def path(self) -> str:
        """Where it is, from the root of the repository."""

    def merged(self, text: str | None, calls: HookCommands) -> str:
        """Return the file with our entries; ``text`` is what is in it now."""

    def without(self, text: str) -> str | None:
        """Return the file without our entries; None if nothing is left of it."""


@dataclass(frozen=True, slots=True)
class Hook:
    """An entry for one event of an agent.

    Args:
        event: its name.
        action: what of ``coord guard`` it calls.
        matcher: for which tools; empty for all.
    """

    event: str
    action: str
    matcher: str = ""


@dataclass(frozen=True, slots=True)
class JsonSettings:
    """A JSON file with a server of tools, hooks, or both.

    Args:
        path: from the root of the repository.
        client: whose form the server's entry has; empty for none.
        hooks: the entries below ``hooks``.
        flat: a hook is an entry of its event's list; otherwise such a list has groups of hooks.
        version: what the file's ``version`` has to be; 0 for none.
    """

    path: str
    client: str = ""
    hooks: tuple[Hook, ...] = ()
    flat: bool = False
    version: int = 0

    def merged(self, text: str | None, calls: HookCommands) -> str:
        """Return the file with our entries."""
        found = {} if text is None or not text.strip() else _object(self.path, text)
        before = json.dumps(found)
        if self.version:
            found.setdefault("version", self.version)
        if self.client:
            self._add_server(found, calls)
        for hook in self.hooks:
            self._add_hook(found, hook, calls)
        return text if text is not None and json.dumps(found) == before else _printed(found, text)

    def _add_server(self, found: dict[str, Any], calls: HookCommands) -> None:
        key, wanted = _server(self.client, calls.server)
        servers = _inner(self.path, found, key)
        if NAME in servers and not _is_our_server(servers[NAME]):
            raise WrongStateError(f"{self.path} has a server {NAME!r} that is not of this command's making")
        servers[NAME] = wanted

    def _add_hook(self, found: dict[str, Any], hook: Hook, calls: HookCommands) -> None:
        entries = _list(self.path, _inner(self.path, found, "hooks"), hook.event)
        command = {"type": "command", "command": shlex.join(calls.hook(hook.action))}
        matcher = {"matcher": hook.matcher} if hook.matcher else {}
        wanted = matcher | command if self.flat else matcher | {"hooks": [command]}
        ours = [number for number, entry in enumerate(entries) if _is_our_hook(entry, hook.action)]
        if not ours:
            entries.append(wanted)
        elif self.flat or len(entries[ours[0]]["hooks"]) == 1:
            entries[ours[0]] = wanted
        else:  # somebody has put another hook beside ours
            entries[ours[0]]["hooks"] = [
                command if _calls(one, hook.action) else one for one in entries[ours[0]]["hooks"]
            ]

    def without(self, text: str) -> str | None:
        """Return the file without our entries."""
        found = _object(self.path, text) if text.strip() else {}
        before = json.dumps(found)
        if self.client:
            key, _ = _server(self.client, [])
            servers = found.get(key)
            if isinstance(servers, dict) and _is_our_server(servers.get(NAME)):
                del servers[NAME]
                if not servers:
                    del found[key]
        if self.hooks:
            _remove_hooks(found)
        if json.dumps(found) == before:
            return text
        return _printed(found, text) if set(found) - {"version"} else None


@dataclass(frozen=True, slots=True)
class TomlSettings:
    """A TOML file with a server of tools, in a block between two comments."""

    path: str

    def merged(self, text: str | None, calls: HookCommands) -> str:
        """Return the file with our block."""
        rest = _BLOCK.sub("", text or "")
        servers = _toml(self.path, rest).get("mcp_servers", {})
        if isinstance(servers, dict) and NAME in servers:
            raise WrongStateError(f"{self.path} has a server {NAME!r} that is not of this command's making")
        words = [json.dumps(word, ensure_ascii=False) for word in calls.server]
        block = f"{_BEGIN}\n[mcp_servers.{NAME}]\ncommand = {words[0]}\nargs = [{', '.join(words[1:])}]\n{_END}\n"
        if text is not None and block in text:
            return text
        if rest and not rest.endswith("\n"):
            rest += "\n"
        made = f"{rest}\n{block}" if rest else block
        _toml(self.path, made)
        return made

    def without(self, text: str) -> str | None:
        """Return the file without our block."""
        return _BLOCK.sub("", text) or None


@dataclass(frozen=True, slots=True)
class Plugin:
    """A file that is all ours: a program that calls the hooks.

    Args:
        path: from the root of the repository.
        source: its text; ``@PROGRAM@`` and ``@REFUSE@`` stand for the program's words and whether it refuses.
    """

    path: str
    source: str

    def merged(self, text: str | None, calls: HookCommands) -> str:
        """Return the program."""
        mark = self.source.partition("\n")[0]
        if text is not None and not text.startswith(mark):
            raise WrongStateError(f"{self.path} exists, and is not of this command's making")
        words = json.dumps([*calls.words, "coord", "guard"])
        return self.source.replace("@PROGRAM@", words).replace("@REFUSE@", json.dumps(calls.refuse))

    def without(self, text: str) -> str | None:
        """Return nothing, unless the file is somebody else's."""
        return None if text.startswith(self.source.partition("\n")[0]) else text


def _server(client: str, words: list[str]) -> tuple[str, dict[str, object]]:
    if client == "opencode":
        return "mcp", {"type": "local", "command": words, "enabled": True}
    made: dict[str, Any] = configuration(client, words or [""])
    ((key, servers),) = made.items()
    return key, servers[NAME]


def _is_our_server(entry: object) -> bool:
    if not isinstance(entry, dict) or set(entry) - _OWN_KEYS:
        return False
    command, more = entry.get("command"), entry.get("args", [])
    words = command if isinstance(command, list) else [command, *(more if isinstance(more, list) else [])]
    return _is_bespeak(words) and words[-1] == "mcp"


def _is_bespeak(words: list[Any]) -> bool:
    if not words or not all(isinstance(word, str) for word in words):
        return False
    return words[0].rpartition("/")[2] == NAME or words[1:4] == ["-P", "-m", NAME]


def _calls(entry: object, action: str) -> bool:
    """Tell whether a hook is a command that calls the guard."""
    command = entry.get("command") if isinstance(entry, dict) else None
    try:
        words = shlex.split(command) if isinstance(command, str) else []
    except ValueError:
        return False
    words = words[:-1] if words[-1:] == ["--refuse"] else words
    return _is_bespeak(words) and words[-3:] == ["coord", "guard", action]


def _is_our_hook(entry: object, action: str) -> bool:
    """Tell whether an entry of an event's list is, or has in it, a call of the guard."""
    inner = entry.get("hooks") if isinstance(entry, dict) else None
    return any(_calls(one, action) for one in inner) if isinstance(inner, list) else _calls(entry, action)


def _remove_hooks(found: dict[str, Any]) -> None:
    hooks = found.get("hooks")
    if not isinstance(hooks, dict):
        return
    for event, entries in list(hooks.items()):
        if not isinstance(entries, list):
            continue
        left = [one for entry in entries for one in _left(entry)]
        if left != entries:
            hooks[event] = left
        if not left and entries:
            del hooks[event]
    if not hooks:
        del found["hooks"]


def _left(entry: Any) -> list[Any]:
    """Return what stays of an entry of an event's list."""
    if not any(_is_our_hook(entry, action) for action in _ACTIONS):
        return [entry]
    inner = entry.get("hooks", [])
    others = [one for one in inner if not any(_calls(one, action) for action in _ACTIONS)]
    return [entry | {"hooks": others}] if others else []


def _object(path: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise WrongStateError(f"{path} is no plain JSON ({error}); nothing was written") from None
    if not isinstance(found, dict):
        raise WrongStateError(f"{path} is no JSON object; nothing was written")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _inner(path: str, found: dict[str, Any], key: str) -> dict[str, Any]:
    inner = found.setdefault(key, {})
    if not isinstance(inner, dict):
        raise WrongStateError(f"{path}: {key!r} is no object; nothing was written")
    return inner


def _list(path: str, found: dict[str, Any], key: str) -> list[Any]:
    inner = found.setdefault(key, [])
    if not isinstance(inner, list):
        raise WrongStateError(f"{path}: {key!r} is no list; nothing was written")
    return inner


def _printed(found: dict[str, Any], text: str | None) -> str:
    """Return JSON text with the indentation of the text that it takes the place of."""
    first = re.search(r"\n([ \t]+)\S", text or "")
    return json.dumps(found, indent=first[1] if first else 2, ensure_ascii=False) + "\n"


def _toml(path: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WrongStateError(f"{path} is no TOML, or has 'mcp_servers' in one line ({error})") from None
