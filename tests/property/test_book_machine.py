"""The book does what the naive book does, whatever happens, on each engine and on both side by side."""

from __future__ import annotations

import itertools

import pytest
from hypothesis.stateful import run_state_machine_as_test

from support.machine import BookMachine
from support.naive import CELL, EXCLUSIVE
from support.remote import DistantMachine


def test_sqlite_keeps_the_rules(tmp_path, effort):
    numbers = itertools.count()
    run_state_machine_as_test(lambda: BookMachine([f"{tmp_path}/{next(numbers)}.db"]), settings=effort(300, steps=40))


@pytest.mark.postgres
def test_both_engines_keep_the_rules_and_give_the_same_answers(tmp_path, postgres_schemas, effort):
    numbers = itertools.count()
    run_state_machine_as_test(
        lambda: BookMachine([f"{tmp_path}/{next(numbers)}.db", postgres_schemas()]), settings=effort(40, steps=40)
    )


def test_a_client_keeps_the_rules(tmp_path, effort):
    numbers = itertools.count()
    run_state_machine_as_test(lambda: DistantMachine([f"{tmp_path}/{next(numbers)}.db"]), settings=effort(8, steps=25))


@pytest.mark.postgres
def test_who_would_move_into_its_own_pause_takes_one_seat(tmp_path, postgres_schemas):
    machine = BookMachine([f"{tmp_path}/book.db", postgres_schemas()])
    machine.constrain("pauses")
    machine.set_seats("r1", 2)
    seat = frozenset({"r1"})
    for user, length, offset, priority in (
        ("bob", 2, 0, 0),
        ("alice", 3, 0, 0),
        ("alice", 3, 0, 0),
        ("carol", 1, None, 1),
        ("carol", 4, 3 * CELL, 0),
    ):
        machine.join(seat, user, EXCLUSIVE, length * CELL, offset, priority, None)
        machine.same_book()
    machine.teardown()
