"""What tools are given: types of arguments, and one clear line for what is wrong with them.

Models write lists as text and numbers in quotes now and then; what can only mean one thing is taken so. An argument
that nobody knows is refused, because a misspelt one would silently mean its default.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bespeak.base.display import escape_unprintable, short_repr, suggest
from bespeak.base.errors import UsageError


def _as_list(value: Any) -> Any:
    """Read a list that was written as JSON in a text; take any other text as a list of one."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return [value]
        return found if isinstance(found, list) else [value]
    return [value]


def _as_number(value: Any) -> Any:
    """Refuse true and false, which Python takes for numbers."""
    if isinstance(value, bool):
        raise ValueError("is not a number")  # noqa: TRY004 pydantic turns this one into its own error
    return value


Text = str
Texts = Annotated[list[str], BeforeValidator(_as_list)]
Whole = Annotated[int, BeforeValidator(_as_number)]
RunId = Annotated[
    str | None,
    Field(
        description="Who you are; one id for all you do. Default: this connection.",
        json_schema_extra={"maxLength": 256},
    ),
]
Repository = Annotated[
    str | None,
    Field(description="A folder in the git repository or a work tree of it. Default: yours."),
]
Addresses = Annotated[
    Texts,
    Field(
        min_length=1,
        description="Files (src/a.py), symbols (src/a.py::Class.method), folders (src/) or patterns (src/**/*.py); "
        "relative to `repository`, or with :/ in front to its root.",
        json_schema_extra={"maxItems": 1000},
    ),
]
SharedUse = Annotated[bool, Field(description="Share it with others who share it.")]
ReservationId = Annotated[str, Field(description="Its id (sha256:...), or the first six digits or more.")]


class Arguments(BaseModel):
    """The arguments of one tool."""

    model_config = ConfigDict(extra="forbid")


Model = TypeVar("Model", bound=Arguments)
_KINDS = {
    "string": "a text",
    "list": "a list",
    "int": "a whole number",
    "value": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "dict": "an object",
}


def read(model: type[Model], tool: str, given: dict[str, Any]) -> Model:
    """Return the arguments, checked; null means that one was left out.

    Raises:
        UsageError: one is missing, unknown or of the wrong kind.
    """
    try:
        return model.model_validate({key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        raise UsageError(_complaint(model, tool, error)) from None


def _complaint(model: type[Arguments], tool: str, error: ValidationError) -> str:
    every = error.errors(include_url=False)
    first = next((one for one in every if one["type"] == "extra_forbidden"), every[0])
    where = ".".join(escape_unprintable(str(part)) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = list(model.model_fields)
        meant = suggest(where, known)
        hint = f"did you mean {' or '.join(meant)}?" if meant else f"it takes {', '.join(known) or 'none'}"
        return f"{tool} has no argument {short_repr(where)}; {hint}"
    if first["type"] == "missing":
        return f"{where} has to be given"
    if first["type"] == "too_short":
        return f"{where}: name at least one"
    wanted = _KINDS.get(first["type"].partition("_")[0], "what is asked for")
    if first["type"] == "literal_error":
        wanted = str(first["ctx"]["expected"])
    return f"{where}: {short_repr(first['input'])} is not {wanted}"
