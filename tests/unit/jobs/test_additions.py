"""What goes beyond the documented contract: retries, waiting, watching, sites, metrics, systemd."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request

import pytest

from bespeak.base.errors import UsageError
from bespeak.jobs import service_files
from bespeak.jobs.locations import open_store
from bespeak.jobs.model import TRANSITIONS, Status
from bespeak.jobs.runner_client.location import find_runner
from support import pgserver
from support.job_sites import Site, sites, until


def test_env_and_cwd_reach_the_command(site: Site) -> None:
    out = os.path.join(site.folder, "out")
    site.call(
        "reserve", "--run-key", "k", "--env", "GREETING=hello = you", "--cwd", "/", "--",
        "/bin/sh", "-c", f'printf "%s in %s" "$GREETING" "$PWD" >{out}',
    )  # fmt: skip
    site.once(runner="embedded")
    assert site.call("wait", "--run-key", "k", runner="embedded").code == 0
    with open(out) as file:
        assert file.read() == "hello = you in /"


def test_retry_runs_a_failing_command_again(site: Site) -> None:
    out = os.path.join(site.folder, "out")
    script = f'echo x >>{out}; [ "$(wc -l <{out})" -ge 3 ]'
    site.call("reserve", "--run-key", "k", "--retry", "5", "--retry-delay", "0.01", "--", "/bin/sh", "-c", script)
    site.once(runner="embedded")
    answer = site.call("wait", "--run-key", "k", runner="embedded")
    assert (answer.code, answer.json["job"]["status"]) == (0, "SUCCEEDED")
    with open(out) as file:
        assert file.read() == "x\n" * 3


def test_retry_keeps_the_last_exit_code(site: Site) -> None:
    site.call("reserve", "--run-key", "k", "--retry", "1", "--retry-delay", "0", "--", "/bin/sh", "-c", "exit 7")
    site.once(runner="embedded")
    answer = site.call("wait", "--run-key", "k", runner="embedded")
    assert (answer.code, answer.json["job"]["exit_code"]) == (1, 7)


def test_wait_sleeps_until_the_end(any_site: Site) -> None:
    any_site.call("reserve", "--run-key", "k", "--", "/bin/sh", "-c", "sleep 0.3; exit 5")
    any_site.run(runner="embedded")
    answer = any_site.call("wait", "--run-key", "k", "--timeout", "1h", runner="embedded")
    assert (answer.code, answer.json["job"]["exit_code"]) == (1, 5)


def test_wait_ends(site: Site) -> None:
    site.reserve("k", "--not-before", "2040-01-01")
    assert site.call("wait", "--run-key", "k", "--timeout", "0.05", prog="bespeak job").code == 10
    site.call("cancel", "--run-key", "k")
    assert site.call("wait", "--run-key", "k").code == 6


def test_wait_asks_again_where_a_runner_gives_no_answer(site: Site) -> None:
    """Where it is killed, or no process can be begun for a moment: nothing is said of the job."""
    count = os.path.join(site.folder, "asked")
    site.runner = site.stub(
        "killed",
        f"""#!/bin/sh
        [ "$1" = status ] || exec echo '{{"job_id": "J"}}'
        echo x >>{count}
        [ "$(wc -l <{count})" -gt "$UNANSWERED" ] || kill -9 $$
        echo '{{"job_id": "J", "status": "SUCCEEDED", "exit_code": 0}}'
        """,
    )
    site.reserve("k")
    assert site.call("run", "--once", UNANSWERED="0").code == 0
    assert site.call("wait", "--run-key", "k", UNANSWERED="2").code == 0
    os.unlink(count)
    answer = site.call("wait", "--run-key", "k", UNANSWERED="9")
    assert (answer.code, "was ended by signal 9" in answer.err) == (1, True)


def test_wait_for_the_start_alone(site: Site) -> None:
    site.reserve("k")
    site.once()
    assert site.call("wait", "--run-key", "k", "--dispatched").json["reservation"]["job_id"] == "job-k"


def test_watch_prints_every_change_in_order(any_site: Site) -> None:
    any_site.reserve("k")
    any_site.reserve("other")
    any_site.once()
    answer = any_site.call("watch", "--run-key", "k", "--after-seq", "0", "--timeout", "0.01")
    changes = [json.loads(line) for line in answer.out.splitlines()]
    assert [change["change"] for change in changes] == ["reserved", "dispatching", "dispatched"]
    assert [change["reservation_status"] for change in changes] == ["RESERVED", "DISPATCHING", "DISPATCHED"]
    assert changes[-1]["job_id"] == "job-k"
    sequence = [change["seq"] for change in changes]
    assert sequence == sorted(sequence)


def test_watch_follows(any_site: Site) -> None:
    from support.job_sites import command

    any_site.reserve("before")
    words = command("watch", "--db", any_site.url, "--timeout", "1h")
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=any_site.environ()) as watching:
        assert watching.stdout is not None
        number = 0
        while not number or watching.poll() is None:
            # It says nothing when it begins to watch, so changes are made until one of them is told.
            any_site.reserve(f"k{number}")
            number += 1
            import select

            if select.select([watching.stdout], [], [], 0.3)[0]:
                break
        change = json.loads(watching.stdout.readline())
        watching.kill()
    assert change["change"] == "reserved"
    assert change["run_key"].startswith("k")


def test_sites_take_only_their_own(tmp_path, book_url: str) -> None:
    for site in sites(str(tmp_path), book_url):
        site.reserve("north", "--site", "north")
        site.reserve("south", "--site", "south")
        site.reserve("anywhere")
        site.once("--site", "north")
        assert site.starts() == ["north"]
        site.once()
        assert site.starts() == ["north", "anywhere"]
        assert site.status("south")["site"] == "south"


def test_once_leaves_what_is_not_due(site: Site) -> None:
    site.reserve("later", "--not-before", "2040-01-01")
    site.reserve("now")
    site.once()
    assert site.starts() == ["now"]


def test_metrics_in_a_file(site: Site) -> None:
    path = os.path.join(site.folder, "metrics")
    site.reserve("k")
    site.once("--metrics", path)
    with open(path) as file:
        lines = file.read().splitlines()
    assert "bespeak_dispatch_dispatched_total 1" in lines
    assert "bespeak_dispatch_failed_total 0" in lines


def test_metrics_on_a_port(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    dispatcher = site.run("--metrics", str(port))
    site.reserve("k")
    dispatcher.await_event("dispatch_succeeded")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    assert "bespeak_dispatch_dispatched_total 1\n" in text
    assert "# TYPE bespeak_dispatch_start_delay_seconds histogram" in text


def test_systemd_is_told(site: Site) -> None:
    path = os.path.join(site.folder, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(60)
        dispatcher = site.run(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000"})
        assert manager.recv(1000).startswith(b"READY=1\n")
        assert manager.recv(1000).startswith(b"WATCHDOG=1\n")
        assert manager.recv(1000).startswith(b"WATCHDOG=1\n")
        dispatcher.stop()
        while not (told := manager.recv(1000)).startswith(b"STOPPING=1"):
            assert told.startswith(b"WATCHDOG=1")


def test_install_writes_a_unit_and_says_how_to_enable_it(site: Site) -> None:
    path = os.path.join(site.folder, "unit", "x.service")
    answer = site.call("install", "--service-user", "edge", "--output", path, "--", "--site", "a b")
    assert answer.json["written"] is True
    assert answer.json["enable"][-1].endswith("enable --now bespeak-job.service")
    with open(path) as file:
        text = file.read()
    assert "Type=notify" in text
    assert '--site "a b"' in text
    assert f"--db {site.url}" in text
    assert (
        site.call("install", "--service-user", "edge", "--output", path, "--", "--site", "a b").json["written"] is False
    )
    assert site.call("install", "--service-user", "edge", "--output", path).code == 2
    assert site.call("install", "--service-user", "edge", "--output", path, "--force").json["written"] is True


def test_install_refuses_what_run_would_refuse_at_every_start(site: Site) -> None:
    assert "--bogus" in site.call("install", "--service-user", "edge", "--print", "--", "--bogus", "4").error
    answer = site.call("install", "--service-user", "edge", "--print", "--", "--max-starts", "none")
    assert (answer.code, "--max-starts" in answer.error) == (2, True)


HOME_1 = {"ORCHESJOB_HOME": "/h", "ORCHESJOB_RESERVER_HOME": "/r"}
BOOK = {"BESPEAK_LEDGER": "postgresql://u:secret@book/jobs"}
NAMED = {"ORCHESJOB_HOME": "/a b%c$d"}
INSTALLS = [
    ({}, "bespeak job", "embedded", {"ORCHESJOB_HOME": "/var/lib/orchesjob"}),
    (HOME_1, "bespeak job", "embedded", HOME_1),
    (NAMED | {"ORCHESJOB_BIN": "embedded"}, "bespeak job", "embedded", NAMED | {"ORCHESJOB_BIN": "embedded"}),
    (BOOK, "bespeak job", "embedded", BOOK),
    (
        {"BESPEAK_LEDGER": "/b"},
        "bespeak job",
        "embedded",
        {"BESPEAK_LEDGER": "/b", "ORCHESJOB_HOME": "/var/lib/orchesjob"},
    ),
    (BOOK | NAMED, "orchesjob-reserver", "/bin/sh", BOOK | NAMED | {"ORCHESJOB_BIN": "/bin/sh"}),
]


@pytest.mark.parametrize(("environ", "prog", "runner", "expected"), INSTALLS)
def test_an_installed_dispatcher_finds_what_the_shell_finds(
    environ: dict[str, str], prog: str, runner: str, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bespeak.base.paths.os.access", lambda path, mode: True)
    assert service_files.environment(environ, prog, find_runner(runner, {})) == expected


def test_in_an_environment_only_what_the_manager_reads_is_quoted() -> None:
    unit = service_files.systemd_unit(["/bin/x", "a$b%c"], NAMED, account="edge")
    assert "ExecStart=/bin/x a$$b%%c\n" in unit
    assert 'Environment="ORCHESJOB_HOME=/a b%%c$d"\n' in unit
    assert 'environment=ORCHESJOB_HOME="/a b%%c$d"\n' in service_files.supervisor_section(["/bin/x"], NAMED, "edge")
    with pytest.raises(UsageError, match="ORCHESJOB_HOME"):
        service_files.environment({"ORCHESJOB_HOME": '/a"b'}, "bespeak job", find_runner("embedded", {}))


def test_a_unit_with_the_url_of_a_book_is_for_its_owner_only(tmp_path) -> None:
    path = str(tmp_path / "x.service")
    assert service_files.write(path, service_files.systemd_unit(["/bin/x"], BOOK, account="edge"), force=False)
    assert os.stat(path).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["systemd", "supervisor"])
@pytest.mark.parametrize("query", ["", "?password=geheim"])
def test_install_prints_no_password_of_a_book(site: Site, kind: str, query: str) -> None:
    secret = "" if query else ":geheim"
    url = f"postgresql://u{secret}@127.0.0.1:1/db{query}"
    answer = site.call("install", "--kind", kind, "--service-user", "edge", "--print", "--db", url)
    assert answer.code == 2
    assert "password file" in answer.error
    assert "geheim" not in answer.out + answer.error


def test_install_prints_a_supervisor_section(site: Site) -> None:
    import configparser

    text = site.call("install", "--kind", "supervisor", "--service-user", "edge", "--print").out
    section = configparser.RawConfigParser()
    section.read_string(text)
    assert section["program:bespeak-job"]["stopasgroup"] == "true"


def test_a_unit_of_the_system_waits_for_everything_and_has_an_account(site: Site) -> None:
    text = site.call("install", "--service-user", "edge", "--print", ORCHESJOB_HOME="/var/lib/orchesjob").out
    lines = text.splitlines()
    for line in (
        *("User=edge", "Wants=network-online.target", "After=network-online.target time-sync.target"),
        *("StartLimitIntervalSec=0", "TimeoutStartSec=infinity", "StateDirectory=orchesjob"),
    ):
        assert line in lines
    assert "UMask" not in text
    own = site.call("install", "--user", "--print").out
    assert "User=" not in own
    assert "StateDirectory" not in own
    assert "user=edge\n" in site.call("install", "--kind", "supervisor", "--service-user", "edge", "--print").out


@pytest.mark.parametrize("kind", ["systemd", "supervisor"])
def test_a_service_is_never_of_root_unless_that_is_said(site: Site, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("bespeak.jobs.resource_bookings.this_user", lambda: "root")
    with pytest.raises(UsageError, match="service_user root"):
        service_files.service_account(None, {})
    assert service_files.service_account(None, {"SUDO_USER": "alice"}) == "alice"
    assert service_files.service_account("root", {}) == "root"
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("bespeak.jobs.resource_bookings.this_user", lambda: "bob")
    assert service_files.service_account(None, {}) == "bob"
    refused = site.call("install", "--kind", kind, "--service-user", "a b", "--print")
    assert (refused.code, "'a b'" in refused.error) == (2, True)


def test_your_own_unit_has_no_other_account(site: Site) -> None:
    refused = site.call("install", "--user", "--service-user", "edge", "--print")
    assert (refused.code, "--service-user" in refused.error) == (2, True)


def test_a_dispatcher_waits_for_a_server_that_is_not_there_at_boot(tmp_path, private_postgres) -> None:
    server = tmp_path / "server"
    site = Site(str(tmp_path), f"{pgserver.url_of(str(server))}&schema=x")
    try:
        early = site.run("--error-sleep", "0.1", wait=False)
        early.await_event("dispatcher_error")
        assert early.stop() == 0
        dispatcher = site.run("--error-sleep", "0.1", wait=False)
        dispatcher.await_event("dispatcher_error")
        assert site.call("run", "--once").code == 1
        server.symlink_to(private_postgres.folder)
        dispatcher.await_event("reserver_started")
        site.reserve("k")
        dispatcher.await_event("dispatch_succeeded")
        assert dispatcher.stop() == 0
    finally:
        site.close()


def test_many_dispatchers_share_the_work(any_site: Site) -> None:
    for number in range(20):
        any_site.reserve(f"k{number}")
    dispatchers = [any_site.run("--max-starts", "2") for _ in range(3)]
    until(lambda: len(any_site.starts()) >= 20)
    until(lambda: any_site.call("health").json["reservations"] == {"DISPATCHED": 20})
    for dispatcher in dispatchers:
        dispatcher.stop()
    assert sorted(any_site.starts()) == sorted(f"k{number}" for number in range(20))


def test_the_states_and_their_transitions_are_complete() -> None:
    assert set(TRANSITIONS) == set(Status)
    assert Status.DISPATCHED not in TRANSITIONS[Status.RESERVED]


ORIGINAL = """
CREATE TABLE reservations (
    reservation_id TEXT PRIMARY KEY, run_key TEXT NOT NULL UNIQUE, command_json TEXT NOT NULL,
    reservation_status TEXT NOT NULL, job_id TEXT, not_before INTEGER, expires_at INTEGER, metadata_json TEXT,
    orchesjob_start_options_json TEXT NOT NULL DEFAULT '[]', created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    dispatched_at INTEGER, last_error TEXT
);
CREATE INDEX idx_reservations_status_not_before ON reservations (reservation_status, not_before);
"""
ROWS = [
    ("1", "done", '["/bin/a","é"]', "DISPATCHED", "J1", None, None, '{"a":1}', '["--strict"]', 100, 101, 101, None),
    ("2", "late", '["/bin/b"]', "EXPIRED", None, None, 50, None, "[]", 100, 102, None, "expired before dispatch"),
    ("3", "cut", '["/bin/c"]', "DISPATCHING", None, 10, None, None, "[]", 100, 103, None, None),
    ("4", "next", '["/bin/d"]', "RESERVED", None, 4_000_000_000, None, None, "[]", 100, 100, None, None),
    ("5", "now", '["/bin/e"]', "RESERVED", None, None, None, None, "[]", 100, 100, None, None),
]


def test_a_database_of_the_original_opens_and_nothing_is_lost(site: Site) -> None:
    os.makedirs(os.path.dirname(site.url))
    connection = sqlite3.connect(site.url)
    connection.executescript(ORIGINAL)
    connection.executemany(f"INSERT INTO reservations VALUES ({','.join('?' * 13)})", ROWS)
    connection.commit()
    listed = site.call("list").json["reservations"]
    assert [item["run_key"] for item in listed] == ["now", "next", "cut", "late", "done"]
    for row in ROWS:
        assert connection.execute(
            "SELECT reservation_id, run_key, command_json, reservation_status, job_id, not_before, expires_at,"
            " metadata_json, orchesjob_start_options_json, created_at, updated_at, dispatched_at, last_error"
            " FROM reservations WHERE reservation_id = ?", (row[0],)
        ).fetchone() == row  # fmt: skip
    # While both are installed, the original still inserts with its thirteen columns.
    columns = "reservation_id, run_key, command_json, reservation_status, not_before, created_at, updated_at"
    connection.execute(
        f"INSERT INTO reservations ({columns}) VALUES ('6', 'foreign', '[\"/bin/f\"]', 'RESERVED', 5, 100, 100)"
    )
    connection.commit()
    connection.close()
    site.once()
    assert site.calls()[0] == "status --run-key cut"
    assert sorted(site.starts()) == ["cut", "foreign", "now"]
    assert site.status("next")["reservation_status"] == "RESERVED"
    assert site.status("done")["metadata"] == {"a": 1}


def test_start_up_imports_little(site: Site) -> None:
    site.reserve("k")
    code = (
        "import sys; from bespeak.jobs.cli import main; "
        f"main(['status', '--run-key', 'k', '--db', {site.url!r}], 'orchesjob-reserver'); "
        "print(sorted({'argparse','dataclasses','typing','pathlib','logging','tomllib','click','subprocess','inspect'}"
        " & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, env=site.environ()
    )
    assert done.stderr == "[]\n"


@pytest.mark.parametrize("runner", ["stub", "embedded"])
def test_a_run_key_that_looks_like_a_flag(site: Site, runner: str) -> None:
    assert site.call("reserve", "--run-key=--strict", "--", "/bin/true").code == 0
    site.once(runner="embedded" if runner == "embedded" else site.runner)
    found = site.call("status", "--run-key=--strict").json["reservation"]
    assert found["reservation_status"] == "DISPATCHED", found


def test_a_dispatcher_whose_parent_ignores_sigchld(site: Site) -> None:
    site.reserve("k")
    site.once(preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert site.status("k")["reservation_status"] == "DISPATCHED"


def test_an_unreadable_row_fails_alone(site: Site) -> None:
    open_store(site.url).close()
    connection = sqlite3.connect(site.url)
    connection.execute(
        "INSERT INTO reservations (reservation_id, run_key, command_json, reservation_status, created_at, updated_at)"
        " VALUES ('x', 'broken', '{not json', 'RESERVED', 1, 1)"
    )
    connection.commit()
    connection.close()
    site.reserve("k")
    site.once()
    assert site.status("broken")["last_error"] == "its stored command cannot be read"
    assert site.starts() == ["k"]


def test_a_stuck_claim_of_a_lost_machine_needs_a_decision(tmp_path, postgres_url: str) -> None:
    for site in sites(str(tmp_path), postgres_url):
        site.reserve("k")
        dispatcher = site.run(wait=False, env={"BESPEAK_CRASH_AT": "jobs.answered"})
        assert dispatcher.process.wait(60) == -signal.SIGKILL
        engine = open_store(site.url)
        engine.transact((), lambda tx: tx.execute("UPDATE dispatch_dispatchers SET runner_home = 'another machine'"))
        engine.close()
        site.once()
        assert site.status("k")["reservation_status"] == "DISPATCHING"
        health = site.call("health")
        assert (health.code, health.json["dead_owners"]) == (1, 1)
        assert site.call("requeue", "--run-key", "k").code == 6
        assert site.call("requeue", "--run-key", "k", "--force").code == 0
        site.once()
        assert site.status("k")["reservation_status"] == "DISPATCHED"


def test_connections_that_are_cut_are_made_again(tmp_path, private_postgres) -> None:
    import psycopg

    for site in sites(
        str(tmp_path),
        f"{private_postgres.url}&schema=x" if "?" in private_postgres.url else f"{private_postgres.url}?schema=x",
    ):
        dispatcher = site.run("--poll-interval", "3600", "--error-sleep", "0.1")
        for number in range(3):
            with psycopg.connect(private_postgres.url, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND application_name LIKE 'bespeak%'"
                )
            site.reserve(f"k{number}")
            dispatcher.await_event("dispatch_succeeded", number + 1)
        assert dispatcher.stop() == 0


def test_the_program_of_the_package_runs(site: Site) -> None:
    script = os.path.join(os.path.dirname(sys.executable), "orchesjob-reserver")
    words = [script] if os.path.exists(script) else site_words()
    done = subprocess.run([*words, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("orchesjob-reserver 0.1.2")


def site_words() -> list[str]:
    return [sys.executable, "-c", "from bespeak.jobs.cli import reserver_main; raise SystemExit(reserver_main())"]
