"""The documented commands: their JSON, their texts where scripts read them, their exit codes; on both engines."""

import json
import os
import pty
import stat
import subprocess

import pytest

from bespeak.argv.json_as_text import render
from support import job_sites
from support.job_sites import RESERVER, Site

DOCUMENTED = [
    "reservation_id", "run_key", "reservation_status", "job_id", "command", "orchesjob_start_options", "metadata",
    "not_before", "not_before_iso", "expires_at", "expires_at_iso", "created_at", "created_at_iso", "updated_at",
    "updated_at_iso", "dispatched_at", "dispatched_at_iso", "last_error",
]  # fmt: skip


def test_reserve_as_documented(any_site: Site) -> None:
    answer = any_site.call(
        "reserve", "--run-key", "daily-import-2026-05-04", "--not-before", "2026-05-04T03:00:00+09:00",
        "--metadata-json", '{"dag_id":"daily_import","task_id":"import"}', "--orchesjob-start-option=--strict",
        "--", "/jobs/import.sh", "--date", "2026-05-04",
    )  # fmt: skip
    assert answer.code == 0
    assert answer.err == ""
    assert answer.json["created"] is True
    assert answer.json["dispatcher"] == "absent"
    found = answer.json["reservation"]
    assert list(found)[: len(DOCUMENTED)] == DOCUMENTED
    assert found["command"] == ["/jobs/import.sh", "--date", "2026-05-04"]
    assert found["orchesjob_start_options"] == ["--strict"]
    assert found["metadata"] == {"dag_id": "daily_import", "task_id": "import"}
    assert found["not_before"] == 1777831200
    assert found["not_before_iso"] == "2026-05-03T18:00:00+00:00"
    assert found["reservation_status"] == "RESERVED"
    for name in ("job_id", "expires_at", "expires_at_iso", "dispatched_at", "dispatched_at_iso", "last_error"):
        assert found[name] is None


def test_a_repeated_run_key_changes_nothing_and_says_whether_it_is_the_same(any_site: Site) -> None:
    first = any_site.call("reserve", "--run-key", "k", "--not-before", "2040-01-01", "--", "/bin/a").json
    again = any_site.call("reserve", "--run-key", "k", "--not-before", "2040-01-01", "--", "/bin/a").json
    other = any_site.call("reserve", "--run-key", "k", "--not-before", "2040-01-01", "--", "/bin/b").json
    assert (again["created"], other["created"]) == (False, False)
    assert again["reservation"] == other["reservation"] == first["reservation"]
    assert (again["same_request"], other["same_request"]) == (True, False)
    assert "same_request" not in first


def test_a_whole_life(any_site: Site) -> None:
    any_site.reserve("k")
    assert any_site.call("result", "--run-key", "k").code == 5
    names = [event["event"] for event in any_site.once()]
    assert names == ["reserver_started", "orchesjob_start_call", "dispatch_succeeded", "reserver_stopped"]
    answer = any_site.call("status", "--run-key", "k", "--include-job").json
    found = answer["reservation"]
    assert (found["reservation_status"], found["job_id"]) == ("DISPATCHED", "job-k")
    assert found["dispatched_at_iso"].endswith("+00:00")
    assert answer["job"] == {"job_id": "job-k", "status": "SUCCEEDED", "exit_code": 0}
    by_id = any_site.call("status", "--reservation-id", found["reservation_id"]).json
    assert by_id["reservation"] == found
    assert "job" not in by_id


def test_result_is_passed_on_as_it_is(site: Site) -> None:
    site.reserve("k")
    site.once()
    answer = site.call("result", "--run-key", "k")
    assert (answer.code, answer.out, answer.err) == (7, "the result of job-k\n", "on stderr\n")


def test_cancel_of_a_started_job_is_the_runners(site: Site) -> None:
    site.reserve("k")
    site.once()
    answer = site.call("cancel", "--run-key", "k")
    assert (answer.code, answer.json) == (4, {"cancelled": "job-k"})
    assert site.status("k")["reservation_status"] == "DISPATCHED"


