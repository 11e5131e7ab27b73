"""The runner as a program: what it answers, how it fails, what it prints of help."""

from __future__ import annotations

import functools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base import json_text
from bespeak.runner import cli
from bespeak.runner.cli import PROGRAM
from support.jobs import eventually, program, served

JOB_FIELDS = [
    "job_id",
    "run_key",
    "command",
    "pid",
    "pid_kind",
    "worker_pid",
    "target_pid",
    "status",
    "exit_code",
    "stdout_file",
    "stderr_file",
    "attempt_no",
    "strict",
    "rerun_of_job_id",
    "rerun_reason",
    "abort_reason",
    "started_at",
    "started_at_iso",
    "finished_at",
    "finished_at_iso",
    "updated_at",
    "updated_at_iso",
    "aborted_at",
    "aborted_at_iso",
    "idempotency_key",
]


def answer(*words):
    done = program(*words)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    return json.loads(done.stdout)


def refusal(*words):
    done = program(*words)
    assert done.stdout == b""
    assert len(done.stderr.splitlines()) == 1
    assert b"Traceback" not in done.stderr
    return done.returncode, json.loads(done.stderr)["error"]


def test_start_and_status_answer_with_the_documented_fields(runner):
    started = answer("start", "--run-key", "k", "--sync", "--idempotency-key", "i", "--", "sh", "-c", "echo hi; exit 3")
    extra = ["accepted", "existing", "mode", "strict_override_used"]
    assert sorted(started) == sorted(JOB_FIELDS + extra)
    assert (started["accepted"], started["existing"], started["mode"], started["strict"]) == (
        True,
        False,
        "sync",
        False,
    )
    assert (started["status"], started["exit_code"], started["idempotency_key"]) == ("FAILED", 3, "i")
    assert started["pid"] == started["target_pid"]
    status = answer("status", "--run-key", "k")
    assert sorted(status) == sorted([*JOB_FIELDS, "strict_override"])
    assert answer("status", "--idempotency-key", "i") == status
    assert answer("status", "--job-id", status["job_id"]) == status
    assert answer("status", "--run-key", "k", "--all") == [status]
    assert answer("status", "--running") == []
    again = answer("start", "--run-key", "k", "--strict", "--", "true")
    assert (again["accepted"], again["existing"], again["strict"], again["job_id"]) == (
        False,
        True,
        True,
        status["job_id"],
    )


def test_result_and_logs_give_back_what_was_written(runner):
    answer("start", "--run-key", "k", "--sync", "--", "sh", "-c", r"printf 'a\377\n'; echo b >&2")
    assert program("logs", "--run-key", "k").stdout == b"a\xff\n"
    assert program("logs", "--run-key", "k", "--stream", "stderr").stdout == b"b\n"
    result = answer("result", "--run-key", "k", "--logs")
    assert (result["exit_code"], result["stdout"], result["stderr"]) == (0, "a\udcff\n", "b\n")
    assert "stdout" not in answer("result", "--run-key", "k")


def test_logs_follow_until_the_end(runner, tmp_path):
    go = tmp_path / "go"
    answer("start", "--run-key", "k", "--", "sh", "-c", f"echo one; while [ ! -e {go} ]; do sleep 0.01; done; echo two")
    with subprocess.Popen(
        [sys.executable, "-m", "bespeak.runner", "logs", "--run-key", "k", "--follow"], stdout=subprocess.PIPE
    ) as follower:
        assert follower.stdout.readline() == b"one\n"
        go.touch()
        assert follower.stdout.read() == b"two\n"
        assert follower.wait(30) == 0


def test_logs_follow_what_is_written_while_the_job_is_being_stopped(runner, tmp_path):
    go = tmp_path / "go"
    wait = f"while [ ! -e {go} ]; do sleep 0.01; done"
    answer("start", "--run-key", "k", "--", "sh", "-c", f"trap '{wait}; echo two; exit' TERM; echo one; {wait}")
    module = [sys.executable, "-m", "bespeak.runner"]
    eventually(lambda: program("logs", "--run-key", "k").stdout == b"one\n")
    with subprocess.Popen(
        [*module, "cancel", "--run-key", "k", "--grace-seconds", "60"], stdout=subprocess.PIPE
    ) as end:
        eventually(lambda: answer("status", "--run-key", "k")["status"] == "CANCELLED")
        with subprocess.Popen([*module, "logs", "--run-key", "k", "--follow"], stdout=subprocess.PIPE) as follower:
            assert follower.stdout.readline() == b"one\n"
            go.touch()
            assert follower.stdout.read() == b"two\n"
            assert (follower.wait(30), end.wait(30)) == (0, 0)


