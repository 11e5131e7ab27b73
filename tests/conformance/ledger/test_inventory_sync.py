"""An inventory file becomes the inventory of the book: in one transaction, keeping what is in use."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bespeak.base.clock import HOUR_US
from bespeak.base.errors import BusyError, NotFoundError, UsageError, WrongStateError
from bespeak.ledger import open_ledger
from bespeak.ledger.inventory import files, read
from bespeak.ledger.model import Holder, Request
from support import replay
from support.engines import on_databases

ROOT, ALICE = Holder("root"), Holder("alice")


def inventory(text):
    return files.read("inventory.toml", text.encode(), "toml")


def take(book, *names, hours=1):
    return book.reserve(Request(names, ALICE, duration_us=hours * HOUR_US))


def names(book):
    return [entry.name for entry in book.inventory()]


def exported(book):
    return files.write([entry for entry in book.inventory() if entry.resource.declared], "toml")


FIRST = """[resources.b1]
labels = {arch = "arm64"}
parts = ["b1.gpu"]

[resources."b1.gpu"]

[resources.b10]
seats = 2
"""


def test_the_book_becomes_what_the_file_says(book):
    wanted = inventory(FIRST)
    planned = book.inventory_difference(wanted)
    assert [entry.name for entry in planned.added] == ["b1", "b1.gpu", "b10"]
    assert names(book) == []
    assert book.inventory_sync(wanted, ROOT, revision=planned.revision) == planned
    assert exported(book) == FIRST
    assert book.inventory_difference(wanted).empty
    again = book.inventory_sync(inventory(FIRST.replace("arm64", "x86").replace('parts = ["b1.gpu"]\n', "")), ROOT)
    (change,) = again.changed
    assert change.values() == {
        "labels": ({"arch": "arm64"}, {"arch": "x86"}),
        "parts": (["b1.gpu"], None),
    }
    assert book.inventory_sync({}, ROOT).removed
    assert names(book) == []
    assert book.engine.read(replay.compare) == []
    assert [entry.action.value for entry in book.log()] == ["resource_set"] * 4 + ["resource_removed"] * 3


@on_databases
def test_a_synced_book_is_strict_until_it_says_otherwise(book):
    take(book, "wild")
    book.inventory_sync(inventory(FIRST), ROOT)
    with pytest.raises(NotFoundError, match="did you mean 'b10'"):
        take(book, "b100")
    with pytest.raises(NotFoundError):
        book.queue(Request(("b100",), ALICE), timeout_us=1)
    assert take(book, "b10")
    assert book.inventory_difference(inventory(FIRST)).undeclared == ("wild",)
    book.policy_set("strict", False, ROOT)
    assert take(book, "b100")


def test_what_is_in_use_stays_and_is_named(book, clock):
    book.inventory_sync(inventory(FIRST + "[resources.b2]\n[resources.b3]\nseats = 2\n"), ROOT)
    held = take(book, "b10", "b3")
    take(book, "b3")
    done = book.inventory_sync(inventory("[resources.b3]\n[resources.b4]\n"), ROOT)
    assert [entry.name for entry in done.removed] == ["b1", "b1.gpu", "b2"]
    assert [(kept.name, kept.reason.partition(":")[0]) for kept in done.kept] == [
        ("b3", "seats stay"),
        ("b10", "not removed"),
    ]
    assert held.id in done.kept[1].reason
    assert names(book) == ["b3", "b4", "b10"]
    clock.now += 2 * HOUR_US
    assert book.inventory_sync(inventory("[resources.b3]\n[resources.b4]\n"), ROOT).kept == ()
    assert names(book) == ["b3", "b4"]
    assert book.engine.read(replay.compare) == []


def test_whole_and_part_booked_at_one_time_cannot_become_one(book):
    two = "[resources.a]\n[resources.b]\n[resources.c]\n"
    book.inventory_sync(inventory(two), ROOT)
    take(book, "a")
    take(book, "c")
    done = book.inventory_sync(
        inventory('[resources.a]\nparts=["b"]\n[resources.b]\nparts=["c"]\n[resources.c]\n'), ROOT
    )
    assert [(kept.name, kept.reason) for kept in done.kept] == [("b", "parts stay: a and c are booked at one time")]
    assert {entry.name: entry.properties.parts for entry in book.inventory()} == {"a": ("b",), "b": (), "c": ()}


def test_a_part_of_what_stays_is_not_removed(book):
    book.inventory_sync(inventory(FIRST), ROOT)
    take(book, "b1")
    done = book.inventory_sync(inventory("[resources.other]\n"), ROOT)
    assert [kept.name for kept in done.kept] == ["b1", "b1.gpu"]
    assert done.kept[1].reason == "not removed: something that stays is made of it"


def test_a_name_that_looks_like_another_is_refused(book):
    book.inventory_sync(inventory("[resources.rack3]\n[resources.'caf\u00e9']\n"), ROOT)
    for name, other in (("Rack3", "rack3"), ("r\u0430ck3", ""), ("CAF\u00c9", "caf\u00e9"), ("rack\uff13", "rack3")):
        before = exported(book)
        with pytest.raises(UsageError, match="look" if other else "mixes letters") as refused:
            book.inventory_sync(inventory(f"[resources.rack3]\n[resources.'caf\u00e9']\n[resources.'{name}']\n"), ROOT)
        assert f"looks like {other!r}" in str(refused.value) or not other
        assert exported(book) == before
    book.inventory_sync(inventory("[resources.Rack3]\n"), ROOT)
    assert names(book) == ["Rack3"]


def test_nothing_is_written_when_the_inventory_has_changed_meanwhile(book):
    planned = book.inventory_difference(inventory(FIRST))
    book.resource_set("b7", ROOT)
    with pytest.raises(WrongStateError, match="meanwhile"):
        book.inventory_sync(inventory(FIRST), ROOT, revision=planned.revision)
    assert names(book) == ["b7"]


def test_nothing_is_removed_where_it_is_not_wanted(book):
    book.inventory_sync(inventory(FIRST), ROOT)
    done = book.inventory_sync(inventory("[resources.b1]\n"), ROOT, prune=False)
    assert not done.removed
    assert names(book) == ["b1", "b1.gpu", "b10"]


def test_some_resources_are_changed_by_the_same_keys(book):
    made = book.inventory_add(["b2", "b10"], ROOT, {"labels": {"arch": "arm64"}, "seats": 2})
    assert [entry.name for entry in made] == ["b2", "b10"]
    assert not book.policy().strict
    with pytest.raises(WrongStateError, match="'b2' is declared already"):
        book.inventory_add(["b1", "b2"], ROOT, {})
    (entry,) = book.inventory_change(["b2"], ROOT, {"labels": {"ram": 8}, "owner": "me"}, without=["arch"])
    assert dict(entry.properties.labels) == {"ram": 8}
    assert (entry.properties.owner, entry.resource.capacity) == ("me", 2)
    assert dict(book.inventory_change(["b2"], ROOT, {"labels": {}})[0].properties.labels) == {"ram": 8}
    wrong = ({"seats": 0}, "seats"), ({"parts": ["b9"]}, "no resource 'b9'"), ({"hours": "x"}, "hours")
    for table, why in (*wrong, ({"labels": 5}, "labels: must be a table")):
        with pytest.raises(UsageError, match=why):
            book.inventory_change(["b2"], ROOT, table)
    with pytest.raises(NotFoundError, match="has no label 'x'"):
        book.inventory_change(["b2"], ROOT, {}, without=["x"])
    with pytest.raises(NotFoundError, match="did you mean b2"):
        book.inventory_change(["b22"], ROOT, {})
    take(book, "b2")
    take(book, "b2")
    with pytest.raises(BusyError, match="seats stay"):
        book.inventory_change(["b2"], ROOT, {"seats": 1})
    book.inventory_change(["b10"], ROOT, {"parts": ["b2"]})
    with pytest.raises(UsageError, match="part of itself"):
        book.inventory_change(["b2"], ROOT, {"parts": ["b10"]})
    assert book.engine.read(replay.compare) == []


NAMES = ("a", "b", "c", "d")


@st.composite
def inventories(draw):
    chosen = draw(st.lists(st.sampled_from(NAMES), unique=True))
    lines = []
    for name in chosen:
        lines.append(f"[resources.{name}]")
        lower = [other for other in chosen if other > name]
        lines.append(f"parts = {draw(st.lists(st.sampled_from(lower), unique=True)) if lower else []}")
        lines.append(f"seats = {draw(st.integers(1, 3))}")
        lines.append(f"labels = {{a = {draw(st.sampled_from(['1', '1.0', 'true', chr(39) + '1' + chr(39)]))}}}")
    return "\n".join(lines).replace("'", '"')


@settings(max_examples=30)
@given(st.lists(inventories(), min_size=1, max_size=5))
def test_any_inventory_follows_any_other(tmp_path_factory, texts):
    with open_ledger(f"{tmp_path_factory.mktemp('book')}/book.db", durable=False) as book:
        for text in texts:
            wanted = inventory(text)
            book.inventory_sync(wanted, ROOT)
            assert exported(book) == files.write(wanted.values(), "toml")
            assert book.inventory_difference(wanted).empty
            assert book.engine.read(replay.compare) == []
            pairs = {name: entry.properties.parts for name, entry in wanted.items()}
            for entry in book.engine.read(read.entries).values():
                assert (entry.resource.related > 0) == bool(
                    pairs[entry.name] or any(entry.name in parts for parts in pairs.values())
                )