def test_a_runner_without_result_and_cancel_is_asked_for_status_and_abort(site: Site) -> None:
    runner = site.stub(
        "old",
        "#!/bin/sh\n"
        'case "$1" in\n'
        'start) echo \'{"job_id": "J"}\' ;;\n'
        'status|abort) echo "$1 $3" ;;\n'
        """*) echo "error: argument subcommand: invalid choice: '$1'" >&2; exit 2 ;;\nesac\n""",
    )
    site.reserve("k")
    site.once(runner=runner)
    assert site.call("result", "--run-key", "k", runner=runner).out == "status J\n"
    assert site.call("cancel", "--run-key", "k", runner=runner).out == "abort J\n"


@pytest.mark.parametrize("state", ["RESERVED", "DISPATCH_FAILED", "EXPIRED"])
def test_cancel_before_the_start(any_site: Site, state: str) -> None:
    any_site.reserve("k", *(["--expires-at", "1000"] if state == "EXPIRED" else []))
    if state != "RESERVED":
        any_site.once(runner="/no/such/runner")
    assert any_site.status("k")["reservation_status"] == state
    answer = any_site.call("cancel", "--run-key", "k")
    assert answer.code == 0
    assert answer.json["cancelled"] is True
    assert answer.json["reservation"]["reservation_status"] == "CANCELLED"
    again = any_site.call("cancel", "--run-key", "k")
    assert again.code == 6
    assert "CANCELLED" in again.error


def test_unknown_reservations(any_site: Site) -> None:
    for command in ("status", "result", "cancel", "requeue", "wait"):
        for flag in ("--run-key", "--reservation-id"):
            answer = any_site.call(command, flag, "nobody")
            assert (answer.code, answer.out) == (4, "")
            assert answer.error == "Reservation not found."


def test_expiry(any_site: Site) -> None:
    any_site.reserve("late", "--expires-at", "1000")
    (event,) = [event for event in any_site.once() if event["event"] == "reservation_expired"]
    assert event["run_key"] == "late"
    assert event["last_error"] == "expired before dispatch"
    found = any_site.status("late")
    assert (found["reservation_status"], found["last_error"]) == ("EXPIRED", "expired before dispatch")
    assert any_site.starts() == []


def test_order_of_dispatch(any_site: Site) -> None:
    for key, when in (("c", "3000"), ("now", None), ("a", "1000"), ("b", "2000"), ("a2", "1000")):
        any_site.reserve(key, *(["--not-before", when] if when else []))
    any_site.once("--max-starts", "1")
    assert any_site.starts() == ["a", "a2", "b", "c", "now"]


def test_options_of_the_dispatcher_come_before_those_of_the_reservation(site: Site) -> None:
    site.call("reserve", "--run-key", "k", "--orchesjob-start-option", "--strict", "--", "/bin/x", "--", "y")
    site.once("--orchesjob-start-option=--start-timeout=3")
    assert site.calls() == ["start --run-key k --start-timeout=3 --strict -- /bin/x -- y"]


def test_events_as_documented(site: Site) -> None:
    site.reserve("before")
    dispatcher = site.run("--poll-interval", "1.5", "--orchesjob-start-option=--strict")
    made = site.reserve("k")
    dispatcher.await_event("dispatch_succeeded", 2)
    assert dispatcher.stop() == 0
    (started,) = dispatcher.events("reserver_started")
    assert started["db"] == site.url
    assert started["orchesjob_bin"] == site.runner
    assert started["orchesjob_start_options"] == ["--strict"]
    assert started["poll_interval"] == 1.5
    assert isinstance(started["run_started_at"], int)
    (accepted,) = dispatcher.events("reservation_accepted")
    for name in (
        "reservation_id",
        "run_key",
        "reservation_status",
        "command",
        "not_before",
        "expires_at",
        "created_at",
    ):
        assert accepted[name] == made[name]
    call = dispatcher.events("orchesjob_start_call")[-1]
    assert call["command"] == [site.runner, "start", "--run-key", "k", "--strict", "--", "/bin/true", "k"]
    success = dispatcher.events("dispatch_succeeded")[-1]
    assert (success["reservation_id"], success["job_id"]) == (made["reservation_id"], "job-k")
    assert dispatcher.events()[-1]["event"] == "reserver_stopped"
    for event in dispatcher.events():
        assert event["ts"].endswith("+00:00")
        assert isinstance(event["ts_epoch"], int)