def test_the_environment_and_folder_options(runner, tmp_path):
    answer(
        "start",
        "--run-key=k",
        "--sync",
        "--env",
        "A=b=c",
        "--env=D=",
        "--cwd",
        str(tmp_path),
        "sh",
        "-c",
        "pwd; echo $A.$D.",
    )
    assert program("logs", "--run-key", "k").stdout.decode() == f"{tmp_path}\nb=c..\n"


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["--", "echo", "--", "x"], ["echo", "--", "x"]),
        (["echo", "--", "x"], ["echo", "--", "x"]),
        (["echo", "--strict"], ["echo", "--strict"]),
        (["--", "--", "x"], ["--", "x"]),
    ],
)
def test_only_the_first_separator_is_one(runner, words, command):
    assert answer("start", "--run-key", "k", "--sync", *words)["command"] == command


def test_abort_cancel_rerun_unlock_and_clean_answer(runner):
    answer("start", "--run-key", "k", "--", "sleep", "30")
    aborted = answer("abort", "--run-key", "k", "--reason", "why")
    assert (aborted["status"], aborted["aborted"], aborted["abort_reason"]) == ("ABORTED", True, "why")
    assert (aborted["sent_term_target"], aborted["sent_kill_target"]) == (True, False)
    assert aborted["aborted_at"] is not None
    rerun = answer("rerun", "--run-key", "k")
    assert (rerun["rerun"], rerun["rerun_of_job_id"], rerun["status"]) == (True, aborted["job_id"], "RUNNING")
    cancelled = answer("cancel", "--job-id", rerun["job_id"], "--grace-seconds", "1")
    assert (cancelled["status"], cancelled["cancelled"]) == ("CANCELLED", True)
    unlocked = answer("unlock", "--run-key", "k", "--ttl", "30m")
    assert (unlocked["unlocked"], unlocked["expires_at"] - unlocked["allowed_at"]) == (True, 1800)
    assert answer("status", "--run-key", "k")["strict_override"]["expires_at"] == unlocked["expires_at"]
    cleaned = answer("clean", "--all")
    assert (cleaned["deleted"], cleaned["errors"], cleaned["dry_run"]) == (2, 0, False)
    assert {item["run_key"] for item in cleaned["items"]} == {"k"}
    assert answer("clean", "--all") == {"deleted": 0, "errors": 0}


def test_the_exit_code_outlives_the_starter_and_a_hangup(runner):
    starter = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "bespeak.runner",
            "start",
            "--run-key",
            "k",
            "--sync",
            "--",
            "sh",
            "-c",
            "sleep 0.3; exit 7",
        ],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    # A starter killed earlier has stored the job but not begun it, which only a repeated start does.
    eventually(
        lambda: os.path.exists(runner.paths.database) and [1 for job in runner.running() if job.target_pid is not None]
    )
    os.killpg(starter.pid, signal.SIGHUP)
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()
    job = runner.find(run_key="k")
    assert runner.wait(job.job_id, 20).exit_code == 7


