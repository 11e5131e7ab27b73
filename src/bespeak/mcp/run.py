"""Runs the server until its client leaves or a signal comes, and leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.mcp import stdio
from bespeak.mcp.server import ToolServer
from bespeak.net.log_lines import log_to_stderr
from bespeak.net.until_signal import end_at_last, run_until_signal

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from bespeak.mcp.tool import Setup
    from bespeak.net.listen_address import ListenAddress


def over_stdio(setup: Setup) -> int:
    """Serve one client on stdin and stdout; return the exit code."""
    log_to_stderr(debug=setup.debug)
    door = ToolServer(setup)
    server = door.server()
    code = run_until_signal(lambda: stdio.serve(server))
    if setup.run_ends and setup.run_id is not None:
        end_at_last(code)
        door.end(setup.run_id)
    return code


def over_http(
    setup: Setup, address: ListenAddress, token: str | None, bound: socket.socket, ready: Callable[[], None]
) -> int:
    """Serve every client that connects to a socket and, on TCP, has the token; return the exit code."""
    from bespeak.mcp import http

    log_to_stderr(debug=setup.debug)
    server = ToolServer(setup).server()
    return run_until_signal(lambda: http.serve(server, address, token, bound, ready))
