"""Rights are asked for inside the transaction of each call, and every change of them is in the log."""

from __future__ import annotations

import pytest

from bespeak.access import sessions, tokens
from bespeak.access.model import Caller, Role, Scope, kind_of
from bespeak.base.clock import DAY_US, FOREVER_US
from bespeak.base.errors import BusyError, NotAllowedError, NotFoundError, UsageError, WrongStateError
from bespeak.ledger.model import Holder, Request
from bespeak.ledger.service import Ledger

ROOT = Holder("root")
ALICE = Holder("alice")


def request(name, holder=ALICE):
    return Request((name,), holder, duration_us=DAY_US)


def remote(book, holder, **more):
    return book.as_caller(Caller(holder, kind_of(holder), "token", **more))


def inside(book):
    """Return the book as it is where it lies, whoever looks."""
    return Ledger(book.engine)


def test_a_book_without_rules_asks_nothing_of_a_local_command(book):
    made = book.reserve(request("rack1"))
    assert book.kick(made.id, ROOT, "needed").ended_note == "needed"
    assert book.rights_check("alice", "administer").reason == "the book has no rules"


def test_the_first_rule_makes_its_maker_admin_and_refuses_all_others(book):
    rule, new = book.rights_grant("alice", "booker", ROOT, selector="rack*")
    assert new
    assert {(one.principal, one.role) for one in book.rights_list().rules} == {
        ("user:alice", Role.BOOKER),
        ("user:root", Role.ADMIN),
    }
    assert book.reserve(request("rack1")).holder == "alice"
    with pytest.raises(NotAllowedError, match="no rule gives alice the role booker on board1"):
        book.reserve(request("board1"))
    with pytest.raises(NotAllowedError, match="alice may not administer the book"):
        book.rights_grant("alice", "admin", ALICE)
    assert book.rights_check("alice", "extend", "rack1").rule == rule.id


def test_a_refused_request_writes_nothing(book):
    book.rights_grant("root", "admin", ROOT)
    before = len(book.log())
    with pytest.raises(NotAllowedError):
        book.reserve(request("rack1"))
    with pytest.raises(NotAllowedError):
        book.queue(request("rack1"), timeout_us=0)
    with pytest.raises(NotAllowedError):
        book.resource_set("rack1", ALICE)
    assert len(book.log()) == before
    assert book.reservations(include_ended=True) == []


def test_a_role_can_be_taken_away_while_something_is_held_and_giving_back_needs_none(book):
    rule, _ = book.rights_grant("alice", "booker", ROOT)
    made = book.reserve(request("rack1"))
    book.rights_revoke(rule.id, ROOT)
    with pytest.raises(NotAllowedError):
        book.extend(made.id, ALICE, duration_us=DAY_US)
    assert book.release(made.id, ALICE).end_reason is not None


def test_acting_for_others_and_kicking_need_a_manager(book):
    book.rights_grant("bob", "booker", ROOT)
    book.rights_grant("alice", "booker", ROOT)
    book.rights_grant("meg", "manager", ROOT, selector="rack*")
    made = book.reserve(request("rack1"))
    with pytest.raises(NotAllowedError, match="bob may not act for somebody else"):
        book.reserve(request("rack2", Holder("alice", "bob")))
    with pytest.raises(NotAllowedError, match="bob may not take reservations away"):
        book.kick(made.id, Holder("bob"), "mine")
    with pytest.raises(NotAllowedError, match="bob may not take reservations away"):
        book.release(made.id, Holder("alice", "bob"))
    with pytest.raises(NotAllowedError, match="on board1"):
        book.reserve(request("board1", Holder("alice", "meg")))
    assert book.reserve(request("rack2", Holder("alice", "meg"))).requested_by == "meg"
    assert book.kick(made.id, Holder("meg"), "needed").ended_note == "needed"


def test_the_last_admin_stays_while_there_are_other_rules(book):
    book.rights_grant("alice", "booker", ROOT)
    rules = {one.principal: one.id for one in book.rights_list().rules}
    with pytest.raises(WrongStateError, match="the last that lets somebody change rules"):
        book.rights_revoke(rules["user:root"], ROOT)
    book.rights_revoke(rules["user:alice"], ROOT)
    book.rights_revoke(rules["user:root"], ROOT)
    assert book.rights_list().rules == ()
    with pytest.raises(NotFoundError, match="no rule"):
        book.rights_revoke("12345678", ROOT)


