"""A claim remembers its runner and home: whoever asks about the job later asks there."""

import os
import signal
import subprocess

import pytest

from bespeak.jobs.locations import open_store
from bespeak.jobs.schema import COMPONENT
from bespeak.storage import open_engine
from bespeak.storage.interface import Transaction
from bespeak.storage.migrations import Component
from support.job_sites import RECORDING, RESERVER, Site, command, until

HOST = "gateway7"


def reserve(site: Site, words: str = "") -> str:
    body = os.path.join(site.folder, "body")
    done = site.call("reserve", "--run-key", "k", "--", "/bin/sh", "-c", words or f"echo ran >>{body}")
    assert done.code == 0, done.err
    return body


def lines(path: str) -> list[str]:
    if not os.path.exists(path):
        return []
    with open(path, encoding="ascii") as file:
        return file.read().splitlines()


def home(site: Site, name: str) -> dict[str, str]:
    return {"ORCHESJOB_HOME": os.path.join(site.folder, name)}


def killed(site: Site, point: str, *, runner: str | None = None, env: dict[str, str] | None = None) -> None:
    dispatcher = site.run(runner=runner, wait=False, env={"BESPEAK_CRASH_AT": point, **(env or {})})
    assert dispatcher.process.wait(60) == -signal.SIGKILL


def move_to_other_host(site: Site) -> None:
    engine = open_store(site.url)
    sql = f"UPDATE reservations SET runner_home = 'other-machine:/jobs', runner_host = '{HOST}'"
    engine.transact((), lambda tx: tx.execute(sql))
    engine.close()


@pytest.mark.parametrize("second", ["embedded", "another runner"])
def test_two_homes_on_one_store_start_once(any_site: Site, second: str) -> None:
    body = reserve(any_site)
    killed(any_site, "jobs.answered", runner="embedded", env=home(any_site, "first"))
    until(lambda: lines(body), "the first start")
    runner = "embedded" if second == "embedded" else any_site.runner
    any_site.once(runner=runner, env=home(any_site, "second"))
    found = any_site.status("k")
    assert found["reservation_status"] == "DISPATCHED"
    assert found["runner"]["program"] == "embedded"
    assert found["runner"]["home"] == os.path.realpath(os.path.join(any_site.folder, "first"))
    assert found["runner"]["host"] == os.uname().nodename
    assert lines(body) == ["ran"]
    assert any_site.starts() == []