def test_what_was_dispatched_earlier_is_not_told_again(site: Site) -> None:
    site.reserve("k")
    site.once()
    told = [event["event"] for event in site.once()]
    assert (told[0], told[-1]) == ("reserver_started", "reserver_stopped")
    assert set(told[1:-1]) <= {"job_ended"}, "that it was dispatched was told before"
    assert [event["event"] for event in site.once()] == ["reserver_started", "reserver_stopped"]


def test_list(any_site: Site) -> None:
    for number in range(5):
        any_site.reserve(f"k{number}", "--metadata-json", json.dumps({"n": number, "even": number % 2 == 0}))
    any_site.call("cancel", "--run-key", "k3")

    def keys(*args: str) -> list[str]:
        answer = any_site.call("list", *args)
        assert answer.code == 0, answer.err
        return [item["run_key"] for item in answer.json["reservations"]]

    assert keys() == ["k4", "k3", "k2", "k1", "k0"]
    assert keys("--status", "CANCELLED") == ["k3"]
    assert keys("--limit", "2") == ["k4", "k3"]
    assert keys("--limit", "0") == []
    assert keys("--limit=-1") == ["k4", "k3", "k2", "k1", "k0"]
    assert keys("--limit", "2", "--after", any_site.status("k3")["reservation_id"]) == ["k2", "k1"]
    assert keys("--key-prefix", "k1") == ["k1"]
    assert keys("--metadata", "even=true", "--metadata", "n=2") == ["k2"]
    assert keys("--since", "2000-01-01", "--until", "+1h", "--limit", "1") == ["k4"]
    assert keys("--until", "2000-01-01") == []
    assert any_site.call("list", "--after", "nobody").code == 4
    assert any_site.call("list").json["dispatcher"] == "absent"


