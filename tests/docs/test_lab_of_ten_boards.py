"""The lab of ten boards in the guide: it fits into thirty lines, and every host of it can be used."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from bespeak.host import build_hosts
from bespeak.labs.host_parsing import host_from
from bespeak.labs.model import Lab
from bespeak.labs.parsing import parse

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "power.md"
MOST_LINES = 30


def test_ten_boards_on_three_kinds_of_units_and_four_controllers() -> None:
    text = next(block for block in re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL) if "board10" in block)
    assert len(text.splitlines()) <= MOST_LINES
    document = parse("lab.toml", text.encode())
    kinds = Counter(device["type"] for device in document.devices.values())
    assert kinds == {"snmp": 1, "http": 1, "kasa": 1, "redfish": 2, "ipmi": 2}
    specs = [host_from(raw, document.only_lab, document.path, document.devices) for raw in document.hosts]
    built = build_hosts(Lab("bench", hosts={spec.id: spec for spec in specs}))
    assert (len(built.hosts), built.broken) == (10, {})
    assert all(host.power_control is not None for host in built.hosts.values())
    assert [host.id for host in built.hosts.values() if host.management is not None] == ["board1", "board2", "board3"]
