"""Calls to runners, each where its job is: the dispatcher's own one, or the one that an earlier claim names."""

from __future__ import annotations

import select

from bespeak.jobs.runner_client.process import ProgramStarter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bespeak.jobs.runner_client.location import Location
    from bespeak.jobs.runner_client.process import Starter
    from bespeak.jobs.runner_client.replies import Reply


class Router:
    """Sends each call to the runner at its location.

    Args:
        own: where this dispatcher starts jobs.
        starter: calls the runner there.
        environ: what the programs of other locations get, but for their home.
    """

    def __init__(self, own: Location, starter: Starter, environ: Mapping[str, str]) -> None:
        self.own = own
        self._environ = environ
        self._starters: dict[Location, Starter] = {own: starter}
        self._epoll = select.epoll()
        self._epoll.register(starter.fileno(), select.EPOLLIN)

    def submit(self, token: int, words: Sequence[str], limit_seconds: float, location: Location | None = None) -> None:
        """Begin a call; its end is returned by :meth:`take` under ``token``.

        Args:
            token: unique among the calls under way.
            words: the runner's arguments.
            limit_seconds: how long it may take.
            location: where; None for the dispatcher's own runner.
        """
        self._starter(location or self.own).submit(token, words, limit_seconds)

    def _starter(self, location: Location) -> Starter:
        found = self._starters.get(location)
        if found is None:
            found = ProgramStarter(location.runner.words, location.environ(self._environ))
            self._starters[location] = found
            self._epoll.register(found.fileno(), select.EPOLLIN)
        return found

    def take(self) -> list[tuple[int, Reply]]:
        """Return the calls that have ended, and end those that took too long."""
        return [ended for starter in self._starters.values() for ended in starter.take()]

    def fileno(self) -> int:
        """Return a descriptor that is readable when :meth:`take` has something."""
        return self._epoll.fileno()

    def next_seconds(self) -> float | None:
        """Return in how many seconds :meth:`take` has something to do even if nothing happens."""
        moments = [seconds for starter in self._starters.values() if (seconds := starter.next_seconds()) is not None]
        return min(moments) if moments else None

    def close(self) -> None:
        """Give back what is held; calls under way go on by themselves."""
        for starter in self._starters.values():
            starter.close()
        self._epoll.close()
