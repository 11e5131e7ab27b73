"""The options that ask for resources by what they are, and what is said of those that were given."""

from __future__ import annotations

from bespeak.argv.declarations import Argument, Option
from bespeak.base.errors import UsageError
from bespeak.base.frozen import replace
from bespeak.ledger.model import Need

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.cli.context import Values
    from bespeak.ledger.model import Request
    from bespeak.ledger.service import Ledger

_MOST_DIGITS = 6
RESOURCES = Argument("RESOURCE", many=True, required=False, complete="resource")
ANY = Option(
    ("--any",),
    "So many resources that match the --label at the same place among the labels; repeated for several groups.",
    "NUMBER",
    many=True,
)
LABEL = Option(
    ("--label",), "Resources whose labels match: 'arm64 and ram>=4'; one if --any is not given.", "EXPR", many=True
)
PREFER = Option(("--prefer",), "Of those that match, rather these.", "EXPR")
SAME = Option(("--same",), "All with the same value of this label; may be repeated.", "KEY", many=True)
OPTIONS = (ANY, LABEL, PREFER, SAME)


def with_needs(request: Request, values: Values) -> Request:
    """Return the request with what is wanted by need.

    Raises:
        UsageError: the options contradict each other, or nothing is wanted at all.
    """
    counts, labels = [_count(text) for text in values["any"]], list(values["label"])
    if not counts and not labels:
        if not request.resources and not values["prefer"] and not values["same"]:
            raise UsageError("name the resources, or ask for some: --any 2 --label 'arm64 and ram>=4'")
    elif len(counts) > 1 and len(counts) != len(labels):
        raise UsageError(f"--any is given {len(counts)} times and --label {len(labels)} times; they go in pairs")
    elif len(counts) == 1 and len(labels) > 1:
        raise UsageError("--any is given once and --label several times; give a number for each label")
    counts = counts or [1] * len(labels)
    labels = labels or [""] * len(counts)
    needs = tuple(Need(count, label) for count, label in zip(counts, labels, strict=True))
    return replace(request, needs=needs, prefer=values["prefer"] or "", same=tuple(values["same"]))


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS or int(text) == 0:
        raise UsageError(f"--any {text!a}: a number of resources, at least 1")
    return int(text)


def typed(request: Request) -> list[str]:
    """Return the words that ask for what the request needs."""
    words = []
    for need in request.needs:
        words += ["--any", str(need.count), *(["--label", need.label] if need.label else [])]
    if request.prefer:
        words += ["--prefer", request.prefer]
    for key in request.same:
        words += ["--same", key]
    return words


def variables(book: Ledger, names: Iterable[str]) -> dict[str, str]:
    """Return the labels of resources as environment variables: ``BESPEAK_BOARD1_IP``.

    What is no letter and no digit becomes an underscore. Where two labels would have the same variable, neither does.
    """
    found: dict[str, str] = {}
    twice = set()
    for name, labels in book.labels_of(names).items():
        for key, value in labels.items():
            variable = f"BESPEAK_{_shouted(name)}_{_shouted(key)}"
            twice.update({variable} & found.keys())
            found[variable] = str(value).lower() if isinstance(value, bool) else str(value)
    return {variable: value for variable, value in found.items() if variable not in twice and "\0" not in value}


def _shouted(text: str) -> str:
    return "".join(char if char.isascii() and char.isalnum() else "_" for char in text).upper()
