"""What a runner's answers mean, and what a claim does next: tables of cases, no processes."""

import json
from itertools import pairwise

import pytest

from bespeak.jobs.claim_state import ClaimState, NextStep, Phase, StartRules
from bespeak.jobs.model import COLUMNS, JobReservation, Status
from bespeak.jobs.runner_client.full_command import ask_words, full_command, start_words
from bespeak.jobs.runner_client.location import Runner
from bespeak.jobs.runner_client.replies import Reply, Verdict, of_question, of_start, reported_job

EMBEDDED = Runner(("python", "-m", "bespeak.runner"), "bespeak runner", embedded=True)
FOREIGN = Runner(("orchesjob",), "orchesjob", embedded=False)


def a_job(**values: object) -> JobReservation:
    row = dict.fromkeys(COLUMNS)
    row |= {
        "reservation_id": "R", "run_key": "k", "command_json": '["/bin/x", "1"]', "reservation_status": "DISPATCHING",
        "orchesjob_start_options_json": '["--strict"]', "created_at": 100, "updated_at": 100, "claim_no": 1,
        "claimed_us": 100_500_000, "first_claimed_us": 100_500_000, "attempts": 1, "site": "", "next_us": 0, "seq": 1,
    }  # fmt: skip
    row |= values
    return JobReservation(*(row[name] for name in COLUMNS))


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
            Verdict.NOT_STARTED,
            "another command",
        ),
        (
            reply(job_id="J", existing=True, command=["/bin/y"], status="RUNNING"),
            Verdict.NOT_STARTED,
            "another command under run key 'k' (job J, RUNNING)",
        ),
        (reply(job_id="J", existing=True), Verdict.UNKNOWN, "without its command"),
        (reply(job_id="J", run_key="other"), Verdict.UNKNOWN, "a job of run key 'other'"),
        (reply(job_id=7), Verdict.UNKNOWN, "no job_id"),
        (reply(job_id="J\ud800"), Verdict.UNKNOWN, "no job_id"),
        (reply(job_id="J\0"), Verdict.UNKNOWN, "no job_id"),
        (Reply(0, ""), Verdict.UNKNOWN, "printed no JSON object"),
        (Reply(0, "not json"), Verdict.UNKNOWN, "printed no JSON object: not json"),
        (Reply(0, "\udcff\udcfe"), Verdict.UNKNOWN, "printed no JSON object: \\udcff"),
        (Reply(0, "[" * 100_000), Verdict.UNKNOWN, "printed no JSON object"),
        (Reply(0, '{"job_id": "J", "command": ["a'), Verdict.UNKNOWN, "printed no JSON object"),
        (Reply(5, "out", "bad thing"), Verdict.UNKNOWN, "exit_code=5\nstderr=bad thing"),
        (Reply(1, '{"job_id": "J"}'), Verdict.UNKNOWN, "exit_code=1"),
        (Reply(0, 'W: old config\n{"job_id": "J"}\n'), Verdict.STARTED, ""),
        (Reply(0, 'W: old {config} {"job_id": "J"}'), Verdict.STARTED, ""),
        (Reply(0, '[INFO] hello\n{"level": "info"}\n{"job_id": "J"}\n{"level": "done"}'), Verdict.STARTED, ""),
        (Reply(0, '{"job_id": "I", "run_key": "other"}\n{"job_id": "J", "run_key": "k"}'), Verdict.STARTED, ""),
        (Reply(0, '{"job_id": "I"}\n{"job_id": "J"}'), Verdict.UNKNOWN, "printed several jobs: I, J"),
        (Reply(None, note="No such file or directory", called=False), Verdict.NOT_STARTED, "No such file"),
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
        (Reply(3, "", "no such key"), True, Verdict.NOT_STARTED),
        (Reply(1, "", "run_key not found"), False, Verdict.NOT_STARTED),
        (Reply(1, "", "orchesjob: No jobs found for run_key: k"), False, Verdict.NOT_STARTED),
        (Reply(127, "", "sh: 1: orchesjob: not found"), False, Verdict.UNKNOWN),
        (Reply(1, "", "docker: command not found"), False, Verdict.UNKNOWN),
        (Reply(None, note="No such file or directory", called=False), False, Verdict.UNKNOWN),
        (reply(job_id="J", status="RUNNING"), True, Verdict.STARTED),
        (reply(job_id="J", status="RUNNING", idempotency_key="other"), True, Verdict.UNKNOWN),
        (reply(job_id="J", status="FAILED"), True, Verdict.STARTED),
        (reply(job_id="J", status="STARTING"), True, Verdict.NOT_STARTED),
        (reply(job_id="J", status="LOST"), True, Verdict.NOT_STARTED),
        (reply(job_id="J", command=["/bin/x", "1"], started_at=100), False, Verdict.STARTED),
        (reply(job_id="J", command=["/bin/x", "1"], started_at=99), False, Verdict.UNKNOWN),
        (reply(job_id="J", command=["/bin/x", "1"], started_at=100 - 12 * 3600), False, Verdict.NOT_STARTED),
        (reply(job_id="J", command=["/bin/x", "1"], started_at=-(10**6), finished_at=99), False, Verdict.NOT_STARTED),
        (reply(job_id="J", command=["/bin/x", "1"], started_at=-(10**6), finished_at=100), False, Verdict.UNKNOWN),
        (reply(job_id="J", command=["/bin/y"], started_at=-(10**6), finished_at=100), False, Verdict.NOT_STARTED),
        (reply(job_id="J", command=["/bin/x", "1"]), False, Verdict.STARTED),
        (reply(job_id="J", command=["/bin/y"], started_at=99), False, Verdict.NOT_STARTED),
        (reply(job_id="J", command=["/bin/y"], started_at=100), False, Verdict.UNKNOWN),
        (reply(job_id="J", command=["/bin/y"]), False, Verdict.UNKNOWN),
        (reply(job_id="J", run_key="other", command=["/bin/x", "1"], started_at=100), False, Verdict.UNKNOWN),
        (reply(job_id="J"), False, Verdict.UNKNOWN),
        (Reply(1, "", "database is locked"), False, Verdict.UNKNOWN),
        (Reply(None, note="took longer than 3 s"), True, Verdict.UNKNOWN),
        (Reply(0, "nonsense"), True, Verdict.UNKNOWN),
    ],
)
def test_question(answer: Reply, embedded: bool, verdict: Verdict) -> None:
    assert of_question(answer, a_job(), embedded=embedded, now_us=200_000_000).verdict is verdict


