"""The published orchesjob 1.1.0 as the runner: it needs nothing of ours, and ``result`` and ``cancel`` work with it."""

import json
import os
import signal
import subprocess

from support.job_sites import until


def orchesjob(site, published, *args: str):
    done = subprocess.run(
        [published.program("orchesjob"), *args], capture_output=True, text=True, check=True, env=site.environ()
    )
    return json.loads(done.stdout)


def test_a_job_from_reservation_to_result(site, published) -> None:
    runner = published.program("orchesjob")
    site.call("reserve", "--run-key", "k", "--orchesjob-start-option", "--strict", "--", "/bin/sh", "-c", "exit 3")
    site.once(runner=runner)
    answer = site.call("wait", "--run-key", "k", runner=runner)
    assert (answer.code, answer.json["job"]["exit_code"]) == (1, 3)
    assert site.status("k")["job_id"] == orchesjob(site, published, "status", "--run-key", "k")["job_id"]
    result = site.call("result", "--run-key", "k", runner=runner)
    assert (result.code, result.json["status"]) == (0, "FAILED")


def test_cancel_aborts(site, published) -> None:
    runner = published.program("orchesjob")
    site.call("reserve", "--run-key", "k", "--", "/bin/sleep", "3600")
    site.once(runner=runner)
    assert site.call("cancel", "--run-key", "k", runner=runner).code == 0
    answer = site.call("wait", "--run-key", "k", runner=runner)
    assert answer.code == 1
    assert answer.json["job"]["status"] in ("ABORTED", "CANCELLED", "FAILED")


def test_after_a_crash_its_job_is_adopted(site, published) -> None:
    runner = published.program("orchesjob")
    out = os.path.join(site.folder, "out")
    site.call("reserve", "--run-key", "k", "--", "/bin/sh", "-c", f"echo ran >>{out}")
    dispatcher = site.run(runner=runner, wait=False, env={"BESPEAK_CRASH_AT": "jobs.answered"})
    assert dispatcher.process.wait(60) == -signal.SIGKILL
    until(lambda: os.path.exists(out))
    site.once(runner=runner)
    assert site.status("k")["job_id"] == orchesjob(site, published, "status", "--run-key", "k")["job_id"]
    assert len(orchesjob(site, published, "status", "--run-key", "k", "--all")) == 1
    with open(out) as file:
        assert file.read() == "ran\n"


def test_an_answer_of_megabytes_is_read_whole(site, published) -> None:
    runner = published.program("orchesjob")
    out = os.path.join(site.folder, "out")
    words = ["/bin/sh", "-c", f"echo ran >>{out}", *["word"] * 60_000]
    site.call("reserve", "--run-key", "k", "--", *words)
    site.once(prog="bespeak job", runner=runner)
    found = site.status("k")
    assert (found["reservation_status"], found["attempts"]) == ("DISPATCHED", 1)
    assert site.call("wait", "--run-key", "k", runner=runner).json["job"]["command"] == words
    with open(out) as file:
        assert file.read() == "ran\n"


def test_another_command_under_our_key_is_told_apart(site, published) -> None:
    runner = published.program("orchesjob")
    orchesjob(site, published, "start", "--run-key", "k", "--", "/bin/sleep", "60")
    site.reserve("k")
    names = [event["event"] for event in site.once(runner=runner)]
    assert "dispatch_failed" in names
    orchesjob(site, published, "abort", "--run-key", "k")
