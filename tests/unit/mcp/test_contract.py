"""The names and keys of every tool are a contract: they may grow, and nothing may disappear from them."""

import json
from pathlib import Path

import jsonschema
import pytest

from bespeak.mcp.server import TOOLS, advertised
from support import mcppage

CONTRACT = json.loads((Path(__file__).parent / "contract.json").read_text(encoding="utf-8"))
TOOL = {tool.name: advertised(tool) for tool in TOOLS}


def shape(tool):
    """Return what a client may rely on: hints, arguments, and the keys of the result and of objects in it."""
    schema, result, hints = tool.input_schema, tool.output_schema, tool.annotations
    objects = {"": result, **result.get("$defs", {})}
    return {
        "read_only": hints.read_only_hint,
        "destructive": hints.destructive_hint,
        "idempotent": hints.idempotent_hint,
        "required": sorted(schema.get("required", [])),
        "arguments": sorted(schema["properties"]),
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


def test_all_tools_together_take_little_of_an_agents_attention():
    """What every agent carries along: names, texts and arguments; about four characters are a token."""
    size = sum(len(tool.description) + len(json.dumps(tool.input_schema)) for tool in TOOL.values())
    assert size < 20_000