def test_a_clock_that_was_set_back_makes_no_job_older_than_its_claim() -> None:
    answer = reply(job_id="J", command=["/bin/x", "1"], started_at=60)
    assert of_question(answer, a_job(), embedded=False, now_us=61_000_000).verdict is Verdict.UNKNOWN


def test_garbage_of_any_length_is_read_in_bounded_time() -> None:
    assert reported_job('{"a": [\n' * 100_000, "k")[0] is None
    assert reported_job('{"a": "' + "{" * 1_000_000, "k")[0] is None
    assert reported_job("{ noise }\n" * 100_000 + '{"job_id": "J"}', "k")[0] == {"job_id": "J"}


NOT_CALLED = Reply(None, note="No such file or directory", called=False)


def rules(*, embedded: bool = False, retries: int = 0) -> StartRules:
    return StartRules("x start", embedded=embedded, retries=retries)


def test_a_failed_start_without_retries_fails_at_once() -> None:
    work = ClaimState(a_job(), Phase.START)
    assert work.take(NOT_CALLED, rules(), 0) is NextStep.STORE
    assert work.outcome is not None
    assert work.outcome.status is Status.DISPATCH_FAILED
    assert work.outcome.untouched


@pytest.mark.parametrize("embedded", [True, False])
def test_a_start_that_ends_badly_has_failed_only_if_the_runner_says_so(embedded: bool) -> None:
    work = ClaimState(a_job(), Phase.START)
    assert work.take(Reply(5, "", "why"), rules(embedded=embedded), 0) is NextStep.CALL
    assert work.phase is Phase.CONFIRM
    assert work.take(Reply(3), rules(embedded=embedded), 0) is NextStep.STORE
    assert work.outcome is not None
    assert work.outcome.status is Status.DISPATCH_FAILED
    assert "stderr=why" in str(work.outcome.error)
    assert not work.outcome.untouched


