"""Who may do what is a pure function of the rules; every answer says which rule gave it."""

from __future__ import annotations

import pytest

from bespeak.access import selectors
from bespeak.access.decide import decide, selects
from bespeak.access.model import Caller, Grant, Right, Role, Rule, Scope, kind_of, principal_of
from bespeak.base.errors import NotAllowedError, UsageError


def rule(principal, role, selector="*"):
    return Rule(f"{principal}-{role}", principal, Role(role), selector, 0, "root")


def caller(holder="alice", **more):
    return Caller(holder, kind_of(holder), "token", **more)


def ask(rules, who, right, resource=None, groups=(), labels=None):
    return decide(rules, who, set(groups), Right(right), resource, labels or {})


EACH_ROLE = {
    "viewer": {"look"},
    "booker": {"look", "reserve"},
    "manager": {"look", "reserve", "as-user", "kick", "resource"},
    "admin": {"look", "reserve", "as-user", "kick", "resource", "administer"},
}


@pytest.mark.parametrize("role", EACH_ROLE)
def test_each_role_has_the_rights_of_the_one_before_it(role):
    rules = [rule("user:alice", role)]
    assert {right.value for right in Right if ask(rules, caller(), right.value, "rack1").allowed} == EACH_ROLE[role]


@pytest.mark.parametrize(
    ("principal", "holder", "groups", "meant"),
    [
        ("*", "alice", (), True),
        ("user:alice", "alice", (), True),
        ("user:alice", "user:alice", (), True),
        ("user:alice", "ci:alice", (), False),
        ("user:alice", "alicia", (), False),
        ("ci:*", "ci:org-x", (), True),
        ("ci:*", "alice", (), False),
        ("user:*", "alice", (), True),
        ("group:lab", "alice", ("lab",), True),
        ("group:lab", "lab", (), False),
        ("group:*", "alice", ("lab",), False),
    ],
)
def test_whom_a_principal_means(principal, holder, groups, meant):
    assert ask([rule(principal, "booker")], caller(holder), "reserve", "rack1", groups).allowed is meant


@pytest.mark.parametrize(
    ("selector", "resource", "labels", "selected"),
    [
        ("*", "rack1", {}, True),
        ("*", None, {}, True),
        ("rack*", "rack1", {}, True),
        ("rack*", "board1", {}, False),
        ("rack*", None, {}, False),
        ("RACK*", "rack1", {}, False),
        ("label:lab=berlin", "rack1", {"lab": "berlin"}, True),
        ("label:lab=berlin", "rack1", {"lab": "bern"}, False),
        ("label:lab", "rack1", {"lab": "bern"}, True),
        ("label:lab=", "rack1", {"lab": "bern"}, False),
        ("label:lab=berlin", "rack1", {}, False),
    ],
)
def test_what_a_selector_means(selector, resource, labels, selected):
    assert selects(selector, resource, labels) is selected


def test_an_answer_names_the_rule_that_gave_it():
    rules = [rule("user:bob", "admin"), rule("user:alice", "booker", "rack*")]
    found = ask(rules, caller(), "reserve", "rack3")
    assert (found.allowed, found.rule) == (True, "user:alice-booker")
    assert found.reason == "rule user:alice-booker: user:alice is booker of rack*"
    refused = ask(rules, caller(), "kick", "rack3")
    assert (refused.allowed, refused.rule) == (False, None)
    assert refused.reason == "no rule gives alice the role manager on rack3, which kick needs"


def test_administering_needs_a_rule_for_everything():
    assert not ask([rule("user:alice", "admin", "rack*")], caller(), "administer").allowed
    assert ask([rule("user:alice", "admin")], caller(), "administer").allowed


@pytest.mark.parametrize("right", list(Right))
def test_a_scope_only_takes_away(right):
    narrow = caller(scopes=frozenset({Scope.READ}))
    assert ask([rule("user:alice", "admin")], narrow, right.value, "rack1").allowed is (right is Right.LOOK)
    assert not ask([rule("user:bob", "admin")], caller(scopes=frozenset(Scope)), right.value, "rack1").allowed


def test_a_token_for_some_resources_reaches_no_others_and_not_the_book():
    narrow = caller(selectors=("rack1",))
    rules = [rule("user:alice", "admin")]
    assert ask(rules, narrow, "reserve", "rack1").allowed
    assert "is for rack1, not for rack2" in ask(rules, narrow, "reserve", "rack2").reason
    assert not ask(rules, narrow, "administer").allowed


def test_a_workload_has_the_role_of_its_mapping_only():
    who = caller("ci:org-x", grants=(Grant(Role.BOOKER, "rack*", "mapping m1"),), unruled=None)
    assert ask([], who, "reserve", "rack1").reason == "mapping m1 gives ci:org-x the role booker"
    assert not ask([], who, "reserve", "board1").allowed
    assert not ask([rule("user:alice", "admin")], who, "kick", "rack1").allowed


@pytest.mark.parametrize("role", EACH_ROLE)
def test_without_rules_the_way_of_signing_in_decides(role):
    who = caller(unruled=Role(role))
    assert {right.value for right in Right if ask([], who, right.value, "rack1").allowed} == EACH_ROLE[role]


def test_a_scope_that_is_missing_is_named():
    with pytest.raises(NotAllowedError, match="the token of alice has not the scope coord"):
        caller(scopes=frozenset({Scope.READ})).require_scope("coord")
    caller().require_scope("coord")


@pytest.mark.parametrize(
    ("holder", "principal"),
    [("alice", "user:alice"), ("ci:x", "ci:x"), ("user:bob", "user:bob"), ("x:y", "user:x:y"), ("team:", "team:")],
)
def test_a_holder_without_a_kind_is_a_user(holder, principal):
    assert principal_of(holder) == principal


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (selectors.role, "owner", "known: viewer, booker, manager, admin"),
        (selectors.right, "fly", "there is no action 'fly'"),
        (selectors.principal, "", "principal ''"),
        (selectors.principal, "group:", "name the group"),
        (selectors.principal, "ci:", "a name, ci:NAME"),
        (selectors.principal, "al*", "for everybody"),
        (selectors.principal, "a\nb", "do not print"),
        (selectors.selector, "label:=x", "a label has a name"),
        (selectors.selector, " rack", "do not print"),
        (selectors.issuer, "http://gitlab.com", "https://"),
        (selectors.issuer, "https://a@b", "https://"),
        (selectors.issuer, "https://b/?x=1", "https://"),
        (selectors.issuer, "file:///etc/passwd", "https://"),
    ],
)
def test_what_cannot_stand_in_a_rule_is_refused(read, text, message):
    with pytest.raises(UsageError) as refused:
        read(text)
    assert message in str(refused.value)


def test_scopes_are_known_and_the_usual_ones_do_not_administer():
    assert not {Scope.ADMIN, Scope.MANAGE} & set(selectors.scopes(()))
    assert selectors.scopes(["read", "read"]) == (Scope.READ,)
    with pytest.raises(UsageError, match="known: read, book, manage, admin, coord, mcp"):
        selectors.scopes(["all"])


@pytest.mark.parametrize("holder", ["alice", "user:alice", "team:x", "ci:", "ci:{ref}"])
def test_a_workload_is_never_a_person_and_takes_only_checked_claims(holder):
    with pytest.raises(UsageError, match="holder"):
        selectors.workload_holder(holder, [("repository", "org/*")])


def test_a_workload_may_be_named_after_a_checked_claim():
    holder = selectors.workload_holder("ci:{repository}", [("repository", "org/*")])
    assert selectors.filled(holder, {"repository": "org/x"}) == "ci:org/x"
