"""What is declared about resources: stored, read, logged, and in natural order."""

from __future__ import annotations

import json

import pytest

from bespeak.base.clock import HOUR_US
from bespeak.base.frozen import replace
from bespeak.ledger.inventory import read, write
from bespeak.ledger.inventory.model import Entry, Properties
from bespeak.ledger.inventory.serialize import entry_json
from bespeak.ledger.model import Health, Holder, Request, Resource
from support import replay

ROOT = Holder("root")
BOARD = Entry(
    Resource(
        "board1",
        capacity=2,
        declared=True,
        description="evaluation board",
        cooldown_us=90_000_000,
        hours="mon-fri 08:00-18:00 Europe/Berlin",
        check_in_us=900_000_000,
        health=Health.SICK,
    ),
    Properties(
        labels=(("arch", "arm64"), ("ram", 8), ("usb3", True), ("watts", 2.5)),
        owner="bring-up",
        contact="lab@example.org",
        link="https://example.org/board1",
        location="rack 3",
        seats=("left", "right"),
        groups=("arm", "boards"),
        parts=("board1.gpu",),
        health_note="no boot",
    ),
)


def put(book, *entries):
    def work(tx):
        known = read.entries(tx)
        for entry in entries:
            write.put(tx, ROOT, entry, known.get(entry.name))
        write.count_related(tx)

    book.engine.transact([write.LOCK], work)


def test_all_that_is_declared_comes_back(book):
    gpu = Entry(Resource("board1.gpu", declared=True))
    put(book, BOARD, gpu)
    related = replace(BOARD, resource=replace(BOARD.resource, related=1))
    assert book.inventory() == [related, replace(gpu, resource=replace(gpu.resource, related=1))]
    assert book.inventory(["board1", "unknown"]) == [related]
    assert book.engine.read(replay.compare) == []
    put(book, replace(BOARD, properties=Properties()))
    assert [entry.resource.related for entry in book.inventory()] == [0, 0]
    assert book.engine.read(replay.compare) == []


def test_labels_are_read_alone_and_cached_by_the_revision(book):
    before = book.engine.read(read.revision)
    put(book, BOARD, Entry(Resource("plain", declared=True)))
    assert book.engine.read(read.revision) > before
    labels = {"arch": "arm64", "ram": 8, "usb3": True, "watts": 2.5}
    assert book.engine.read(read.labels_of) == {"board1": labels, "plain": {}}
    assert book.engine.read(lambda tx: read.labels_of(tx, ["board1", "other"])) == {"board1": labels}
    assert BOARD.properties.label("arch") == "arm64"
    assert BOARD.properties.label("other") is None


def test_json_has_the_keys_of_files(book):
    put(book, BOARD)
    (entry,) = book.inventory()
    shown = json.loads(json.dumps(entry_json(entry)))
    assert shown == {
        "name": "board1",
        "capacity": 2,
        "declared": True,
        "description": "evaluation board",
        "labels": {"arch": "arm64", "ram": 8, "usb3": True, "watts": 2.5},
        "owner": "bring-up",
        "contact": "lab@example.org",
        "link": "https://example.org/board1",
        "location": "rack 3",
        "seats": ["left", "right"],
        "groups": ["arm", "boards"],
        "parts": ["board1.gpu"],
        "cooldown": "1m30s",
        "cooldown_us": 90_000_000,
        "hours": "mon-fri 08:00-18:00 Europe/Berlin",
        "check_in": "15m",
        "check_in_us": 900_000_000,
        "approval": False,
        "health": "sick",
        "health_note": "no boot",
    }


def test_setting_the_seats_keeps_what_else_is_declared(book):
    put(book, BOARD)
    book.resource_set("board1", ROOT, capacity=3)
    (entry,) = book.inventory()
    assert entry.resource.capacity == 3
    assert entry.properties == BOARD.properties
    assert book.engine.read(replay.compare) == []


@pytest.mark.parametrize("listing", [lambda b: b.resource_list(), lambda b: b.inventory(), lambda b: b.free()])
def test_resources_are_listed_in_natural_order(book, listing):
    for name in ("board10", "board2", "a9"):
        book.reserve(Request((name,), ROOT, duration_us=HOUR_US))
    assert [getattr(one, "name", None) or one.resource for one in listing(book)] == ["a9", "board2", "board10"]
