"""One test, or more, for each fault that was found in the original program; the numbers are those of the list."""

import json
import os
import signal
import sqlite3
import stat
import subprocess
import textwrap
import threading
import time
from collections.abc import Callable

import pytest

from bespeak.base import ids
from bespeak.base.errors import WrongStateError
from bespeak.jobs import claiming, liveness, queries, store, takeover
from bespeak.jobs.liveness import DispatcherRecord
from bespeak.jobs.locations import open_store
from bespeak.jobs.model import Status
from bespeak.jobs.schema import LOCK
from bespeak.jobs.store import JobSpec
from bespeak.storage.interface import Engine
from support.job_sites import RECORDING, Answer, Site, command, until

NOON_US = 1_800_000_000_000_000

SLOW = RECORDING.replace("start)", 'start) while [ -e "$STUB_LOG.hold" ]; do sleep 0.02; done;')
ELSEWHERE = "another-boot/1/1/1"


def line(name: str, *, site: str = "", home: str = "here", process: str = ELSEWHERE) -> DispatcherRecord:
    return DispatcherRecord(name, site, "host", process, home, "runner", 1, NOON_US, NOON_US, NOON_US)


def step(engine: Engine, me: DispatcherRecord, slots: int = 10, outcomes=()):
    return engine.transact((LOCK,), lambda tx: claiming.step(tx, me, outcomes, slots))


def recover(engine: Engine, me: DispatcherRecord, mine: frozenset[str] = frozenset()):
    return engine.transact((LOCK,), lambda tx: takeover.recover(tx, me, mine, 100))


def reserve(engine: Engine, key: str, **fields) -> str:
    return store.reserve(engine, JobSpec(key, ["/bin/true"], **fields), ids.new_id()).job.reservation_id


# --- 1 ---------------------------------------------------------------------------------------------------------------


def test_01_a_second_dispatcher_leaves_a_living_ones_work_alone(any_site: Site) -> None:
    runner = any_site.stub("slow", SLOW)
    hold = any_site.calls_file + ".hold"
    open(hold, "w").close()
    any_site.reserve("k")
    first = any_site.run(runner=runner)
    first.await_event("orchesjob_start_call")
    second = any_site.run(runner=runner, env={})
    any_site.reserve("other", "--not-before", "2040-01-01")
    second.await_event("reservation_accepted")
    assert any_site.status("k")["reservation_status"] == "DISPATCHING"
    os.unlink(hold)
    first.await_event("dispatch_succeeded")
    assert second.stop() == first.stop() == 0
    assert second.events("recovered_dispatching") == []
    assert any_site.starts() == ["k"]


def test_01_only_the_dead_lose_their_claims(engines: Callable[[], Engine], clock) -> None:
    one, two = engines(), engines()
    reserve(one, "k")
    a, b = line("a"), line("b")
    (mine,) = step(one, a).claimed
    assert step(two, b).claimed == []
    clock.step(19)
    assert recover(two, b) == []
    step(one, a)
    clock.step(19)
    assert recover(two, b) == []
    clock.step(2)
    (taken,) = recover(two, b)
    assert (taken.owner, taken.claim_no) == ("b", mine.claim_no + 1)


def test_01_a_dispatcher_that_slept_past_its_lease_changes_nothing(engine: Engine, clock) -> None:
    reserve(engine, "k")
    a, b = line("a"), line("b")
    (mine,) = step(engine, a).claimed
    clock.step(21)
    recover(engine, b)
    late = claiming.StartOutcome(mine, Status.DISPATCH_FAILED, error="late")
    assert step(engine, a, outcomes=[late]).lost == [late]
    assert store.look(engine, run_key="k", reservation_id=None).job.reservation_status == "DISPATCHING"


def test_01_of_outcomes_stored_together_only_those_taken_over_are_lost(engine: Engine, clock) -> None:
    for key in ("first", "second"):
        reserve(engine, key)
    a, b = line("a"), line("b")
    first, second = step(engine, a).claimed
    clock.step(21)
    (taken, _) = recover(engine, b)
    again = first if taken.run_key == "second" else second
    step(engine, b, slots=0, outcomes=[claiming.StartOutcome(taken, Status.RESERVED)])
    (mine,) = step(engine, a, slots=1).claimed
    done, late = (claiming.StartOutcome(job, Status.DISPATCHED, job_id=f"j-{job.run_key}") for job in (mine, again))
    assert step(engine, a, slots=0, outcomes=[late, done, done]).lost == [late, done]
    found = {job.run_key: job for job in queries.listing(engine, queries.Filter(), limit=None)}
    assert (found[mine.run_key].reservation_status, found[mine.run_key].job_id) == ("DISPATCHED", f"j-{mine.run_key}")
    assert (found[again.run_key].reservation_status, found[again.run_key].owner) == ("DISPATCHING", "b")