def test_a_failed_start_with_retries_waits_longer_each_time() -> None:
    delays = []
    for attempts in range(1, 11):
        work = ClaimState(a_job(attempts=attempts), Phase.START)
        work.take(NOT_CALLED, rules(retries=10), 1_000_000)
        assert work.outcome is not None
        assert work.outcome.status is Status.RESERVED
        delays.append(work.outcome.next_us - 1_000_000)
    assert all(later > earlier for earlier, later in pairwise(delays[:7]))
    assert max(delays) <= 60_000_000


def test_retries_end_with_their_number_or_with_the_expiry() -> None:
    out_of_tries = ClaimState(a_job(attempts=4), Phase.START)
    out_of_tries.take(NOT_CALLED, rules(retries=3), 0)
    out_of_time = ClaimState(a_job(attempts=1, expires_at=10), Phase.START)
    out_of_time.take(NOT_CALLED, rules(retries=3), 9_900_000)
    for work in (out_of_tries, out_of_time):
        assert work.outcome is not None
        assert work.outcome.status is Status.DISPATCH_FAILED


def test_an_unanswered_start_is_asked_about_and_adopted() -> None:
    work = ClaimState(a_job(), Phase.START)
    assert work.take(Reply(None, note="took longer"), rules(embedded=True), 0) is NextStep.CALL
    assert work.phase is Phase.CONFIRM
    assert work.take(reply(job_id="J"), rules(embedded=True), 0) is NextStep.STORE
    assert work.adopted
    assert work.outcome is not None
    assert work.outcome.job_id == "J"


def test_what_was_taken_over_is_started_only_after_the_runner_said_no() -> None:
    work = ClaimState(a_job(), Phase.ASK)
    assert work.take(Reply(None, note="?"), rules(), 0) is NextStep.LATER
    assert work.take(Reply(3), rules(), 0) is NextStep.CALL
    assert work.phase is Phase.START


def test_a_start_that_was_cut_short_is_made_again_under_its_key() -> None:
    work = ClaimState(a_job(), Phase.START)
    for _ in range(4):
        assert work.take(Reply(None, note="the helper ended"), rules(embedded=True), 0) is NextStep.CALL
        assert work.take(reply(job_id="J", status="STARTING"), rules(embedded=True), 0) is NextStep.CALL
        assert work.phase is Phase.START
    assert work.take(Reply(None, note="the helper ended"), rules(embedded=True), 0) is NextStep.CALL
    assert work.take(Reply(3), rules(embedded=True), 0) is NextStep.STORE
    assert work.outcome is not None
    assert work.outcome.status is Status.DISPATCH_FAILED


@pytest.mark.parametrize("embedded", [True, False])
@pytest.mark.parametrize("phase", [Phase.ASK, Phase.CONFIRM])
def test_what_the_runner_never_tells_is_not_repeated(embedded: bool, phase: Phase) -> None:
    work = ClaimState(a_job(), phase)
    pauses = []
    while work.take(Reply(None, note="?"), rules(embedded=embedded, retries=9), 0) is NextStep.LATER:
        pauses.append(work.pause_seconds)
    assert pauses == sorted(pauses)
    assert work.outcome is not None
    assert work.outcome.status is Status.START_UNKNOWN
    assert "may have been started" in str(work.outcome.error)


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
