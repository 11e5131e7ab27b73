"""What a file of another program has no place for, kept beside it so that the way back is exact.

Such a file says what it can in its own words, and one more field, ``bespeak``, has the rest as JSON: keys of an
inventory file, and those labels that the words of the file would bring back as something else. A label of the rest
counts only as long as the file still says the same in its own words: who edits the file there is believed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bespeak.base.display import short_repr
from bespeak.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.ledger.inventory.table import Place

FIELD = "bespeak"
LABELS = "labels"


def read(text: str | None, place: Place) -> dict[str, Any]:
    """Return the keys of the rest; the labels among them are under ``labels``.

    Raises:
        UsageError: it is no JSON of a table.
    """
    if text is None:
        return {LABELS: {}}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.setdefault(LABELS, {}), dict):
        raise place.wrong(FIELD, f"must be a JSON object, not {short_repr(text)}")
    return found


def write(rest: Mapping[str, Any]) -> str | None:
    """Return the text of the rest, or None if there is none."""
    kept = {key: value for key, value in rest.items() if value or key != LABELS}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True) if kept else None


def label_text(value: object) -> str:
    """Return the value of a label as a program writes it that knows texts only."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def texts(value: Any, key: str, place: Place) -> list[str]:
    """Return a list of texts.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise place.wrong(key, f"must be a list of texts, not {short_repr(value)}")
    return value


def stored_list(labels: dict[str, Any], key: str, name: str) -> list[Any]:
    """Take a label out of ``labels`` that keeps, as JSON, a list of texts or of pairs with a text first.

    Raises:
        UsageError: it is no such list.
    """
    text = labels.pop(key, None)
    if text is None:
        return []
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(one, str) or _is_pair(one) for one in found):
        raise UsageError(f"resource {name!a}: the label {key} is not what was read from a file: {short_repr(text)}")
    return found


def _is_pair(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2  # noqa: PLR2004 a pair
        and isinstance(value[0], str)
        and (value[1] is None or isinstance(value[1], str))
    )
