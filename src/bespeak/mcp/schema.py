"""JSON schemas for tools, as short as they can be: every agent carries them along in its context."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, TypeAdapter

_KEEP_TITLES = ("properties", "$defs")


def of_arguments(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a tool's arguments; what may be left out is not said to be null."""
    schema = model.model_json_schema()
    schema.pop("description", None)
    for name, field in schema.get("properties", {}).items():
        schema["properties"][name] = _without_null(field)
    return dict(_tidy(schema))


def of_result(shape: Any) -> dict[str, Any]:
    """Return the schema of a tool's result."""
    schema = TypeAdapter(shape).json_schema(mode="serialization")
    schema.pop("description", None)
    return dict(_tidy(schema))


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in field.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        field = {**kinds[0], **{key: value for key, value in field.items() if key != "anyOf"}}
    if field.get("default", ...) is None:
        field = {key: value for key, value in field.items() if key != "default"}
    return field


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
