"""How jobs ended is seen in the list, in health and metrics; somebody is told of failures; old ones are deleted."""

from __future__ import annotations

import http.server
import json
import os
import sqlite3
import threading

import pytest

from bespeak.jobs.failure_calls import CALLS_AT_ONCE
from bespeak.jobs.job_ends import ASKED_AT_ONCE, JobEnd, job_end
from bespeak.jobs.runner_client.replies import Reply
from bespeak.jobs.schema import COMPONENT, LOCK
from bespeak.storage import open_engine
from bespeak.storage.migrations import Component
from support.job_sites import until

STARTED = (
    "INSERT INTO reservations (reservation_id, run_key, command_json, reservation_status, job_id, created_at,"
    " updated_at, dispatched_at) VALUES ('r', 'bad', '[\"true\"]', 'DISPATCHED', 'job-bad', 1, 1, 1)"
)
ENDINGS = r"""#!/bin/sh
case "$1" in
    start) printf '{"job_id": "job-%s", "existing": false}\n' "$3" ;;
    status) case "$3" in
        job-good) echo '{"job_id": "job-good", "status": "SUCCEEDED", "exit_code": 0, "finished_at": 1800000000}' ;;
        job-bad*) printf '{"job_id": "%s", "status": "FAILED", "exit_code": 3, "finished_at": %s}\n' "$3" "$(date +%s)" ;;
        job-runs) echo '{"job_id": "job-runs", "status": "RUNNING", "exit_code": null}' ;;
        *) exit 3 ;;
    esac ;;
esac
"""


@pytest.fixture
def ending(any_site):
    any_site.runner = any_site.stub("ends", ENDINGS)
    return any_site


def outcomes(site):
    found = json.loads(site.call("list", "--limit", "-1").out)["reservations"]
    return {each["run_key"]: (each.get("outcome"), each.get("exit_code"), each.get("ended_at")) for each in found}


def test_a_list_shows_how_jobs_ended(ending) -> None:
    for key in ("good", "bad", "runs", "forgotten"):
        ending.reserve(key)
    ending.run()
    until(lambda: sum(outcome is not None for outcome, *_ in outcomes(ending).values()) == 3)
    found = outcomes(ending)
    assert found["good"] == ("SUCCEEDED", 0, 1800000000)
    assert found["bad"][:2] == ("FAILED", 3)
    assert found["runs"] == (None, None, None)
    assert found["forgotten"][:2] == ("UNKNOWN", None)
    ending.reserve("late", "--not-before", "2090-01-01", "--expires-at", "2091-01-01")
    ending.call("cancel", "--run-key", "late")
    failed = json.loads(ending.call("list", "--failed").out)["reservations"]
    assert [each["run_key"] for each in failed] == ["bad"]
    text = ending.call("list", "--failed", "--text").out
    assert "FAILED 3" in text
    assert "bad" in text
    health = ending.call("health").json
    assert health["outcomes_24h"]["UNKNOWN"] == 1
    assert [line["change"] for line in changes(ending, "bad")][-1] == "ended_failed"


def changes(site, key):
    done = site.call("watch", "--run-key", key, "--after-seq", "0", "--timeout", "1s")
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def test_a_dispatcher_that_runs_once_takes_note_of_how_earlier_jobs_ended(ending) -> None:
    """As cron starts it; there are more of them than are asked about at a time."""
    keys = ["runs", "good", "bad"]
    many = [f"other{number}" for number in range(2 * ASKED_AT_ONCE)]
    for key in (*many, *keys):
        ending.reserve(key)
    ending.once("--max-starts", "8", prog="bespeak job")
    ending.once("--max-starts", "8", prog="bespeak job")
    found = outcomes(ending)
    assert (found["good"][:2], found["bad"][:2], found["runs"][0]) == (("SUCCEEDED", 0), ("FAILED", 3), None)
    assert {found[key][0] for key in many} == {"UNKNOWN"}


@pytest.mark.parametrize(
    ("code", "out", "end"),
    [
        (0, '{"status": "SUCCEEDED", "exit_code": 0, "finished_at": 12}', JobEnd("SUCCEEDED", 0, 12_000_000)),
        (0, '{"status": "LOST", "exit_code": null}', JobEnd("LOST", None, None)),
        (0, '{"status": "FAILED", "exit_code": true, "finished_at": "x"}', JobEnd("FAILED", None, None)),
        (0, '{"status": "FAILED", "exit_code": 1e400, "finished_at": Infinity}', JobEnd("FAILED", None, None)),
        (0, '{"status": "FAILED", "exit_code": 9999999999, "finished_at": 9e29}', JobEnd("FAILED", None, None)),
        (0, '{"status": "RUNNING"}', None),
        (0, '{"status": "\\u001b[31m"}', None),
        (0, "no JSON", None),
        (1, '{"status": "SUCCEEDED"}', None),
        (3, "", JobEnd("UNKNOWN", None, None)),
    ],
)
def test_what_an_answer_says_of_the_end(code, out, end) -> None:
    assert job_end(Reply(code, out)) == end


