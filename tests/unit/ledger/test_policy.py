"""The keys of the policy: every value is typed, shown and stored in one form; who may change it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.clock import HOUR_US
from bespeak.base.errors import BusyError, UsageError
from bespeak.ledger.model import Holder
from bespeak.ledger.policy import KEYS, QUOTAS, Policy, PolicyDefaults, checked_value, parse_value, policy_key
from bespeak.ledger.policy_changes import check_may_administer
from bespeak.ledger.rights import asker, check_kickers, check_priority

NAMES = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)
VALUES = {
    "true or false": st.booleans(),
    "a duration": st.integers(1, 10**6).map(lambda seconds: f"{seconds}s"),
    "names with commas between, '' for nobody": st.lists(NAMES, max_size=4),
    "name=number with commas between, * for everybody else": st.dictionaries(
        st.one_of(NAMES, st.just("*")), st.integers(0, 1000), max_size=4
    ),
    QUOTAS.form: st.dictionaries(
        st.one_of(NAMES, st.just("*")),
        st.fixed_dictionaries(
            {},
            optional={
                "active": st.integers(0, 9),
                "hours": st.integers(0, 99),
                "ahead": st.integers(1, 99).map(lambda days: f"{days}d"),
                "longest": st.integers(1, 10**6).map(lambda seconds: f"{seconds}s"),
            },
        ).filter(bool),
        max_size=3,
    ),
    "team=name,name with semicolons between": st.dictionaries(NAMES, st.lists(NAMES, max_size=3), max_size=3),
}


def test_the_kinds_of_all_keys_are_tried():
    assert {key.kind.form for key in KEYS} == set(VALUES)
    assert sorted(key.name for key in KEYS) == [key.name for key in KEYS]


@given(st.sampled_from(KEYS).flatmap(lambda key: st.tuples(st.just(key), VALUES[key.kind.form])))
def test_what_is_shown_can_be_typed_and_means_the_same(drawn):
    key, value = drawn
    checked = checked_value(key.name, value)
    assert checked_value(key.name, checked) == checked
    assert parse_value(key.name, key.kind.show(checked)) == checked


@given(st.sampled_from(KEYS), st.text(max_size=20))
def test_any_text_is_a_value_or_refused_in_one_line(key, text):
    try:
        value = parse_value(key.name, text)
    except UsageError as error:
        refused = str(error)
    else:
        refused = f"policy {key.name}: "
        assert checked_value(key.name, value) == value
    assert refused.startswith(f"policy {key.name}: ")
    assert "\n" not in refused


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("strict", "maybe", "must be true or false"),
        ("default_for", "forever", "not for ever"),
        ("default_for", "0s", "greater than zero"),
        ("default_for", "soon", "soon"),
        ("kickers", "a\tb", "does not print"),
        ("kickers", '["a", 3]', "3 is no name"),
        ("kickers", '{"a": 1}', "must be a list of names"),
        ("priority", "alice", "must be NAME=VALUE"),
        ("priority", "alice=1,alice=2", "each name once"),
        ("priority", "alice=1001", "from 0 to 1000"),
        ("priority", "alice=-1", "from 0 to 1000"),
        ("priority", '{"alice": true}', "from 0 to 1000"),
        ("teams", "[" * 100_000, "recursion"),
        ("teams", "bringup", "must be NAME=VALUE"),
    ],
)
def test_what_is_no_value_is_refused_with_the_key_and_the_reason(name, text, part):
    with pytest.raises(UsageError, match=f"policy {name}: ") as told:
        parse_value(name, text)
    assert part in str(told.value)


def test_a_misspelt_key_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean kickers"):
        policy_key("kicker")


def test_the_settings_count_for_what_the_book_does_not_say():
    defaults = PolicyDefaults(strict=True, default_for_us=HOUR_US, kickers=frozenset({"carol"}))
    silent = Policy({}, defaults)
    assert (silent.strict, silent.default_for_us, silent.kickers) == (True, HOUR_US, {"carol"})
    said = Policy({"strict": False, "default_for": "2h", "kickers": []}, defaults)
    assert (said.strict, said.default_for_us, said.kickers) == (False, 2 * HOUR_US, frozenset())


def test_the_right_is_that_of_who_asks_and_not_of_whom_they_act_for():
    policy = Policy({"kickers": ["alice"], "priority": {"alice": 5, "*": 1}}, PolicyDefaults())
    alice, disguised = Holder("alice"), Holder("alice", requested_by="bob")
    assert (asker(alice), asker(disguised)) == ("alice", "bob")
    check_kickers(policy, alice)
    check_kickers(policy, Holder("bob", requested_by="alice"))
    check_priority(policy, alice, 5)
    check_priority(policy, disguised, 1)
    check_priority(policy, disguised, -1000)
    with pytest.raises(BusyError, match=r"bob may not take .* \(policy of the book: kickers\)"):
        check_kickers(policy, disguised)
    with pytest.raises(BusyError, match="bob may wait with at most 1"):
        check_priority(policy, disguised, 2)


def test_without_limits_anybody_may_and_with_them_only_who_is_named():
    anybody, nobody = Policy({}, PolicyDefaults()), Policy({"priority": {}}, PolicyDefaults())
    check_priority(anybody, Holder("x"), 1000)
    with pytest.raises(BusyError):
        check_priority(nobody, Holder("x"), 1)


@pytest.mark.parametrize(
    ("admins", "asks", "is_owner", "is_file", "allowed"),
    [
        ([], "bob", True, True, True),
        ([], "bob", False, True, False),
        (["alice"], "bob", True, True, True),
        (["alice"], "alice", False, True, True),
        (["alice"], "bob", False, True, False),
        ([], "bob", True, False, True),
        ([], "bob", False, False, False),
        (["alice"], "bob", True, False, False),
        (["alice"], "alice", False, False, True),
    ],
)
def test_the_owner_and_who_is_named_change_the_policy(admins, asks, is_owner, is_file, allowed):
    policy = Policy({"admins": admins}, PolicyDefaults())
    if allowed:
        check_may_administer(policy, asks, is_owner=is_owner, is_file=is_file)
    else:
        with pytest.raises(BusyError, match=f"{asks} may not change the policy"):
            check_may_administer(policy, asks, is_owner=is_owner, is_file=is_file)