def test_01_on_its_own_machine_the_kernel_says_who_lives(engine: Engine, clock) -> None:
    reserve(engine, "k")
    living = line("living", process=liveness.this_process())
    step(engine, living)
    clock.step(7200)
    assert recover(engine, line("b")) == []
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    boot, namespace, _, _ = liveness.this_process().split("/")
    dead = line("dead", process=f"{boot}/{namespace}/{gone.pid}/1")
    assert not dead.alive(dead.lease_until_us - 1)


# --- 2 and 15 --------------------------------------------------------------------------------------------------------


def test_02_the_key_of_a_start_belongs_to_the_reservation(site: Site) -> None:
    out = os.path.join(site.folder, "out")
    words = ["reserve", "--run-key", "k", "--", "/bin/sh", "-c", f"echo ran >>{out}"]
    site.call(*words)
    dispatcher = site.run(runner="embedded", wait=False, env={"BESPEAK_CRASH_AT": "jobs.answered"})
    assert dispatcher.process.wait(60) == -signal.SIGKILL
    assert site.status("k")["reservation_status"] == "DISPATCHING"
    until(lambda: os.path.exists(out), "the first start")
    events = site.once(runner="embedded")
    assert [event["event"] for event in events if "start_call" in event["event"]] == []
    found = site.status("k")
    assert found["reservation_status"] == "DISPATCHED"
    job = site.call("status", "--run-key", "k", "--include-job", runner="embedded").json["job"]
    assert (job["job_id"], job["attempt_no"]) == (found["job_id"], 1)
    with open(out) as file:
        assert file.read() == "ran\n"


def test_15_after_a_crash_the_runner_is_asked_first(site: Site) -> None:
    runner = site.stub(
        "asked",
        RECORDING.replace(
            "status)", 'status) [ -e "$STUB_LOG.has" ] && cat "$STUB_LOG.has" && exit; '
        ),
    )  # fmt: skip
    site.reserve("k")
    dispatcher = site.run(runner=runner, wait=False, env={"BESPEAK_CRASH_AT": "jobs.answered"})
    assert dispatcher.process.wait(60) == -signal.SIGKILL
    with open(site.calls_file + ".has", "w") as file:
        json.dump({"job_id": "found", "command": ["/bin/true", "k"], "started_at": int(time.time()) + 1}, file)
    site.once(runner=runner)
    assert site.starts() == ["k"]
    assert site.calls()[-1] == "status --run-key k"
    assert site.status("k")["job_id"] == "found"


def test_15_what_the_runner_does_not_know_is_started(site: Site) -> None:
    site.reserve("k")
    dispatcher = site.run(wait=False, env={"BESPEAK_CRASH_AT": "jobs.before_start"})
    assert dispatcher.process.wait(60) == -signal.SIGKILL
    assert site.starts() == []
    site.once()
    assert site.calls() == ["status --run-key k", "start --run-key k -- /bin/true k"]
    assert site.status("k")["reservation_status"] == "DISPATCHED"


# --- 3 ---------------------------------------------------------------------------------------------------------------


def test_03_cancel_and_claim_decide_in_one_place(engines: Callable[[], Engine]) -> None:
    one, two = engines(), engines()
    me = line("a")
    for number in range(60):
        reserve(one, f"k{number}")
    answers: dict[str, bool] = {}

    def cancel_all() -> None:
        for number in range(60):
            try:
                store.cancel(two, run_key=f"k{number}", reservation_id=None)
                answers[f"k{number}"] = True
            except WrongStateError:
                answers[f"k{number}"] = False

    thread = threading.Thread(target=cancel_all)
    thread.start()
    claimed = set()
    while thread.is_alive():
        claimed |= {job.run_key for job in step(one, me, 3).claimed}
    thread.join()
    claimed |= {job.run_key for job in step(one, me, 100).claimed}
    assert {key for key, cancelled in answers.items() if cancelled} == answers.keys() - claimed


def test_03_what_is_being_started_cannot_be_cancelled(any_site: Site) -> None:
    runner = any_site.stub("slow", SLOW)
    open(any_site.calls_file + ".hold", "w").close()
    any_site.reserve("k")
    dispatcher = any_site.run(runner=runner)
    dispatcher.await_event("orchesjob_start_call")
    answer = any_site.call("cancel", "--run-key", "k")
    assert answer.code == 6
    assert "DISPATCHING" in answer.error
    os.unlink(any_site.calls_file + ".hold")
    dispatcher.await_event("dispatch_succeeded")


