"""Until when everything is held."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from gate_helpers import Recorder

from bespeak.base.clock import FOREVER_US
from bespeak.reservations import ReservationBackendError, ReservationWindow
from bespeak.reservations.evaluation import held_until

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Windows(Recorder):
    def __init__(self, *windows):
        super().__init__()
        self.windows = windows

    def get_reservation_windows(self, username):
        return [
            ReservationWindow(resource, *(None if at is None else EPOCH + timedelta(seconds=at) for at in span))
            for resource, *span in self.windows
        ]


@pytest.mark.parametrize(
    ("windows", "until_seconds"),
    [
        ([("a", 0, 50), ("b", 0, 60)], 50),
        ([("a", 0, 50), ("a", 50, 70), ("b", 0, 60)], 60),
        ([("a", 0, 50), ("a", 51, 70), ("b", 0, 60)], 50),
        ([("a", 40, 90), ("a", 0, 50), ("b", 0, 80)], 80),
        ([("a", 0, 50)], 10),
        ([("a", 20, 50), ("b", 0, 50)], 10),
        ([("a", 0, 9), ("b", 0, 50)], 10),
        ([("a", None, 50), ("b", 0, None), ("c", 0, 11)], 50),
    ],
)
def test_the_first_end_without_a_successor_counts(windows, until_seconds):
    assert held_until(Windows(*windows), "alice", {"a", "b"}, 10_000_000) == until_seconds * 1_000_000


def test_no_end_in_sight():
    assert held_until(Windows(("a", 0, None)), "alice", {"a"}, 10) == FOREVER_US
    assert held_until(Windows(), "alice", set(), 10) == FOREVER_US


def test_a_backend_that_does_not_know():
    assert held_until(Recorder(), "alice", {"a"}, 10) is None
    assert held_until(None, "alice", {"a"}, 10) is None


@pytest.mark.parametrize("answer", [None, [1], [ReservationWindow("a", datetime(2026, 1, 1), None)], RuntimeError("x")])  # noqa: DTZ001 - a zone is what is missing
def test_nonsense_is_the_documented_error(answer):
    backend = Recorder()

    def ask(username):
        if isinstance(answer, Exception):
            raise answer
        return answer

    backend.get_reservation_windows = ask
    with pytest.raises(ReservationBackendError, match="get_reservation_windows"):
        held_until(backend, "alice", {"a"}, 10)
