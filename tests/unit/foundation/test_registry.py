"""Things by name."""

import pytest

from bespeak.registry import Registry


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


def test_an_empty_name_is_refused():
    with pytest.raises(ValueError, match="the name of a number must not be empty"):
        Registry("number").register("", 1)
