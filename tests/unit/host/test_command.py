"""The faults that switching by command must not have: blind states, open quotes, no end, no proof."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.host import LocalHost, PowerOnlyHost, Status
from bespeak.host.power import CommandPowerController, PowerState, power_control_from_spec
from bespeak.host.power.state_matcher import StateMatcher
from bespeak.host.power.templates import Template
from support.trees import lives

from .conftest import run, wait_for


def states(folder: Path, **more: object) -> dict[str, object]:
    """A controller whose state is a file."""
    return {
        "type": "command",
        "on_cmd": f"echo on > {folder}/state; echo done",
        "off_cmd": f"echo off > {folder}/state",
        "status_cmd": f"cat {folder}/state",
        "status_on": "on",
        "cycle_delay": 0.05,
        "timeout": 5,
        **more,
    }


def test_an_action_is_read_back(tmp_path: Path) -> None:
    control = power_control_from_spec(states(tmp_path))
    host = LocalHost("h", power_control=control)
    assert run(host.power("on")) == (Status.Success, "done")
    assert run(control.status(host)) is PowerState.ON
    assert run(host.power())[0] is Status.Success
    assert run(control.status(host)) is PowerState.OFF
    assert run(control.cycle(host)) == (Status.Success, "done")
    assert run(control.status(host)) is PowerState.ON


def test_a_state_that_never_changes_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("off\n")
    control = power_control_from_spec(states(tmp_path, on_cmd="echo sure", timeout=0.4))
    status, said = run(control.on(LocalHost("h")))
    assert status is Status.Failed
    assert said.startswith("sure\naccepted, but it is still off after 0.")


def test_a_state_that_cannot_be_read_back_says_why(tmp_path: Path) -> None:
    control = power_control_from_spec(states(tmp_path, status_cmd="echo no route; exit 1", timeout=0.4))
    status, said = run(control.on(LocalHost("h")))
    assert status is Status.Error
    assert said.startswith("done\naccepted, but its state could not be read within 0.")
    assert said.endswith(": status_cmd failed: no route")


def test_a_state_that_flaps_is_unstable(tmp_path: Path) -> None:
    flap = f"if [ -e {tmp_path}/x ]; then rm {tmp_path}/x; echo on; else touch {tmp_path}/x; echo off; fi"
    control = power_control_from_spec(states(tmp_path, status_cmd=flap, timeout=3))
    status, said = run(control.on(LocalHost("h")))
    assert status is Status.Unstable
    assert "it was on, but did not stay on" in said


def test_cycle_does_not_switch_on_what_did_not_go_off(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("on\n")
    on = f"touch {tmp_path}/was-switched-on"
    control = power_control_from_spec(states(tmp_path, off_cmd="true", on_cmd=on, timeout=0.4))
    assert run(control.cycle(LocalHost("h")))[0] is Status.Failed
    assert not (tmp_path / "was-switched-on").exists()


def test_a_failing_status_command_is_unknown_and_toggle_refuses(tmp_path: Path) -> None:
    control = power_control_from_spec(states(tmp_path, status_cmd="echo on; exit 1"))
    host = LocalHost("h", power_control=control)
    assert run(control.status(host)) is None
    with pytest.raises(ValueError, match=r"power status is unknown: status_cmd failed: on; say on or off"):
        run(host.power())
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("marker", ["", "  ", None, 5])
def test_an_empty_marker_is_refused(marker: object) -> None:
    with pytest.raises(ValueError, match="command: status_on must say what status_cmd prints"):
        power_control_from_spec(
            {"type": "command", "on_cmd": "a", "off_cmd": "b", "status_cmd": "c", "status_on": marker}
        )


@pytest.mark.parametrize(
    ("output", "state"),
    [
        ("running", PowerState.ON),
        ("  running  \n", PowerState.ON),
        ("Domain vm1 is running\n", PowerState.ON),
        ("state: running.", PowerState.ON),
        ("not running", PowerState.OFF),
        ("vm1 is not running", PowerState.OFF),
        ("running: no", PowerState.OFF),
        ("running=false", PowerState.OFF),
        ("never running", PowerState.OFF),
        ("outrunning", None),
        ("running2", None),
        ("shut off", PowerState.OFF),
        ("Running", None),
        ("not running\nrunning", None),
    ],
)
def test_reading_a_marker(output: str, state: PowerState | None) -> None:
    assert StateMatcher("running").read(output) is state


@pytest.mark.parametrize(
    ("on", "output", "state"),
    [
        ("on", "", None),
        ("on", "Error: no route", None),
        ("on", "error: timeout", None),
        ("on", "on (no alarm)", PowerState.ON),
        ("on", "OFF  on-delay 5s", PowerState.OFF),
        ("on", "state: off", PowerState.OFF),
        ("on", "Power is on.", PowerState.ON),
        ("on", "on\noff", None),
        ("1", "iso.3.6.1.4.1.318.1.1 = INTEGER: 2", None),
        ("1", "iso.3.6.1.4.1.318.1.1 = INTEGER: 1", PowerState.ON),
        ("1", "0", PowerState.OFF),
        ("1", "1.5", None),
        ("running", "shut off", PowerState.OFF),
        ("running", "paused", None),
        ("active", "inactive", PowerState.OFF),
        ("active", "activating", None),
        ("powered", "not powered", PowerState.OFF),
        ("up", "nothing was looked up, no answer", None),
    ],
)
def test_a_state_is_unknown_unless_it_is_certain(on: str, output: str, state: PowerState | None) -> None:
    assert StateMatcher(on).read(output) is state


def test_toggle_acts_on_certainty_only(tmp_path: Path) -> None:
    control = power_control_from_spec(states(tmp_path, status_cmd="echo Error: no route"))
    host = LocalHost("h", power_control=control)
    with pytest.raises(ValueError, match="its power status is unknown"):
        run(host.power())
    assert not (tmp_path / "state").exists()


def test_both_markers_or_neither_is_unknown() -> None:
    marker = StateMatcher("on", off="off")
    assert marker.read("power is on") is PowerState.ON
    assert marker.read("off") is PowerState.OFF
    assert marker.read("") is None
    assert marker.read("pending") is None
    assert marker.read("off\non") is None


def test_a_marker_as_regular_expression() -> None:
    marker = StateMatcher(on_regex=r"^State:\s+\[on\]$")
    assert marker.read("x\nState:  [on]\ny") is PowerState.ON
    assert marker.read("State: [off]") is PowerState.OFF
    for pattern in ("", "(", ".*", "a?", 7):
        with pytest.raises(ValueError, match="status_on_regex"):
            StateMatcher(on_regex=pattern)
    with pytest.raises(ValueError, match="not both"):
        StateMatcher("on", on_regex="on")


@pytest.mark.parametrize(
    "template",
    [
        "{name!r}",
        "{name.__class__}",
        "{name[0]}",
        "{0}",
        "{}",
        "{nmae}",
        "{name:>10}",
        "{ip.x!s}",
        "{lab}",
        "{name",
        "a}b",
    ],
)
def test_unknown_fields_are_refused_when_the_lab_is_loaded(template: str) -> None:
    with pytest.raises(ValueError, match="off_cmd"):
        CommandPowerController("true", f"stop {template}")


HOSTILE = [
    "a; reboot",
    "$(reboot)",
    "`reboot`",
    "a'b",
    'a"b',
    "a\nreboot",
    "a && reboot",
    "*",
    "~",
    "é ü",
    "a|b",
    "a>b",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_one_word(name: str) -> None:
    control = CommandPowerController("printf '%s' {name}", "true")
    assert run(control.on(PowerOnlyHost("h", name=name))) == (Status.Success, name.rstrip("\r\n"))


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_any_value_is_one_word_or_refused(name: str) -> None:
    values = {"name": name, "ip": None, "id": "x"}
    try:
        command = Template("printf '%s' .{name}", "on_cmd").filled(values)
    except ValueError:
        return
    assert subprocess.run(["sh", "-c", command], capture_output=True, check=True).stdout == b"." + name.encode()


@pytest.mark.parametrize(
    "template",
    [
        "ssh hyp 'virsh start {name}'",
        'ssh hyp "virsh start {name}"',
        "echo `start {name}`",
        "echo \\{name}",
        "cat <<END\n{name}\nEND",
        "echo $'x\\'' {name}",
        "true # it's {name}",
    ],
)
def test_inside_quotes_only_harmless_values(template: str) -> None:
    made = Template(template, "on_cmd")
    assert "vm-1.lab" in made.filled({"name": "vm-1.lab", "ip": None, "id": "x"})
    for name in ("a; reboot", "a b", "a'b"):
        with pytest.raises(ValueError, match=r"on_cmd: the name .* cannot be put inside quotes"):
            made.filled({"name": name, "ip": None, "id": "x"})


def test_quotes_that_are_closed_do_not_count() -> None:
    made = Template("""echo 'a' "b" \\" {name}""", "on_cmd")
    assert made.filled({"name": "x; y", "ip": None, "id": "x"}).endswith("'x; y'")


