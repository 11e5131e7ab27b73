"""Plans of changes in languages that are read by name: told what is seen, never called clean."""

import pytest

from bespeak.coord.merge.model import ItemKind, Verdict

BASE = {"a.rb": "def total(x)\n  x + 1\nend\n\ndef other\n  2\nend\n"}
USER = {"b.rb": "def more\n  total(3)\nend\n"}


@pytest.mark.parametrize("turned", [False, True])
def test_a_new_use_of_what_is_deleted_is_told(forked, turned):
    deleted = {"a.rb": "def other\n  2\nend\n"}
    forked.fork(BASE, *((USER, deleted) if turned else (deleted, USER)))
    plan = forked.plan()
    assert [(item.kind, item.address, item.user, item.how) for item in plan.conflicting] == [
        (ItemKind.DELETE_USE, "a.rb::total", "b.rb::more", "call resolved by name")
    ]
    assert plan.verdict == Verdict.SEMANTIC


def test_a_new_use_of_what_stays_is_no_conflict_and_not_called_clean(forked):
    forked.fork(BASE, {"a.rb": BASE["a.rb"].replace("2", "4")}, USER)
    plan = forked.plan()
    assert plan.items == ()
    assert plan.verdict == Verdict.NOT_JUDGED
    assert plan.not_judged == (("a.rb", "Ruby is read by name only"), ("b.rb", "Ruby is read by name only"))


def test_one_name_defined_on_both_sides_is_told(forked):
    filler = "".join(f"# {number}\n" for number in range(12))
    base, new = BASE["a.rb"] + filler, "def added\n  {}\nend\n"
    forked.fork({"a.rb": base}, {"a.rb": new.format(1) + "\n" + base}, {"a.rb": base + "\n" + new.format(2)})
    assert [(item.kind, item.address) for item in forked.plan().conflicting] == [(ItemKind.ADD_ADD, "a.rb::added")]


def test_names_that_are_bound_nowhere_are_not_told_as_lost(forked):
    base = "require 'json'\n" + "".join(f"# {number}\n" for number in range(12)) + "def f(x)\n  x\nend\n"
    forked.fork({"a.rb": base}, {"a.rb": base.replace("require 'json'\n", "")}, {"a.rb": base + "JSON.parse(f(1))\n"})
    assert forked.plan().items == ()
