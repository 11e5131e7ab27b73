"""The reference page of the tools for agents, written from the tools themselves: ``python tests/support/mcppage.py``."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))

from bespeak.mcp import schema
from bespeak.mcp.server import TOOLS, advertised

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "mcp.md"
HEAD = """# Tools for agents

`bespeak mcp` offers the claims, the book and the gate as tools of the Model Context Protocol. How to set it up: [howto/mcp.md](../howto/mcp.md); its
options: [cli.md](cli.md#mcp). This page is written from the tools themselves.

## What all tools have in common

**Answers.** A tool returns the JSON that the command of the same name prints with `--json` ([json.md](json.md)), as structured content with an output
schema and once more as text. The tools of coord begin with `schema_version`, `duration_ms` and `exit_code`, the code that the command would exit with. Keys are
only ever added.

**Refusals** are answers, not errors: `reserve` with `on_conflict: fail` returns `reservation_id: null` and the conflicts; `book_reserve`, `book_extend` and
`book_wait` return `status: refused` or `timed_out`, who holds what until when, and `next_free`.

**Errors** are tool errors of one line that begins with the name of an [exit code](exit-codes.md): `USAGE: ttl: 'soon' is not a whole number`. Structured content
has `error`, `code` and `exit_code`. An argument that a tool does not know is refused; null counts as left out; a list may be written as JSON in a text, and a list of
one as a text.

**Run.** Who claims is the argument `run_id`; else, over stdio, `BESPEAK_RUN_ID` or an id of this one connection; over HTTP the header `Bespeak-Run-Id`, or an
id of the protocol's session. Two clients of one server never share an id that they did not give themselves; `BESPEAK_RUN_ID` of a listening server does not count.
A client without a session (the protocol of July 2026 over HTTP has none) has to give one. An id of a connection ends with it, and what was claimed under it is given
back then: an agent that wants to keep its claims over several connections gives a `run_id` of its own, or has `BESPEAK_RUN_ID` set. Over stdio, what the agent's program starts
in the same work tree (its shells and hooks) is of that run too, so the guard does not refuse its commit of what it has claimed here.

**Whose hold.** Agents share accounts, so `book_release` with `resources` or `mine` means what was booked or is waited for under the same run, as the connection tells it
(`BESPEAK_RUN_ID`, the header, or the id of the connection or session; `process` in the book is `agent` and this id), and the hold of the `bespeak run` around the
server. Another hold of the account is refused, with who has it and since when; its id ends or extends it on purpose. A client that comes back under the same run
has its holds again. A client that neither has a session nor sends the header names reservations by id.

**Repository.** Coord works in the repository around the argument `repository`, a folder; else the one that the server was started for (`--repository`: then
that one and its work trees only); else the client's root folder, if it tells one; else the folder the server was started in.
Addresses are relative to that folder.

A server that listens, or was given `--repository` or `--root`, serves the folder that it was started in (or `--repository`), the folders of `--root`, what is in them with all links
followed, and the work trees of their repositories. It answers for no other folder, and does not say whether one exists.

**Book and gate.** Their settings are those of the repository that the server was started for or in; over stdio, of the client's root folder. No argument chooses
them, because settings can name code to run. Bookings are made for the account that the server runs under, or `bespeak --as-user NAME mcp`. The gate is always really
asked; there is no way past it here.

**Threads.** Each call opens the book for itself. Eight calls run at the same time and others wait their turn; two that read source files; 64 that wait in the queue.
When a client cancels `book_wait`, closes its connection, or the server ends, the queue position is given up.

**Also offered:** the resource `bespeak://guide` and the prompt `work-beside-others`, the same page as the tool `guide`.
"""


ENVELOPE = ("schema_version", "duration_ms", "exit_code")
NAMES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


def kind(node):
    """Return a type in a word or two."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in node:
        return " or ".join(kind(each) for each in node["anyOf"])
    if "enum" in node or "const" in node:
        return ", ".join(f"`{each}`" for each in node.get("enum", [node.get("const")]))
    if node.get("type") == "array":
        return f"list of {kind(node['items'])}"
    return NAMES.get(node.get("type"), node.get("type", "any"))


def limits(node):
    """Return the limits of an argument in words."""
    found = []
    if "minimum" in node and "maximum" in node:
        found.append(f"{node['minimum']} to {node['maximum']}")
    elif "minimum" in node:
        found.append(f"at least {node['minimum']}")
    if "maxItems" in node:
        found.append(f"at most {node['maxItems']}")
    if "maxLength" in node:
        found.append(f"at most {node['maxLength']} characters")
    return f" ({', '.join(found)})" if found else ""


def arguments(tool):
    accepted = tool.input_schema
    lines = ["| argument | is | |", "| --- | --- | --- |"]
    for name, node in accepted.get("properties", {}).items():
        must = " **Has to be given.**" if name in accepted.get("required", ()) else ""
        default = node.get("default")
        said = f" Default: `{json.dumps(default)}`." if default not in (None, "", [], {}, False) else ""
        lines.append(f"| `{name}` | {kind(node)}{limits(node)} | {node.get('description', '')}{said}{must} |")
    return "\n".join(lines)


def results(node):
    """Return the keys of an object, but for those that every answer of coord has."""
    lines = ["| result | is | |", "| --- | --- | --- |"]
    for name, child in node["properties"].items():
        if name in ENVELOPE and "exit_code" in node["properties"]:
            continue
        sometimes = "" if name in node.get("required", ()) else "not always there"
        text = "; ".join(part for part in (child.get("description", ""), sometimes) if part)
        lines.append(f"| `{name}` | {kind(child)} | {text} |")
    return "\n".join(lines)


def objects():
    """Return a section for each object that results hold."""
    found = {}
    for tool in TOOLS:
        found |= schema.of_result(tool.result).get("$defs", {})
    texts = {name: "\n\n".join(filter(None, (node.get("description"), results(node)))) for name, node in found.items()}
    return [f"### {name}\n\n{texts[name]}" for name in sorted(texts)]


def section(found):
    tool = advertised(found)
    hints = tool.annotations
    said = "Changes nothing." if hints.read_only_hint else "Changes something"
    if not hints.read_only_hint:
        said += "; takes something away" if hints.destructive_hint else ""
        said += "; twice is as good as once." if hints.idempotent_hint else "."
    return "\n\n".join(
        [
            f"## {tool.name}",
            f"{tool.title}. {said}",
            tool.description,
            arguments(tool),
            results(schema.of_result(found.result)),
        ]
    )


def page():
    parts = [HEAD.rstrip(), *(section(tool) for tool in TOOLS), "## Objects in results", *objects()]
    return "\n".join(line.rstrip() for line in ("\n\n".join(parts) + "\n").split("\n"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
