"""The protocol's side: lists the tools, calls one, and turns whatever goes wrong into one clear line."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    GetPromptRequestParams,
    GetPromptResult,
    InputRequiredResult,
    ListPromptsResult,
    ListResourcesResult,
    ListToolsResult,
    PaginatedRequestParams,
    Prompt,
    PromptMessage,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from mcp_types import Tool as Advertised

from bespeak import __version__
from bespeak.base.display import escape_unprintable, replace_surrogates, short_repr
from bespeak.base.errors import BespeakError, UsageError
from bespeak.base.exitcodes import ExitCode
from bespeak.mcp import analysis_tools, arguments, coord_tools, gate_tools, ledger_tools, schema, session, wait_tools
from bespeak.mcp.guide import GUIDE, INSTRUCTIONS
from bespeak.mcp.session_claims import SessionClaims
from bespeak.mcp.threads import Threads
from bespeak.mcp.tool import Call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcp.server.context import ServerRequestContext

    from bespeak.mcp.tool import Json, Setup, Tool

    Context = ServerRequestContext[Any, Any]

TOOLS: tuple[Tool[Any], ...] = (
    *coord_tools.TOOLS,
    *analysis_tools.TOOLS,
    *ledger_tools.TOOLS,
    *wait_tools.TOOLS,
    *gate_tools.TOOLS,
)
GUIDE_URI = "bespeak://guide"
PROMPT = "work-beside-others"
_ENDS = "bespeak.run"
_log = logging.getLogger("bespeak.mcp")


def advertised(tool: Tool[Any]) -> Advertised:
    """Return a tool as clients see it."""
    return Advertised(
        name=tool.name,
        title=tool.title,
        description=tool.text,
        input_schema=schema.of_arguments(tool.arguments),
        output_schema=schema.lean(schema.of_result(tool.result)),
        annotations=ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.read_only,
            destructive_hint=tool.destructive,
            idempotent_hint=tool.idempotent or tool.read_only,
            open_world_hint=False,
        ),
    )


class ToolServer:
    """The tools of one server.

    Args:
        setup: what the server was started with.
        tools: what it offers.
        instructions: what an agent is told about them.
    """

    def __init__(self, setup: Setup, tools: Sequence[Tool[Any]] = TOOLS, instructions: str = INSTRUCTIONS) -> None:
        self._setup = setup
        self._instructions = instructions
        self._threads = Threads()
        self._claims = SessionClaims(setup.ledger, os.getppid() if setup.run_ends else None)
        self._tools = {tool.name: tool for tool in tools if tool.read_only or not setup.read_only}
        self._advertised = [advertised(tool) for tool in self._tools.values()]

    def server(self) -> Server[Any]:
        """Return the server, to be run over some transport."""
        return Server(
            "bespeak",
            version=__version__,
            title="bespeak",
            description="Reservations of code, machines and labs that people and agents share.",
            instructions=self._instructions,
            on_list_tools=self._list,
            on_call_tool=self._call,
            on_list_resources=_list_resources,
            on_read_resource=_read_resource,
            on_list_prompts=_list_prompts,
            on_get_prompt=_get_prompt,
        )

    async def _list(self, context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        del context, params
        return ListToolsResult(tools=self._advertised)

    async def _call(self, context: Context, params: CallToolRequestParams) -> CallToolResult | InputRequiredResult:
        try:
            return await self._answer(context, params)
        except BespeakError as error:
            return _failure(_words(error), error.exit_code, error.details)
        except OSError as error:
            named = f"{escape_unprintable(str(error.filename))}: " if error.filename else ""
            return _failure(f"{named}{error.strerror or type(error).__name__}", ExitCode.ERROR, {})
        except Exception as error:  # noqa: BLE001 a server lives on; its text may hold anything, so only its kind is told
            _log.exception("tool %s failed", short_repr(params.name))
            return _failure(f"internal error: {type(error).__name__}", ExitCode.ERROR, {})

    async def _answer(self, context: Context, params: CallToolRequestParams) -> CallToolResult | InputRequiredResult:
        tool = self._tools.get(params.name)
        if tool is None:
            raise UsageError(f"no tool is called {short_repr(params.name)}; known: {', '.join(self._tools)}")
        folder = await session.folder_of(self._setup, context, params)
        if isinstance(folder, InputRequiredResult):
            return folder
        own = session.own_run(self._setup, context)
        if own is not None and context.request is not None:
            self._end_with_session(context, own)

        def ending(run_id: str, where: str) -> None:
            if run_id == own:
                self._claims.note(run_id, where)

        call = Call(self._setup, folder, session.caller(self._setup, context), context, self._threads, ending)
        asked = arguments.read(tool.arguments, tool.name, params.arguments or {})
        return _success(await tool.run(call, asked))

    def _end_with_session(self, context: Context, run_id: str) -> None:
        """Have the claims of a session's own run end when the session does, however it does."""
        connection = context.session._connection  # noqa: SLF001 its exit_stack is meant for this; nothing leads to it
        if connection.state.get(_ENDS) is None:
            connection.state[_ENDS] = run_id
            connection.exit_stack.push_async_callback(self._threads.call, lambda: self.end(run_id))

    def end(self, run_id: str) -> None:
        """Give back what was claimed in the name of a connection that has ended."""
        self._claims.end(run_id)


def _words(error: BespeakError) -> str:
    """Return what went wrong in one line; fields are called here as services call them."""
    return escape_unprintable(" ".join(str(error).split("\n")))


def _success(answer: Json) -> CallToolResult:
    sent = {key: replace_surrogates(value) for key, value in answer.items()}
    return CallToolResult(content=[_text(sent)], structured_content=sent)


def _failure(message: str, exit_code: int, details: Json) -> CallToolResult:
    code = ExitCode(exit_code).name
    facts = {key: replace_surrogates(value) for key, value in details.items() if key != "option"}
    return CallToolResult(
        content=[TextContent(text=f"{code}: {message}")],
        structured_content={"error": message, "code": code, "exit_code": int(exit_code), **facts},
        is_error=True,
    )


def _text(answer: Json) -> TextContent:
    """Return the answer for clients that do not read structured content."""
    import json

    return TextContent(text=json.dumps(answer))


async def _list_resources(context: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
    del context, params
    text = "How to work beside others with these tools."
    return ListResourcesResult(
        resources=[Resource(uri=GUIDE_URI, name="guide", description=text, mime_type="text/markdown")]
    )


async def _read_resource(context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
    del context
    if str(params.uri) != GUIDE_URI:
        raise MCPError(code=INVALID_PARAMS, message=f"no resource {short_repr(str(params.uri))}; known: {GUIDE_URI}")
    return ReadResourceResult(contents=[TextResourceContents(uri=GUIDE_URI, text=GUIDE, mime_type="text/markdown")])


async def _list_prompts(context: Context, params: PaginatedRequestParams | None) -> ListPromptsResult:
    del context, params
    return ListPromptsResult(
        prompts=[Prompt(name=PROMPT, title="Work beside others", description="How to share code and machines.")]
    )


async def _get_prompt(context: Context, params: GetPromptRequestParams) -> GetPromptResult:
    del context
    if params.name != PROMPT:
        raise MCPError(code=INVALID_PARAMS, message=f"no prompt {short_repr(params.name)}; known: {PROMPT}")
    return GetPromptResult(messages=[PromptMessage(role="user", content=TextContent(text=GUIDE))])
