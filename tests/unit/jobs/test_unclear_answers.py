"""Runners that start the job and then answer badly: the body runs once, and the job is found, or its start is unknown."""

import pytest

from support.job_sites import RESERVER, Site
from support.runners import GOOD, RUNNER, reserve, runner, runs

ANSWERS = {
    "a line before": "echo 'W: config is old'; " + GOOD,
    "noise around": 'echo "[INFO] {starting}"; ' + GOOD + '; echo \'{"level": "info"}\'',
    "exit code 1": GOOD + "; exit 1",
    "exit code 3": GOOD + "; exit 3",
    "a signal": "kill -KILL $$",
    "nothing": ":",
    "garbage": "head -c 3000 /dev/urandom",
    "no UTF-8": r"printf '{\"job_id\": \"\377\"}'",
    "a NUL": r"""printf '{"job_id": "a\\u0000b"}'""",
    "half of it": "head -c 30 $STUB_LOG.job",
    "an empty object": "echo '{}'",
    "a list": "echo '[]'",
    "another key's job": """echo '{"job_id": "other", "run_key": "other"}'""",
    "two jobs": """echo '{"job_id": "other"}'; """ + GOOD,
    "a message only": "echo 'boom: not found' >&2; exit 1",
}


@pytest.mark.parametrize("prog", [RESERVER, "bespeak job"])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_a_started_job_is_found_whatever_was_answered(site: Site, answer: str, prog: str) -> None:
    body = reserve(site)
    site.once(prog=prog, runner=runner(site, answer))
    assert runs(body) == 1
    found = site.status("k")
    assert (found["reservation_status"], found["job_id"]) == ("DISPATCHED", "job-k")


def test_an_answer_of_any_length_is_read_whole(site: Site) -> None:
    body = reserve(site)
    pad = """printf '{"pad": "'; head -c 3000000 /dev/zero | tr '\\0' x; printf '", '; tail -c +2 $STUB_LOG.job"""
    site.once(runner=runner(site, pad, status="exit 1"))
    assert runs(body) == 1
    assert site.status("k")["job_id"] == "job-k"


def test_what_the_runner_cannot_tell_is_never_repeated(site: Site) -> None:
    body = reserve(site)
    silent = runner(site, "exit 1", status='[ -e "$STUB_LOG.mute" ] && { echo "database is locked" >&2; exit 1; }')
    open(site.calls_file + ".mute", "w").close()
    dispatcher = site.run(runner=silent)
    (event,) = dispatcher.await_event("start_unknown")
    assert event["run_key"] == "k"
    assert dispatcher.stop() == 0
    found = site.status("k")
    assert found["reservation_status"] == "START_UNKNOWN"
    assert "may have been started" in found["last_error"]
    assert "database is locked" in found["last_error"]
    for _ in range(2):
        site.once(runner=silent)
    assert runs(body) == 1
    assert len(site.starts()) == 1


def unknown(site: Site) -> str:
    """Bring ``k`` into START_UNKNOWN; return the file that its body writes."""
    body = reserve(site)
    site.once(runner=runner(site, "exit 1", status='[ -e "$STUB_LOG.job" ] && exit 1'))
    assert site.status("k")["reservation_status"] == "START_UNKNOWN"
    return body


def test_requeue_asks_the_runner_again_and_adopts(site: Site) -> None:
    body = unknown(site)
    assert site.call("requeue", "--run-key", "k").json["reservation"]["reservation_status"] == "RESERVED"
    site.once(runner=runner(site, GOOD))
    assert runs(body) == 1
    assert site.status("k")["job_id"] == "job-k"


def test_requeue_by_force_starts_it(site: Site) -> None:
    body = unknown(site)
    assert site.call("requeue", "--run-key", "k", "--force").code == 0
    site.once(runner=runner(site, GOOD))
    assert runs(body) == 2
    assert site.status("k")["reservation_status"] == "DISPATCHED"


def test_an_unknown_start_is_told_by_every_command(site: Site) -> None:
    unknown(site)
    for words in (("cancel",), ("wait", "--timeout", "5s"), ("result",)):
        answer = site.call(words[0], "--run-key", "k", *words[1:])
        assert answer.code in (5, 6)
        assert "START_UNKNOWN" in answer.error
    assert site.call("clean", "--all").json["deleted"] == 0
    assert site.call("list", "--status", "START_UNKNOWN").json["reservations"][0]["run_key"] == "k"
    health = site.call("health")
    assert health.code == 1
    assert health.json["reservations"] == {"START_UNKNOWN": 1}
    found = site.status("k")
    assert site.call("clean", "--reservation-id", found["reservation_id"]).json["deleted"] == 1


def test_what_certainly_did_not_start_is_tried_again(site: Site) -> None:
    body = reserve(site)
    flaky = runner(site, GOOD)
    with open(flaky, encoding="utf-8") as file:
        text = file.read()
    first = 'if [ "$command" = start ] && [ ! -e "$STUB_LOG.tried" ]; then : >"$STUB_LOG.tried"; exit 1; fi\n'
    site.stub("unclear", text.replace('case "$command"', first + 'case "$command"'))
    site.once(prog="bespeak job", runner=flaky)
    assert site.status("k")["reservation_status"] == "RESERVED"
    dispatcher = site.run(prog="bespeak job", runner=flaky)
    dispatcher.await_event("dispatch_succeeded")
    assert dispatcher.stop() == 0
    assert runs(body) == 1
    assert [line.split(" ")[0] for line in site.calls()] == ["start", "status", "status", "start"]


def test_somebody_elses_job_under_the_key_is_not_ours(site: Site) -> None:
    reserve(site)
    other = """echo '{"job_id": "theirs", "run_key": "k", "command": ["/bin/other"], "started_at": 1}'; exit"""
    busy = site.stub("busy", RUNNER.replace('"$@"\n', "exit 5\n", 1).replace("STATUS", other))
    site.once(runner=busy)
    found = site.status("k")
    assert (found["reservation_status"], found["job_id"]) == ("DISPATCH_FAILED", None)
    assert "exit_code=5" in found["last_error"]