def test_a_starter_whose_reader_went_away_has_still_started(runner):
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-m", "bespeak.runner", "start", "--run-key", "k", "--", "true"],
        stdout=write_end, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    os.close(write_end)
    assert (done.returncode, done.stderr) == (141, b"")
    assert runner.wait(runner.find(run_key="k").job_id, 20).exit_code == 0


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (["start", "--run-key", "k"], 2, "command"),
        (["start", "--", "true"], 2, "--run-key"),
        (["start", "--run-key"], 2, "needs a value"),
        (["start", "--run-key", "--strict", "--", "true"], 2, "needs a value"),
        (["start", "--run-key", "k", "--start-timeout", "²", "--", "true"], 2, "duration"),
        (["start", "--run-key", "k", "--start-timeout", "nan", "--", "true"], 2, "duration"),
        (["start", "--run-key", "k", "--bogus"], 2, "--bogus"),
        (["start", "--run-key", "k", "--strict=1", "--", "true"], 2, "not take a value"),
        (["start", "--run-key", "k", "--s", "--", "true"], 2, "--sync, --strict, --start-timeout"),
        (["start", "--run-key", "k", "--env", "X", "--", "true"], 2, "NAME=VALUE"),
        (["start", "--run-key", b"k\xff", "--", "true"], 2, "UTF-8"),
        (["status"], 2, "required"),
        (["status", "--run-key", "k", "--running"], 2, "combined"),
        (["status", "--job-id", "k", "--all"], 2, "--run-key"),
        (["status", "--run-key", "k", "extra"], 2, "extra"),
        (["status", "--run-key", "none"], 3, "not found"),
        (["result", "--run-key", "none"], 3, "not found"),
        (["logs", "--job-id", "none"], 3, "not found"),
        (["logs", "--run-key", "none", "--stream", "both"], 2, "stderr"),
        (["abort", "--run-key", "none"], 3, "not found"),
        (["rerun", "--run-key", "none"], 3, "not found"),
        (["unlock", "--run-key", "none"], 3, "not found"),
        (["unlock", "--run-key", "none", "--ttl", "0"], 2, "--ttl"),
        (["unlock", "--run-key", "none", "--ttl", "-5"], 2, "--ttl"),
        (["unlock", "--run-key", "none", "--ttl", "1.5h"], 2, "--ttl"),
        (["unlock", "--run-key", "none", "--ttl", "9" * 400], 2, "--ttl"),
        (["unlock", "--run-key", "none", "--ttl", "²"], 2, "--ttl"),
        (["clean"], 2, "required"),
        (["clean", "--all", "--before", "2026-01-01"], 2, "combined"),
        (["clean", "--job-id", "x", "--run-key", "k"], 2, "combined"),
        (["clean", "--before", "garbage"], 2, "garbage"),
        (["bogus"], 2, "bogus"),
    ],
)
def test_a_refusal_is_one_json_object_with_its_exit_code_and_writes_nothing(runner, words, code, part):
    got, text = refusal(*words)
    assert got == code
    assert part in text
    assert not os.path.exists(runner.paths.home)


def test_wrong_states_are_exit_4(runner):
    answer("start", "--run-key", "k", "--sync", "--", "true")
    assert refusal("abort", "--run-key", "k")[0] == 4
    answer("start", "--run-key", "k", "--", "sleep", "30")
    assert refusal("unlock", "--run-key", "k")[0] == 4
    assert refusal("rerun", "--run-key", "k")[0] == 4


def test_a_home_that_cannot_be_written_is_told(tmp_path):
    done = program("start", "--run-key", "k", "--", "true", home="/proc/none")
    assert done.returncode == 1
    assert "ORCHESJOB_HOME" in json.loads(done.stderr)["error"]


