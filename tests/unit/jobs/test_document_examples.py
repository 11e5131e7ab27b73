"""The examples of the documented contract, typed into a shell as they stand, in an empty home."""

import json
import os
import subprocess

import pytest

from bespeak.jobs.cli import PROGRAM
from support.job_sites import Site, until

RESERVE_AND_GO = """
orchesjob-reserver reserve \\
--run-key nightly-backup-2026-05-04 \\
--not-before "2026-05-04T02:00:00+09:00" \\
-- /usr/local/bin/backup.sh
"""
RESERVE_WITH_ALL = """
orchesjob-reserver reserve \\
--run-key daily-import-2026-05-04 \\
--not-before "2026-05-04T03:00:00+09:00" \\
--metadata-json '{"dag_id":"daily_import","task_id":"import"}' \\
--orchesjob-start-option=--strict \\
-- /jobs/import.sh --date 2026-05-04
"""
AFTERWARDS = [
    "orchesjob-reserver status --run-key nightly-backup-2026-05-04",
    "orchesjob-reserver status \\\n--run-key nightly-backup-2026-05-04 \\\n--include-job",
    "orchesjob-reserver result --run-key nightly-backup-2026-05-04",
]
CLEAN = [
    "orchesjob-reserver clean --before 2026-06-01 --dry-run",
    "orchesjob-reserver clean --after 2026-05-01 --before 2026-06-01",
    "orchesjob-reserver clean --run-key daily-import-2026-05-04 --all",
    "orchesjob-reserver clean --reservation-id 7c09a7c4-...",
    "orchesjob-reserver clean --before 2026-06-01",
    "orchesjob-reserver clean --all",
]


@pytest.fixture
def shell(site: Site):
    """A function that types text into a shell where the programs are on PATH."""
    import sys

    programs = os.path.join(site.folder, "programs")
    os.mkdir(programs)
    site.stub(
        "programs/orchesjob-reserver",
        f"#!/bin/sh\nexec {sys.executable} -c 'from bespeak.jobs.cli import reserver_main; "
        'raise SystemExit(reserver_main())\' "$@"\n',
    )
    environ = site.environ(PATH=f"{programs}:{os.environ['PATH']}", ORCHESJOB_BIN=site.runner)

    def type_in(text: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(["/bin/sh", "-c", text], capture_output=True, text=True, env=environ, check=False)

    return type_in


def test_the_quick_start(site: Site, shell) -> None:
    dispatcher = site.run()
    assert shell(RESERVE_AND_GO).returncode == 0
    until(lambda: site.starts() == ["nightly-backup-2026-05-04"])
    dispatcher.await_event("dispatch_succeeded")
    assert site.calls()[0] == "start --run-key nightly-backup-2026-05-04 -- /usr/local/bin/backup.sh"
    for text in AFTERWARDS[:2]:
        done = shell(text)
        assert done.returncode == 0
        assert json.loads(done.stdout)["reservation"]["reservation_status"] == "DISPATCHED"
    assert shell(AFTERWARDS[2]).stdout == "the result of job-nightly-backup-2026-05-04\n"


def test_the_reserve_example_and_the_clean_examples(site: Site, shell) -> None:
    first = json.loads(shell(RESERVE_WITH_ALL).stdout)
    assert first["created"] is True
    assert first["reservation"]["command"] == ["/jobs/import.sh", "--date", "2026-05-04"]
    assert json.loads(shell(RESERVE_WITH_ALL).stdout)["created"] is False
    site.once()
    assert site.calls() == ["start --run-key daily-import-2026-05-04 --strict -- /jobs/import.sh --date 2026-05-04"]
    for text in CLEAN:
        done = shell(text)
        assert done.returncode == 0, done.stderr
        assert set(json.loads(done.stdout)) == {"deleted", "dry_run", "matched", "reservations"}


def test_the_variable_names_the_runner_as_in_the_example(site: Site, shell) -> None:
    site.reserve("k")
    done = shell(f"ORCHESJOB_BIN={site.runner} orchesjob-reserver run --once")
    assert json.loads(done.stdout.splitlines()[0])["orchesjob_bin"] == site.runner


def test_the_reference_page_names_every_command_flag_event_and_state() -> None:
    import re

    import bespeak.jobs
    from bespeak.jobs.model import Status

    folder = os.path.dirname(bespeak.jobs.__file__)
    root = os.path.dirname(os.path.dirname(os.path.dirname(folder)))
    with open(os.path.join(root, "docs", "reference", "jobs.md"), encoding="utf-8") as file:
        page = file.read()
    for entry, command in PROGRAM.commands():
        assert f"`{entry.name}`" in page
        for option in (*command.options, *PROGRAM.shared):
            assert option.flags[-1] in page, (entry.name, option.flags)
    for status in Status:
        assert f"`{status}`" in page
    emitted = set()
    for name in os.listdir(folder):
        if name.endswith(".py"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                emitted |= set(re.findall(r'(?:emit|_add)\(\s*"([a-z_]+)",\s', file.read()))
    assert {"dispatch_succeeded", "reserver_started", "clock_changed"} <= emitted
    metrics = {
        "dispatched",
        "failed",
        "delayed",
        "expired",
        "recovered",
        "adopted",
        "errors",
        "jobs_ended",
        "jobs_failed",
    }
    for event in emitted - metrics:
        assert f"`{event}`" in page, event