# --- 4 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_04_a_signal_to_the_group_finishes_the_call_in_flight_and_starts_nothing(site: Site, number: int) -> None:
    runner = site.stub("slow", SLOW)
    hold = site.calls_file + ".hold"
    open(hold, "w").close()
    site.reserve("k")
    dispatcher = site.run("--poll-interval", "3600", "--max-starts", "1", runner=runner)
    dispatcher.await_event("orchesjob_start_call")
    site.reserve("later")
    os.killpg(dispatcher.process.pid, number)
    until(lambda: not os.path.exists(f"/proc/{dispatcher.process.pid}/fd") or site.starts() == ["k"])
    os.unlink(hold)
    assert dispatcher.process.wait(60) == 0
    assert dispatcher.events("dispatch_failed") == []
    assert dispatcher.events()[-1]["event"] == "reserver_stopped"
    assert site.status("k")["reservation_status"] == "DISPATCHED"
    assert site.status("later")["reservation_status"] == "RESERVED"
    assert site.starts() == ["k"]
    assert site.call("health").json["dispatchers"] == []


def test_04_an_idle_dispatcher_stops_at_once(site: Site) -> None:
    dispatcher = site.run("--poll-interval", "3600")
    assert dispatcher.stop() == 0


# --- 5 ---------------------------------------------------------------------------------------------------------------


def test_05_a_slow_start_delays_nobody_and_times_out(site: Site) -> None:
    runner = site.stub("one-slow", RECORDING.replace("start)", 'start) [ "$3" = slow ] && exec sleep 3600;'))
    for key in ("slow", "a", "b"):
        site.reserve(key)
    dispatcher = site.run("--start-timeout", "2s", runner=runner)
    dispatcher.await_event("dispatch_succeeded", 2)
    (failed,) = dispatcher.await_event("dispatch_failed")
    assert failed["run_key"] == "slow"
    assert "took longer than 2 s" in failed["error"]


def test_05_a_child_that_keeps_the_output_open_holds_up_nothing(site: Site) -> None:
    pid_file = os.path.join(site.folder, "pid")
    runner = site.stub("leaky", RECORDING.replace("start)", f"start) sleep 3600 & echo $! >{pid_file};"))
    site.reserve("k")
    site.once(runner=runner)
    assert site.status("k")["reservation_status"] == "DISPATCHED"
    with open(pid_file) as file:
        os.kill(int(file.read()), signal.SIGKILL)


def test_05_no_more_starts_at_once_than_allowed(site: Site) -> None:
    most = os.path.join(site.folder, "most")
    body = f'start) mkdir -p "{most}/$$"; ls "{most}" | wc -l >>"{most}.log"; sleep 0.1; rmdir "{most}/$$";'
    runner = site.stub("counting", RECORDING.replace("start)", body))
    for number in range(9):
        site.reserve(f"k{number}")
    site.once("--max-starts", "3", runner=runner)
    with open(f"{most}.log") as file:
        assert max(int(text) for text in file) <= 3
    assert len(site.starts()) == 9


# --- 6 ---------------------------------------------------------------------------------------------------------------


def test_06_a_window_shorter_than_the_poll_interval_is_met(any_site: Site) -> None:
    dispatcher = any_site.run("--poll-interval", "3600")
    now = int(time.time())
    any_site.reserve("k", "--not-before", str(now + 2), "--expires-at", str(now + 60))
    dispatcher.await_event("dispatch_succeeded")


def test_06_a_commit_wakes_a_dispatcher(any_site: Site) -> None:
    dispatcher = any_site.run("--poll-interval", "3600")
    for number in range(3):
        any_site.reserve(f"k{number}")
        dispatcher.await_event("dispatch_succeeded", number + 1)


# --- 7 ---------------------------------------------------------------------------------------------------------------


def test_07_a_closed_log_decides_no_job(site: Site) -> None:
    reading, writing = os.pipe()
    dispatcher = site.run(wait=False, stdout=writing)
    os.close(writing)
    os.close(reading)
    site.reserve("k")
    until(lambda: site.status("k")["reservation_status"] == "DISPATCHED")
    assert dispatcher.stop() == 0


def test_07_a_log_that_nobody_reads_decides_no_job(site: Site) -> None:
    reading, writing = os.pipe()
    for number in range(3):
        site.call("reserve", "--run-key", f"k{number}", "--", "/bin/true", "x" * 100_000)
    dispatcher = site.run(wait=False, stdout=writing)
    os.close(writing)
    until(lambda: len(site.starts()) == 3)
    until(lambda: site.status("k2")["reservation_status"] == "DISPATCHED")
    assert dispatcher.stop() == 0
    os.close(reading)


def test_07_a_full_disk_under_the_log_decides_no_job(site: Site) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    dispatcher = site.run(wait=False, stdout=full)
    os.close(full)
    site.reserve("k")
    until(lambda: site.status("k")["reservation_status"] == "DISPATCHED")
    assert dispatcher.stop() == 0


# --- 8, 9, 18 --------------------------------------------------------------------------------------------------------


def fill(path: str, count: int, status: str, *, expires: int | None = None, not_before: int | None = None) -> None:
    """Write rows as the original program does."""
    open_store(path).close()
    connection = sqlite3.connect(path)
    connection.executemany(
        "INSERT INTO reservations (reservation_id, run_key, command_json, reservation_status, not_before, expires_at,"
        " created_at, updated_at) VALUES (?, ?, '[\"/bin/true\"]', ?, ?, ?, 1000, 1000)",
        ((f"{status}-{n}", f"{status}-key-{n}", status, not_before, expires) for n in range(count)),
    )
    connection.commit()
    connection.close()