def test_a_rule_is_written_once(book):
    first, new = book.rights_grant("alice", "booker", ROOT)
    again, new_again = book.rights_grant("user:alice", "booker", ROOT)
    assert (first, new, new_again) == (again, True, False)


def test_groups_of_the_book_and_of_the_credential(book):
    book.rights_grant("group:lab", "booker", ROOT)
    with pytest.raises(NotAllowedError):
        book.reserve(request("rack1"))
    assert book.rights_group("lab", ROOT, add=("alice", "user:bob")) == ["alice", "user:bob"]
    assert book.reserve(request("rack1")).holder == "alice"
    assert book.rights_group("lab", ROOT, remove=("alice",)) == ["user:bob"]
    assert not book.rights_check("alice", "reserve", "rack2").allowed
    assert book.rights_check("bob", "reserve", "rack2").allowed
    with_claim = remote(book, "alice", groups=("lab",))
    assert with_claim.reserve(request("rack2")).holder == "alice"


def test_a_caller_of_a_server_asks_in_its_own_name_only(book):
    seen = remote(book, "bob", unruled=Role.ADMIN)
    for deed in (
        lambda: seen.reserve(request("rack1")),
        lambda: seen.reserve(request("rack1", Holder("bob", "alice"))),
        lambda: seen.rights_grant("bob", "admin", ALICE),
        lambda: seen.resource_set("rack1", ALICE),
    ):
        with pytest.raises(NotAllowedError, match="signed in as bob; that is not 'alice'"):
            deed()
    made = book.reserve(request("rack1"))
    for deed in (
        lambda: seen.release(made.id, ALICE),
        lambda: seen.extend(made.id, ALICE, duration_us=1),
        lambda: seen.shorten(made.id, ALICE, duration_us=1),
        lambda: seen.kick(made.id, ALICE, "x"),
        lambda: seen.release_resources(("rack1",), ALICE),
    ):
        with pytest.raises(NotAllowedError, match="signed in as bob"):
            deed()


def test_without_rules_a_caller_is_a_booker_unless_its_credential_says_more(book):
    booker = remote(book, "bob")
    assert booker.reserve(request("rack2", Holder("bob"))).holder == "bob"
    with pytest.raises(NotAllowedError, match="the book has no rules, and a token sign-in is a booker then"):
        booker.reserve(request("rack3", Holder("alice", "bob")))
    with pytest.raises(NotAllowedError, match="administer"):
        booker.rights_grant("bob", "admin", Holder("bob"))
    with pytest.raises(NotAllowedError, match="administer"):
        booker.policy_set("strict", True, Holder("bob"))
    manager = remote(book, "meg", unruled=Role.MANAGER)
    assert manager.reserve(request("rack3", Holder("alice", "meg"))).requested_by == "meg"
    assert remote(book, "ann", unruled=Role.ADMIN).policy_set("strict", False, Holder("ann")).strict is False


def test_without_rules_the_kickers_of_the_policy_kick_where_their_credential_lets_them(book):
    made = [book.reserve(request(f"rack{number}")) for number in range(2)]
    with pytest.raises(BusyError, match="kickers"):
        remote(book, "meg", unruled=Role.MANAGER).kick(made[0].id, Holder("meg"), "x")
    with pytest.raises(NotAllowedError, match="has not the scope manage"):
        remote(book, "root", scopes=frozenset({Scope.BOOK})).kick(made[0].id, ROOT, "x")
    assert remote(book, "root").kick(made[0].id, ROOT, "x").ended_note == "x"


def test_a_member_of_a_team_acts_for_it_without_being_a_manager(book):
    book.policy_set("teams", {"bringup": ["alice"]}, ROOT)
    book.rights_grant("alice", "booker", ROOT)
    assert book.reserve(request("rack1", Holder("team:bringup", "alice"))).holder == "team:bringup"
    with pytest.raises(NotAllowedError, match="act for somebody else"):
        book.reserve(request("rack2", Holder("team:other", "alice")))


def test_a_scope_limits_an_admin(book):
    book.rights_grant("alice", "admin", ROOT)
    narrow = remote(book, "alice", scopes=frozenset({Scope.READ}))
    with pytest.raises(NotAllowedError, match="has not the scope book"):
        narrow.reserve(request("rack1"))
    with pytest.raises(NotAllowedError, match="has not the scope admin"):
        narrow.rights_grant("bob", "admin", ALICE)


def digest():
    return tokens.hashed(tokens.new_token())


