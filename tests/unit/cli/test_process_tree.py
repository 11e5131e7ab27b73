"""All that a command has started is found, also what is another process at each look."""

from __future__ import annotations

import os

import pytest

from bespeak.cli import process_tree
from bespeak.cli.process_tree import ProcessTree

STARTED = 1_000
COMMAND, ROOT = 50, 7


@pytest.fixture
def tree(monkeypatch):
    """A tree whose looks are given one after the other: the children of the root by state, in each."""

    def tree_(*looks):
        monkeypatch.setattr(process_tree, "_read", lambda _: (ROOT, "S", STARTED, COMMAND))
        tables = iter([{ROOT: [(pid, state, STARTED, COMMAND) for pid, state in look.items()]} for look in looks])
        monkeypatch.setattr(process_tree, "_table", lambda: next(tables))
        return ProcessTree(COMMAND, root=ROOT)

    return tree_


def test_what_replaces_itself_between_two_looks_is_found(tree):
    looks = {51: "Z"}, {51: "Z", 52: "Z"}, {51: "Z", 52: "Z", 53: "Z"}, {51: "Z", 52: "Z", 53: "Z", 54: "S"}
    assert tree(*looks).members() == [(54, STARTED)]


def test_none_lives_where_two_looks_are_the_same(tree):
    assert tree({51: "Z"}, {51: "Z"}).members() == []


@pytest.mark.parametrize("end", ["tell_to_end", "kill"])
def test_a_tree_that_never_settles_is_not_said_to_have_ended(tree, monkeypatch, end):
    monkeypatch.setattr(os, "kill", lambda *_: None)
    restless = [{pid: "Z"} for pid in range(100, 200)]
    assert not getattr(tree(*restless), end)()
    assert getattr(tree({51: "Z"}, {51: "Z"}), end)()