def test_08_mass_expiry_and_mass_clean_go_in_batches(site: Site) -> None:
    fill(site.url, 5000, "RESERVED", expires=2000)
    assert len([event for event in site.once() if event["event"] == "reservation_expired"]) == 5000
    answer = site.call("clean", "--all", "--summary").json
    assert answer == {"deleted": 5000, "dry_run": False, "matched": 5000}


PLANS = {
    claiming._NOW_DUE: "reservations_due",
    claiming._THEN_DUE: "reservations_due",
    claiming._NEXT_DUE: "reservations_due",
    claiming._EXPIRED: "reservations_expiry",
    claiming._NEXT_EXPIRY: "reservations_expiry",
    claiming._ACCEPTED: "reservations_seq",
}


@pytest.mark.parametrize("accounts", [None, ("alice", "bob")])
@pytest.mark.parametrize("number", range(len(PLANS)))
def test_09_every_question_of_the_loop_is_an_index_search(
    site: Site, number: int, accounts: tuple[str, ...] | None
) -> None:
    sql, index = list(PLANS.items())[number]
    condition, more = claiming._ours(accounts)
    sql = sql.format(ours=condition)
    fill(site.url, 2000, "RESERVED", not_before=4_000_000_000)
    fill(site.url, 2000, "DISPATCHED")
    connection = sqlite3.connect(site.url)
    connection.execute("ANALYZE")
    params = {"site": "", "now_s": 5, "now_us": 5, "n": 1, "last": 0, **more}
    plan = " ".join(str(row) for row in connection.execute("EXPLAIN QUERY PLAN " + sql, params))
    connection.close()
    assert index in plan
    assert "SCAN reservations" not in plan


def test_09_a_look_reads_only_what_is_new(engine: Engine) -> None:
    for number in range(5):
        reserve(engine, f"k{number}", not_before=4_000_000_000)
    first = engine.read(lambda tx: claiming.look(tx, line("me"), 0))
    assert [job.run_key for job in first.accepted] == [f"k{number}" for number in range(5)]
    reserve(engine, "new", not_before=4_000_000_000)
    again = engine.read(lambda tx: claiming.look(tx, line("me"), first.accepted[-1].seq))
    assert [job.run_key for job in again.accepted] == ["new"]


def test_18_pages_are_read_one_at_a_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(site.url, 2500, "DISPATCHED")
    sizes: list[int] = []
    page = queries._page

    def counted(engine, wanted, below, size):
        found = page(engine, wanted, below, size)
        sizes.append(len(found[0]))
        return found

    monkeypatch.setattr(queries, "_page", counted)
    engine = open_store(site.url)
    everything = [job.run_key for job in queries.listing(engine, queries.Filter(), limit=None)]
    engine.close()
    assert len(everything) == len(set(everything)) == 2500
    assert max(sizes) == queries.PAGE


def test_18_rows_are_printed_as_json_dumps_lays_them_out(site: Site) -> None:
    metadata = '{"a": [], "b": {}, "c": [1, 2.5, true, null, {"d": "\\"\\\\"}], "e": {"f": "x"}}'
    assert site.call("reserve", "--run-key", "ü", "--metadata-json", metadata, "--", "/bin/echo", "a\nb").code == 0
    assert site.call("reserve", "--run-key", "k", "--", "/bin/echo", "\u202eü").code == 0
    printed = site.call("list").out
    escaped, plain = json.loads(printed)["reservations"]
    assert textwrap.indent(json.dumps(escaped, indent=2), "    ") in printed
    assert textwrap.indent(json.dumps(plain, indent=2, ensure_ascii=False), "    ") in printed
    assert "ü" in printed
    assert "\u202e" not in printed


@pytest.mark.parametrize("depth", [600, 900])
def test_18_metadata_that_nests_deep_hides_no_other_job(site: Site, depth: int) -> None:
    nested = '{"a": ' + "[" * depth + "]" * depth + "}"
    assert site.call("reserve", "--run-key", "deep", "--metadata-json", nested, "--", "/bin/true").code == 0
    assert site.call("reserve", "--run-key", "other", "--", "/bin/true").code == 0
    assert [job["run_key"] for job in site.call("list").json["reservations"]] == ["other", "deep"]
    assert site.call("list", "--metadata", "b=7").json["reservations"] == []