def test_clean(any_site: Site) -> None:
    for key in ("done", "gone", "waits"):
        any_site.reserve(key, *(["--not-before", "2040-01-01"] if key == "waits" else []))
    any_site.call("cancel", "--run-key", "gone")
    any_site.once()
    dry = any_site.call("clean", "--all", "--dry-run").json
    assert (dry["matched"], dry["deleted"], dry["dry_run"]) == (2, 0, True)
    assert {item["run_key"] for item in dry["reservations"]} == {"done", "gone"}
    assert any_site.call("clean", "--before", "2026-01-01").json["matched"] == 0
    assert any_site.call("clean", "--after", "+1h").json["matched"] == 0
    assert any_site.call("clean", "--run-key", "nobody", "--all").json["matched"] == 0
    assert any_site.call("clean", "--job-id", "nobody").json == {
        "reservations": [],
        "deleted": 0,
        "dry_run": False,
        "matched": 0,
    }
    one = any_site.call("clean", "--job-id", "job-done").json
    assert (one["matched"], one["deleted"], one["reservations"][0]["run_key"]) == (1, 1, "done")
    assert any_site.call("clean", "--after", "2026-01-01", "--before", "+1h", "--summary").json["deleted"] == 1
    assert [item["run_key"] for item in any_site.call("list").json["reservations"]] == ["waits"]
    waiting = any_site.status("waits")["reservation_id"]
    assert any_site.call("clean", "--reservation-id", waiting).json["deleted"] == 0


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ([], "a command is required"),
        (["frobnicate"], "no command 'frobnicate'"),
        (["reserve", "--", "a"], "--run-key is required"),
        (["reserve", "--run-key", "a"], "reserve requires command after --"),
        (["reserve", "--run-key", "a", "--"], "reserve requires command after --"),
        (["reserve", "--run-key", "", "--", "a"], "--run-key must not be empty"),
        (["reserve", "--run-key", "a", "--metadata-json", "[1]", "--", "a"], "must be a JSON object"),
        (["reserve", "--run-key", "a", "--metadata-json", "{", "--", "a"], "must be a JSON object"),
        (["reserve", "--run-key", "a", "--not-before", "soon", "--", "a"], "--not-before: 'soon'"),
        (["reserve", "--run-key", "a", "--for", "1h", "--", "a"], "--for needs --needs"),
        (["reserve", "--run-key", "a", "--needs", "x", "--", "a"], "--needs needs --for"),
        (["reserve", "--run-key", "a", "--env", "1A=x", "--", "a"], "--env '1A=x'"),
        (["reserve", "--run-key", "a", "--cwd", "here", "--", "a"], "--cwd 'here'"),
        (["reserve", "--run-key", "a", "--retry", "²", "--", "a"], "--retry '\\xb2'"),
        (["status"], "exactly one of --run-key and --reservation-id"),
        (["status", "--run-key", "a", "--reservation-id", "b"], "exactly one of"),
        (["list", "--status", "FOO"], "--status 'FOO'"),
        (["list", "--limit", "many"], "--limit 'many'"),
        (["clean"], "Specify --all"),
        (["clean", "--run-key", "a"], "Specify --all"),
        (["clean", "--job-id", "j", "--all"], "--job-id cannot be combined"),
        (["clean", "--reservation-id", "j", "--before", "2026-01-01"], "--reservation-id cannot be combined"),
        (["run", "--poll-interval", "x"], "--poll-interval"),
        (["run", "--max-starts", "0"], "--max-starts '0'"),
        (["install", "--kind", "upstart"], "--kind 'upstart'"),
    ],
)
def test_wrong_usage_is_exit_2_and_one_json_line(site: Site, args: list[str], told: str) -> None:
    import subprocess

    from support.job_sites import Answer, command

    answer = Answer(subprocess.run(command(*args), capture_output=True, text=True, check=False, env=site.environ()))
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.error
    assert not os.path.exists(os.path.join(site.folder, "home"))


def test_help_is_no_error(site: Site) -> None:
    from bespeak.jobs.cli import PROGRAM

    for entry, command in PROGRAM.commands():
        answer = site.call(entry.name, "--help")
        assert answer.code == 0
        for option in (*command.options, *PROGRAM.shared):
            assert option.flags[-1] in answer.out
        for line, _ in command.examples:
            assert f"orchesjob-reserver {line}\n" in answer.out


@pytest.mark.parametrize(
    ("prog", "words", "is_text"),
    [
        ("bespeak job", [], True),
        ("bespeak job", ["--json"], False),
        (RESERVER, [], False),
        (RESERVER, ["--text"], True),
    ],
)
def test_our_own_name_prints_text_on_a_terminal(site: Site, prog: str, words: list[str], is_text: bool) -> None:
    """And the documented name what is documented: JSON."""
    site.reserve("k")
    terminal, slave = pty.openpty()
    argv = job_sites.command("list", "--db", site.url, *words, prog=prog)
    assert subprocess.run(argv, stdout=slave, env=site.environ(), check=False).returncode == 0
    os.close(slave)
    with open(terminal, "rb") as stream:
        assert stream.readline().startswith(b"STATE " if is_text else b"{")


def test_rows_that_have_none_of_the_usual_columns_are_shown_all_the_same() -> None:
    assert render({"dispatchers": [{"alive": True, "since": 1, "since_iso": "1970"}]}).splitlines() == [
        "dispatchers:",
        "  ALIVE  SINCE",
        "  yes    1970",
    ]


