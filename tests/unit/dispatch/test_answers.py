"""What a runner's answers mean, and what a claim does next: tables of cases, no processes."""

import json
from itertools import pairwise

import pytest

from bespeak.dispatch.answers import Reply, Verdict, of_question, of_start
from bespeak.dispatch.launch import ask_words, full_command, start_words
from bespeak.dispatch.model import COLUMNS, Job, Status
from bespeak.dispatch.place import Runner
from bespeak.dispatch.work import Next, Phase, Rules, Work

EMBEDDED = Runner(("python", "-m", "bespeak.runner"), "bespeak runner", embedded=True)
FOREIGN = Runner(("orchesjob",), "orchesjob", embedded=False)


def a_job(**values: object) -> Job:
    row = dict.fromkeys(COLUMNS)
    row |= {
        "reservation_id": "R", "run_key": "k", "command_json": '["/bin/x", "1"]', "reservation_status": "DISPATCHING",
        "orchesjob_start_options_json": '["--strict"]', "created_at": 100, "updated_at": 100, "claim_no": 1,
        "claimed_us": 100_500_000, "attempts": 1, "site": "", "next_us": 0, "seq": 1,
    }  # fmt: skip
    row |= values
    return Job(tuple(row[name] for name in COLUMNS))


def reply(code: int | None = 0, note: str = "", called: bool = True, err: str = "", **fields: object) -> Reply:
    return Reply(code, json.dumps(fields) if fields else "", err, note, called=called)


@pytest.mark.parametrize(
    ("answer", "verdict", "told"),
    [
        (reply(job_id="J"), Verdict.STARTED, ""),
        (reply(job_id="J", existing=True, command=["/bin/x", "1"]), Verdict.STARTED, ""),
        (reply(job_id="J", existing=True, idempotency_key="R", command=["other"]), Verdict.STARTED, ""),
        (
            reply(job_id="J", existing=True, idempotency_key="other", command=["/bin/x", "1"]),
            Verdict.FAILED,
            "another command",
        ),
        (
            reply(job_id="J", existing=True, command=["/bin/y"], status="RUNNING"),
            Verdict.FAILED,
            "another command under run key 'k' (job J, RUNNING)",
        ),
        (reply(job_id=7), Verdict.FAILED, "no job_id"),
        (Reply(0, "not json"), Verdict.FAILED, "printed no JSON object: not json"),
        (Reply(0, "[" * 100_000), Verdict.FAILED, "printed no JSON object"),
        (Reply(5, "out", "bad thing"), Verdict.FAILED, "exit_code=5\nstderr=bad thing"),
        (Reply(None, note="No such file or directory", called=False), Verdict.FAILED, "No such file"),
        (Reply(None, note="took longer than 3 s"), Verdict.UNKNOWN, "took longer than 3 s"),
        (Reply(-9), Verdict.UNKNOWN, "signal"),
    ],
)
def test_start(answer: Reply, verdict: Verdict, told: str) -> None:
    found = of_start(answer, a_job(), "orchesjob start")
    assert found.verdict is verdict
    assert told in found.error


@pytest.mark.parametrize(
    ("answer", "embedded", "verdict"),
    [
        (Reply(3, "", "no such key"), True, Verdict.FAILED),
        (Reply(1, "", "run_key not found"), False, Verdict.FAILED),
        (reply(job_id="J", status="RUNNING"), True, Verdict.STARTED),
        (reply(job_id="J", status="FAILED"), True, Verdict.STARTED),
        (reply(job_id="J", status="STARTING"), True, Verdict.FAILED),
        (reply(job_id="J", status="LOST"), True, Verdict.FAILED),
        (reply(job_id="J", command=["/bin/x", "1"], started_at=100), False, Verdict.STARTED),
        (reply(job_id="J", command=["/bin/x", "1"], started_at=99), False, Verdict.FAILED),
        (reply(job_id="J", command=["/bin/y"], started_at=100), False, Verdict.FAILED),
        (reply(job_id="J"), False, Verdict.FAILED),
        (Reply(1, "", "database is locked"), False, Verdict.UNKNOWN),
        (Reply(None, note="took longer than 3 s"), True, Verdict.UNKNOWN),
        (Reply(0, "nonsense"), True, Verdict.UNKNOWN),
    ],
)
def test_question(answer: Reply, embedded: bool, verdict: Verdict) -> None:
    assert of_question(answer, a_job(), embedded=embedded).verdict is verdict


def rules(*, embedded: bool = False, retries: int = 0) -> Rules:
    return Rules("x start", embedded=embedded, retries=retries)


def test_a_failed_start_without_retries_fails_at_once() -> None:
    work = Work(a_job(), Phase.START)
    assert work.take(Reply(5, "", "no"), rules(), 0) is Next.STORE
    assert work.outcome is not None
    assert work.outcome.status is Status.DISPATCH_FAILED


