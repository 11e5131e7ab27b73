"""The names and keys of every tool are a contract: they may grow, and nothing may disappear from them."""

import json
from pathlib import Path

import jsonschema
import pytest

from bespeak.mcp import schema
from bespeak.mcp.server import TOOLS, advertised
from support import mcppage

CONTRACT = json.loads((Path(__file__).parent / "contract.json").read_text(encoding="utf-8"))
TOOL = {tool.name: advertised(tool) for tool in TOOLS}


RESULT = {tool.name: schema.of_result(tool.result) for tool in TOOLS}


def shape(tool):
    """Return what a client may rely on: hints, arguments, and the keys of the result and of objects in it."""
    accepted, result, hints = tool.input_schema, RESULT[tool.name], tool.annotations
    objects = {"": result, **result.get("$defs", {})}
    return {
        "read_only": hints.read_only_hint,
        "destructive": hints.destructive_hint,
        "idempotent": hints.idempotent_hint,
        "required": sorted(accepted.get("required", [])),
        "arguments": sorted(accepted["properties"]),
        "result": {name: sorted(node["properties"]) for name, node in sorted(objects.items())},
    }


def test_the_contract_is_what_the_tools_are():
    """A key that was added has to be added to contract.json too; one that is gone breaks clients."""
    assert {name: shape(tool) for name, tool in TOOL.items()} == CONTRACT


def test_the_page_is_the_one_that_the_tools_give():
    message = "docs/reference/mcp.md is out of date: python tests/support/mcppage.py"
    assert mcppage.PAGE.read_text(encoding="utf-8") == mcppage.page(), message


@pytest.mark.parametrize("name", TOOL)
def test_a_tool_explains_itself(name):
    tool = TOOL[name]
    assert tool.title
    assert len(tool.description) > 40
    assert tool.annotations.open_world_hint is False
    for argument, node in tool.input_schema["properties"].items():
        assert node.get("description"), argument
    assert tool.input_schema["additionalProperties"] is False
    assert tool.output_schema["type"] == "object"
    jsonschema.Draft202012Validator.check_schema(tool.input_schema)
    jsonschema.Draft202012Validator.check_schema(tool.output_schema)


def plain(node, objects):
    """Return what a schema allows, written in one way: no names of objects, no words."""
    if isinstance(node, list):
        return [plain(item, objects) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return plain(objects[node["$ref"].rpartition("/")[2]], objects)
    found = {
        key: plain(value, objects) for key, value in node.items() if key not in ("$defs", "description", "properties")
    }
    if "properties" in node:
        found["properties"] = {name: plain(value, objects) for name, value in node["properties"].items()}
    if isinstance(found.get("type"), list):
        found["anyOf"] = [{"type": kind} for kind in found.pop("type")]
    if "enum" in found:
        assert {type(value) for value in found["enum"]} == {str}
        found["type"] = "string"
    return found


@pytest.mark.parametrize("name", TOOL)
def test_what_is_advertised_allows_what_is_documented(name):
    sent, documented = TOOL[name].output_schema, RESULT[name]
    assert plain(sent, sent.get("$defs", {})) == plain(documented, documented.get("$defs", {}))


def size(found):
    return len(json.dumps(found, separators=(",", ":")).encode())


def test_all_tools_together_take_little_of_an_agents_attention():
    """What every agent carries along: names, texts and arguments; about four characters are a token."""
    assert sum(len(tool.description) + size(tool.input_schema) for tool in TOOL.values()) < 16_000


def test_the_list_of_tools_is_short_on_the_wire():
    tools = [tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in TOOL.values()]
    assert sum(size(tool["outputSchema"]) for tool in tools) < 28_000
    assert size(tools) < 49_500
