"""32 real processes on 20 resources; the log alone proves what must always be true."""

import copy
import json
import subprocess
import sys

import pytest

from bespeak.ledger import open_ledger, queue
from bespeak.ledger.model import Holder, Mode, Request
from support import history
from support.history import ViolationError, check, check_book, entries

HAMMER = [sys.executable, history.__file__.replace("history.py", "hammer.py")]
SECOND_US = 1_000_000


def test_invariants_hold_for_32_processes_on_20_resources(book_url):
    run = subprocess.run([*HAMMER, book_url, "32", "8"], check=False, capture_output=True, text=True, timeout=200)
    assert run.returncode == 0, run.stderr[-2000:]
    told = json.loads(run.stdout)
    with open_ledger(book_url) as book:
        found = check_book(book)
        log = entries(book.log())
    print(f"{len(log)} rows, {found.grants} grants, {found.grants_from_line} from the line; {told['done']}")
    granted = {held.id: held.number for held in found.held.values()}
    for identifier, number in told["acknowledged"]:
        assert granted[identifier] == number
    assert all(told["done"].get(kind) for kind in ("reserve", "queue", "later", "extend", "shorten", "kick", "release"))
    assert found.grants_from_line > 10
    assert found.grants > 40


@pytest.fixture
def log(tmp_path):
    """A short true log: alone, shared, seats, a line of two, a later window."""
    instant = iter(range(10**15, 2 * 10**15, SECOND_US))
    with open_ledger(str(tmp_path / "book.db"), now=lambda: next(instant)) as book:
        alice, bob, carol = Holder("alice"), Holder("bob"), Holder("carol")

        def want(*names, by=alice, **more):
            return Request(names, by, purpose="wants " + " ".join(names), **({"duration_us": 900 * SECOND_US} | more))

        book.resource_set("seats", alice, capacity=2)
        first = book.reserve(want("a", "b"))
        book.reserve(want("seats"))
        book.reserve(want("seats", by=bob))
        book.reserve(want("s", mode=Mode.SHARED))
        book.reserve(want("s", by=bob, mode=Mode.SHARED))
        waiting = [
            book.engine.transact([], lambda tx, i=i, who=who: queue.join(book, tx, want("a", by=who), i, 0))
            for i, who in (("w1", bob), ("w2", carol))
        ]
        book.release(first.id, alice)
        for waiter in waiting:
            book.engine.transact([], lambda tx, i=waiter.id: book_advance(tx, i))
            book.release(waiter.id, Holder(waiter.holder))
        book.reserve(want("b", starts_us=10**15 + 5000 * SECOND_US))
        return entries(book.log())


def book_advance(tx, identifier):
    from bespeak.ledger import row_mapping

    return queue.advance(tx, row_mapping.by_id(tx, identifier))


def _only(log, action, number=0):
    return [entry for entry in log if entry.action == action][number]


def test_the_checker_accepts_a_true_log(log):
    found = check(log)
    assert found.grants == 8
    assert found.grants_from_line == 2


def _two_at_once(log):
    entry = _only(log, "reserved", -1)
    entry.after.update(starts_us=log[1].after["starts_us"], ends_us=log[1].after["ends_us"])


def _too_many_seats(log):
    _only(log, "resource_set").after["capacity"] = 1


def _alone_and_shared(log):
    next(e for e in reversed(log) if e.resources == ("s",)).after["mode"] = "exclusive"


def _part_of_it(log):
    position = next(i for i, e in enumerate(log) if e.resources == ("a", "b"))
    log[position] = history.replace(log[position], resources=("a",))


def _part_given_back(log):
    position = next(i for i, e in enumerate(log) if e.action == "released")
    log[position] = history.replace(log[position], resources=("b",))


def _promised_twice(log):
    first, second = _only(log, "promised", 0), _only(log, "promised", 1)
    second.after.update(first.after)


def _promised_later(log):
    first = _only(log, "promised", 0)
    moved = {name: value + SECOND_US for name, value in first.after.items()}
    log.insert(log.index(first) + 1, history.replace(first, after=moved))
    for number, entry in enumerate(log):
        log[number] = history.replace(entry, seq=number + 1)


def _taken_in_spite_of_a_promise(log):
    entry = _only(log, "reserved", -1)
    log.remove(entry)
    promised = _only(log, "promised", 0)
    position = next(number for number, other in enumerate(log) if other.action == "released")
    log.insert(position, history.replace(entry, resources=("a",), seq=log[position].seq))
    log[position].after.update(promised.after, purpose="", number=log[position - 1].seq * 1000)
    log[position + 1 :] = [history.replace(other, seq=other.seq + 1) for other in log[position + 1 :]]


def _overtaken(log):
    """Somebody takes, after the release and before the first waiter looked, what that waiter could have."""
    entry = _only(log, "reserved", -1)
    log.remove(entry)
    position = next(number for number, other in enumerate(log) if other.action == "granted")
    taken = history.replace(entry, resources=("a",), seq=log[position].seq, at_us=log[position].at_us)
    starts_us = log[position].after["starts_us"]
    number = log[position].after["number"]
    taken.after.update(starts_us=starts_us, ends_us=starts_us + SECOND_US, purpose="", number=number)
    log[position:] = [taken]


def _stale_number(log):
    first, second = _only(log, "granted", 0), _only(log, "granted", 1)
    first.after["number"], second.after["number"] = second.after["number"], first.after["number"]


def _same_number(log):
    _only(log, "granted", 1).after["number"] = _only(log, "granted", 0).after["number"]


def _never_released(log):
    log.remove(_only(log, "released"))


def _made_from_nothing(log):
    log.remove(_only(log, "queued"))


@pytest.mark.parametrize(
    "doctor",
    [
        _two_at_once,
        _too_many_seats,
        _alone_and_shared,
        _part_of_it,
        _part_given_back,
        _promised_twice,
        _promised_later,
        _taken_in_spite_of_a_promise,
        _overtaken,
        _stale_number,
        _same_number,
        _never_released,
        _made_from_nothing,
    ],
    ids=lambda doctor: doctor.__name__.strip("_"),
)
def test_the_checker_refuses_a_doctored_log(log, doctor):
    doctored = copy.deepcopy(log)
    doctor(doctored)
    with pytest.raises(ViolationError):
        check(doctored)
