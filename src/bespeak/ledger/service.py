"""The ledger as every door sees it (command line, gate, jobs, tools for agents, Python): one class, no logic."""

from __future__ import annotations

from bespeak.ledger import catalogue, changes, grant, history, queries
from bespeak.ledger.context import LedgerContext
from bespeak.ledger.line import wait_in_queue


class Ledger(LedgerContext):
    """An open book: reserve, wait, change, look. Its methods are the functions of this package that take a book."""

    reserve = grant.reserve
    next_free = grant.next_free
    in_the_way = grant.in_the_way
    queue = wait_in_queue

    extend = changes.extend
    shorten = changes.shorten
    release = changes.release
    release_resources = changes.release_resources
    release_mine = changes.release_mine
    kick = changes.kick
    keep_alive = changes.keep_alive

    get = queries.get
    find = queries.find
    reservations = queries.reservations
    now_us = queries.now_us
    who = queries.who
    free = queries.free

    log = history.log
    watch = history.watch

    resource_list = catalogue.resource_list
    resource_set = catalogue.resource_set
    resource_remove = catalogue.resource_remove