def test_18_metadata_is_found_however_it_is_written(site: Site) -> None:
    fill(site.url, 3, "CANCELLED")
    with sqlite3.connect(site.url) as db:
        db.execute("""UPDATE reservations SET metadata_json = '{"\\u0061" : 7}' WHERE run_key = 'CANCELLED-key-0'""")
        db.execute("""UPDATE reservations SET metadata_json = '{"b": "a", "c": 7}' WHERE run_key = 'CANCELLED-key-1'""")
    db.close()
    found = site.call("list", "--metadata", "a=7").json["reservations"]
    assert [job["run_key"] for job in found] == ["CANCELLED-key-0"]


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("1e-7", "1e-07"),
        ("1.50", "1.5"),
        ("-0", "0"),
        ("5", "5"),
        ('"5"', "5"),
        ("true", "true"),
        ("null", "null"),
        ('["a","b"]', '["a", "b"]'),
        ('"rack3"', "rack3"),
        ('"r\\u00e4ck"', "räck"),
        ('"rac\\u006b3"', "rack3"),
    ],
)
def test_18_a_value_is_found_however_it_is_written(engine: Engine, stored: str, asked: str) -> None:
    reserve(engine, "k")
    reserve(engine, "other")
    sql = "UPDATE reservations SET metadata_json = :text WHERE run_key = :key"
    for key, text in (("k", f'{{"a": {stored}}}'), ("other", '{"a": "something else"}')):
        engine.transact((LOCK,), lambda tx, key=key, text=text: tx.execute(sql, {"text": text, "key": key}))
    found = queries.listing(engine, queries.Filter(metadata={"a": asked}), limit=None)
    assert [job.run_key for job in found] == ["k"]


# --- 10 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [-600, 600, -7200, 7200])
def test_10_what_is_due_at_once_is_due_whatever_the_clock_does(engine: Engine, clock, seconds: int) -> None:
    reserve(engine, "at once")
    reserve(engine, "scheduled", not_before=NOON_US // 1_000_000 + 60)
    clock.step(seconds)
    claimed = [job.run_key for job in step(engine, line("a")).claimed]
    assert claimed == (["at once", "scheduled"] if seconds > 0 else ["at once"])


@pytest.mark.parametrize("seconds", [-600, -7200])
def test_10_new_is_decided_by_row_order(engine: Engine, clock, seconds: int) -> None:
    reserve(engine, "old")
    last = engine.read(claiming.newest)
    clock.step(seconds)
    reserve(engine, "new")
    found = engine.read(lambda tx: claiming.look(tx, line("me"), last))
    assert [job.run_key for job in found.accepted] == ["new"]


def test_10_the_timer_tells_of_a_clock_that_is_set() -> None:
    from bespeak.base.clock import FOREVER_US
    from bespeak.jobs.timerfd import WallTimer

    timer = WallTimer()
    try:
        timer.arm(time.time_ns() // 1000 - 1)
        until(lambda: os.read(timer.fileno(), 8))
        timer.arm(FOREVER_US)
        assert timer.take() is False
    finally:
        timer.close()


# --- 11 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        ["--run-key", b"\xff"],
        ["--run-key", "k", "--metadata-json", r'{"a": "\ud800"}'],
        ["--run-key", "k", "--metadata-json", '{"a": NaN}'],
        ["--run-key", "k", "--metadata-json", '{"a": Infinity}'],
        ["--run-key", "k", "--metadata-json", "[" * 100_000],
        ["--run-key", "k", "--metadata-json", b'{"a": "\xff"}'],
        ["--run-key", "k", "--not-before", "²"],
        ["--run-key", "k", "--not-before", "999999999999999999"],
        ["--run-key", "k", "--expires-at", "99999-01-01"],
        ["--run-key", "k", "--not-before", "9999-12-31T23:59:59-23:59"],
        ["--run-key", "k", "--not-before", b"\xff"],
        ["--run-key", "k", "--orchesjob-start-option", b"\xff"],
    ],
)  # fmt: skip
def test_11_input_that_cannot_be_kept_is_exit_2(site: Site, args: list[str | bytes]) -> None:
    words = [*command("reserve"), *args, "--", "/bin/true"]
    answer = Answer(subprocess.run(words, capture_output=True, text=True, check=False, env=site.environ()))
    assert (answer.code, answer.out) == (2, "")
    assert answer.error


def test_11_the_bytes_of_a_command_are_kept(site: Site) -> None:
    out = os.path.join(site.folder, "out")
    words = [
        *command("reserve", "--db", site.url),
        "--run-key",
        "k",
        "--",
        "/bin/sh",
        "-c",
        f'printf %s "$1" >{out}',
        "sh",
    ]
    subprocess.run([*words, b"\xff\xfe\x1b[31m \xc3\xa9"], check=True, env=site.environ(), capture_output=True)
    site.once(runner="embedded")
    until(lambda: os.path.exists(out) and os.path.getsize(out))
    with open(out, "rb") as file:
        assert file.read() == b"\xff\xfe\x1b[31m \xc3\xa9"
    for args in (("status", "--run-key", "k"), ("list",)):
        assert "\x1b" not in site.call(*args).out


