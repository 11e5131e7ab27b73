"""Checks of resources: what is marked, by whom it is taken back, and what is left alone."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bespeak.base.clock import HOUR_US, SECOND_US
from bespeak.base.errors import BespeakError, NotFoundError, WrongStateError
from bespeak.base.frozen import replace
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.lifecycle.check_memory import memory_of
from bespeak.lifecycle.resource_checks import AT_ONCE, Checker, Finding, Found, filled, follow
from bespeak.settings.health_checks import HealthCheck
from support import replay

ROOT, ALICE = Holder("root"), Holder("alice")
SCRIPT = """echo . >> "tries-$1"
test -e "tempfail-$1" && exit 75
test -e "once-$1" && { rm "once-$1"; exit 3; }
test -e "bad-$1" || exit 0
echo "no answer from $BESPEAK_RESOURCE"; exit 1
"""


@pytest.fixture
def book(tmp_path: Path) -> Any:
    with open_ledger(str(tmp_path / "book.db"), durable=False) as opened:
        opened.inventory_add(["a", "b"], ROOT, {"labels": {"arm64": True, "ip": "10.0.0.7"}})
        yield opened


@pytest.fixture
def check(tmp_path: Path) -> HealthCheck:
    (tmp_path / "check.sh").write_text(SCRIPT)
    words = ("sh", "check.sh", "{resource}")
    return HealthCheck("ping", words, str(tmp_path), resources=("a",), pause_us=0)


def looked(book: Any, check: HealthCheck, falls: Any = None, **more: Any) -> Finding:
    (found,) = asyncio.run(Checker(book, ROOT, check, {} if falls is None else falls, **more).round())
    return found


def tries(tmp_path: Path) -> int:
    return (tmp_path / "tries-a").read_text().count(".")


def test_what_fails_is_taken_out_and_given_back_when_it_is_well(book: Any, check: HealthCheck, tmp_path: Path) -> None:
    assert looked(book, check).found is Found.WELL
    assert tries(tmp_path) == 1
    (tmp_path / "bad-a").touch()
    found = looked(book, check)
    assert (found.found, found.health, found.changed) == (Found.FAILED, "sick", True)
    assert found.note == "check ping: exit 1: no answer from a"
    assert tries(tmp_path) == 1 + check.fall
    assert not looked(book, check).changed
    with pytest.raises(BespeakError, match="a is sick") as told:
        book.reserve(Request(("a",), ALICE, duration_us=HOUR_US))
    assert told.value.refusal.conflicts[0].purpose == found.note  # type: ignore[attr-defined]
    (tmp_path / "bad-a").unlink()
    found = looked(book, check)
    assert (found.found, found.health, found.note, found.changed) == (Found.WELL, "ok", "", True)
    assert book.reserve(Request(("a",), ALICE, duration_us=HOUR_US))
    assert book.engine.read(replay.compare) == []


def test_who_waits_is_served_when_it_is_well_again(book: Any, check: HealthCheck, tmp_path: Path) -> None:
    (tmp_path / "bad-a").touch()
    looked(book, check)
    waiting = book.queue_join(Request(("a",), ALICE, duration_us=HOUR_US), "0190a0b0-0000-7000-8000-000000000001")
    assert waiting.waiting
    (tmp_path / "bad-a").unlink()
    looked(book, check)
    assert not book.queue_look(waiting.id).reservation.waiting


def test_one_failure_among_successes_changes_nothing(book: Any, check: HealthCheck, tmp_path: Path) -> None:
    (tmp_path / "once-a").touch()
    found = looked(book, check)
    assert (found.found, found.health, found.changed) == (Found.UNSTEADY, "ok", False)


def test_a_command_that_cannot_tell_changes_nothing(book: Any, check: HealthCheck, tmp_path: Path) -> None:
    (tmp_path / "bad-a").touch()
    looked(book, check)
    (tmp_path / "tempfail-a").touch()
    found = looked(book, check)
    assert (found.found, found.health, found.text) == (Found.UNKNOWN, "sick", "the command could not tell")
    missing = looked(book, replace(check, command=("./no-such-program",)))
    assert (missing.found, missing.text) == (Found.UNKNOWN, "./no-such-program: No such file or directory")


def test_a_command_that_does_not_end_has_failed_and_is_killed(book: Any, check: HealthCheck) -> None:
    slow = replace(check, command=("sh", "-c", "echo began; sleep 600"), fall=1, timeout_us=SECOND_US // 10)
    found = looked(book, slow)
    assert (found.found, found.note) == (Found.FAILED, "check ping: no end within 0.1 s; killed")


def test_what_a_person_or_another_check_has_marked_stays(book: Any, check: HealthCheck, tmp_path: Path) -> None:
    book.resource_mark(["a"], ROOT, health="offline", reason="on my desk")
    assert looked(book, check).note == "on my desk"
    (tmp_path / "bad-a").touch()
    found = looked(book, check)
    assert (found.found, found.health, found.note, found.changed) == (Found.FAILED, "offline", "on my desk", False)
    book.resource_mark(["a"], ROOT, health="ok")
    looked(book, check)
    (tmp_path / "bad-a").unlink()
    assert looked(book, replace(check, name="other")).health == "sick"
    assert looked(book, check).health == "ok"


def test_what_comes_and_goes_stays_out_until_a_person_marks_it(book: Any, check: HealthCheck, tmp_path: Path) -> None:
    falls: dict[str, list[int]] = {}
    twice = replace(check, flaps=2, within_us=HOUR_US, fall=1, rise=1)
    bad = tmp_path / "bad-a"
    for _ in range(2):
        bad.touch()
        assert looked(book, twice, falls).health == "sick"
        bad.unlink()
        last = looked(book, twice, falls)
    assert (last.found, last.health, last.changed) == (Found.WELL, "sick", False)
    assert last.note.startswith("check ping, stays until a person marks it ok: ")
    book.resource_mark(["a"], ROOT, health="ok")
    bad.touch()
    assert looked(book, twice, falls).health == "sick"
    bad.unlink()
    assert looked(book, twice, falls).health == "ok", "the count begins anew when a person has given it back"


def test_what_somebody_holds_is_left_alone(book: Any, check: HealthCheck, tmp_path: Path) -> None:
    (tmp_path / "bad-a").touch()
    book.reserve(Request(("a",), ALICE, duration_us=HOUR_US))
    assert looked(book, check).found is Found.HELD
    assert not (tmp_path / "tries-a").exists()
    assert looked(book, replace(check, while_held=True)).health == "sick"


def test_dry_runs_mark_nothing(book: Any, check: HealthCheck, tmp_path: Path) -> None:
    (tmp_path / "bad-a").touch()
    falls: dict[str, list[int]] = {}
    found = looked(book, check, falls, dry_run=True)
    assert (found.found, found.health, found.changed, falls) == (Found.FAILED, "ok", False, {})


def test_resources_are_chosen_by_pattern_and_label(book: Any, check: HealthCheck) -> None:
    book.inventory_add(["c"], ROOT, {})
    every = replace(check, resources=(), label="arm64")
    found = asyncio.run(Checker(book, ROOT, every, {}).round())
    assert [one.resource for one in found] == ["a", "b"]
    with pytest.raises(NotFoundError):
        asyncio.run(Checker(book, ROOT, replace(check, resources=("nothing",)), {}).round())


def test_more_resources_than_commands_at_once(book: Any, check: HealthCheck) -> None:
    names = [f"n{number}" for number in range(AT_ONCE + 4)]
    book.inventory_add(names, ROOT, {})
    found = asyncio.run(Checker(book, ROOT, replace(check, resources=("n*",), command=("true",)), {}).round())
    assert [one.resource for one in found] == names


@pytest.mark.parametrize("value", ["-oProxyCommand=x", "a;b", "$(x)", "a b", "", "a\nb", "`x`", "a'b"])
def test_what_the_book_says_becomes_neither_an_option_nor_code(book: Any, check: HealthCheck, value: str) -> None:
    book.inventory_change(["a"], ROOT, {"labels": {"ip": value or "!"}})
    found = looked(book, replace(check, command=("sh", "-c", "touch ran {label.ip}")))
    assert (found.found, found.changed) == (Found.UNKNOWN, False)
    assert "is not handed to a command" in found.text
    assert not Path(str(check.folder), "ran").exists()


def test_placeholders(book: Any) -> None:
    (entry,) = book.inventory(["a"])
    assert filled(("x", "{resource}:{label.ip}", "{other}"), entry) == ["x", "a:10.0.0.7", "{other}"]
    with pytest.raises(NotFoundError, match="no label 'mac'"):
        filled(("{label.mac}",), entry)


def test_the_memory_outlives_a_run_and_is_one_run_s_at_a_time(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path / "home")}
    with memory_of("/a/book", env) as memory:
        memory.of("ping")["a"] = [1, 2]
        memory.save()
        with pytest.raises(WrongStateError, match="running already"), memory_of("/a/book", env):
            raise AssertionError
        with memory_of("/another/book", env) as other:
            assert other.of("ping") == {}
    with memory_of("/a/book", env) as memory:
        assert memory.of("ping") == {"a": [1, 2]}


@pytest.mark.parametrize("content", ["", "[]", "{", '{"falls": {"ping": 3}}', '{"falls": {"ping": {"a": ["x"]}}}'])
def test_a_broken_memory_counts_anew(tmp_path: Path, content: str) -> None:
    env = {"HOME": str(tmp_path / "home")}
    with memory_of("/a/book", env) as memory:
        memory.of("ping")["a"] = [1]
        memory.save()
    (path,) = (tmp_path / "home").rglob("*.json")
    path.write_text(content)
    with memory_of("/a/book", env) as memory:
        assert memory.of("ping") == {}


def test_each_check_goes_on_as_often_as_it_says() -> None:
    seen: list[str] = []

    async def work() -> None:
        enough = asyncio.Event()

        def told(findings: list[Finding]) -> None:
            seen.append("round")
            if len(seen) == 3:
                enough.set()

        async def begin() -> list[Finding]:
            return []

        following = asyncio.create_task(follow({"ping": begin}, {"ping": 1000}, told))
        await enough.wait()
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following

    asyncio.run(work())
    assert len(seen) == 3
