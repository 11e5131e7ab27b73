"""The real ``otto``, two releases of it, obeys bespeak's book."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from typing import TYPE_CHECKING

from project import DOCUMENTED, LAB, NEEDED, NEWEST, Project, Release

from bespeak.base.clock import HOUR_US
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request

if TYPE_CHECKING:
    from support.peervenv import Environment

HINT = "Pass --skip-reservation-check / -R to proceed without the check."
Make = Callable[..., Project]


@pytest.fixture(params=[DOCUMENTED, NEWEST], ids=["documented", "newest"])
def make(request: pytest.FixtureRequest, peer: Callable[..., Environment], tmp_path: Path) -> Make:
    """A function that makes a project with a ``[reservations]`` table, for each release in turn."""
    release: Release = request.param
    environment = peer("otto", list(release.requirements), bespeak="postgres")
    return lambda reservations: Project(release, environment, tmp_path / "project", reservations)


def by_table(place: str) -> str:
    return f'[reservations]\nbackend = "bespeak"\n[reservations.bespeak]\nledger = "{place}"'


def by_url(place: str) -> str:
    return f'[reservations]\nbackend = "bespeak"\nurl = "{place}"'


def hold(book: str, user: str, *resources: str, **when: int) -> None:
    with open_ledger(book) as ledger:
        ledger.reserve(Request(resources or NEEDED, Holder(user), **({"duration_us": HOUR_US} | when)))


def test_who_holds_the_lab_may_use_it(make: Make, book_url: str) -> None:
    hold(book_url, "alice")
    answer = make(by_url(book_url)).use(user="alice")
    assert (answer.code, answer.used) == (0, True), answer.text


def test_who_does_not_hold_it_is_refused_and_told_who_does(make: Make, book_url: str) -> None:
    hold(book_url, "alice")
    project = make(by_url(book_url))
    answer = project.use(user="bob")
    assert (answer.code, answer.used) == (1, False)
    assert f"User 'bob' does not hold all resources required by lab '{LAB}'. Missing:" in answer.text
    for resource in NEEDED:
        said = f"{resource} (held by alice)"
        assert said in answer.text or _later_form(resource) in answer.text.replace("  ", " ")
    assert HINT not in answer.text


def _later_form(resource: str) -> str:
    level = "lab demo" if resource == NEEDED[0] else "element dut"
    return f"{resource} {level} (held by: alice until"


def test_part_of_it_is_not_enough_and_the_rest_is_nobodys(make: Make, book_url: str) -> None:
    hold(book_url, "alice", NEEDED[0])
    answer = make(by_url(book_url)).use(user="alice")
    assert (answer.code, answer.used) == (1, False)
    assert f"{NEEDED[1]} (unreserved)" in answer.text or f"{NEEDED[1]} element dut (held by: nobody)" in answer.text
    assert f"{NEEDED[0]} (" not in answer.text


def test_a_hold_of_tomorrow_opens_nothing_today(make: Make, book_url: str) -> None:
    from bespeak.base import clock

    hold(book_url, "alice", starts_us=clock.now() + 24 * HOUR_US)
    assert make(by_url(book_url)).use(user="alice").code == 1


def test_what_was_given_back_opens_nothing(make: Make, book_url: str) -> None:
    hold(book_url, "alice")
    project = make(by_url(book_url))
    assert project.use(user="alice").code == 0
    with open_ledger(book_url) as ledger:
        ledger.release_mine(Holder("alice"))
    assert project.use(user="alice").code == 1


def test_a_relative_place_begins_at_the_repository_whatever_the_directory(make: Make, tmp_path: Path) -> None:
    project = make(by_table("books/lab.db"))
    os.mkdir(project.root / "books")
    hold(str(project.root / "books/lab.db"), "alice")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    project_root, project.root = project.root, project.root / "labs"
    try:
        answer = project.otto("run", "use", user="alice", **{project.release.sut_dirs: str(project_root)})
    finally:
        project.root = project_root
    assert (answer.code, answer.used) == (0, True), answer.text


def test_without_a_place_the_book_is_the_one_bespeak_uses(make: Make, tmp_path: Path) -> None:
    book = str(tmp_path / "mine.db")
    hold(book, "alice")
    answer = make('[reservations]\nbackend = "bespeak"').otto("run", "use", user="alice", BESPEAK_LEDGER=book)
    assert (answer.code, answer.used) == (0, True), answer.text


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("missing.db", "there is no book at"),
        ("broken.db", "broken.db"),
        ("postgresql:///none?host=/nonexistent&user=nobody", "/nonexistent"),
    ],
)
def test_a_book_that_cannot_be_asked_keeps_the_lab_shut_and_says_how_to_go_on(
    make: Make, place: str, reason: str
) -> None:
    project = make(by_table(place))
    (project.root / "broken.db").write_bytes(b"this is no book " * 512)
    answer = project.use(user="alice")
    assert (answer.code, answer.used) == (1, False)
    assert "Reservation backend unavailable:" in answer.text
    assert reason in answer.text
    assert HINT in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ('[reservations]\nbackend = "bespeak"\n[reservations.bespeak]\nlegder = "x"', "has no setting 'legder'"),
        ('[reservations]\nbackend = "bespeak"\nurl = "a"\n[reservations.bespeak]\nledger = "b"', "keep one"),
        ('[reservations]\nbackend = "bespeak"\n[reservations.bespeak]\nledger = 7', "must be a text, not 7"),
        ('[reservations]\nbackend = "bespeak"\nurl = "ftp://x"', "unsupported ledger URL scheme 'ftp'"),
    ],
)
def test_a_slip_in_the_settings_is_named_and_keeps_the_lab_shut(make: Make, table: str, reason: str) -> None:
    answer = make(table).use(user="alice")
    assert (answer.code, answer.used) == (1, False)
    assert reason in answer.text


def test_brackets_in_a_name_are_printed_as_they_are(make: Make) -> None:
    answer = make(by_table("[/red]lab[1].db")).use(user="alice")
    assert answer.code == 1
    assert "[/red]lab[1].db" in answer.text


def test_the_bypass_skips_a_book_that_cannot_be_asked_loudly(make: Make) -> None:
    answer = make(by_table("missing.db")).use("-R", user="bob")
    assert (answer.code, answer.used) == (0, True)
    assert f"Reservation check SKIPPED for user 'bob' on lab '{LAB}'" in answer.text


def test_a_shell_completes_the_users_of_the_book(make: Make, book_url: str) -> None:
    hold(book_url, "alice", "rack1")
    hold(book_url, "alan", "rack2")
    hold(book_url, "bob", "rack3")
    project = make(by_url(book_url))
    assert project.complete(f"{project.release.as_user} al") == ["alan", "alice"]


def test_the_report_of_otto_names_the_backend(make: Make, book_url: str) -> None:
    hold(book_url, "alice")
    project = make(by_url(book_url))
    assert "backend: bespeak" in project.otto("reservation", "whoami", user="alice").text
    answer = project.otto("reservation", "check", user="alice")
    assert answer.code == 0
    assert "OK — all required resources are reserved." in answer.text
