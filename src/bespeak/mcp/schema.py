"""JSON schemas for tools, as short as they can be: every agent carries them along in its context."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, TypeAdapter

_KEEP_TITLES = ("properties", "$defs")
_REFERENCE = "#/$defs/"
_USUAL: tuple[Any, ...] = (None, False, "", [], {})


def of_arguments(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a tool's arguments; what may be left out is not said to be null."""
    schema = model.model_json_schema()
    schema.pop("description", None)
    for name, field in schema.get("properties", {}).items():
        schema["properties"][name] = _without_null(field)
    return dict(_tidy(schema))


def of_result(shape: Any) -> dict[str, Any]:
    """Return the schema of a tool's result, with words for people."""
    schema = TypeAdapter(shape).json_schema(mode="serialization")
    schema.pop("description", None)
    return dict(_tidy(schema))


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in field.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        field = {**kinds[0], **{key: value for key, value in field.items() if key != "anyOf"}}
    # Nothing said, false, and nothing in it are what everybody expects of what may be left out.
    return field if field.get("default", ...) not in _USUAL else _without(field, "default")


def _without(field: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in field.items() if key != name}


def _tidy(node: Any, *, names: bool = False) -> Any:
    """Leave out the titles that only repeat a name; ``names`` says that the keys of ``node`` are names themselves."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _tidy(value, names=not names and key in _KEEP_TITLES)
        for key, value in node.items()
        if names or key != "title"
    }


def lean(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that allows the same in fewer bytes: no words, no names for what is used once.

    The words are on the page of the tools; a client that checks or makes types needs names and kinds.
    """
    objects = schema.get("$defs", {})
    found = {key: value for key, value in schema.items() if key != "$defs"}
    uses = str(schema)
    shared = {name for name in objects if uses.count(f"'{_REFERENCE}{name}'") > 1}
    made = _shortened(found, objects, shared)
    kept = {name: _shortened(objects[name], objects, shared) for name in objects if name in shared}
    return {**made, **({"$defs": kept} if kept else {})}


def _shortened(node: Any, objects: dict[str, Any], shared: set[str], *, names: bool = False) -> Any:
    if isinstance(node, list):
        return [_shortened(item, objects, shared) for item in node]
    if not isinstance(node, dict):
        return node
    name = str(node.get("$ref", "")).removeprefix(_REFERENCE)
    if name in objects and name not in shared:
        return _shortened(objects[name], objects, shared)
    found = {
        key: _shortened(value, objects, shared, names=not names and key == "properties")
        for key, value in node.items()
        if names or key != "description"
    }
    return found if names else _kinds(found)


def _kinds(node: dict[str, Any]) -> dict[str, Any]:
    """Write alternatives as a list of kinds where they are nothing else, and no kind beside the values themselves."""
    if "enum" in node:
        return {key: value for key, value in node.items() if key != "type"}
    several = node.get("anyOf", [])
    if several and all(set(kind) == {"type"} and isinstance(kind["type"], str) for kind in several):
        rest = {key: value for key, value in node.items() if key != "anyOf"}
        return {**rest, "type": [kind["type"] for kind in several]}
    return node