def test_a_command_is_told_of_each_failure_until_it_says_it_knows(ending, tmp_path) -> None:
    notes = tmp_path / "told"
    script = f'[ -e "{notes}.ready" ] || {{ touch "{notes}.ready"; exit 1; }}; '
    script += (
        f'echo "$BESPEAK_JOB_RUN_KEY $BESPEAK_JOB_OUTCOME $BESPEAK_JOB_EXIT_CODE" >> "{notes}"; cat >> "{notes}.json"'
    )
    for key in ("bad", "good"):
        ending.reserve(key)
    first = ending.run("--on-failure", script)
    first.await_event("failure_not_told")
    assert not notes.exists()
    first.stop()
    second = ending.run("--on-failure", script)
    second.await_event("failure_told")
    second.stop()
    ending.once("--on-failure", script)
    assert notes.read_text() == "bad FAILED 3\n"
    assert json.loads((tmp_path / "told.json").read_text())["run_key"] == "bad"


def test_a_dispatcher_that_runs_once_tells_of_each_failure_once(ending, tmp_path) -> None:
    """As cron starts it, before the command that it calls has ended; there are more than are told at a time."""
    notes = tmp_path / "told"
    keys = [f"bad{number}" for number in range(2 * CALLS_AT_ONCE)]
    for key in keys:
        ending.reserve(key)
    tell = ("--on-failure", f'sleep 0.1; echo "$BESPEAK_JOB_RUN_KEY" >> "{notes}"')
    ending.once(prog="bespeak job")
    assert not notes.exists()
    ending.once(*tell, prog="bespeak job")
    assert sorted(notes.read_text().split()) == keys
    ending.once(*tell, prog="bespeak job")
    assert sorted(notes.read_text().split()) == keys


def test_an_address_gets_the_reservation_as_json(ending) -> None:
    got = []

    class Taker(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Taker) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        ending.reserve("bad")
        ending.run("--on-failure", f"http://127.0.0.1:{server.server_port}/hook").await_event("failure_told")
        server.shutdown()
        thread.join()
    assert [(each["run_key"], each["outcome"]) for each in got] == [("bad", "FAILED")]


def test_what_has_been_over_for_long_is_deleted_and_what_runs_is_not(site) -> None:
    site.runner = site.stub("ends", ENDINGS)
    for key in ("good", "runs", "waits"):
        site.reserve(key, *(["--not-before", "2090-01-01"] if key == "waits" else []))
    dispatcher = site.run()
    until(lambda: outcomes(site)["good"][0] == "SUCCEEDED")
    dispatcher.stop()
    connection = sqlite3.connect(site.url)
    connection.execute("UPDATE reservations SET updated_at = 100")
    connection.commit()
    connection.close()
    site.run("--keep", "30d").await_event("old_reservations_deleted")
    assert sorted(outcomes(site)) == ["runs", "waits"]


def test_the_history_and_output_of_the_embedded_runner_go_too(site) -> None:
    site.reserve("k")
    dispatcher = site.run(runner="embedded")
    dispatcher.await_event("job_ended")
    dispatcher.stop()
    logs = os.path.join(site.folder, "home", "logs")
    assert len(os.listdir(logs)) == 2
    for path, sql in (
        (site.url, "UPDATE reservations SET updated_at = 100"),
        (
            os.path.join(site.folder, "home", "runner.sqlite3"),
            "UPDATE runner_jobs SET finished_us = 100, updated_us = 100",
        ),
    ):
        connection = sqlite3.connect(path)
        connection.execute(sql)
        connection.commit()
        connection.close()
    site.run("--keep", "30d", runner="embedded")
    until(lambda: os.listdir(logs) == [])
    assert outcomes(site) == {}


def test_clean_gives_the_space_of_the_file_back(site) -> None:
    for number in range(6):
        site.reserve(f"k{number}", "--metadata-json", json.dumps({"much": "x" * 100_000}), "--not-before", "2090-01-01")
        site.call("cancel", "--run-key", f"k{number}")
    found = site.call("clean", "--all", "--summary", "--vacuum").json
    assert found["deleted"] == 6
    assert found["vacuum"]["bytes_after"] < found["vacuum"]["bytes_before"] - 500_000
    assert os.path.getsize(site.url) == found["vacuum"]["bytes_after"]
    alone = site.call("clean", "--vacuum").json
    assert (alone["deleted"], alone["matched"]) == (0, 0)
    assert "reservations" not in alone
    assert "vacuum" in site.call("clean", "--all", "--vacuum").json
    site.reserve("later")
    refused = site.call("clean", "--all", "--vacuum", "--dry-run")
    assert (refused.code, "--vacuum" in refused.error) == (2, True)


def test_a_book_on_a_server_needs_no_vacuum(any_site) -> None:
    any_site.reserve("k", "--not-before", "2090-01-01")
    any_site.call("cancel", "--run-key", "k")
    answer = any_site.call("clean", "--all", "--vacuum")
    if any_site.url.startswith("postgres"):
        assert (answer.code, "autovacuum" in answer.error) == (2, True)
        assert list(outcomes(any_site)) == ["k"], "nothing was deleted"
    else:
        assert (answer.code, outcomes(any_site)) == (0, {})


def test_jobs_of_earlier_versions_are_neither_asked_about_nor_told(site) -> None:
    site.runner = site.stub("ends", ENDINGS)
    os.makedirs(os.path.dirname(site.url))
    earlier = open_engine(site.url, (Component(COMPONENT.name, COMPONENT.steps[:5]),), foreign=True)
    earlier.transact((LOCK,), lambda tx: tx.execute(STARTED))
    earlier.close()
    assert outcomes(site) == {"bad": (None, None, None)}
    dispatcher = site.run("--on-failure", "true")
    site.reserve("good")
    until(lambda: outcomes(site)["good"][0] == "SUCCEEDED")
    assert outcomes(site)["bad"] == (None, None, None)
    assert dispatcher.stop() == 0
