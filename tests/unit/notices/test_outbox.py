"""From the log to messages: who is told what, exactly once."""

from __future__ import annotations

import threading

from bespeak.base import ids
from bespeak.base.clock import HOUR_US, MINUTE_US
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.notices import outbox, store
from bespeak.notices.model import Channel, Kind
from support.desk import Desk


def _told(desk: Desk, user: str) -> list[tuple[Kind, str]]:
    outbox.collect(desk.book)
    return [(one.kind, one.text) for one in reversed(store.notices(desk.book, user))]


def _join(desk: Desk, user: str, name: str = "rack1", purpose: str = "") -> str:
    request = Request((name,), Holder(user), duration_us=HOUR_US, purpose=purpose)
    return desk.book.queue_join(request, ids.new_id()).id


def test_what_happened_before_the_first_start_tells_nobody(desk: Desk) -> None:
    made = desk.reserve("rack1", "bob")
    desk.book.kick(made.id, Holder("boss"), "before")
    assert _told(desk, "bob") == []


def test_a_holder_is_told_who_waits_and_the_waiter_when_it_is_their_turn(desk: Desk) -> None:
    outbox.collect(desk.book)
    made = desk.reserve("rack1", "bob", hours=2)
    place = _join(desk, "alice", purpose="bring-up")
    assert _told(desk, "bob") == [
        (Kind.SOMEBODY_WAITS, "alice waits for rack1, which you hold until 2026-11-30 14:00 UTC (bring-up).")
    ]
    assert _told(desk, "alice") == []
    desk.book.release(made.id, Holder("bob"))
    desk.book.queue_look(place)
    assert _told(desk, "alice") == [(Kind.YOUR_TURN, "It is your turn: rack1 is yours until 2026-11-30 13:00 UTC.")]
    assert len(_told(desk, "bob")) == 1


def test_who_is_kicked_is_told_by_whom_and_why(desk: Desk) -> None:
    outbox.collect(desk.book)
    made = desk.reserve("rack1", "bob")
    desk.book.kick(made.id, Holder("boss"), "power outage\n\x1b[31m")
    assert _told(desk, "bob") == [(Kind.TAKEN_AWAY, "boss took rack1 away from you: power outage\\n\\x1b[31m.")]


def test_who_approves_is_told_of_a_request_and_who_asked_of_the_answer(desk: Desk) -> None:
    outbox.collect(desk.book)
    desk.book.inventory_add(["laser"], Holder("boss"), {"approval": ["carol", "group:leads"]})
    desk.book.rights_group("leads", Holder("boss"), add=("dora",))
    first, second, third = (desk.reserve("laser", "bob", start_hours=hour, purpose="cut") for hour in (1, 4, 7))
    asked = "bob asks for laser from 2026-11-30 13:00 UTC until 2026-11-30 15:00 UTC (cut): approve or refuse it, "
    for who in ("carol", "dora"):
        assert _told(desk, who)[0] == (Kind.APPROVAL, f"{asked}reservation {ids.short_id(first.id)}.")
    assert _told(desk, "bob") == []
    desk.book.approve(first.id, Holder("carol"))
    desk.book.refuse(second.id, Holder("dora"), "audit")
    desk.clock.now_us = third.starts_us
    assert _told(desk, "bob") == [
        (Kind.APPROVAL, "Your request for laser was approved by carol."),
        (Kind.APPROVAL, "Your request for laser was refused by dora: audit."),
        (Kind.APPROVAL, "Your request for laser expired unanswered."),
    ]


def test_a_hold_that_ends_soon_is_told_once_for_each_end(desk: Desk) -> None:
    made = desk.reserve("rack1", "bob", hours=1)
    desk.reserve("rack2", "bob", hours=0.2)
    assert _told(desk, "bob") == []
    desk.clock.now_us += 52 * MINUTE_US
    for _ in range(3):
        assert _told(desk, "bob") == [(Kind.ENDS_SOON, "Your hold on rack1 ends at 2026-11-30 13:00 UTC.")]
    desk.book.extend(made.id, Holder("bob"), duration_us=HOUR_US)
    desk.clock.now_us += HOUR_US
    assert [kind for kind, _ in _told(desk, "bob")] == [Kind.ENDS_SOON, Kind.ENDS_SOON]


def test_who_asked_is_told_once_that_it_is_free(desk: Desk) -> None:
    desk.reserve("rack1", "bob", hours=1)
    store.watch(desk.book, "alice", "rack1")
    store.watch(desk.book, "alice", "rack1")
    assert _told(desk, "alice") == []
    desk.later(1)
    for _ in range(2):
        assert _told(desk, "alice") == [(Kind.FREE, "rack1 is free.")]
    desk.reserve("rack1", "bob", hours=1)
    store.watch(desk.book, "alice", "rack1")
    desk.later(1)
    assert len(_told(desk, "alice")) == 2