def test_a_name_that_looks_like_an_option_is_refused() -> None:
    with pytest.raises(ValueError, match="would be read as an option"):
        Template("virsh start {name}", "on_cmd").filled({"name": "--all", "ip": None, "id": "x"})
    assert Template("start x-{name}", "on_cmd").filled({"name": "-1", "ip": None, "id": "x"}) == "start x--1"


def test_a_value_that_the_host_does_not_have() -> None:
    with pytest.raises(ValueError, match=r"on_cmd uses \{ip\}, but the host has none"):
        Template("ping {ip}", "on_cmd").filled({"name": "x", "ip": None, "id": "x"})


def test_a_time_out_kills_everything_that_was_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    control = CommandPowerController(f"sleep 1000 & echo $! $$ > {pids}; sleep 1000", "true", timeout=2)
    status, said = run(control.on(LocalHost("h")))
    assert status is Status.Error
    assert "no answer within 2 s" in said or "killed" in said
    left = [int(pid) for pid in wait_for(pids).split()]
    deadline = time.monotonic() + 20  # a killed process may take a moment to be gone
    while any(lives(pid) for pid in left) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(lives(pid) for pid in left)


def test_a_child_left_behind_does_not_hold_up_the_answer() -> None:
    result = run(LocalHost().oneshot("sleep 30 > /dev/null 2>&1 & echo $!"))
    assert result.status is Status.Success
    subprocess.run(["kill", result.output], check=True)
    result = run(LocalHost().oneshot("sleep 30 & echo $!"))
    assert result.status is Status.Success
    subprocess.run(["kill", result.output], check=True)


