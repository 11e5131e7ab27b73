"""Named points in the code at which a test can kill the process.

In production a point is one comparison with None. With ``BESPEAK_CRASH_AT=name`` the process that reaches the
point sends itself SIGKILL; ``name:3`` means the third time. A crash test can so stand between any two steps of a
write and prove what the next process finds.
"""

from __future__ import annotations

import os

_target = ""
_left = 1


def arm(point: str) -> None:
    """Choose where to die: a name, or ``name:n`` for its n-th time; the empty text for nowhere."""
    global _target, _left  # noqa: PLW0603 -- one countdown for the whole process
    _target, _, count = point.partition(":")
    _left = int(count) if count.isdigit() else 1


def reach(point: str) -> None:
    """Die here, as by power loss of this process alone, if a test asked for it."""
    if not _target or point != _target:
        return
    global _left  # noqa: PLW0603 -- one countdown for the whole process
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), 9)


arm(os.environ.get("BESPEAK_CRASH_AT", ""))
