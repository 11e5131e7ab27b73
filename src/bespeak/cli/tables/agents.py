"""The command that agents' programs start."""

from bespeak.argv.declarations import Argument, Command, Option

ENTRIES = (
    Command(
        "mcp",
        "The claims, the book and the gate as tools for agents (Model Context Protocol).",
        run="mcp:mcp",
        text="Speaks the protocol on stdin and stdout, for the program of one agent; with --http it listens for many. "
        "config prints the configuration that makes a program start it. Needs the extra: pip install 'bespeak[mcp]'.",
        examples=(
            ("mcp config --client claude", "what to put into the settings of an agent"),
            ("mcp --read-only", "only tools that change nothing"),
            ("mcp --http 127.0.0.1:8765", "one server for all agents of this machine"),
        ),
        arguments=(Argument("ACTION", required=False, choices=("serve", "config")),),
        options=(
            Option(("--http",), "Listen there instead; port 0 takes a free one and prints it.", "HOST:PORT"),
            Option(("--path",), "The path of the endpoint (default /mcp).", "PATH"),
            Option(("--token",), "What clients have to send: env:NAME names the variable that has it.", "env:NAME"),
            Option(("--without-token",), "Let everybody on the network in who can reach it."),
            Option(("--allow-host",), "A further name that clients reach it by; may be repeated.", "NAME", many=True),
            Option(
                ("--repository",), "Serve this repository and its work trees only (default: any, first this).", "FOLDER"
            ),
            Option(("--read-only",), "Only tools that change nothing."),
            Option(("--client",), "claude, cursor, vscode or generic (for config).", "NAME"),
        ),
    ),
)