def test_many_rows_are_told_in_batches(desk: Desk) -> None:
    outbox.collect(desk.book)
    for index in range(outbox.BATCH // 2 + 5):
        made = desk.reserve("rack1", f"u{index}")
        desk.book.kick(made.id, Holder("boss"), "x")
    assert len(outbox.collect(desk.book)) == outbox.BATCH // 2 + 5
    assert outbox.collect(desk.book) == []


def test_several_servers_tell_each_thing_once(book_url: str) -> None:
    desk = Desk(book_url)
    outbox.collect(desk.book)
    others = [open_ledger(book_url, durable=False, now=desk.clock) for _ in range(3)]
    counts: list[int] = []
    done = threading.Event()

    def collect(book: object) -> None:
        while not done.is_set():
            counts.append(len(outbox.collect(book)))  # type: ignore[arg-type]
        counts.append(len(outbox.collect(book)))  # type: ignore[arg-type]

    threads = [threading.Thread(target=collect, args=(book,)) for book in others]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            desk.book.kick(desk.reserve("rack1", "bob").id, Holder("boss"), "x")
    finally:
        done.set()
        for thread in threads:
            thread.join(60)
    assert sum(counts) == 20
    assert len(store.notices(desk.book, "bob")) == 20
    for book in (*others, desk.book):
        book.close()


def test_nobody_reads_the_notices_of_others(desk: Desk) -> None:
    outbox.collect(desk.book)
    desk.book.kick(desk.reserve("rack1", "bob").id, Holder("boss"), "secret")
    assert _told(desk, "alice") == []
    assert _told(desk, "boss") == []


def test_who_gets_a_hold_from_another_is_told(desk: Desk) -> None:
    outbox.collect(desk.book)
    made = desk.reserve("rack1", "bob")
    desk.book.transfer(made.id, "alice", Holder("bob"), reason="my shift is over")
    assert _told(desk, "alice") == [
        (Kind.MOVED, "bob handed over to you rack1, until 2026-11-30 14:00 UTC (my shift is over).")
    ]
    assert _told(desk, "bob") == []


def test_whose_booking_is_moved_by_another_is_told(desk: Desk) -> None:
    outbox.collect(desk.book)
    made = desk.reserve("rack1", "bob", start_hours=3)
    desk.book.move(made.id, Holder("bob"), starts_us=desk.clock.now_us + 5 * HOUR_US)
    assert _told(desk, "bob") == []
    desk.book.move(made.id, Holder("bob", "boss"), starts_us=desk.clock.now_us + 6 * HOUR_US, reason="maintenance")
    assert _told(desk, "bob") == [
        (
            Kind.MOVED,
            "boss moved your booking of rack1: it begins 2026-11-30 18:00 UTC, until 2026-11-30 20:00 UTC (maintenance).",
        )
    ]
    desk.book.move(made.id, Holder("bob", "boss"), resources=["rack2"], reason="rack1 is sick")
    assert _told(desk, "bob")[-1][1] == (
        "boss moved your booking of rack1 to rack2: it begins 2026-11-30 18:00 UTC, until 2026-11-30 20:00 UTC"
        " (rack1 is sick)."
    )


def test_maintenance_tells_those_whom_it_moves_shortens_or_ends(desk: Desk) -> None:
    outbox.collect(desk.book)
    desk.reserve("rack1", "bob", hours=4)
    desk.reserve("rack1", "carol", start_hours=5, hours=1)
    start_us = desk.clock.now_us + 2 * HOUR_US
    desk.book.maintenance_add(
        ["rack1"], Holder("boss"), starts_us=start_us, ends_us=start_us + 6 * HOUR_US, reason="new PSU", hit="move"
    )
    assert _told(desk, "bob") == [
        (Kind.MOVED, "boss shortened your hold on rack1: it is yours until 2026-11-30 14:00 UTC.")
    ]
    assert [kind for kind, _ in _told(desk, "carol")] == [Kind.MOVED]
    assert "it begins 2026-11-30 20:00 UTC" in _told(desk, "carol")[0][1]


def test_old_notices_are_forgotten(desk: Desk) -> None:
    outbox.collect(desk.book)
    store.subscribe(desk.book, "bob", Channel.MAIL, "bob@example.com")
    desk.book.kick(desk.reserve("rack1", "bob").id, Holder("boss"), "old")
    outbox.collect(desk.book)
    desk.later(24 * 91)
    desk.book.kick(desk.reserve("rack1", "bob").id, Holder("boss"), "new")
    outbox.collect(desk.book)
    assert store.forget_old(desk.book) == 1
    assert store.forget_old(desk.book) == 0
    assert [one.text for one in store.notices(desk.book, "bob")] == ["boss took rack1 away from you: new."]
    assert desk.book.engine.read(lambda tx: tx.fetch_one("SELECT COUNT(*) FROM notices_deliveries")) == (1,)
