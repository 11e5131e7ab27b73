"""Plans and orders as pictures, for Mermaid and Graphviz."""

from __future__ import annotations

from bespeak.coord.drawing import dot_text, mermaid_text
from bespeak.coord.merge.model import NO_CONFLICT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.coord.merge.branch_order import Order
    from bespeak.coord.merge.model import Item, Plan

    Boxes = dict[str, str]
    Lines = list[tuple[str, str, str]]


def _of_plan(plan: Plan) -> tuple[Boxes, Lines]:
    """Return the two sides, the symbols on which they meet, and what each side did to them."""
    boxes: Boxes = {"ours": f"ours: {plan.ours.name}", "theirs": f"theirs: {plan.theirs.name}"}
    lines: Lines = []
    for number, item in enumerate(item for item in plan.items if item.kind != NO_CONFLICT):
        name = f"i{number}"
        boxes[name] = f"{item.address} ({item.type or item.kind}, {_how_sure(item)})"
        for side, done in (("ours", item.ours_change), ("theirs", item.theirs_change)):
            lines.append((side, name, ", ".join(done) + (f" by {item.user}" if "used" in done else "")))
    return boxes, lines


def _how_sure(item: Item) -> str:
    return "git conflict" if item.textual else f"{item.confidence:.2f}"


def _of_order(order: Order) -> tuple[Boxes, Lines]:
    """Return the branches in their order, the target last, and which depend on or conflict with which."""
    names = {branch.revision.name: f"b{branch.position}" for branch in order.branches}
    boxes: Boxes = {
        names[branch.revision.name]: f"{branch.position}. {branch.revision.name}: {branch.strategy}"
        for branch in order.branches
    }
    boxes["onto"] = order.onto.name
    lines: Lines = []
    for branch in order.branches:
        own = names[branch.revision.name]
        lines += [(names[needed], own, "needed by") for needed in branch.needs if needed in names]
        lines += [
            (own, names[one.branch], f"{one.count} conflict(s)") for one in branch.conflicts if own < names[one.branch]
        ]
        lines.append((own, "onto", branch.strategy))
    return boxes, lines


def dot(of: Plan | Order, readable: Callable[[str], str]) -> str:
    """Return a plan or an order in the language of Graphviz; ``readable`` makes a text safe to print."""
    boxes, lines = _drawn(of)
    text = ["digraph merge {", "  rankdir=LR;"]
    text += [f'  {name} [label="{dot_text(readable(label))}"];' for name, label in boxes.items()]
    text += [f'  {one} -> {two} [label="{dot_text(readable(label))}"];' for one, two, label in lines]
    return "\n".join([*text, "}"])


def mermaid(of: Plan | Order, readable: Callable[[str], str]) -> str:
    """Return a plan or an order in the language of Mermaid; ``readable`` makes a text safe to print."""
    boxes, lines = _drawn(of)
    text = ["graph LR"]
    text += [f'  {name}["{mermaid_text(readable(label))}"]' for name, label in boxes.items()]
    text += [
        f'  {one} -->|"{mermaid_text(readable(label))}"| {two}' if label else f"  {one} --> {two}"
        for one, two, label in lines
    ]
    return "\n".join(text)


def _drawn(of: Plan | Order) -> tuple[Boxes, Lines]:
    from bespeak.coord.merge.model import Plan

    return _of_plan(of) if isinstance(of, Plan) else _of_order(of)
