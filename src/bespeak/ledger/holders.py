"""The values that say who: whose reservation it is, who asked for it, and where it is used."""

from __future__ import annotations

from enum import Enum

from bespeak.base.frozen import frozen


class HolderKind(Enum):
    """What a holder is: the word before the colon of its name; a plain name is a user's."""

    USER = "user"
    TEAM = "team"
    CI = "ci"
    AGENT = "agent"


def holder_kind(name: str) -> HolderKind:
    """Return what the holder of this name is."""
    word, colon, _ = name.partition(":")
    return HolderKind(word) if colon and word in ("team", "ci", "agent") else HolderKind.USER


@frozen
class Holder:
    """Who asks.

    Args:
        user: whose reservation it is: a user, or a name with its kind (``team:bringup``, ``ci:nightly``, ``agent:a7``).
        requested_by: who really asked, where that is somebody else (``--as-user``).
    """

    user: str
    requested_by: str | None = None

    @property
    def kind(self) -> HolderKind:
        """What the holder is."""
        return holder_kind(self.user)

    @property
    def name(self) -> str:
        """How the book calls the holder: a user by the plain name, whether or not ``user:`` was written before it."""
        return self.user.removeprefix("user:")


def use_text(where: str, seen_us: int, now_us: int) -> str:
    """Return what uses a hold, where, and when that last gave a sign of life; nothing for what no process keeps."""
    from bespeak.base.clock import SECOND_US, duration_text

    if not where:
        return ""
    if not seen_us:
        return f" [{where}]"
    seconds = max(now_us - seen_us, 0) // SECOND_US
    seen = f"seen {duration_text(seconds * SECOND_US)} ago" if seconds else "seen just now"
    return f" [{where}, {seen}]"


@frozen
class Origin:
    """Where a reservation was made, for people who look for who uses what.

    Args:
        host: the machine.
        process: what uses it there: ``pid 4711``, ``job 0198...``, ``agent a7``; empty where nothing stays.
    """

    host: str = ""
    process: str = ""

    @property
    def is_of_command(self) -> bool:
        """Whether a command holds it as long as it runs: ``bespeak run``, a Python program or a job."""
        return self.process.startswith(("pid ", "job "))

    @property
    def text(self) -> str:
        """What uses it and where, for people; empty where nothing stays."""
        return f"{self.process}{f' on {self.host}' if self.host else ''}" if self.process else ""
