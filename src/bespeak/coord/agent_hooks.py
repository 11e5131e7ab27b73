"""What a coding agent tells its hook before and after it uses a tool, and the answer in the form that agent documents.

The input is read whole and strictly: a guard that refuses must not be passed by input that it reads otherwise than the
agent does. ``json`` is not imported, because a hook is started for each edit.
"""

from __future__ import annotations

import os

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.frozen import frozen
from bespeak.coord.errors import ClaimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

LIMIT_BYTES = 16 * 1024 * 1024
"""Longer input is not read: no agent describes an edit with so much."""

BEFORE = ("PreToolUse", "BeforeTool", "preToolUse")
AFTER = ("PostToolUse", "AfterTool", "postToolUse")
_BLANK = " \t\r\n"
_FILE = ("file_path", "notebook_path", "path", "filePath", "absolute_path", "target_file")
_FILES = ("files", "paths", "filePaths", "file_paths")
_PATCHES = ("command", "patchText", "input", "patch")
_PATCHED = ("*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: ")
_HEX = frozenset("0123456789abcdefABCDEF")
_HEX_DIGITS = 2
_SESSION = ("session_id", "sessionId", "conversation_id", "sessionID")
_EDITORS = """
Edit MultiEdit Write NotebookEdit Delete apply_patch write_file replace editFiles create_file replace_string_in_file
multi_replace_string_in_file insert_edit_into_file edit_notebook_file edit write multiedit patch
"""
_READERS = """
Read Grep Glob LS Bash BashOutput Shell Task WebFetch WebSearch read_file read_many_files list_directory glob
search_file_content run_shell_command run_in_terminal list_dir file_search grep_search semantic_search get_errors
readFile read grep list bash webfetch task
"""
_SHELLS = ("Bash", "Shell", "Task", "run_shell_command", "run_in_terminal", "bash", "task")


@frozen
class HookInput:
    """What an agent is about to do, or has done.

    Args:
        event: the name of the hook's event; empty if it is not said.
        tool: the tool's name; empty if it is not said.
        files: the files that it edits, as named; see :func:`path_of`.
        folder: the folder that relative names start from, absolute; None if it is not said.
        runs: the run ids that the agent's session stands for.
    """

    event: str
    tool: str
    files: tuple[str, ...]
    folder: str | None
    runs: tuple[str, ...]

    @property
    def looks(self) -> bool:
        """It changes nothing."""
        return self.tool in _READERS.split() and self.tool not in _SHELLS

    @property
    def edits(self) -> bool:
        """It edits files, as far as anyone can tell: a tool that nobody knows does if it names one."""
        if self.tool in _READERS.split():
            return self.tool in _SHELLS and bool(self.files)
        return bool(self.files or not self.tool or self.tool in _EDITORS.split())


def read_input(data: bytes) -> HookInput:
    """Return what an agent says on its hook's standard input.

    Args:
        data: at most :data:`LIMIT_BYTES` and one more byte.

    Raises:
        ClaimError: it cannot be understood.
    """
    if len(data) > LIMIT_BYTES:
        raise ClaimError(f"The hook's input is longer than {LIMIT_BYTES} bytes")
    document = _document(data)
    given = document.get("tool_input", document)
    tool = _text(document, "tool_name")
    named = given if isinstance(given, dict) else _document(given.encode()) if isinstance(given, str) else {}
    found = _applied(named) if tool in _SHELLS else _files(named, patch=tool in {"apply_patch", "patch"})
    files = dict.fromkeys(found)
    for name in files:
        _check(name)
    folder = _text(document, "cwd")
    if folder:
        _check(folder)
        folder = path_of(folder)
    event = _text(document, "hook_event_name") or _text(document, "hookEventName")
    return HookInput(event, tool, tuple(files), folder if os.path.isabs(folder) else None, tuple(_runs(document)))


def _document(data: bytes) -> dict[str, object]:
    """Return a JSON object, in which no name stands twice."""
    try:
        text = data.decode()
        start = len(text) - len(text.lstrip(_BLANK))
        found, end = _scanner()(text, start)
    except RecursionError:
        raise ClaimError("The hook's input is nested too deeply") from None
    except (ValueError, StopIteration, SystemError):  # the C scanner needs a module that is not loaded to say more
        found, end, text = None, 0, ""
    if not isinstance(found, dict) or text[end:].strip(_BLANK):
        raise ClaimError("The hook's input is no JSON object in UTF-8")
    return found


def _scanner() -> Callable[[str, int], tuple[object, int]]:
    try:
        from _json import make_scanner as scanner
    except ImportError:  # an interpreter without the C accelerator
        from json import JSONDecoder

        return JSONDecoder(object_pairs_hook=_once).raw_decode
    make: Any = scanner  # it asks its decoder for six attributes; type checkers are told of less
    made: Callable[[str, int], tuple[object, int]] = make(_Decoder)
    return made


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


class _Decoder:
    """What the scanner asks its decoder for."""

    strict = True
    object_hook = None
    object_pairs_hook = staticmethod(_once)
    parse_float = float
    parse_int = float  # no number matters here, and float takes one of any length
    parse_constant = float


def _text(document: dict[str, object], name: str) -> str:
    found = document.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise ClaimError(f"The hook's input has a {name} that is no text")
    return found


