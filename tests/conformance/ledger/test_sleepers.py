"""Whoever sleeps on a book stays connected: nothing wakes it before a change, and the change does, at once."""

import gc
import select

from bespeak import Holder, Request
from bespeak.ledger.write_operations import resource_topic


def test_a_sleeper_keeps_its_connection_and_is_woken_by_it(book):
    listener = book.listen([resource_topic("rack1")])
    try:
        gc.collect()
        assert [listener.wait(0.1) for _ in range(3)] == [False] * 3
        descriptor = listener.fileno()
        assert descriptor >= 0
        book.reserve(Request(("rack1",), Holder("alice"), duration_us=60_000_000))
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while not listener.wait(0):
            assert poll.poll(60_000), "nothing woke the descriptor"
        assert listener.fileno() == descriptor
    finally:
        listener.close()
