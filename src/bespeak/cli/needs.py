"""The options that ask for resources by what they are."""

from __future__ import annotations

from bespeak.argv.declarations import Argument, Option
from bespeak.base.errors import UsageError
from bespeak.base.frozen import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Values
    from bespeak.ledger.model import Need, Request

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
    wanted: tuple[Need, ...] = ()
    if values["any"] or values["label"]:
        from bespeak.ledger.by_need import in_pairs

        wanted = in_pairs(values["any"], values["label"])
    elif not request.resources and not values["prefer"] and not values["same"]:
        raise UsageError("name the resources, or ask for some: --any 2 --label 'arm64 and ram>=4'")
    return replace(request, needs=wanted, prefer=values["prefer"] or "", same=tuple(values["same"]))


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
