"""Leases whatever the clocks and boots: the dead are dead, and no timer is set past what the system takes."""

import os
import select

import pytest

from bespeak.base import ids
from bespeak.base.clock import FOREVER_US
from bespeak.jobs import claiming, follow, liveness, store, takeover
from bespeak.jobs.liveness import DispatcherRecord, machine
from bespeak.jobs.schema import LOCK
from bespeak.jobs.store import JobSpec
from bespeak.jobs.timerfd import WallTimer
from bespeak.storage.interface import Engine
from support.job_sites import Site

YEARS_70 = 70 * 365 * 86_400.0


def line(name: str, *, process: str, home: str = "") -> DispatcherRecord:
    return DispatcherRecord(name, "", "host", process, home or f"{machine()}:/nowhere", "bespeak runner", 1, 0, 0, 0)


def claimed(engine: Engine, dead: DispatcherRecord) -> None:
    store.reserve(engine, JobSpec("k", ["/bin/true"]), ids.new_id())
    assert engine.transact((LOCK,), lambda tx: claiming.step(tx, dead, (), 1)).claimed


def recovered(engine: Engine) -> int:
    other = line("other", process=liveness.this_process())

    def work(tx):
        liveness.register(tx, other)
        return len(takeover.recover(tx, other, frozenset(), 10))

    return engine.transact((LOCK,), work)


def test_a_dispatcher_of_an_earlier_boot_is_dead_though_its_lease_is_not_over(engine: Engine) -> None:
    claimed(engine, line("dead", process="earlier-boot/1/1/1"))
    assert recovered(engine) == (1 if engine.dialect == "sqlite" else 0)


def test_another_machine_has_another_boot_and_its_lease_counts(engine: Engine, clock) -> None:
    claimed(engine, line("there", process="their-boot/1/1/1", home="their-machine:/jobs"))
    (known,) = engine.read(liveness.all_dispatchers)
    assert known.alive(clock())
    clock.step(21)
    assert not known.alive(clock())


def test_a_lease_of_a_clock_that_was_ahead_is_not_believed(engine: Engine, clock) -> None:
    clock.step(YEARS_70)
    boot, _, _, _ = liveness.this_process().split("/")
    claimed(engine, line("ahead", process=f"{boot}/another-namespace/1/1"))
    clock.step(-YEARS_70)
    report, well = follow.health(engine, None)
    assert (report["dispatcher"], report["dead_owners"], well) == ("absent", 1, False)
    job = store.look(engine, run_key="k", reservation_id=None).job
    store.check_requeue(engine, job, None, None, force=True)
    assert recovered(engine) == 1


def test_a_claim_without_an_owner_from_a_clock_that_was_ahead_is_taken_over(engine: Engine, clock) -> None:
    claimed(engine, line("original", process="x/1/1/1"))
    later = clock() // 1_000_000 + 10**9
    engine.transact(
        (), lambda tx: tx.execute("UPDATE reservations SET owner = NULL, updated_at = :later", {"later": later})
    )
    assert recovered(engine) == 1


def test_a_live_dispatcher_keeps_its_claim_when_the_clock_is_set(engine: Engine, clock) -> None:
    claimed(engine, line("alive", process=liveness.this_process()))
    for seconds in (YEARS_70, -2 * YEARS_70):
        clock.step(seconds)
        assert recovered(engine) == 0


@pytest.mark.parametrize("instant_us", [FOREVER_US, FOREVER_US - 1, 2**63 - 1, 10**17])
def test_a_timer_for_a_far_instant_does_not_go_off(instant_us: int) -> None:
    timer = WallTimer()
    try:
        timer.arm(instant_us)
        assert select.select([timer.fileno()], [], [], 0)[0] == []
    finally:
        timer.close()


def test_a_poll_interval_beyond_the_system_call_is_slept_in_parts(site: Site) -> None:
    dispatcher = site.run("--poll-interval", "99999999", "--start-timeout", "99999999", "--error-sleep", "99999999")
    site.reserve("k", "--not-before", "9999-01-01")
    site.reserve("now")
    dispatcher.await_event("dispatch_succeeded")
    with open(f"/proc/{dispatcher.process.pid}/stat", encoding="ascii") as file:
        assert file.read().rpartition(")")[2].split()[0] in "SR"
    assert dispatcher.stop() == 0
    assert os.path.exists(site.calls_file)