def _files(given: object, *, patch: bool) -> Iterator[str]:
    """Return the files that a tool's input names, however deep."""
    left: list[object] = [given]
    while left:
        one = left.pop()
        if isinstance(one, list):
            left += one
        elif isinstance(one, dict):
            for name, value in one.items():
                if isinstance(value, str):
                    if name in _FILE:
                        yield value
                    elif patch and name in _PATCHES:
                        yield from _patched(value)
                elif name in _FILES and isinstance(value, list):
                    yield from (item for item in value if isinstance(item, str))
                    left += value
                elif name in _FILE:
                    raise ClaimError(f"The hook's input has a {name} that is no text")
                else:
                    left.append(value)


def _patched(text: str) -> Iterator[str]:
    for line in text.splitlines():
        for mark in _PATCHED:
            if line.startswith(mark):
                yield line.removeprefix(mark).strip()


def _applied(given: dict[str, object]) -> Iterator[str]:
    """Return the files of a patch that a command applies: Codex does it itself, and calls no hook afterwards."""
    command = given.get("command")
    before, begin, patch = command.partition("*** Begin Patch") if isinstance(command, str) else ("", "", "")
    if begin and ("apply_patch" in before or "applypatch" in before):
        first, _, rest = before.strip().partition("&&")
        folder = first[3:].strip().strip("'\"") if rest and first.startswith("cd ") else ""
        yield from (os.path.join(folder, name) for name in _patched(patch))


def _check(name: str) -> None:
    try:
        if name and b"\0" not in os.fsencode(name):
            return
    except UnicodeEncodeError:
        pass
    raise ClaimError(f"The hook's input names {short_repr(name)}, which can be no file")


def path_of(name: str) -> str:
    """Return the path that a name is for, where agents also take addresses (``file:``) and paths from home (``~/``).

    Args:
        name: as the agent says it.

    Raises:
        ClaimError: it has another scheme, or cannot be read in one way only.
    """
    said = name.lstrip()
    scheme, colon, rest = said.partition(":")
    if colon and _is_scheme(scheme):
        path = _path_of_address(rest) if scheme.lower() == "file" else ""
    else:
        path = os.path.expanduser(said) if said.startswith("~") else name
        if path.startswith("~"):
            path = ""  # nobody has this name
    if not path:
        raise ClaimError(
            f"The hook's input names {short_repr(name)}, which may be no file here; a path from / or ./ says which"
        )
    _check(path)
    return path


def _is_scheme(text: str) -> bool:
    first = text[:1]
    return text.isascii() and first.isalpha() and all(each.isalnum() or each in "+-." for each in text)


def _path_of_address(rest: str) -> str:
    """Return the path in what follows ``file:``; empty if it is of another machine, or not one path."""
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host.lower() not in ("", "localhost"):
            return ""
        rest = slash + path
    escapes = [piece[:2] for piece in rest.split("%")[1:]]
    readable = all(len(one) == _HEX_DIGITS and set(one) <= _HEX for one in escapes)
    if not rest.startswith("/") or not readable or "?" in rest or "#" in rest:
        return ""
    from urllib.parse import unquote_to_bytes

    return "/" + os.fsdecode(unquote_to_bytes(rest)).lstrip("/")


def _runs(document: dict[str, object]) -> Iterator[str]:
    """Return the run ids of a session: of itself, and of the agent within it that uses the tool."""
    session = next((found for name in _SESSION if (found := _text(document, name))), "")
    if session:
        yield session
        agent = _text(document, "agent_id") or _text(document, "agentId")
        if agent:
            yield f"{session}/{agent}"


def must_have_one_name(path: str) -> None:
    """Refuse a file with further names: a claim on another of them would be passed by.

    Raises:
        ClaimError: the file has hard links.
    """
    import stat

    try:
        status = os.stat(path)
    except OSError:
        return  # it is yet to be written
    if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
        raise ClaimError(f"{escape_unprintable(path)} has {status.st_nlink} names (hard links); each can be claimed")


def refusal(event: str, reason: str) -> dict[str, object]:
    """Return what stops the tool, or tells of what it has done.

    Args:
        event: the hook's event.
        reason: for the model.
    """
    if event == "BeforeTool" or event in AFTER:
        return warning(event, reason) | ({} if event == "postToolUse" else {"decision": "block", "reason": reason})
    if event == "preToolUse":
        return {"permission": "deny", "user_message": reason, "agent_message": reason}
    return {"hookSpecificOutput": _specific(event, permissionDecision="deny", permissionDecisionReason=reason)}


def warning(event: str, text: str) -> dict[str, object]:
    """Return what lets the tool go on, and tells the user and, where the agent can, the model.

    Args:
        event: the hook's event.
        text: the warning.
    """
    if event == "BeforeTool":
        return {"systemMessage": text}
    if event == "preToolUse":
        return {"permission": "allow", "user_message": text, "agent_message": text}
    if event == "postToolUse":
        return {"additional_context": text}
    return {"systemMessage": text, "hookSpecificOutput": _specific(event, additionalContext=text)}


def _specific(event: str, **more: str) -> dict[str, str]:
    return {"hookEventName": event or BEFORE[0], **more}