def test_a_token_is_made_listed_and_revoked_by_who_administers(book, clock):
    book.rights_grant("root", "admin", ROOT)
    with pytest.raises(NotAllowedError):
        book.token_create(ALICE, "alice", digest())
    end_us = clock.now + DAY_US
    made = book.token_create(ROOT, "alice", digest(), name="ci", scopes=("read", "book"), expires_us=end_us)
    other = book.token_create(ROOT, "bob", digest())
    assert (made.scopes, made.expires_us, made.created_by) == ((Scope.READ, Scope.BOOK), end_us, "root")
    assert [one.id for one in book.token_list(ALICE)] == [made.id]
    assert {one.id for one in book.token_list(ROOT)} == {made.id, other.id}
    with pytest.raises(NotAllowedError):
        book.token_revoke(other.id, ALICE)
    assert book.token_revoke(made.id, ALICE).revoked_us == clock.now
    with pytest.raises(WrongStateError, match="was revoked at"):
        book.token_revoke(made.id, ROOT)
    with pytest.raises(NotFoundError, match="no token"):
        book.token_revoke("nothere", ROOT)
    told = [(entry.action.value, entry.after.get("note")) for entry in inside(book).log()]
    assert ("token_created", f"token {made.id} of alice: read book") in told
    assert ("token_revoked", f"token {made.id} of alice") in told


def test_a_token_for_the_past_or_with_a_plain_secret_is_refused(book, clock):
    with pytest.raises(UsageError, match="in the past"):
        book.token_create(ROOT, "alice", digest(), expires_us=clock.now)
    with pytest.raises(UsageError, match="SHA-256"):
        book.token_create(ROOT, "alice", tokens.new_token())


def test_the_book_finds_a_token_by_its_secret_and_keeps_only_a_hash(book):
    secret = tokens.new_token()
    made = book.token_create(ROOT, "alice", tokens.hashed(secret), expires_us=FOREVER_US)
    assert book.engine.read(lambda tx: tokens.by_secret(tx, secret)) == made
    assert book.engine.read(lambda tx: tokens.by_secret(tx, tokens.new_token())) is None
    rows = book.engine.read(lambda tx: tx.fetch_all("SELECT * FROM access_tokens"))
    assert secret not in repr(rows)
    assert secret[4:-6] not in repr(rows)


def test_a_workload_is_mapped_with_a_claim_at_least(book):
    with pytest.raises(UsageError, match="name a claim"):
        book.rights_map("https://gitlab.com", (), "ci:x", "booker", ROOT)
    claims = (("project_path", "org/x"),)
    made = book.rights_map("https://gitlab.com", claims, "ci:org-x", "booker", ROOT, selector="rack*")
    assert book.rights_list().mappings == (made,)
    assert (
        book.rights_check("ci:org-x", "reserve", "rack1").reason == f"mapping {made.id} gives ci:org-x the role booker"
    )
    assert not book.rights_check("ci:org-x", "reserve", "board1").allowed
    assert book.rights_revoke(made.id, ROOT).startswith("tokens of https://gitlab.com with project_path=org/x")
    assert book.rights_list().mappings == ()


def test_each_change_of_rights_is_in_the_log(book):
    rule, _ = book.rights_grant("alice", "booker", ROOT)
    book.rights_group("lab", ROOT, add=("bob",))
    book.rights_revoke(rule.id, ROOT)
    assert [(entry.action.value, entry.who, entry.after["note"]) for entry in inside(book).log()] == [
        ("right_granted", "root", "user:alice is booker of everything"),
        ("right_granted", "root", "user:root is admin of everything"),
        ("group_changed", "root", "group lab: +bob"),
        ("right_revoked", "root", "user:alice is booker of everything"),
    ]


def test_a_rule_may_mean_a_label(book):
    book.rights_grant("alice", "booker", ROOT, selector="label:lab=berlin")
    book.resource_set("board1", ROOT)
    book.resource_set("board2", ROOT)

    def label(tx):
        tx.execute("UPDATE ledger_resources SET labels = :l WHERE name = 'board1'", {"l": '{"lab":"berlin","ok":true}'})

    book.engine.transact(["resource:board1"], label)
    assert book.reserve(request("board1")).holder == "alice"
    with pytest.raises(NotAllowedError, match="on board2"):
        book.reserve(request("board2"))
    book.rights_grant("bob", "booker", ROOT, selector="label:ok=true")
    assert book.rights_check("bob", "reserve", "board1").allowed


