"""The chapter of the demo about power: three hosts, whose management controllers are a real Redfish emulator.

The emulator (sushy-tools, made for testing what drives servers) says yes at once and changes the state seconds later,
as real controllers do; bespeak reads the state back until it has changed.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from demo_stage import say

if TYPE_CHECKING:
    from demo_stage import Stage

UNTRUSTED, REFUSED = 6, 8
HOSTS = 3
READY_SECONDS = 30.0

_HOST = """
[[hosts]]
id = "node{number}"
labs = ["servers"]
resources = ["rack7"]
labels = ["{label}"]
power_control = {{ type = "redfish", url = "{url}", system = "node{number}", timeout = 30 }}
"""


def play(stage: Stage) -> None:
    """Play the chapter."""
    say("Three servers, each behind a management controller that speaks Redfish. They share rack7.")
    emulator, url = _emulator(stage.lab)
    try:
        hosts = [_HOST.format(number=n, url=url, label="arm64" if n else "x86") for n in range(HOSTS)]
        with open(stage.lab / "lab.toml", "a", encoding="utf-8") as lab:
            lab.write("".join(hosts))

        say("What this lab says about power is used only after somebody has read it and trusts the folder.")
        stage.type("bespeak -l servers power status --all", code=UNTRUSTED, shows=("bespeak trust",))
        stage.type("bespeak trust", shows=("trusted",), only="trusted|node")
        stage.type("bespeak -l servers power status --all", shows=("node0", "off"))

        say("bob does not hold the rack, so none of the servers is touched for him. alice does.")
        stage.type("bespeak --as-user alice reserve rack7 --for 1h --purpose 'firmware update'")
        stage.type("bespeak -l servers --as-user bob power on --all", code=REFUSED, shows=("held by alice",))
        stage.type("bespeak -l servers --as-user alice power on --all", shows=("success",))
        stage.type("bespeak -l servers power status --all", shows=("node2", "on"))

        say("Only some of them, by label; and everything that was done is in the log.")
        stage.type("bespeak -l servers --as-user alice power off --label 'arm64' --dry-run", shows=("would off node1",))
        stage.type("bespeak -l servers --as-user alice power off --label 'not arm64'", shows=("off",))
        stage.type("bespeak log --resource rack7 --limit 3", shows=("off node0 by redfish: on -> off",))
    finally:
        emulator.terminate()
        emulator.wait(timeout=READY_SECONDS)


def _emulator(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start the emulator with three servers that are off; return it and where it listens."""
    port = _free_port()
    systems = [
        {"uuid": f"5e1f-{n}", "name": f"node{n}", "power_state": "Off", "external_notifier": False, "nics": []}
        for n in range(HOSTS)
    ]
    config = folder / "emulator.conf"
    config.write_text(
        f"SUSHY_EMULATOR_FAKE_DRIVER = True\nSUSHY_EMULATOR_FAKE_SYSTEMS = {systems!r}\n"
        f"SUSHY_EMULATOR_LISTEN_IP = '127.0.0.1'\nSUSHY_EMULATOR_LISTEN_PORT = {port}\n"
        f"SUSHY_EMULATOR_STATE_DIR = {str(folder)!r}\n",
        encoding="utf-8",
    )
    program = Path(sys.executable).parent / "sushy-emulator"
    emulator = subprocess.Popen(
        [str(program), "--config", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + READY_SECONDS
    while not _listens(port):
        if emulator.poll() is not None or time.monotonic() > deadline:
            emulator.kill()
            sys.exit("demo: the Redfish emulator did not start")
        time.sleep(0.1)
    return emulator, f"http://127.0.0.1:{port}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
