"""Dispatch under any order of events: the states follow the table, and no two decisions contradict each other."""

import json
import os
import shutil
import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bespeak.base import ids
from bespeak.base.errors import UsageError, WrongStateError
from bespeak.base.json_text import compact, printable
from bespeak.jobs import claiming, liveness, store, takeover
from bespeak.jobs.claiming import StartOutcome
from bespeak.jobs.cli import read_words
from bespeak.jobs.contract_times import EARLIEST_S, LATEST_S, iso_seconds, read_instant
from bespeak.jobs.liveness import DispatcherRecord
from bespeak.jobs.model import TRANSITIONS, Status
from bespeak.jobs.schema import COMPONENT, LOCK
from bespeak.jobs.store import JobSpec
from bespeak.storage import open_engine

START_US = 1_800_000_000_000_000
KEYS = st.sampled_from([f"k{number}" for number in range(5)])
NAMES = st.sampled_from(["a", "b", "c"])


class Dispatching(RuleBasedStateMachine):
    """Callers, three dispatchers that may die or sleep, and a clock that jumps, against what they were told."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.now_us = START_US
        self.engine = open_engine(
            os.path.join(self.folder, "store"), (COMPONENT,), durable=False, now=lambda: self.now_us, foreign=True
        )
        self.held: dict[str, list] = {"a": [], "b": [], "c": []}
        self.started: dict[str, int] = {}
        self.seen = 0
        self.state: dict[str, str] = {}

    def line(self, name: str) -> DispatcherRecord:
        return DispatcherRecord(name, "", "host", f"elsewhere/1/1/{name}", "home", "runner", 1, 0, 0, 0)

    def transact(self, work):
        return self.engine.transact((LOCK,), work)

    @rule(key=KEYS, delay=st.none() | st.integers(-100, 100), window=st.none() | st.integers(1, 100))
    def reserve(self, key: str, delay: int | None, window: int | None) -> None:
        now_s = self.now_us // 1_000_000
        due = None if delay is None else now_s + delay
        wish = JobSpec(key, ["x"], not_before=due, expires_at=None if window is None else now_s + window)
        answer = store.reserve(self.engine, wish, ids.new_id())
        assert answer.created == (key not in self.state)

    @rule(key=KEYS)
    def cancel(self, key: str) -> None:
        if key not in self.state:
            return
        before = self.state[key]
        try:
            store.cancel(self.engine, run_key=key, reservation_id=None)
        except WrongStateError:
            assert before in (Status.DISPATCHING, Status.CANCELLED)
        else:
            assert before not in (Status.DISPATCHING, Status.CANCELLED)

    @rule(key=KEYS)
    def requeue(self, key: str) -> None:
        if key not in self.state:
            return
        before = self.state[key]
        try:
            store.requeue(self.engine, store.look(self.engine, run_key=key, reservation_id=None).job)
        except WrongStateError:
            assert before in (Status.RESERVED, Status.DISPATCHING, Status.DISPATCHED)
        else:
            assert before in (Status.DISPATCH_FAILED, Status.EXPIRED, Status.CANCELLED)

    @rule(name=NAMES, slots=st.integers(0, 3))
    def claim(self, name: str, slots: int) -> None:
        taken = self.transact(lambda tx: claiming.step(tx, self.line(name), (), slots))
        assert len(taken.claimed) <= slots
        now_s = self.now_us // 1_000_000
        for job in taken.claimed:
            assert job.not_before is None or job.not_before <= now_s
            assert job.expires_at is None or job.expires_at > now_s
        self.held[name] += taken.claimed

    @rule(name=NAMES, end=st.sampled_from(["started", "failed", "again"]))
    def finish(self, name: str, end: str) -> None:
        if not self.held[name]:
            return
        job = self.held[name].pop()
        outcome = {
            "started": StartOutcome(job, Status.DISPATCHED, job_id=f"job-{job.reservation_id}"),
            "failed": StartOutcome(job, Status.DISPATCH_FAILED, error="no"),
            "again": StartOutcome(job, Status.RESERVED, error="no", next_us=self.now_us + 1_000_000),
        }[end]
        taken = self.transact(lambda tx: claiming.step(tx, self.line(name), [outcome], 0))
        if end == "started" and not taken.lost:
            self.started[job.run_key] = self.started.get(job.run_key, 0) + 1

    @rule(name=NAMES)
    def recover(self, name: str) -> None:
        mine = frozenset(job.reservation_id for job in self.held[name])

        def work(tx):
            liveness.register(tx, self.line(name))
            return takeover.recover(tx, self.line(name), mine, 10)

        self.held[name] += self.transact(work)

    @rule(name=NAMES)
    def die(self, name: str) -> None:
        self.held[name] = []

    @rule(seconds=st.sampled_from([1, 5, 30, 600, -600]))
    def clock(self, seconds: int) -> None:
        self.now_us += seconds * 1_000_000

    @invariant()
    def states_follow_the_table(self) -> None:
        sql = (
            "SELECT seq, run_key, reservation_status FROM dispatch_log WHERE seq > :seen AND run_key <> '' ORDER BY seq"
        )
        for seq, key, status in self.engine.read(lambda tx: tx.fetch_all(sql, {"seen": self.seen})):
            before = self.state.get(key)
            if before is None:
                assert status == Status.RESERVED
            elif not (before == status == Status.DISPATCHING):  # a take-over
                assert Status(status) in TRANSITIONS[Status(before)]
            self.state[key] = status
            self.seen = seq
        rows = self.engine.read(
            lambda tx: tx.fetch_all("SELECT run_key, reservation_status, owner, job_id FROM reservations")
        )
        for key, status, owner, job_id in rows:
            if status != Status.DISPATCHING:
                assert owner is None
            assert (job_id is not None) == (status == Status.DISPATCHED)
            assert self.state[key] == status or status == Status.DISPATCHING

    @invariant()
    def nothing_is_started_twice(self) -> None:
        assert all(count == 1 for count in self.started.values())

    def teardown(self) -> None:
        self.engine.close()
        shutil.rmtree(self.folder)


TestDispatching = Dispatching.TestCase
TestDispatching.settings = settings(max_examples=40, stateful_step_count=40)


@given(
    st.lists(
        st.binary(max_size=20).map(lambda data: data.replace(b"\0", b"").decode("utf-8", "surrogateescape")), max_size=5
    )
)
def test_any_bytes_of_a_command_survive_the_store_and_print_as_utf_8(words: list[str]) -> None:
    stored = compact(words)
    stored.encode("ascii")
    assert json.loads(stored) == words
    assert json.loads(printable(words).encode().decode()) == words


@given(st.integers(EARLIEST_S, LATEST_S))
def test_every_instant_that_is_shown_can_be_typed(seconds: int) -> None:
    shown = iso_seconds(seconds)
    assert shown is not None
    assert read_instant(shown, "--not-before", START_US) == seconds
    if seconds >= 0:  # a sign makes a number ambiguous: a delay, or an instant before 1970
        assert read_instant(str(seconds), "--not-before", START_US) == seconds


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_as_an_instant(text: str) -> None:
    told = ""
    try:
        assert EARLIEST_S <= read_instant(text, "--not-before", START_US) <= LATEST_S
    except UsageError as error:
        told = str(error)
    assert not told or told.isprintable()


@given(
    st.lists(
        st.sampled_from(["--", "--run-key", "k", "--all", "--run-key=x", "-x", "", "--needs", "--env", "é"]), max_size=8
    )
)
def test_any_command_line_is_read_or_refused(words: list[str]) -> None:
    try:
        found = read_words(["reserve", *words], "bespeak job")
    except UsageError:
        return
    command = list(found.values["tail"])
    assert words[len(words) - len(command) :] == command
