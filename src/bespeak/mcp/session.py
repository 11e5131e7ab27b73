"""Who calls, and from which folder: what the connection tells where no argument does.

Two clients of one server must never share a run id, for a run has no conflict with itself. Over stdio there is one
client a process. Over HTTP the session of the protocol tells clients apart; requests without a session (the revision
of July 2026 has none) have to name their run, in the argument or in a header.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    CallToolRequestParams,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UsageError

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from bespeak.mcp.tool import Setup

    Context = ServerRequestContext[Any, Any]

RUN_HEADER = "bespeak-run-id"
_SESSION_HEADER = "mcp-session-id"
_ROOTS = "roots"
_ROOTS_SECONDS = 5.0
_DIGITS = 20


def caller(setup: Setup, context: Context) -> str | None:
    """Return the run of whoever calls, as far as the connection tells."""
    if context.request is None:
        return setup.run_id
    named: str | None = context.request.headers.get(RUN_HEADER)
    return named or own_run(setup, context)


def own_run(setup: Setup, context: Context) -> str | None:
    """Return the run that stands for the connection itself and ends with it, if there is one."""
    if context.request is None:
        return setup.run_id if setup.run_ends else None
    if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
        return None  # there are no sessions in it, so nobody has checked what such a header says
    session = context.request.headers.get(_SESSION_HEADER)
    # The session's id lets others speak in its name, so it is not shown; its hash tells sessions apart as well.
    return None if session is None else f"mcp-{sha256(session.encode()).hexdigest()[:_DIGITS]}"


async def folder_of(setup: Setup, context: Context, params: CallToolRequestParams) -> str | InputRequiredResult:
    """Return the folder that a call starts from; or the question that the client has to answer first.

    That is the repository the server was started for, else the client's root folder if it tells one, else the folder
    that the server was started in.

    Raises:
        UsageError: the client has several repositories open, does not say which, or none is served.
    """
    if setup.repository is not None or (params.arguments or {}).get("repository") is not None:
        return setup.repository or setup.folder
    capabilities = context.session.client_capabilities
    if capabilities is None or capabilities.roots is None:
        return setup.folder
    if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
        answer = (params.input_responses or {}).get(_ROOTS)
        if answer is None:
            return InputRequiredResult(input_requests={_ROOTS: ListRootsRequest()})
        roots = answer if isinstance(answer, ListRootsResult) else None
    else:
        roots = await _ask(context)
    if roots is None:
        raise UsageError("your client does not say which folders it works in; name one with repository")
    folders = [_path(str(root.uri)) for root in roots.roots]
    return _one_of(_served(setup, folders)) or setup.folder


def _served(setup: Setup, folders: list[str]) -> list[str]:
    """Return the real paths of those of a client's folders that are served.

    Raises:
        UsageError: none is, so that the client would work in a repository which it does not mean.
    """
    if setup.roots is None:
        return folders
    from bespeak.mcp.served_folders import served

    found = [real for folder in folders if os.path.isabs(folder) and (real := served(folder, setup.roots)) is not None]
    if folders and not found and not setup.remote:
        raise UsageError(
            "none of your client's folders is in what this server was started for; name one with repository"
        )
    return found


async def _ask(context: Context) -> ListRootsResult | None:
    related = ServerMessageMetadata(related_request_id=context.request_id)
    try:
        return await context.session.send_request(ListRootsRequest(), ListRootsResult, _ROOTS_SECONDS, related)
    except MCPError:
        return None


def _path(uri: str) -> str:
    parts = urlsplit(uri)
    return unquote(parts.path) if parts.scheme == "file" else ""


def _one_of(folders: list[str]) -> str | None:
    """Return the folder that is in a repository on this machine, if it is one repository; None if there is none.

    Raises:
        UsageError: they are in several.
    """
    from bespeak.git.repository import around

    found = {here.root: folder for folder in folders if os.path.isdir(folder) and (here := around(folder)) is not None}
    if len(found) > 1:
        names = escape_unprintable(", ".join(sorted(found)))
        raise UsageError(f"your client has {len(found)} repositories open ({names}); name one with repository")
    return next(iter(found.values()), None)