def test_endless_output_is_cut() -> None:
    result = run(LocalHost().oneshot("head -c 3000000 /dev/zero | tr '\\0' x"))
    taken, _, said = result.output.partition("\n")
    assert len(taken) == 1024 * 1024
    assert said == "(cut here: more than 1048576 bytes were printed)"
    whole = run(LocalHost().oneshot("head -c 1048576 /dev/zero | tr '\\0' x"))
    assert len(whole.output) == 1024 * 1024


def test_bytes_that_are_no_text() -> None:
    assert run(LocalHost().oneshot(r"printf '\377\000a'")).output == "\ufffd\0a"


@pytest.mark.parametrize("value", [0, -1, "60", True, float("nan"), 1e9])
def test_time_outs_are_checked(value: object) -> None:
    with pytest.raises(ValueError, match="timeout must be"):
        power_control_from_spec({"type": "command", "on_cmd": "a", "off_cmd": "b", "timeout": value})


def test_two_supplies_go_off_together_before_either_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "log"

    def supply(name: str) -> dict[str, object]:
        state = tmp_path / name
        return {
            "type": "command",
            "on_cmd": f"echo on > {state}; echo {name} on >> {log}",
            "off_cmd": f"echo off > {state}; echo {name} off >> {log}",
            "status_cmd": f"cat {state}",
            "status_on": "on",
            "cycle_delay": 0.01,
        }

    control = power_control_from_spec([supply("a"), supply("b")])
    host = LocalHost("h")
    assert run(control.cycle(host))[0] is Status.Success
    lines = log.read_text().split("\n")[:-1]
    assert sorted(lines[:2]) == ["a off", "b off"]
    assert sorted(lines[2:]) == ["a on", "b on"]
    assert run(control.status(host)) is PowerState.ON
    (tmp_path / "a").write_text("off")
    assert run(control.status(host)) is PowerState.ON, "one supply is enough"
    (tmp_path / "b").unlink()
    assert run(control.probe(host))[1].startswith("supply 2: status_cmd failed")


def test_one_supply_that_fails_is_told_with_its_number() -> None:
    fine = {"type": "command", "on_cmd": "true", "off_cmd": "true"}
    control = power_control_from_spec([fine, {**fine, "off_cmd": "echo jammed; exit 1", "on_cmd": "echo never"}])
    assert run(control.cycle(LocalHost("h"))) == (
        Status.Failed,
        "supply 1: success; it is in an unknown state\nsupply 2: failed: jammed; it is in an unknown state",
    )


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ([], "must not be empty"),
        ([None], r"\[0\]: must be a name or a table"),
        ([["command"]], r"\[0\]: must be a name or a table"),
        (["command", {"type": "command"}], r"\[0\]: command: on_cmd is missing"),
        ({}, "needs a type"),
        ({"type": 5}, "needs a type"),
        ({"type": "command", "on_cmd": "a", "of_cmd": "b"}, "there is no setting 'of_cmd'; did you mean off_cmd"),
        ({"type": "command", "on_cmd": "a"}, "off_cmd is missing"),
        ({"type": "command", "on_cmd": "", "off_cmd": "b"}, "on_cmd must be a command"),
        ({"type": "command", "on_cmd": "a", "off_cmd": "b", "controller": ""}, "controller must be a text"),
        ({"type": "command", "on_cmd": "a", "off_cmd": "b", "status_on": "x"}, "need a status_cmd"),
    ],
)
def test_what_lab_data_gets_wrong_is_named(spec: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        power_control_from_spec(spec)
