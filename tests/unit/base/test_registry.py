"""Things by name."""

from collections import defaultdict

import pytest

from bespeak.base.registry import Registry


def test_a_thing_is_found_by_its_name_and_the_names_are_sorted():
    registry: Registry[int] = Registry("number")
    registry.register("two", 2)
    registry.register("one", 1)
    assert registry.get("two") == 2
    assert registry.get("three") is None
    assert registry.names() == list(registry) == ["one", "two"]


def test_the_last_registration_of_a_name_wins():
    registry: Registry[int] = Registry("number")
    registry.register("one", 1)
    registry.register("one", 11)
    assert registry.get("one") == 11
    assert registry.names() == ["one"]


def test_what_is_shipped_is_loaded_when_it_is_asked_for_and_can_be_replaced():
    registry: Registry[object] = Registry("kind of table", {"defaults": "collections:defaultdict", "gone": "nowhere:x"})
    assert registry.get("defaults") is defaultdict
    registry.register("defaults", 1)
    assert registry.get("defaults") == 1
    assert registry.names() == ["defaults", "gone"]


def test_an_unknown_name_is_told_with_those_there_are():
    registry: Registry[int] = Registry("power controller", {"wol": "nowhere:x"})
    registry.register("a\x1b", 1)
    told = registry.unknown("wal", "Add one.")
    assert told == "Unknown power controller 'wal'. Registered controllers: a\\x1b, wol. Add one."
    assert "x" * 200 not in registry.unknown("x" * 1000, "")


def test_an_empty_name_is_refused():
    with pytest.raises(ValueError, match="the name of a number must not be empty"):
        Registry("number").register("", 1)