def test_a_caller_sees_its_own_and_what_rules_show_it(book):
    for name, holder in (("rack1", "bob"), ("rack2", "alice"), ("board1", "bob"), ("board2", "alice")):
        book.reserve(request(name, Holder(holder)))
    of_board1, of_board2 = (book.who(name)[0] for name in ("board1", "board2"))
    book.rights_grant("alice", "viewer", ROOT, selector="rack*")
    seen = remote(book, "alice")
    assert [one.resources for one in seen.reservations()] == [("rack1",), ("rack2",), ("board2",)]
    assert [one.name for one in seen.resource_list()] == ["rack1", "rack2"]
    assert [entry.resource.name for entry in seen.inventory()] == ["rack1", "rack2"]
    assert [one.resource for one in seen.free()] == ["rack1", "rack2"]
    assert (seen.who("board1"), seen.who("board2")) == ([], [of_board2])
    assert seen.get(of_board2.id) == seen.find(of_board2.id[-12:]) == of_board2
    with pytest.raises(NotAllowedError, match="may not look at reservation"):
        seen.get(of_board1.id)
    with pytest.raises(NotFoundError):
        seen.find(of_board1.id[-12:])
    with pytest.raises(NotAllowedError, match="may not look at board1"):
        seen.free(["board1"])
    assert [entry.resources for entry in seen.log()] == [("rack1",), ("rack2",), ("board2",)]
    assert [entry.resources for entry in seen.log(limit=1, newest_first=True)] == [("board2",)]
    assert len(inside(book).reservations()) == 4


def test_hidden_rows_of_the_log_keep_their_numbers_and_say_nothing(book):
    book.reserve(request("board1", Holder("bob")))
    book.rights_grant("alice", "viewer", ROOT, selector="rack*")
    seen = remote(book, "alice")
    everything, _ = inside(book).log_rows(0, 100)
    blanked, _ = seen.log_rows(0, 100)
    assert [entry.seq for entry in blanked] == [entry.seq for entry in everything]
    assert {(entry.who, entry.resources, entry.reservation_id) for entry in blanked} == {("(hidden)", (), None)}
    assert all(entry.before == entry.after == {} for entry in blanked)


def test_a_token_that_may_not_read_sees_what_its_holder_has(book):
    mine = book.reserve(request("rack1"))
    book.reserve(request("rack2", Holder("bob")))
    seen = remote(book, "alice", scopes=frozenset({Scope.BOOK}))
    assert seen.reservations() == [mine]
    assert seen.get(mine.id) == mine
    assert seen.resource_list() == []


def test_tokens_are_listed_and_revoked_in_one_s_own_name_only(book):
    made = book.token_create(ROOT, "alice", digest())
    for deed in (lambda seen: seen.token_list(ALICE), lambda seen: seen.token_revoke(made.id, ALICE)):
        with pytest.raises(NotAllowedError, match="signed in as mallory"):
            deed(remote(book, "mallory"))
    assert inside(book).token_list(ROOT)[0].revoked_us is None


def test_who_may_not_reserve_a_resource_is_given_none_by_another_holder(book):
    """A booker could hand to anybody what the rules keep from them, and the gate let them in."""
    book.rights_grant("root", "admin", ROOT)
    book.rights_grant("alice", "booker", ROOT, selector="rack*")
    book.rights_grant("carol", "booker", ROOT, selector="board*")
    made = book.reserve(request("rack1"))
    with pytest.raises(NotAllowedError, match="carol may not reserve this: no rule gives carol the role"):
        book.transfer(made.id, "carol", ALICE)
    with pytest.raises(NotAllowedError, match="carol may not reserve"):
        remote(book, "alice").transfer(made.id, "carol", ALICE)
    book.rights_grant("carol", "booker", ROOT, selector="rack*")
    assert book.transfer(made.id, "carol", ALICE).holder == "carol"
    lender = Holder("carol", requested_by="root")
    assert book.transfer(made.id, "dave", lender, reason="borrowed").holder == "dave", "who acts for others may lend"


def test_a_group_of_the_provider_counts_for_whom_a_reservation_is_handed_to(book):
    book.rights_grant("root", "admin", ROOT)
    book.rights_grant("alice", "booker", ROOT)
    book.rights_grant("group:bringup", "booker", ROOT)
    made = book.reserve(request("rack1"))
    with pytest.raises(NotAllowedError, match="carol may not reserve"):
        book.transfer(made.id, "carol", ALICE)
    book.engine.transact((), lambda tx: sessions.begin(tx, "secret", "carol", ("bringup",), FOREVER_US))
    assert book.rights_check("carol", "reserve", "rack1").allowed
    assert book.transfer(made.id, "carol", ALICE).holder == "carol"