def test_11_no_name_reaches_a_terminal_as_an_order(site: Site) -> None:
    key = "k\x9b31m\u202e\x1b[2J"
    site.call("reserve", "--run-key", key, "--metadata-json", '{"ü": "\x9b"}', "--", "/bin/true", "\x9b1m")
    site.once()
    outputs = [
        site.call(*args).out
        for args in (("status", "--run-key", key), ("list",), ("watch", "--after-seq", "0", "--timeout", "0.01"))
    ]
    outputs.append(site.call("status", "--run-key", key + "?").err)
    for text in outputs:
        assert text.replace("\n", "").isprintable()
    assert site.status(key)["run_key"] == key


# --- 12 --------------------------------------------------------------------------------------------------------------


def test_12_a_locked_database_delays_the_answer_and_loses_nothing(site: Site) -> None:
    runner = site.stub("slow", SLOW)
    hold = site.calls_file + ".hold"
    open(hold, "w").close()
    site.reserve("k")
    dispatcher = site.run("--error-sleep", "0.1", runner=runner)
    dispatcher.await_event("orchesjob_start_call")
    locker = sqlite3.connect(site.url, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    os.unlink(hold)
    dispatcher.await_event("dispatcher_error")
    locker.execute("ROLLBACK")
    locker.close()
    dispatcher.await_event("dispatch_succeeded")
    assert site.starts() == ["k"]


# --- 13 --------------------------------------------------------------------------------------------------------------


def test_13_a_passing_failure_is_tried_again(any_site: Site) -> None:
    runner = os.path.join(any_site.folder, "upgraded")
    for number in range(5):
        any_site.reserve(f"k{number}")
    dispatcher = any_site.run(prog="bespeak job", runner=runner)
    dispatcher.await_event("dispatch_delayed", 5)
    any_site.stub("upgraded", RECORDING)
    dispatcher.await_event("dispatch_succeeded", 5)
    assert dispatcher.events("dispatch_failed") == []
    assert any_site.status("k0")["attempts"] > 1


def test_13_under_the_documented_name_a_failure_is_final(site: Site) -> None:
    site.reserve("k")
    events = site.once(runner="/no/such/runner")
    (failed,) = [event for event in events if event["event"] == "dispatch_failed"]
    assert "No such file or directory" in failed["error"]
    found = site.status("k")
    assert found["reservation_status"] == "DISPATCH_FAILED"
    assert "No such file or directory" in found["last_error"]


def test_13_requeue_revives(any_site: Site) -> None:
    any_site.reserve("k", "--expires-at", "2040-01-01")
    any_site.once(runner="/no/such/runner")
    answer = any_site.call("requeue", "--run-key", "k")
    found = answer.json["reservation"]
    assert (answer.code, found["reservation_status"], found["last_error"]) == (0, "RESERVED", None)
    any_site.once()
    assert any_site.status("k")["reservation_status"] == "DISPATCHED"
    assert any_site.call("requeue", "--run-key", "k").code == 6


def test_13_a_failure_stored_is_at_most_4000_characters(site: Site) -> None:
    runner = site.stub("talker", "#!/bin/sh\nhead -c 100000 /dev/zero | tr '\\0' x >&2; exit 1\n")
    site.reserve("k")
    site.once(runner=runner)
    assert len(site.status("k")["last_error"]) <= 4000


# --- 14 --------------------------------------------------------------------------------------------------------------


def test_14_another_command_under_our_run_key_is_not_ours(site: Site) -> None:
    runner = site.stub(
        "busy", '#!/bin/sh\necho \'{"job_id": "J", "existing": true, "status": "RUNNING", "command": ["other"]}\'\n'
    )
    site.reserve("k")
    (failed,) = [event for event in site.once(runner=runner) if event["event"] == "dispatch_failed"]
    assert "another command under run key 'k' (job J, RUNNING)" in failed["error"]
    assert site.status("k")["job_id"] is None


def test_14_with_the_real_runner(site: Site) -> None:
    def runner(*args: str) -> None:
        import sys

        subprocess.run(
            [sys.executable, "-m", "bespeak.runner", *args], check=True, env=site.environ(), capture_output=True
        )

    runner("start", "--run-key", "k", "--", "/bin/sleep", "3600")
    site.reserve("k")
    events = site.once(runner="embedded")
    assert [event["event"] for event in events if event["event"].startswith("dispatch_")] == ["dispatch_failed"]
    runner("abort", "--run-key", "k")
    site.call("requeue", "--run-key", "k")
    site.once(runner="embedded")
    assert site.status("k")["reservation_status"] == "DISPATCHED"


# --- 16 --------------------------------------------------------------------------------------------------------------


def test_16_everybody_can_tell_whether_a_dispatcher_lives(any_site: Site) -> None:
    assert any_site.call("health").code == 1
    dispatcher = any_site.run()
    health = any_site.call("health")
    assert (health.code, health.json["healthy"], health.json["dispatcher"]) == (0, True, "alive")
    assert any_site.call("reserve", "--run-key", "k", "--", "/bin/true").json["dispatcher"] == "alive"
    assert any_site.call("status", "--run-key", "k").json["dispatcher"] == "alive"
    assert any_site.call("list").json["dispatcher"] == "alive"
    dispatcher.kill()
    assert any_site.call("health").code == 1
    assert any_site.call("status", "--run-key", "k").json["dispatcher"] == "absent"


# --- 17 --------------------------------------------------------------------------------------------------------------


def test_17_files_are_private(site: Site) -> None:
    os.umask(0o022)
    site.reserve("k")
    dispatcher = site.run()
    dispatcher.await_event("dispatch_succeeded")
    home = os.path.dirname(site.url)
    assert stat.S_IMODE(os.stat(home).st_mode) == 0o700
    for name in os.listdir(home):
        assert stat.S_IMODE(os.stat(os.path.join(home, name)).st_mode) & 0o077 == 0, name


def test_17_a_database_of_the_original_loses_the_rights_of_others(site: Site) -> None:
    os.makedirs(os.path.dirname(site.url))
    sqlite3.connect(site.url).close()
    os.chmod(site.url, 0o644)
    site.reserve("k")
    assert stat.S_IMODE(os.stat(site.url).st_mode) == 0o600


def test_17_rights_that_were_given_on_purpose_stay(site: Site) -> None:
    site.reserve("k")
    os.chmod(site.url, 0o660)
    site.reserve("other")
    assert stat.S_IMODE(os.stat(site.url).st_mode) == 0o660


# --- 19 --------------------------------------------------------------------------------------------------------------


def test_19_nulls_are_shown_as_documented(site: Site) -> None:
    found = site.reserve("k")
    assert found["metadata"] is None
    assert "metadata_json" not in found
    for name in ("not_before_iso", "expires_at_iso", "dispatched_at_iso"):
        assert found[name] is None


def test_19_a_start_option_in_two_words_as_an_airflow_operator_sends_it(site: Site) -> None:
    answer = site.call("reserve", "--run-key", "k", "--orchesjob-start-option", "--strict", "--", "/bin/true")
    assert answer.json["reservation"]["orchesjob_start_options"] == ["--strict"]


# --- nothing cut, nothing guessed --------------------------------------------------------------------------------------


def test_the_output_of_a_job_is_printed_whole(site: Site) -> None:
    words = ["/bin/sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; echo end"]
    site.call("reserve", "--run-key", "k", "--", *words, runner="embedded")
    site.once(runner="embedded")
    site.call("wait", "--run-key", "k", runner="embedded")
    done = site.call("result", "--run-key", "k", "--logs", runner="embedded")
    assert done.code == 0
    assert done.json["stdout"] == "x" * 3_000_000 + "end\n"


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--expires-at", "1000"], "has passed"),
        (["--not-before", "+2h", "--expires-at", "+1h"], "not after --not-before"),
        (["--not-before", "2040-01-01", "--expires-at", "2040-01-01"], "not after --not-before"),
    ],
)
def test_a_reservation_that_can_never_start_is_refused(any_site: Site, args: list[str], told: str) -> None:
    command = ["--", "/bin/true"]
    refused = any_site.call("reserve", "--run-key", "k", *args, *command, prog="bespeak job")
    assert refused.code == 2
    assert told in refused.error
    assert any_site.call("list").json["reservations"] == []
    as_documented = any_site.call("reserve", "--run-key", "k", *args, *command)
    assert as_documented.code == 0
    of_the_document = told.replace("--", "").replace("not-before", "not_before")
    assert of_the_document in as_documented.json["warning"], "a document names its own keys"
    again = any_site.call("reserve", "--run-key", "k", *args, *command, prog="bespeak job")
    assert (again.code, again.json["created"]) == (0, False)
    any_site.call("cancel", "--run-key", "k")
    requeued = any_site.call("requeue", "--run-key", "k", *args)
    assert requeued.code == 2
    assert any_site.status("k")["reservation_status"] == "CANCELLED"


