"""Waiting until code is free: woken by the release, bounded by time, ended on request."""

import threading

import pytest

from bespeak.coord.errors import ClaimError


@pytest.fixture
def held(coord):
    return coord.reserve(["src/a.py"], run_id="other").reservation


def wait(coord, **options):
    return coord.wait_free(["src/"], run_id="me", **options)


def test_what_is_free_is_not_waited_for(coord):
    coord.reserve(["src/a.py"], run_id="me")
    assert wait(coord) == []


def test_the_time_is_over(coord, held):
    (left,) = wait(coord, timeout_us=10_000)
    assert (left.run_id, left.relation) == ("other", "contains")
    assert wait(coord, timeout_us=10_000, shared=True) != []


def test_a_release_wakes_and_a_change_is_told(coord, held):
    second = coord.reserve(["src/b.py"], run_id="third").reservation
    seen, releases = [], []

    def told(left):
        seen.append([one.run_id for one in left])
        next_one, run_id = (held, "other") if len(seen) == 1 else (second, "third")
        release = threading.Thread(target=coord.release, args=(next_one.id,), kwargs={"run_id": run_id})
        releases.append(release)
        release.start()

    assert wait(coord, timeout_us=60_000_000, on_change=told) == []
    for release in releases:
        release.join()
    assert seen == [["other", "third"], ["third"]]


def test_what_expires_is_free_at_that_instant(coord, clock):
    coord.reserve(["src/a.py"], run_id="other", ttl_seconds=1)
    timer = threading.Timer(0.5, clock.forward, [2])
    timer.start()
    assert wait(coord, timeout_us=60_000_000) == []
    timer.join()


def test_it_ends_when_it_is_told_to(coord, held):
    stop = threading.Event()
    timer = threading.Timer(0.1, stop.set)
    timer.start()
    assert len(wait(coord, stop=stop.is_set)) == 1
    timer.join()


def test_a_wrong_request_is_refused_at_once(coord):
    with pytest.raises(ClaimError, match="is empty"):
        coord.wait_free([""], run_id="me")
