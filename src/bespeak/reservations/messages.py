"""The texts of the gate's answer, alike on every road to it."""

from __future__ import annotations

from bespeak.base.display import escape_unprintable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def refusal_text(username: str, lab: str, missing: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Return the documented text of a refusal.

    Args:
        username: who is refused.
        lab: the name of the lab.
        missing: each missing resource with its holders, sorted by resource.
    """
    lines = [f"User {username!r} does not hold all resources required by lab {lab!r}. Missing:"]
    for resource, holders in missing:
        names = ", ".join(escape_unprintable(holder) for holder in holders)
        lines.append(f"  - {escape_unprintable(resource)} ({f'held by {names}' if names else 'unreserved'})")
    return "\n".join(lines)


def allowed_text(username: str, lab: str) -> str:
    """Return the text for who may go on."""
    return f"User {username!r} holds all resources required by lab {lab!r}."
