"""A real dispatcher process whose wall clock is moved under it, with libfaketime (from the package index, built here).

Only what the process reads is moved; the kernel's own timer notices a real step (``TFD_TIMER_CANCEL_ON_SET``), which needs
the right to set the machine's clock and is not tried here. So these tests stand on the back-stop look.
"""

import os
import time

import pytest


def running(site, library: str, offset: str):
    path = os.path.join(site.folder, "offset")
    move(site, offset)
    # Only the interpreter itself: what it starts would be moved as well.
    environ = {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": path,
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    return site.run("--poll-interval", "0.2", env=environ)


def move(site, offset: str) -> None:
    path = os.path.join(site.folder, "offset")
    with open(path + ".new", "w") as file:
        file.write(offset + "\n")
    os.replace(path + ".new", path)


@pytest.mark.parametrize(("step", "seconds"), [("+600s", 600), ("+7200s", 7200)])
def test_forward(site, fake_clock: str, step: str, seconds: int) -> None:
    dispatcher = running(site, fake_clock, "+0s")
    site.reserve("k", "--not-before", str(int(time.time()) + seconds - 60))
    site.reserve("window", "--not-before", str(int(time.time()) + 30), "--expires-at", str(int(time.time()) + 60))
    dispatcher.await_event("reservation_accepted", 2)
    assert site.starts() == []
    move(site, step)
    dispatcher.await_event("dispatch_succeeded")
    dispatcher.await_event("reservation_expired")
    assert site.starts() == ["k"]


@pytest.mark.parametrize("step", ["-600s", "-7200s"])
def test_back(site, fake_clock: str, step: str) -> None:
    dispatcher = running(site, fake_clock, "+0s")
    site.reserve("first")
    dispatcher.await_event("dispatch_succeeded")
    move(site, step)
    site.reserve("second")
    dispatcher.await_event("dispatch_succeeded", 2)
    assert len(dispatcher.events("reservation_accepted")) == 2
    assert site.call("health").json["dispatcher"] == "alive"
    assert dispatcher.stop() == 0