def test_a_runner_that_appears_on_the_path_is_not_asked_about_earlier_claims(site: Site) -> None:
    body = reserve(site)
    killed(site, "jobs.answered", runner="embedded")
    until(lambda: lines(body), "the first start")
    os.mkdir(os.path.join(site.folder, "bin"))
    site.stub("bin/orchesjob", RECORDING)
    environ = site.environ(PATH=f"{site.folder}/bin:{os.environ['PATH']}")
    words = command("run", "--db", site.url, "--once", prog=RESERVER)
    subprocess.run(words, env=environ, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    assert site.status("k")["reservation_status"] == "DISPATCHED"
    assert lines(body) == ["ran"]
    assert site.calls() == []


def test_the_same_runner_with_another_home_is_asked_in_the_first_one(site: Site) -> None:
    keeps = RECORDING.replace("start)", 'start) : >"$ORCHESJOB_HOME.has";').replace(
        "status)",
        'status) [ -e "$ORCHESJOB_HOME.has" ] &&'
        ' { printf \'{"job_id": "there", "command": ["/bin/true", "k"]}\'; exit; };',
    )
    runner = site.stub("keeps", keeps)
    site.reserve("k")
    killed(site, "jobs.answered", runner=runner, env=home(site, "first"))
    site.once(runner=runner, env=home(site, "second"))
    assert site.status("k")["job_id"] == "there"
    assert site.starts() == ["k"]


@pytest.mark.parametrize("point", ["jobs.after_move", "jobs.before_start", "jobs.after_start"])
def test_what_the_first_runner_does_not_have_starts_at_the_second_exactly_once(any_site: Site, point: str) -> None:
    body = reserve(any_site)
    killed(any_site, "jobs.before_start", runner="embedded", env=home(any_site, "first"))
    killed(any_site, point, runner="embedded", env=home(any_site, "second"))
    any_site.once(runner="embedded", env=home(any_site, "third"))
    assert any_site.status("k")["reservation_status"] == "DISPATCHED"
    until(lambda: lines(body), "the job")
    any_site.call("wait", "--run-key", "k")
    assert lines(body) == ["ran"]


def test_commands_ask_the_runner_that_has_the_job(site: Site) -> None:
    reserve(site, "echo out; exec sleep 3600")
    site.once(runner="embedded", env=home(site, "first"))
    elsewhere = {"runner": site.runner, "ORCHESJOB_HOME": os.path.join(site.folder, "second")}
    job_id = site.status("k")["job_id"]
    found = site.call("status", "--run-key", "k", "--include-job", **{**elsewhere, "runner": "embedded"})
    assert found.code == 0, found.err
    assert found.json["job"]["job_id"] == job_id
    lacking = site.stub("lacking", "#!/bin/sh\necho 'Job not found' >&2; exit 3\n")
    without_flag = command("result", "--db", site.url, "--run-key", "k")
    environ = site.environ(ORCHESJOB_HOME=elsewhere["ORCHESJOB_HOME"], ORCHESJOB_BIN=lacking)
    done = subprocess.run(without_flag, env=environ, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert job_id in done.stdout
    assert site.call("cancel", "--run-key", "k", **{**elsewhere, "runner": lacking}).code == 0
    ended = site.call("wait", "--run-key", "k", **{**elsewhere, "runner": lacking})
    assert (ended.code, ended.json["job"]["status"]) == (1, "CANCELLED")


def test_a_job_of_another_host_is_named_as_such(site: Site) -> None:
    reserve(site)
    site.once(runner="embedded")
    move_to_other_host(site)
    for words in (("status", "--include-job"), ("result",), ("cancel",), ("wait",)):
        done = subprocess.run(
            command(words[0], "--db", site.url, "--run-key", "k", *words[1:]),
            env=site.environ(), check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 1
        assert f"another host: it was started by embedded on host {HOST} with home /jobs" in done.stderr


def test_a_claim_of_another_host_is_left_to_it(any_site: Site) -> None:
    body = reserve(any_site)
    killed(any_site, "jobs.before_start", runner="embedded")
    move_to_other_host(any_site)
    any_site.once(runner="embedded")
    found = any_site.status("k")
    assert (found["reservation_status"], found["runner"]["host"]) == ("DISPATCHING", HOST)
    assert lines(body) == []


def test_a_runner_that_is_gone_leaves_the_start_unknown(site: Site) -> None:
    first = site.stub("first", RECORDING)
    site.reserve("k")
    killed(site, "jobs.answered", runner=first)
    os.unlink(first)
    site.once(runner="embedded")
    found = site.status("k")
    assert found["reservation_status"] == "START_UNKNOWN"
    assert "No such file" in found["last_error"]
    assert site.starts() == ["k"]


def test_a_runner_that_was_replaced_is_asked_with_the_same_home(site: Site) -> None:
    first = site.stub("first", RECORDING)
    site.reserve("k")
    killed(site, "jobs.before_start", runner=first)
    os.unlink(first)
    site.once()
    assert site.status("k")["reservation_status"] == "DISPATCHED"
    assert site.starts() == ["k"]


DISPATCHER = (
    "INSERT INTO dispatch_dispatchers (dispatcher_id, site, host, process, runner_home, runner, pid, started_us,"
    " beat_us, lease_until_us) VALUES (:id, '', 'gateway', 'x/1/1/1', 'm:/h', :runner, 1, 1, 1, 1)"
)
RESERVATION = (
    "INSERT INTO reservations (reservation_id, run_key, command_json, reservation_status, created_at, updated_at,"
    " seq, owner, attempts) VALUES (:id, :id, '[]', :status, 1000, 1000, :seq, :owner, :attempts)"
)


def write_old_rows(tx: Transaction) -> None:
    for name, program in (("d", "bespeak runner"), ("f", "orchesjob")):
        tx.execute(DISPATCHER, {"id": name, "runner": program})
    for seq, (key, status, owner, attempts) in enumerate(
        [
            ("ours", "DISPATCHING", "d", 1),
            ("foreign", "DISPATCHING", "f", 1),
            ("retried", "RESERVED", None, 2),
            ("new", "RESERVED", None, 0),
        ]
    ):
        tx.execute(RESERVATION, {"id": key, "status": status, "seq": seq, "owner": owner, "attempts": attempts})


def test_claims_of_an_earlier_version_say_what_is_known_of_them(book_url: str) -> None:
    engine = open_engine(book_url, (Component("dispatch", COMPONENT.steps[:3]),), foreign=True)
    engine.transact((), write_old_rows)
    engine.close()
    engine = open_store(book_url)
    columns = "reservation_id, first_claimed_us, runner, runner_home, runner_host"
    found = engine.read(lambda tx: tx.fetch_all(f"SELECT {columns} FROM reservations ORDER BY seq"))
    engine.close()
    assert found == [
        ("ours", 1_000_000_000, "embedded", "m:/h", "gateway"),
        ("foreign", 1_000_000_000, None, None, None),
        ("retried", 1_000_000_000, None, None, None),
        ("new", None, None, None, None),
    ]