def test_reserving_what_will_not_run_says_so(site: Site) -> None:
    assert "warning" not in site.call("reserve", "--run-key", "k", "--", "/bin/true").json
    assert "warning" not in site.call("reserve", "--run-key", "k", "--", "/bin/true").json
    site.call("cancel", "--run-key", "k")
    warning = site.call("reserve", "--run-key", "k", "--", "/bin/true").json["warning"]
    assert "CANCELLED" in warning
    assert "requeue" in warning


@pytest.mark.parametrize("flag", ["--not-before", "--expires-at"])
def test_another_time_is_another_request(site: Site, flag: str) -> None:
    def same(*args: str) -> bool:
        return bool(site.call("reserve", "--run-key", "k", *args, "--", "/bin/true").json["same_request"])

    site.call("reserve", "--run-key", "k", flag, "2040-01-01", "--", "/bin/true")
    assert same(flag, "2040-01-01")
    assert not same(flag, "2040-01-02")
    assert not same()


# --- compatible where it is used ---------------------------------------------------------------------------------------


def test_start_options_of_the_runner_are_taken_by_the_embedded_one(site: Site) -> None:
    out = os.path.join(site.folder, "out")
    options = ["--sync", "--env", "COLOUR=red", "--cwd", "/usr"]
    given = [f"--orchesjob-start-option={option}" for option in options]
    site.call("reserve", "--run-key", "k", *given, "--", "/bin/sh", "-c", f'echo "$COLOUR $PWD" >{out}; sleep 2')
    site.call("reserve", "--run-key", "other", "--", "/bin/true")
    site.once(runner="embedded")
    assert [site.status(key)["reservation_status"] for key in ("k", "other")] == ["DISPATCHED", "DISPATCHED"]
    site.call("wait", "--run-key", "k", runner="embedded")
    with open(out, encoding="utf-8") as file:
        assert file.read() == "red /usr\n"