def test_a_failed_start_with_retries_waits_longer_each_time() -> None:
    delays = []
    for attempts in range(1, 11):
        work = Work(a_job(attempts=attempts), Phase.START)
        work.take(Reply(5), rules(retries=10), 1_000_000)
        assert work.outcome is not None
        assert work.outcome.status is Status.RESERVED
        delays.append(work.outcome.next_us - 1_000_000)
    assert all(later > earlier for earlier, later in pairwise(delays[:7]))
    assert max(delays) <= 60_000_000


def test_retries_end_with_their_number_or_with_the_expiry() -> None:
    out_of_tries = Work(a_job(attempts=4), Phase.START)
    out_of_tries.take(Reply(5), rules(retries=3), 0)
    out_of_time = Work(a_job(attempts=1, expires_at=10), Phase.START)
    out_of_time.take(Reply(5, "", "why"), rules(retries=3), 9_900_000)
    for work in (out_of_tries, out_of_time):
        assert work.outcome is not None
        assert work.outcome.status is Status.DISPATCH_FAILED


def test_an_unanswered_start_is_asked_about_and_adopted() -> None:
    work = Work(a_job(), Phase.START)
    assert work.take(Reply(None, note="took longer"), rules(embedded=True), 0) is Next.CALL
    assert work.phase is Phase.CONFIRM
    assert work.take(reply(job_id="J"), rules(embedded=True), 0) is Next.STORE
    assert work.adopted
    assert work.outcome is not None
    assert work.outcome.job_id == "J"


def test_what_was_taken_over_is_started_only_after_the_runner_said_no() -> None:
    work = Work(a_job(), Phase.ASK)
    assert work.take(Reply(None, note="?"), rules(), 0) is Next.LATER
    assert work.take(Reply(3), rules(), 0) is Next.CALL
    assert work.phase is Phase.START


def test_a_start_that_was_cut_short_is_made_again_under_its_key() -> None:
    work = Work(a_job(), Phase.START)
    for _ in range(4):
        assert work.take(Reply(None, note="the helper ended"), rules(embedded=True), 0) is Next.CALL
        assert work.take(reply(job_id="J", status="STARTING"), rules(embedded=True), 0) is Next.CALL
        assert work.phase is Phase.START
    assert work.take(Reply(None, note="the helper ended"), rules(embedded=True), 0) is Next.CALL
    assert work.take(Reply(3), rules(embedded=True), 0) is Next.STORE
    assert work.outcome is not None
    assert work.outcome.status is Status.DISPATCH_FAILED


@pytest.mark.parametrize(("embedded", "status"), [(True, Status.RESERVED), (False, Status.DISPATCH_FAILED)])
def test_a_runner_that_never_says_is_tried_again_only_if_that_is_safe(embedded: bool, status: Status) -> None:
    work = Work(a_job(), Phase.ASK)
    told = rules(embedded=embedded, retries=9)
    while work.take(Reply(None, note="?"), told, 0) is Next.LATER:
        pass
    assert work.outcome is not None
    assert work.outcome.status is status


def test_only_the_embedded_runner_is_told_the_key_of_the_reservation() -> None:
    assert start_words(a_job(), EMBEDDED, ["--start-timeout=3"]) == [
        "start", "--run-key", "k", "--idempotency-key", "R", "--start-timeout=3", "--strict", "--", "/bin/x", "1",
    ]  # fmt: skip
    assert start_words(a_job(), FOREIGN, []) == ["start", "--run-key", "k", "--strict", "--", "/bin/x", "1"]
    assert ask_words(a_job(), EMBEDDED) == ["status", "--idempotency-key", "R"]
    assert ask_words(a_job(), FOREIGN) == ["status", "--run-key", "k"]


def test_a_run_key_that_looks_like_a_flag_goes_in_one_word() -> None:
    assert start_words(a_job(run_key="--x"), FOREIGN, [])[1] == "--run-key=--x"


def test_env_cwd_and_retry_stand_in_front_of_the_command() -> None:
    extras = {"env": {"A": "1 2"}, "cwd": "/tmp/x y", "retry": 2, "retry_delay_seconds": 0.5}
    words = full_command(a_job(extras_json=json.dumps(extras)))
    assert words[:3] == ["env", "--chdir=/tmp/x y", "A=1 2"]
    assert words[-2:] == ["/bin/x", "1"]


def test_bytes_that_are_no_utf_8_survive_the_store() -> None:
    command = [b"\xff\xfe".decode("utf-8", "surrogateescape"), "é", "\U0001f600"]
    assert a_job(command_json=json.dumps(command)).command == command
