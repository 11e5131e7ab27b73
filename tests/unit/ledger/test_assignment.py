"""Giving resources to needs is exact: it finds a way wherever trying every way finds one, and the best of them."""

from __future__ import annotations

import itertools
import random

from bespeak.ledger.assignment import assign, assign_alike

CASES = 20_000


def fits(chosen, counts, suits):
    """Tell whether each of ``chosen`` can have a place of its own, by trying every order of places."""
    places = [need for need, count in enumerate(counts) for _ in range(count)]
    return any(
        all(need in suits[name] for name, need in zip(chosen, order, strict=True))
        for order in set(itertools.permutations(places))
    )


def best_by_trying(counts, suits, order, preferred, alike):
    """Return the most preferred resources that any way to fill the needs takes; None where there is no way."""
    most = None
    for chosen in itertools.combinations(order, sum(counts)):
        same = len({alike.get(name, name) for name in chosen}) <= 1 and all(name in alike for name in chosen)
        if same and fits(chosen, counts, suits):
            score = sum(name in preferred for name in chosen)
            most = score if most is None else max(most, score)
    return most


def check(found, counts, suits):
    taken = [name for names in found for name in names]
    assert len(set(taken)) == len(taken)
    assert [len(names) for names in found] == list(counts)
    assert all(need in suits[name] for need, names in enumerate(found) for name in names)


def test_it_finds_the_best_way_wherever_there_is_one():
    dice = random.Random(20261129)
    filled = 0
    for _ in range(CASES):
        counts = [dice.randint(1, 2) for _ in range(dice.randint(1, 3))]
        order = [f"r{number}" for number in range(dice.randint(1, 7))]
        suits = {name: [need for need in range(len(counts)) if dice.random() < 0.5] for name in order}
        preferred = frozenset(name for name in order if dice.random() < 0.4)
        sites = dice.choice([["lyon"], ["lyon", "oslo"]])
        alike = {name: dice.choice(sites) for name in order if dice.random() < 0.9 or len(sites) == 1}
        most = best_by_trying(counts, suits, order, preferred, alike)
        found = assign_alike(counts, suits, order, preferred, alike)
        assert (found is None) == (most is None), (counts, suits, order, preferred, alike)
        if found is not None:
            filled += 1
            check(found, counts, suits)
            assert sum(name in preferred for names in found for name in names) == most
            assert len({alike[name] for names in found for name in names}) == 1
    assert CASES // 5 < filled < CASES


def test_an_early_choice_is_changed_where_a_later_need_requires_it():
    suits = {"a": [0, 1], "b": [0], "c": [1]}
    assert assign([1, 1], suits, ["a", "b"]) == (("b",), ("a",))
    assert assign([1, 2], suits, ["a", "b", "c"]) == (("b",), ("a", "c"))
    assert assign([2, 2], suits, ["a", "b", "c"]) is None
    assert assign([], {}, []) == ()


def test_thousands_of_resources_that_suit_many_needs():
    suits = {f"r{number}": [need for need in range(40) if (number + need) % 7] for number in range(5000)}
    found = assign([100] * 40, suits, list(suits))
    assert found is not None
    check(found, [100] * 40, suits)