def test_the_documented_program_starts_one_after_the_other(site: Site) -> None:
    runner = site.stub("counting", RECORDING.replace("start)", 'start) echo "$3" >>"$STUB_LOG.now"; sleep 0.3;'
        ' wc -l <"$STUB_LOG.now" >>"$STUB_LOG.many"; sed -i 1d "$STUB_LOG.now";'))  # fmt: skip
    for key in ("a", "b", "c"):
        site.reserve(key)
    site.once(runner=runner)
    with open(site.calls_file + ".many", encoding="ascii") as file:
        assert file.read().split() == ["1", "1", "1"]
    assert site.run(runner=runner).events("reserver_started")[0]["max_starts"] == 1


# --- what a job inherits -----------------------------------------------------------------------------------------------

MANAGER = {
    "NOTIFY_SOCKET": "/run/none",
    "WATCHDOG_USEC": "60000000",
    "WATCHDOG_PID": "1",
    "INVOCATION_ID": "0123",
    "JOURNAL_STREAM": "1:2",
    "LISTEN_FDS": "1",
}


@pytest.mark.parametrize("runner", ["embedded", ""])
def test_a_job_is_not_told_about_the_service_of_the_dispatcher(site: Site, runner: str) -> None:
    out = os.path.join(site.folder, "out")
    runner = runner or site.stub("direct", RECORDING.replace("start)", 'start) while [ "$1" != -- ]; do shift; done;'
        ' shift; "$@"; set -- start --run-key k;'))  # fmt: skip
    site.call("reserve", "--run-key", "k", "--", "/bin/sh", "-c", f"env >{out}.part; mv {out}.part {out}")
    site.once(runner=runner, env={**MANAGER, "KEPT": "1"})
    until(lambda: os.path.exists(out), "the job")
    with open(out, encoding="utf-8") as file:
        names = {line.partition("=")[0] for line in file}
    assert not names & set(MANAGER)
    assert "KEPT" in names


def test_no_process_and_no_event_shows_the_variables_of_a_job(site: Site) -> None:
    secret = f"hunter{os.urandom(8).hex()}"  # another run of this test on this machine has another one
    out, go = (os.path.join(site.folder, name) for name in ("out", "go"))
    body = f'echo "$TOKEN" >{out}; while [ ! -e {go} ]; do sleep 0.05; done'
    made = site.call(
        "reserve", "--run-key", "k", "--env", f"TOKEN={secret}", "--cwd", "/usr", "--", "/bin/sh", "-c", body
    )
    assert made.code == 0
    dispatcher = site.run(runner="embedded")
    dispatcher.await_event("dispatch_succeeded")
    until(lambda: os.path.exists(out) and os.path.getsize(out), "the job")
    shown = [pid for pid in os.listdir("/proc") if pid.isdigit() and secret.encode() in words_of(pid)]
    with open(go, "w", encoding="ascii"):
        pass
    with open(out, encoding="utf-8") as file:
        assert file.read() == f"{secret}\n"
    assert shown == []
    (call,) = dispatcher.events("orchesjob_start_call")
    assert "TOKEN" in str(call)
    assert secret not in json.dumps(dispatcher.events())


def test_no_event_shows_variables_that_a_foreign_runner_is_given(site: Site) -> None:
    site.call(
        "reserve", "--run-key", "k", "--env", "TOKEN=hunter2x", "--orchesjob-start-option=--env=A=hunter2x",
        "--orchesjob-start-option=--env", "--orchesjob-start-option=B=hunter2x", "--", "/bin/true",
    )  # fmt: skip
    dispatcher = site.run("--orchesjob-start-option=--env=C=hunter2x")
    dispatcher.await_event("dispatch_succeeded")
    assert "hunter2x" not in json.dumps(dispatcher.events())
    assert "hunter2x" in "\n".join(site.calls())


def words_of(pid: str) -> bytes:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""
