"""``job fleet``, whatever a host says. Many hosts over SSH: tests/peers/jobs/test_fleet.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bespeak.jobs import cli
from support.trusting import trust

SITE = {
    "site": "", "ok": True, "healthy": True, "why": [], "dispatcher": "alive", "ran": 3, "failed": 0, "not_started": 0,
    "lost": 0, "running": 1, "waiting": 2, "next": {"run_key": "nightly", "at": "2026-12-01T02:00:00Z"},
    "last_error": None,
}  # fmt: skip
BAD = {"run_key": "soak\u001b[31m", "at": "2026-11-30T03:00:00Z", "error": "FAILED, exit code 4"}
WRONG = SITE | {"ok": False, "failed": 1, "not_started": 1, "site": "lab", "last_error": BAD}
LAB = """
[[hosts]]
id = "gw"
labs = ["edge"]
kind = "local"
"""


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch, capfd):
    """A function that asks a host whose program prints what it is given; returns code, output and errors."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.toml").write_text(LAB)
    trust(tmp_path)

    def ask(said: str, *words: str) -> tuple[int, str, str]:
        (tmp_path / "said").write_text(said)
        code = cli.main(["fleet", "gw", "--program", f"cat {tmp_path}/said; exit 1 #", *words])
        told = capfd.readouterr()
        return code, told.out, told.err

    return ask


def answer(*sites: dict[str, object]) -> str:
    return json.dumps({"ok": True, "since": "x", "sites": sites}, indent=2)


def test_all_is_well(fleet) -> None:
    code, out, _ = fleet(answer(SITE))
    told = json.loads(out)
    assert (code, told["ok"]) == (0, True)
    assert told["hosts"] == [{"host": "gw", "ok": True, "answered": True, "error": None, "sites": [SITE]}]
    assert json.loads(fleet(answer(SITE), "--failed")[1])["hosts"] == []


def test_somebody_has_to_look(fleet) -> None:
    code, out, _ = fleet("Welcome to {gw}\n" + answer(SITE, WRONG), "--failed", "--text")
    header, first, second = out.splitlines()
    assert code == 1
    assert header.split() == ["HOST", "SITE", "DISPATCHER", "RAN", "FAILED", "LOST", "NEXT", "LAST", "ERROR"]
    assert first.split() == ["gw", "-", "alive", "3", "0", "0", "nightly", "2026-12-01T02:00:00Z", "-"]
    assert second.split()[:6] == ["gw", "lab", "alive", "3", "2", "0"]
    assert second.endswith("soak\\x1b[31m 2026-11-30T03:00:00Z FAILED, exit code 4")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "said nothing (exit code 1)"),
        ("sh: 1: bespeak: not found\n", "sh: 1: bespeak: not found"),
        ('{"error": "option --all-sites is not known"}\n', '{"error": "option --all-sites is not known"}'),
        ('{"sites": [{}]}', '{"sites": [{}]}'),
        ('{"sites": 3}', '{"sites": 3}'),
        (json.dumps({"sites": [SITE | {"ran": "many"}]}), '{"sites"'),
        ("{" * 5000, "{" * 300),
        ("x" * 400, "x" * 300),
    ],
)
def test_what_is_no_answer_is_named(fleet, said: str, why: str) -> None:
    code, out, err = fleet(said)
    (host,) = json.loads(out)["hosts"]
    assert (code, host["answered"], host["ok"], err) == (1, False, False, "")
    assert host["error"].startswith(why)
    assert len(host["error"]) <= 300
    assert "no answer" in fleet(said, "--text")[1]


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("--at-once", "0"), 2, "--at-once '0'"),
        (("--timeout", "0"), 2, "--timeout"),
        (("--since", "+5"), 2, "--since"),
        (("--label", "x"), 2, "not both"),
        (("--lab", "other"), 3, "other"),
    ],
)
def test_what_cannot_be_asked(fleet, words: tuple[str, ...], code: int, why: str) -> None:
    refused = fleet(answer(SITE), *words)
    assert (refused[0], refused[1]) == (code, "")
    assert why in json.loads(refused[2])["error"]


def test_a_lab_without_hosts_to_ask(fleet, capfd) -> None:
    assert cli.main(["fleet", "--lab", "edge"]) == 4
    assert "no host of lab edge has an address" in capfd.readouterr().err
    assert cli.main(["fleet"]) == 2
    assert "BESPEAK_LAB" in capfd.readouterr().err