def test_a_locked_book_is_exit_5(runner, monkeypatch, capsys):
    assert cli.main(["start", "--run-key", "k", "--sync", "--", "true"]) == 0
    runner._open()._busy_seconds = 0.05
    lock = sqlite3.connect(runner.paths.database, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr("bespeak.runner.service.Runner._open", lambda self, engine=runner._engine: engine)
    capsys.readouterr()
    try:
        assert cli.main(["start", "--run-key", "k", "--", "true"]) == 5
    finally:
        lock.close()
    assert "locked" in json.loads(capsys.readouterr().err)["error"]


def test_a_damaged_book_is_not_called_locked_because_of_its_folder(tmp_path):
    home = tmp_path / "a locked b"
    home.mkdir(mode=0o700)
    (home / "runner.sqlite3").write_bytes(b"no database" * 100)
    done = program("status", "--run-key", "k", home=str(home))
    error = json.loads(done.stderr)["error"]
    assert (done.returncode, "not a database" in error) == (1, True), error


@pytest.mark.parametrize("key", ["{  x", "a\nb", '"', "\x1b[31m"])
def test_an_error_names_the_key_as_it_was_typed(runner, key):
    answer("start", "--run-key", "other", "--sync", "--", "true")
    code, text = refusal("status", "--run-key", key)
    assert code == 3
    assert repr(key) in text


COMMANDS = [command for _, command in PROGRAM.commands()]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_each_command_helps_with_its_options_and_examples(command, capsys):
    assert cli.main([command.name, "--help"]) == 0
    text = capsys.readouterr().out
    assert all(flag in text for option in command.options for flag in option.flags)
    assert all(f"bespeak runner {example}\n" in text for example, _ in command.examples)
    assert all(example.startswith(command.name) for example, _ in command.examples)
    assert max(map(len, text.splitlines())) <= 120


def test_the_overview_names_every_command(capsys):
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {command.name} " in text for command in COMMANDS)
    assert cli.main([]) == 2
    assert cli.main(["--version"]) == 0


@pytest.mark.parametrize(
    "words", [["start", "--help"], ["status", "-h"], ["start", "--bogus", "--", "true"], ["logs"], []]
)
def test_a_helper_answers_what_it_does_not_serve_and_prints_nothing_of_its_own(runner, words, capsys):
    answered = served(runner, words)[0]
    assert (answered["code"], answered["out"]) == (2, "")
    assert list(json.loads(answered["err"])) == ["error"]
    assert capsys.readouterr().out == ""


def test_text_for_people_is_printed_only_if_it_is_asked_for(runner):
    started = answer("start", "--run-key", "k", "--sync", "--", "echo", "a b")
    told = program("status", "--run-key", "k", "--text").stdout.decode().splitlines()
    assert "run key      k" in told
    assert "command      echo 'a b'" in told
    assert f"job id       {started['job_id']}" in told
    rows = program("status", "--run-key", "k", "--all", "--text").stdout.decode().splitlines()
    assert rows[0].split()[:3] == ["JOB", "ID", "RUN"]
    assert rows[1].split()[0] == started["job_id"]
    refused = program("--text", "status", "--run-key", "none")
    assert (refused.returncode, refused.stdout) == (3, b"")
    assert refused.stderr.startswith(b"python -m bespeak.runner: error: ")
    assert answer("--json", "status", "--run-key", "k") == answer("status", "--run-key", "k")


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_values)
def test_the_encoder_writes_what_the_json_module_writes(value):
    assert json_text.indented(value) == json.dumps(value, indent=2)


def test_the_encoder_writes_what_nests_deep():
    value = functools.reduce(lambda inner, _: {"a": [inner]}, range(400), "x")
    assert json_text.indented(value, "  ") == textwrap.indent(json.dumps(value, indent=2), "  ").lstrip()


@given(st.lists(st.text(st.characters(exclude_characters="\0"))))
def test_any_words_are_an_answer_or_a_refusal(words):
    command = ["status", *words, "--run-key", "none-of-these"]
    assert cli.main(command) in (0, 2, 3)


def test_the_program_imports_nothing_slow(runner):
    code = (
        "import sys; from bespeak.runner.cli import main; main(['start', '--run-key', 'k', '--', 'true']);"
        "slow = 'json argparse typing dataclasses logging re subprocess tempfile pathlib random click';"
        "print([name for name in slow.split() if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, check=True, env=_with_path())
    assert done.stderr == b"[]\n"


def _with_path():
    import bespeak

    return {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(bespeak.__file__))}


def test_an_answer_that_does_not_fit_into_memory_is_an_error_in_its_form(runner, tmp_path):
    job = runner.start("k", ["/bin/true"]).job
    runner.wait(job.job_id)
    with open(runner.paths.log(job.job_id, "stdout"), "wb") as file:
        file.truncate(400 << 20)
    script = (
        "import resource, sys\n"
        "from bespeak.runner.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_AS, (500 << 20, 500 << 20))\n"
        "sys.exit(main(['result', '--run-key', 'k', '--logs']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "ORCHESJOB_HOME": runner.paths.home},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "too little memory" in json.loads(done.stderr)["error"]
