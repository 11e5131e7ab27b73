"""``bespeak power`` and ``bespeak host`` as real processes."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.redfish_service import redfish_service
from support.trusting import trust

LAB = """
[[hosts]]
id = "r1"
labs = ["bench"]
resources = ["rack1"]
labels = ["arm64"]
[hosts.power_control]
type = "command"
on_cmd = "echo on > {name}.state"
off_cmd = "echo off > {name}.state; echo bye"
status_cmd = "cat {name}.state"
status_on = "on"
cycle_delay = 0.05
timeout = 10

[[hosts]]
id = "r2"
labs = ["bench"]
resources = ["rack2"]
[hosts.power_control]
type = "command"
on_cmd = "echo stuck; exit 1"
off_cmd = "true"

[[hosts]]
id = "broken"
labs = ["bench"]
power_control = { on_cmd = "x" }

[[hosts]]
id = "here"
kind = "local"
labs = ["bench"]
resources = ["rack1"]
"""


class Bench:
    """A folder with a lab, a book in it, and the program."""

    def __init__(self, cli: Any, folder: Path) -> None:
        self.cli = cli
        self.folder = folder
        (folder / ".bespeak").mkdir()
        (folder / ".bespeak" / "settings.toml").write_text(
            '[reservations]\nbackend = "ledger"\n[ledger]\nurl = "book.db"\n'
        )
        (folder / "lab.toml").write_text(LAB)
        trust(folder)

    def __call__(self, *words: str, user: str = "alice", **options: Any) -> subprocess.CompletedProcess[str]:
        return self.cli("--as-user", user, "-l", "bench", *words, cwd=self.folder, **options)

    def hold(self, *resources: str) -> None:
        done = self("reserve", *resources, "--for", "1h")
        assert done.returncode == 0, done.stderr

    def state(self, name: str = "r1") -> str:
        path = self.folder / f"{name}.state"
        return path.read_text().strip() if path.exists() else ""


@pytest.fixture
def bench(cli: Any, tmp_path: Path) -> Bench:
    return Bench(cli, tmp_path)


def test_refused_to_who_does_not_hold_it(bench: Bench) -> None:
    bench.hold("rack1")
    done = bench("power", "on", "r1", user="bob")
    assert done.returncode == 8
    assert (
        "User 'bob' does not hold all resources required by lab 'bench'. Missing:\n  - rack1 (held by alice)"
        in done.stderr
    )
    assert "Traceback" not in done.stderr
    assert bench.state() == ""
    told = json.loads(bench("power", "on", "r1", "--json", user="bob").stderr.splitlines()[-1])
    assert (told["exit_code"], told["missing"][0]["resource"]) == (8, "rack1")


def test_on_off_cycle_toggle_status(bench: Bench) -> None:
    bench.hold("rack1")
    for words, state in ((("on",), "on"), (("toggle",), "off"), (("cycle",), "on"), (("off",), "off")):
        done = bench("power", *words, "r1")
        assert done.returncode == 0, done.stderr
        assert bench.state() == state
    assert "bye" in done.stdout
    done = bench("power", "status", "r1", user="anybody")
    assert (done.returncode, done.stdout.split()[-3:]) == (0, ["r1", "off", "command"])


def test_one_failure_is_a_failure_of_the_whole(bench: Bench) -> None:
    bench.hold("rack1", "rack2")
    done = bench("power", "on", "--all", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["ok"] is False
    results = {one["host"]: one for one in told["results"]}
    assert results["r1"]["ok"]
    assert (results["r1"]["before"], results["r1"]["after"]) == (None, "on")
    assert (results["r2"]["status"], results["r2"]["text"]) == ("Failed", "stuck")
    assert "needs a type" in results["broken"]["text"]
    assert "lab.toml" in results["broken"]["text"]
    assert results["r1"]["reservations"][0][1] >= 1


def test_dry_run_does_nothing(bench: Bench) -> None:
    bench.hold("rack1")
    done = bench("power", "on", "--label", "arm64", "--dry-run")
    assert (done.returncode, done.stdout) == (0, "would on r1 by command\n")
    assert bench.state() == ""
    assert "acting" not in bench("log").stdout
    assert bench("power", "on", "r1", "--dry-run", user="bob").returncode == 8


def test_the_log_says_who_what_and_how_it_went(bench: Bench) -> None:
    bench.hold("rack1")
    bench("power", "on", "r1")
    lines = bench("log", "--resource", "rack1").stdout.splitlines()
    assert "acting rack1 (on r1)" in lines[-2]
    assert "acted rack1 (on r1 by command: ? -> on, Success, " in lines[-1]


def test_a_stale_number_from_a_run_around_it(bench: Bench) -> None:
    bench.hold("rack1")
    stale = {"BESPEAK_NUMBER": "999", "BESPEAK_RESOURCES": "rack1"}
    done = bench("power", "on", "r1", env=stale)
    assert done.returncode == 8
    assert "number 999 is stale for rack1" in done.stderr
    assert bench("power", "on", "r1", env={**stale, "BESPEAK_RESOURCES": "other"}).returncode == 0
    assert bench("power", "off", "r1", "--number", "7").returncode == 8


def test_inside_run_the_number_is_carried(bench: Bench) -> None:
    import sys

    done = bench("run", "rack1", "--", sys.executable, "-m", "bespeak", "--as-user", "alice", "power", "on", "r1")
    assert done.returncode == 0, done.stderr
    assert bench.state() == "on"


def test_skipping_the_check(bench: Bench) -> None:
    done = bench("-R", "power", "on", "r1", user="bob")
    assert done.returncode == 0
    assert "Reservation check SKIPPED for user 'bob'" in done.stderr
    assert "check skipped" in bench("log").stdout


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("power", "on"), 2, "name hosts, or give --all, or --label"),
        (("power", "on", "r1", "--all"), 2, "exactly one of the three"),
        (("power", "on", "nope"), 4, "there is no host 'nope' in lab bench"),
        (("power", "on", "r\x1b[2J"), 4, r"there is no host 'r\x1b[2J'"),
        (("power", "on", "--label", "("), 2, "--label '('"),
        (("power", "on", "--label", "none-such"), 4, "no host of lab bench"),
        (("power", "on", "--all", "--at-once", "0"), 2, "--at-once: from 1"),
        (("power", "on", "r1", "--stagger", "soon"), 2, "--stagger"),
        (("host", "exec", "r1"), 2, "give the command after --"),
    ],
)
def test_what_is_typed_wrong(bench: Bench, words: tuple[str, ...], code: int, told: str) -> None:
    bench.hold("rack1", "rack2")
    done = bench(*words)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr


def test_without_a_lab_a_host_is_found_by_its_name(bench: Bench) -> None:
    bench.hold("rack1")
    done = bench.cli("--as-user", "alice", "power", "on", "r1", cwd=bench.folder)
    assert done.returncode == 0, done.stderr
    assert bench.cli("power", "on", "--all", cwd=bench.folder).returncode == 2


def test_lab_check_names_what_is_wrong_with_power(bench: Bench) -> None:
    done = bench("lab", "check")
    assert done.returncode == 1
    assert f"{bench.folder}/lab.toml: host number 2 (broken): power_control: needs a type" in done.stdout


def test_what_is_open_is_said_by_lab_check_and_by_power(bench: Bench) -> None:
    (bench.folder / "lab.toml").write_text(
        '[[hosts]]\nid = "r1"\nlabs = ["bench"]\npower_control = { type = "command", on_cmd = "true", off_cmd = "true" }\n'
    )
    trust(bench.folder)
    said = "open to everybody, because neither the host nor its lab names resources: r1"
    done = bench("lab", "check")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, f"lab bench: {said}")
    assert json.loads(bench("lab", "check", "--json").stdout)["open"] == [f"lab bench: {said}"]
    assert f"bespeak: {said}\n" in bench("power", "on", "r1").stderr
    settings = '[reservations]\nbackend = "none"\n[ledger]\nurl = "book.db"\n'
    (bench.folder / ".bespeak" / "settings.toml").write_text(settings)
    trust(bench.folder)
    assert "the settings name no reservation backend: anybody may switch every host" in bench("lab", "check").stdout
    done = bench("power", "on", "r1")
    assert "no reservations are checked here: the settings name no backend" in done.stderr


def test_commands_of_this_machine_run_in_the_folder_of_the_lab(bench: Bench) -> None:
    bench.hold("rack1")
    below = bench.folder / "below"
    below.mkdir()
    done = bench.cli("--as-user", "alice", "-l", "bench", "power", "on", "r1", cwd=below)
    assert done.returncode == 0, done.stderr
    assert bench.state() == "on"
    assert list(below.iterdir()) == []


def test_a_hard_reboot_that_nothing_can_wait_for_does_not_cut_the_power(bench: Bench) -> None:
    bench.hold("rack1")
    done = bench("host", "reboot", "r1", "--hard", "--wait")
    assert done.returncode == 1
    assert "has no address to reach it at, so nothing can wait for it" in done.stdout
    assert bench.state() == ""


def test_hosts(bench: Bench) -> None:
    done = bench("host", "list")
    assert done.returncode == 1
    assert "r1    power-only  -        command" in done.stdout
    assert "needs a type" in done.stderr
    assert bench("host", "exec", "here", "--", "echo", "a b").returncode == 9  # there is no book to ask
    bench.hold("rack2")
    assert bench("host", "exec", "here", "--", "echo", "a b").returncode == 8
    bench.hold("rack1")
    done = bench("host", "exec", "here", "--", "echo", "a b")
    assert (done.returncode, done.stdout) == (0, "a b\n")
    assert bench("host", "exec", "here", "--", "exit 3").returncode == 1
    assert bench("host", "wait", "here").returncode == 0
    assert bench("host", "wait", "here", "--down", "--timeout", "100ms").returncode in {2, 10}
    done = bench("host", "reboot", "here")
    assert done.returncode == 1
    assert "cannot be restarted from its own system" in done.stdout


def interrupt_in_the_off_phase(bench: Bench, number: int, *options: str) -> subprocess.CompletedProcess[str]:
    """Cycle r1 and send a signal while it is off; its cycle would go on for long."""
    bench.hold("rack1")
    (bench.folder / "lab.toml").write_text(LAB.replace("cycle_delay = 0.05", "cycle_delay = 300"))
    trust(bench.folder)
    words = ("--as-user", "alice", "-l", "bench", "power", "cycle", "r1", *options)
    process = bench.cli.start(*words, cwd=bench.folder)
    wait_until(lambda: bench.state() == "off")
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    return subprocess.CompletedProcess(words, process.returncode, stdout, stderr)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_says_which_hosts_were_left_off_and_how_to_go_on(bench: Bench, number: signal.Signals) -> None:
    done = interrupt_in_the_off_phase(bench, number)
    assert done.returncode == 128 + number, done.stderr
    assert f"bespeak: interrupted by {number.name}\n" in done.stderr
    assert "left off: r1; to go on: bespeak -l bench power on r1\n" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.splitlines()[1].split()[:4] == ["r1", "cycle", "off", "error"]
    assert "acted rack1 (cycle r1 by command: " in bench("log").stdout
    assert bench("power", "on", "r1").returncode == 0, "the command that was named works"


def test_what_a_killed_process_began_is_told_until_it_has_an_end(bench: Bench) -> None:
    began = r"cycle of r1 begun by alice .* ago was broken off: its process \d+ was killed"
    done = interrupt_in_the_off_phase(bench, signal.SIGKILL)
    assert done.returncode == -signal.SIGKILL
    told = bench("power", "status", "r1", user="bob")
    assert told.returncode == 0
    assert re.search(rf"^r1 +off +command +{began} and may have left the host off$", told.stdout, re.MULTILINE)
    (one,) = json.loads(bench("power", "status", "r1", "--json").stdout)["results"]
    assert re.match(began, one["text"])
    went_on = bench("power", "on", "r1", "--json")
    assert went_on.returncode == 0, went_on.stderr
    assert re.search(began, went_on.stderr)
    (one,) = json.loads(went_on.stdout)["results"]
    assert re.fullmatch(rf"{began}; the host is off", one["text"])
    assert (one["before"], one["after"]) == ("off", "on")
    rows = json.loads(bench("log", "--resource", "rack1", "--json").stdout)
    text = json.dumps(rows)
    assert re.search(f"on r1: {began}; the host is off", text)
    assert "begun by" not in bench("power", "status", "r1").stdout
    assert bench("power", "off", "r1").stdout.splitlines()[1].split()[:4] == ["r1", "off", "off", "success"]


def test_a_command_that_outlives_its_killed_process_keeps_the_host(bench: Bench) -> None:
    """The order may still come, so whoever takes over waits for the end of the command."""
    bench.hold("rack1")
    late = 'off_cmd = "mkfifo go; echo off > {name}.begun; read line < go; echo off > {name}.state"'
    (bench.folder / "lab.toml").write_text(LAB.replace('off_cmd = "echo off > {name}.state; echo bye"', late))
    trust(bench.folder)
    process = bench.cli.start("--as-user", "alice", "-l", "bench", "power", "cycle", "r1", cwd=bench.folder)
    wait_until((bench.folder / "r1.begun").exists)
    process.kill()
    process.communicate(timeout=60)
    refused = bench("power", "on", "r1")
    assert "r1 is being switched already: cycle by alice" in refused.stdout
    (bench.folder / "go").write_text("\n")
    wait_until(lambda: bench.state() == "off")
    wait_until(lambda: bench("power", "on", "r1").returncode == 0)
    assert bench.state() == "on"


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_interruption_for_programs(bench: Bench) -> None:
    done = interrupt_in_the_off_phase(bench, signal.SIGTERM, "--json")
    (one,) = json.loads(done.stdout)["results"]
    assert (one["host"], one["after"], one["left_off"], one["interrupted"]) == ("r1", "off", True, True)


def test_a_command_that_switches_does_not_go_on_after_the_end(bench: Bench) -> None:
    bench.hold("rack1")
    slow = LAB.replace(
        '"echo on > {name}.state"', '"echo $$ > {name}.pid; while sleep 0.1; do :; done; touch switched"'
    ).replace("timeout = 10", "timeout = 90")
    (bench.folder / "lab.toml").write_text(slow)
    trust(bench.folder)
    process = bench.cli.start("--as-user", "alice", "-l", "bench", "power", "on", "r1", cwd=bench.folder)
    deadline = time.monotonic() + 60
    while not ((bench.folder / "r1.pid").exists() and (bench.folder / "r1.pid").read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int((bench.folder / "r1.pid").read_text()), 0)
    assert "acted rack1 (on r1 by command: Error, " in bench("log").stdout


def test_a_selftest_is_held_confirmed_and_written_down(bench: Bench) -> None:
    (bench.folder / "r1.state").write_text("on\n")
    bench.hold("rack1")
    asked = bench("power", "selftest", "r1")
    assert (asked.returncode, "Add --yes to do it" in asked.stderr) == (2, True)
    assert bench("power", "selftest", "r1", "--yes", user="bob").returncode == 8
    nowhere = bench("power", "selftest", "r1", "--yes", "--report", "no/such/place")
    assert (nowhere.returncode, "is no folder that can be written to" in nowhere.stderr) == (2, True)
    assert bench("power", "selftest", "r1", "--yes", "--dry-run").stdout == "would selftest r1 by command\n"
    assert list(bench.folder.glob("*.md")) == []
    done = bench("power", "selftest", "r1", "--yes", "--report", "report")
    assert done.returncode == 0, done.stderr
    report = json.loads((bench.folder / "report.json").read_text())
    assert [one["operation"] for one in report["operations"] if one["result"] == "works"] == [
        "status", "off", "read back off", "on", "read back on", "cycle",
    ]  # fmt: skip
    assert "| read back off | works | off | " in (bench.folder / "report.md").read_text()
    assert bench.state() == "on"
    assert "acted rack1 (selftest r1 by command: on -> on, Success, " in bench("log").stdout


def test_a_selftest_that_is_interrupted_leaves_the_host_as_it_was(bench: Bench) -> None:
    (bench.folder / "r1.state").write_text("on\n")
    bench.hold("rack1")
    (bench.folder / "lab.toml").write_text(LAB.replace("cycle_delay = 0.05", "cycle_delay = 300"))
    trust(bench.folder)
    words = ("--as-user", "alice", "-l", "bench", "power", "selftest", "r1", "--yes", "--json", "--report", "report")
    process = bench.cli.start(*words, cwd=bench.folder)
    wait_until(lambda: bench.state() == "off")
    wait_until(lambda: bench.state() == "on")
    wait_until(lambda: bench.state() == "off")  # its cycle, which stays off for long
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    report = json.loads(stdout)
    assert (report["interrupted"], report["before"], report["after"], report["left_off"]) == (True, "on", "on", False)
    assert [one["operation"] for one in report["operations"][-2:]] == ["cycle", "restore"]
    assert bench.state() == "on"
    assert json.loads((bench.folder / "report.json").read_text())["interrupted"]


def test_progress_on_a_terminal(bench: Bench) -> None:
    bench.hold("rack1")
    master, slave = pty.openpty()
    process = bench.cli.start(
        "--as-user",
        "alice",
        "-l",
        "bench",
        "power",
        "cycle",
        "r1",
        cwd=bench.folder,
        stderr=slave,
        env={"TERM": "xterm"},
    )
    os.close(slave)
    process.communicate(timeout=30)
    said = os.read(master, 65536).decode()
    os.close(master)
    assert process.returncode == 0
    assert "0/1 done, waiting for r1" in said


def test_a_controller_beside_the_unit_that_cuts_the_power(bench: Bench) -> None:
    with redfish_service() as service:
        system = service.add("1", "On", Status={"Health": "OK"})
        with (bench.folder / "lab.toml").open("a") as lab:
            lab.write(
                f'[devices.bmc1]\ntype = "redfish"\nurl = "{service.url}"\n'
                '[[hosts]]\nid = "n1"\nlabs = ["bench"]\nresources = ["rack3"]\nmanagement = "bmc1"\n'
                'power_control = { type = "command", on_cmd = "echo on > n1", off_cmd = "echo off > n1" }\n'
            )
        trust(bench.folder)
        bench.hold("rack1")
        refused = bench("host", "boot", "n1", "--device", "pxe")
        assert (refused.returncode, service.asked) == (8, [])
        bench.hold("rack3")
        planned = bench("host", "boot", "n1", "--device", "pxe", "--dry-run", "--json")
        assert json.loads(planned.stdout)["results"][0]["controller"] == "redfish"
        assert bench("host", "boot", "n1", "--device", "pxe", "--once").returncode == 0
        assert system["Boot"] == {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}
        assert "boot pxe once n1 by redfish" in bench("log").stdout
        told = json.loads(bench("host", "health", "n1", "--json").stdout)["results"][0]
        assert (told["controller"], told["health"]) == ("redfish", "ok")
        asked = len(service.asked)
        assert bench("power", "off", "n1").returncode == 0
        assert (bench.folder / "n1").read_text() == "off\n"
        assert (len(service.asked), system["PowerState"]) == (asked, "On")
        hosts = {each["id"]: each for each in json.loads(bench("host", "list", "--json").stdout)["hosts"]}
        assert (hosts["n1"]["power_control"], hosts["n1"]["management_control"]) == ("command", "redfish")


def test_boot_is_for_who_holds_the_host_and_health_for_everybody(bench: Bench) -> None:
    with redfish_service() as service:
        system = service.add("1", "On", Status={"Health": "Warning"})
        with (bench.folder / "lab.toml").open("a") as lab:
            lab.write(
                f'[[hosts]]\nid = "n1"\nlabs = ["bench"]\nresources = ["rack3"]\n'
                f'power_control = {{ type = "redfish", url = "{service.url}" }}\n'
            )
        trust(bench.folder)
        bench.hold("rack1")
        refused = bench("host", "boot", "n1", "--device", "pxe")
        assert (refused.returncode, service.asked) == (8, [])
        told = bench("host", "health", "n1", "r1", "--json")
        results = {one["host"]: one for one in json.loads(told.stdout)["results"]}
        assert told.returncode == 1
        assert (results["n1"]["health"], results["n1"]["power"], results["n1"]["text"]) == (
            "warning",
            "on",
            "system: warning",
        )
        assert results["r1"]["text"].endswith("has no sensors; redfish and ipmi have")
        assert {method for method, _ in service.asked} == {"GET"}
        bench.hold("rack3")
        done = bench("host", "boot", "n1", "--device", "cd", "--once", "--json")
        assert done.returncode == 0, done.stderr
        assert system["Boot"] == {"BootSourceOverrideTarget": "Cd", "BootSourceOverrideEnabled": "Once"}
        assert "boot cd once n1 by redfish" in bench("log").stdout
        system["Status"] = {"Health": "OK"}
        shown = bench("host", "health", "n1", "--sensors")
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout.splitlines()[1].split() == ["n1", "ok", "on", "0"]
    for words, why in (
        (("--device", "floppy"), "--device: one of pxe, disk, cd, bios, default, not 'floppy'"),
        (("--device", "default", "--once"), "--once: 'default' overrides nothing"),
    ):
        wrong = bench("host", "boot", "n1", *words)
        assert (wrong.returncode, why in wrong.stderr) == (2, True), wrong.stderr
