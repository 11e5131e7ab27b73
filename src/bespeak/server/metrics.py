"""Numbers for Prometheus: the book as it is now, and what this process has answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response

from bespeak.base.clock import SECOND_US
from bespeak.ledger.actions import Action
from bespeak.ledger.statistics import statistics
from bespeak.server.answers import API
from bespeak.server.problems import PROBLEM

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Scope

    from bespeak.ledger.actions import LogEntry
    from bespeak.ledger.statistics import BookStatistics
    from bespeak.server.book import ServedBook

_WAITS = (1, 5, 15, 60, 300, 900, 3_600, 4 * 3_600, 24 * 3_600)
_TIMES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 60)


class Metrics:
    """The numbers of one server process."""

    def __init__(self) -> None:
        self._registry = made = CollectorRegistry()
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._reservations = Gauge("bespeak_reservations", "Reservations in the book.", ["state"], registry=made)
        self._holders = Gauge("bespeak_holders", "Different holders of what is held.", registry=made)
        self._resources = Gauge("bespeak_resources", "Resources that the book knows.", registry=made)
        self._longest = Gauge("bespeak_longest_wait_seconds", "How long the first in a line has waited.", registry=made)
        self._streams = Gauge("bespeak_event_streams", "Streams of events that are open.", registry=made)
        self._waits = Histogram(
            "bespeak_wait_seconds", "How long those waited who were granted.", buckets=_WAITS, registry=made
        )
        self._refusals = Counter("bespeak_refusals", "Refused requests, by the problem.", ["code"], registry=made)
        self._requests = Counter(
            "bespeak_http_requests", "Requests answered.", ["method", "route", "status"], registry=made
        )
        self._seconds = Histogram(
            "bespeak_http_seconds", "How long answers took.", ["route"], buckets=_TIMES, registry=made
        )

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count an answered request; only known routes are told apart."""
        route = _route(scope)
        method = scope["method"] if route != "other" else "other"
        key = (method, route, status)
        known = self._known.get(key)
        if known is None:  # finding them by their labels costs as much as counting
            found = self._requests.labels(method, route, str(status)), self._seconds.labels(route)
            known = self._known[key] = found
        known[0].inc()
        known[1].observe(seconds)
        if code := scope["state"].get(PROBLEM):
            self._refusals.labels(code).inc()

    def note(self, entries: Iterable[LogEntry]) -> None:
        """Count changes of the book."""
        for entry in entries:
            created_us = entry.after.get("created_us")
            if entry.action is Action.GRANTED and isinstance(created_us, int):
                self._waits.observe(max(entry.at_us - created_us, 0) / SECOND_US)

    async def answer(self, book: ServedBook, streams: int) -> Response:
        """Return all numbers as Prometheus reads them."""
        self._set(await book.read(statistics), streams)
        return Response(generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _set(self, now: BookStatistics, streams: int) -> None:
        counts = {"active": now.active, "pending": now.pending, "waiting": now.waiting, "awaiting": now.awaiting}
        for state, count in counts.items():
            self._reservations.labels(state).set(count)
        self._holders.set(now.holders)
        self._resources.set(now.resources)
        self._longest.set(now.longest_wait_us / SECOND_US)
        self._streams.set(streams)


def _route(scope: Scope) -> str:
    """Return the route of a request without what stands in its place for names; ``other`` where there is none."""
    found: str | None = getattr(scope.get("route"), "path", None)
    if found is None:
        return "other"
    return found if found.startswith(API) or not scope["path"].startswith(API) else API + found
