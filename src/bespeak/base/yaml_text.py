"""YAML as other programs write it: plain values only, and nothing that a file can make large or ambiguous.

Times stay texts, a key that stands twice is refused, and so is a file that its aliases blow up.
"""

from __future__ import annotations

from typing import Any

from bespeak.base.display import short_repr
from bespeak.base.errors import UsageError, needs_extra

_MOST_VALUES = 2_000_000
_MAPPING, _LIST = "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"
_SCALARS = {f"tag:yaml.org,2002:{name}": name for name in ("null", "bool", "int", "float")}
_TEXTS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value")


def read(text: str) -> Any:
    """Return the value of a YAML document: dict, list, str, int, float, bool or None.

    Raises:
        ValueError: it is not YAML, or not of plain values.
        UsageError: the library is not installed.
    """
    yaml = _library()
    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return None if node is None else _Reader(yaml).value(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise ValueError(f"{where}{getattr(error, 'problem', None) or error}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def write(value: Any) -> str:
    """Return a value as a YAML document, mappings in the order of their keys.

    Raises:
        UsageError: the library is not installed.
    """
    yaml = _library()
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(value, Dumper=dumper, allow_unicode=True, default_flow_style=False, width=100))


class _Reader:
    def __init__(self, yaml: Any) -> None:
        self._scalars = yaml.constructor.SafeConstructor()
        self._values = 0
        self._open: set[int] = set()

    def value(self, node: Any) -> Any:
        self._values += 1
        if self._values > _MOST_VALUES:
            raise ValueError(f"more than {_MOST_VALUES} values, aliases included")
        if node.tag not in (_MAPPING, _LIST):
            return self._scalar(node)
        if id(node) in self._open:
            raise ValueError(f"{_where(node)}: a value contains itself")
        self._open.add(id(node))
        found = self._mapping(node) if node.tag == _MAPPING else [self.value(one) for one in node.value]
        self._open.discard(id(node))
        return found

    def _mapping(self, node: Any) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node.value, str):
                raise ValueError(f"{_where(key_node)}: a key must be a text")  # noqa: TRY004 of the file
            key = self._scalar(key_node)
            if key in found:
                raise ValueError(f"{_where(key_node)}: the key {short_repr(key)} stands twice")
            found[key] = self.value(value_node)
        return found

    def _scalar(self, node: Any) -> Any:
        if node.tag in _TEXTS:
            return node.value
        if node.tag not in _SCALARS or not isinstance(node.value, str):
            raise ValueError(f"{_where(node)}: {short_repr(node.tag)} is no plain value")
        try:
            return getattr(self._scalars, f"construct_yaml_{_SCALARS[node.tag]}")(node)
        except (ValueError, KeyError):
            raise ValueError(f"{_where(node)}: {short_repr(node.value)} cannot be read") from None


def _where(node: Any) -> str:
    return f"line {node.start_mark.line + 1}"


def _library() -> Any:
    try:
        import yaml
    except ImportError as missing:
        raise UsageError(needs_extra("a YAML file", "yaml")) from missing
    return yaml