def test_text_for_people_is_printed_if_it_is_asked_for(site: Site) -> None:
    site.reserve("k 1", "--env", "A=b c")
    told = site.call("status", "--run-key", "k 1", "--text")
    assert (told.code, told.err) == (0, "")
    lines = [line.strip() for line in told.out.splitlines()]
    assert lines[0] == "reservation:"
    assert any(line.split() == ["run", "key", "k", "1"] for line in lines)
    assert any(line.startswith("command ") and line.endswith("/bin/true 'k 1'") for line in lines)
    rows = site.call("list", "--text").out.splitlines()
    assert rows[0].split() == ["STATE", "OUTCOME", "STARTED", "OR", "DUE", "RESERVATION", "ID", "RUN", "KEY"]
    assert rows[1].startswith("RESERVED ")
    assert rows[1].endswith("  k 1")
    refused = site.call("status", "--run-key", "none", "--text")
    assert (refused.code, refused.out) == (4, "")
    assert refused.err == "orchesjob-reserver: error: Reservation not found.\n"
    changes = site.call("watch", "--after-seq", "0", "--timeout", "0.1", "--text").out
    assert "k 1" in changes
    assert "{" not in changes
    assert site.call("status", "--json", "--run-key", "k 1").json == site.call("status", "--run-key", "k 1").json


def test_an_option_of_the_users_command_does_not_change_the_form_of_an_error(site: Site) -> None:
    answer = site.call("reserve", "--run-key", "", "prog", "--text")
    assert (answer.code, answer.out) == (2, "")
    assert "must not be empty" in answer.error


def test_help_after_the_command_began_is_the_commands(site: Site) -> None:
    assert site.call("reserve", "--run-key", "k", "--", "prog", "--help").json["reservation"]["command"] == [
        "prog",
        "--help",
    ]


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({"ORCHESJOB_HOME": "{0}/a"}, "a"),
        ({"ORCHESJOB_HOME": "{0}/a", "ORCHESJOB_RESERVER_HOME": "{0}/b"}, "b"),
        ({"ORCHESJOB_RESERVER_HOME": "{0}/b"}, "b"),
    ],
)
def test_where_the_database_is(site: Site, environ: dict[str, str], place: str) -> None:
    import subprocess

    from support.job_sites import command

    env = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESJOB")}
    env |= {name: value.format(site.folder) for name, value in environ.items()}
    subprocess.run(command("reserve", "--run-key", "k", "--", "a"), check=True, capture_output=True, env=env)
    path = os.path.join(site.folder, place, "reserver.sqlite3")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700


def test_the_runner_is_the_flag_then_the_variable_then_what_started_the_job_then_path(site: Site) -> None:
    site.reserve("k")
    site.once()
    other = site.stub("other", "#!/bin/sh\necho from the variable\n")
    site.stub("orchesjob", "#!/bin/sh\necho from the path\n")
    import subprocess

    from support.job_sites import command

    words = command("result", "--db", site.url, "--run-key", "k")
    path = f"{site.folder}:{os.environ['PATH']}"
    for environ, told in (({"ORCHESJOB_BIN": other}, "from the variable\n"), ({}, "the result of job-k\n")):
        done = subprocess.run(
            words, capture_output=True, text=True, env=site.environ(PATH=path, **environ), check=False
        )
        assert done.stdout == told
    assert site.call("result", "--run-key", "k", runner=other).out == "from the variable\n"
    os.unlink(site.runner)
    done = subprocess.run(words, capture_output=True, text=True, env=site.environ(PATH=path), check=False)
    assert done.stdout == "from the path\n"


@pytest.mark.parametrize("command", ["status --include-job", "result", "cancel"])
def test_a_runner_that_cannot_be_called_is_one_line(site: Site, command: str) -> None:
    site.reserve("k")
    site.once()
    name, *rest = command.split()
    answer = site.call(name, "--run-key", "k", *rest, runner="/no/such/runner")
    assert answer.code == 1
    assert "/no/such/runner" in answer.error


@pytest.mark.parametrize("path", ["/proc/nowhere/x.db", "/dev/null/x.db", "{0}/runner"])
def test_a_store_that_cannot_be_opened_is_one_line(site: Site, path: str) -> None:
    import subprocess

    from support.job_sites import Answer, command

    words = command("list", "--db", path.format(site.folder))
    answer = Answer(subprocess.run(words, capture_output=True, text=True, check=False, env=site.environ()))
    assert (answer.code, answer.out) == (1, "")
    assert answer.error
