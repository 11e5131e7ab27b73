"""The forecast against comparing every claim with every other, and every way with every other."""

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from bespeak.coord import address as addresses
from bespeak.coord import globs
from bespeak.coord.forecast.address_groups import Holders, gather
from bespeak.coord.forecast.impact import Impact
from bespeak.coord.forecast.model import FADING, ClaimedAddress, ForecastKind, Scope
from bespeak.coord.forecast.operation_conflicts import OPERATIONS, why
from bespeak.coord.forecast.predict import RevisionView, predict
from bespeak.coord.states import INTENDED
from bespeak_symbols.model import Edge

PATHS = ("a", "b.x", "a/b.x", "a/b/c.x", "ab/b.y", "a-b", "a/[b].x", "a/*")
SYMBOLS = ("", "::f", "::C", "::C.m", "::C::m", "::CC")
PATTERNS = (
    "*",
    "**",
    "a/*",
    "a/**",
    "a/*.x",
    "**/b.?",
    "**/*.x",
    "a*/**",
    "a/**/c.x",
    "[ab]*/*",
    "*/b.*",
    "a?b/**/*",
    "a/b*",
)
FOLDERS = ("./", "a/", "a/b/", "ab/")
plain = st.tuples(st.sampled_from(PATHS), st.sampled_from(SYMBOLS)).map(lambda parts: ("".join(parts), False))
pattern = st.tuples(st.sampled_from(PATTERNS), st.sampled_from(SYMBOLS)).map(lambda parts: ("".join(parts), True))
place = st.one_of(plain, pattern, st.sampled_from(FOLDERS).map(lambda text: (text, False)))
operation = st.sampled_from((None, *OPERATIONS))
kind = st.sampled_from(("exclusive", "exclusive", "shared", "intent", "bound intent"))


def claim(number, where, run, what, how, branch):
    intent = "intent" in how
    text, glob = where
    return ClaimedAddress(
        addresses.stored(text, glob).key, text, glob, f"unknown-{number}" if run == "unknown" else run, run, branch,
        what or ("modify" if intent else None), how == "shared", 9,
        None if how == "intent" else f"r{number}", f"i{number}" if intent else None,
    )  # fmt: skip


made = st.tuples(place, st.sampled_from("abc") | st.just("unknown"), operation, kind, st.sampled_from(("main", "side")))
claims = st.lists(made, max_size=14).map(
    lambda all_: sorted((claim(number, *one) for number, one in enumerate(all_)), key=lambda one: one.key)
)
scope = st.builds(
    Scope,
    branch=st.sampled_from((None, None, "main")),
    run_id=st.sampled_from((None, None, "a", "unknown")),
    limit=st.just(0),
)


def naive(all_, asked):
    """Return how many pairs there are between each two addresses, of each kind."""
    found = {}
    for one, two in itertools.combinations(all_, 2):
        where = [addresses.stored(each.address, each.glob) for each in (one, two)]
        relation = globs.relation(*where)
        if one.run == two.run or (one.shared and two.shared) or relation is None:
            continue
        if not (asked.asks_for(one) or asked.asks_for(two)):
            continue
        names = sorted((each.address, each.glob) for each in (one, two))
        if one.intent_id is None and two.intent_id is None:
            key = (ForecastKind.OVERLAP, *names)
            found[key] = found.get(key, 0) + 1
        if why(one.operation, two.operation):
            key = (
                ForecastKind.OPERATION,
                *sorted((each.address, each.glob, each.operation or "") for each in (one, two)),
            )
            found[key] = found.get(key, 0) + 1
    return found


def counted(forecast, all_):
    """Return the same of a forecast; a text that is a file here and a pattern there is told apart by its claims."""
    found = {}
    for one in forecast.conflicts:
        sides = [one.address, one.other_address]
        globs_ = [next(c.glob for c in one.claims if c.address == side) for side in sides]
        if sides[0] == sides[1]:
            globs_ = [one.claims[0].glob, one.claims[-1].glob]
        parts = [[side, glob] for side, glob in zip(sides, globs_, strict=True)]
        if one.kind == ForecastKind.OPERATION:
            parts = [[*part, what or ""] for part, what in zip(parts, one.operations, strict=True)]
        found[one.kind, *sorted(map(tuple, parts))] = one.pairs
    return found


def test_overlaps_and_operations_are_what_comparing_all_pairs_finds(effort):
    @effort(400)
    @given(claims, scope)
    def check(all_, asked):
        found = predict(all_, asked, RevisionView())
        assert counted(found, all_) == naive(all_, asked)
        assert not found.partial
        kinds = [one.kind for one in found.conflicts]
        assert {name: kinds.count(name) for name in found.counts} == found.counts
        for one in found.conflicts:
            assert one.claims_total >= len(one.claims) >= 2

    check()


def test_a_limit_shows_the_first_and_counts_all(effort):
    @effort(100)
    @given(claims, st.integers(1, 3))
    def check(all_, limit):
        whole, part = (predict(all_, Scope(limit=number), RevisionView()) for number in (0, limit))
        assert part.counts == whole.counts
        for name in whole.counts:
            every = [one for one in whole.conflicts if one.kind == name]
            assert [one for one in part.conflicts if one.kind == name] == every[:limit]

    check()


def test_every_two_operations_are_decided_the_same_either_way():
    every = (*INTENDED, None)
    assert set(OPERATIONS) == set(INTENDED)
    for one, two in itertools.product(every, every):
        assert why(one, two) == why(two, one)
    for destroyer in ("delete", "rename"):
        assert all(why(destroyer, other) for other in every if other != destroyer)
    assert why("rename", "rename")


def test_an_expression_matches_what_the_pattern_means(effort):
    segment = st.sampled_from(
        ["a", "b", "ab", "*", "**", "a*", "*b", "?", "[ab]", "[!a]*", "*a*b", "a[", "[]a]", "[^b-z]"]
    )
    name = st.sampled_from(["a", "b", "ab", "ba", "aab", "a[", "]", "abab", "c", "a\nb"])

    @effort(500)
    @given(st.lists(segment, min_size=1, max_size=5), st.lists(name, min_size=1, max_size=6))
    def check(names, path):
        text = "/".join(names)
        meets = globs.intersect(globs.parse(text), tuple(path))
        assert bool(globs.compiled(text).fullmatch("/".join(path))) == meets

    check()


NODES = [f"{path}::{name}" for path in ("p.py", "q.py", "s/r.py") for name in ("f", "g", "C", "C.m")]


class Graph:
    """Edges as they were drawn."""

    unread = ()

    def __init__(self, edges):
        self.edges = sorted(edges, key=lambda edge: (edge.caller, edge.line))

    def edges_of(self, path):
        return [edge for edge in self.edges if edge.caller.partition("::")[0] == path]


edge = st.builds(
    Edge, st.sampled_from([*NODES, "p.py"]), st.sampled_from(NODES), st.sampled_from(("call", "use", "inherit", "import")),
    st.just("drawn"), st.sampled_from((1.0, 0.9, 0.5)), st.integers(1, 99),
)  # fmt: skip
held_place = st.sampled_from(
    [(node, False) for node in NODES] + [("p.py", False), ("s/", False), ("./", False), ("*.py", True), ("**::C", True)]
)
held = st.tuples(
    held_place, st.sampled_from("abc"), st.none(), st.sampled_from(("exclusive", "shared", "intent")), st.just("main")
)


def best_ways(edges, start, depth, least):
    """Return how surely a change of ``start`` is felt at each symbol, by trying every way."""
    best, front = {}, dict.fromkeys(start, 1.0)
    for _ in range(depth):
        reached = {}
        for one in edges:
            if one.kind != "import" and one.callee in front and one.caller != one.callee:
                sure = front[one.callee] * one.confidence * FADING
                if sure >= least:
                    reached[one.caller] = max(reached.get(one.caller, 0), sure)
        for node, sure in reached.items():
            best[node] = max(best.get(node, 0), sure)
        front = {node: sure for node, sure in reached.items() if "::" in node}
    return best


def test_the_reach_of_changes_is_what_trying_every_way_finds(effort):
    @effort(250)
    @given(
        st.lists(edge, max_size=25),
        st.lists(held, min_size=2, max_size=6),
        st.integers(1, 4),
        st.sampled_from((0.0, 0.3)),
    )
    def check(edges, places, depth, least):
        groups = gather((claim(number, *one) for number, one in enumerate(places)), None)
        holders = Holders(groups)
        holding = {node: set(holders.of(node)) for node in [*NODES, "p.py"]}
        for node, found in holding.items():
            where = addresses.stored(node, glob=False)
            inside = {g for g in groups if globs.relation(where, g.address) in ("same", "inside")}
            assert found == inside
        wanted = {}
        for one, two in itertools.permutations(groups, 2):
            if globs.relation(one.address, two.address) or not one.stakes.between(two.stakes):
                continue
            ways = best_ways(edges, [node for node, found in holding.items() if one in found], depth, least)
            felt = [sure for node, sure in ways.items() if two in holding[node]]
            if felt:
                wanted[one.text, two.text] = round(max(felt), 4)
        blast = Impact(sorted(holding), holders, Graph(edges), depth, least)
        shown = list(blast.shown(0))
        assert {(one.address, one.other_address): one.confidence for one in shown} == wanted
        assert not blast.bounded
        for one in shown:
            assert_chain(one, groups, holding)

    check()


def assert_chain(shown, groups, holding):
    """The chain leads from who feels the change to what is changed, without a gap, as surely as it says."""
    texts = {node: {group.text for group in found} for node, found in holding.items()}
    assert shown.address in texts[shown.chain[-1].callee]
    assert shown.other_address in texts[shown.chain[0].caller]
    sure = 1.0
    for one, following in itertools.zip_longest(shown.chain, shown.chain[1:]):
        sure *= one.confidence * FADING
        assert following is None or following.caller == one.callee
    assert shown.confidence == round(sure, 4)


def test_a_walk_that_would_cost_too_much_keeps_the_surest_and_says_so():
    nodes = [f"m.py::f{number}" for number in range(60)]
    chance = random.Random(3)
    edges = [Edge(*chance.sample(nodes, 2), "call", "drawn", 1.0, line) for line in range(600)]
    places = [
        claim(number, (node, False), f"run{number}", None, "exclusive", "main") for number, node in enumerate(nodes)
    ]
    groups = gather(places, None)
    whole = Impact(nodes, Holders(groups), Graph(edges), 3, 0.0)
    part = Impact(nodes, Holders(groups), Graph(edges), 3, 0.0, labels=2_000)
    assert part.bounded
    assert not whole.bounded
    every = {(one.address, one.other_address): one for one in whole.shown(0)}
    kept = {(one.address, one.other_address): one for one in part.shown(0)}
    assert len(edges) / 2 < len(kept) < len(every)
    assert kept.keys() <= every.keys()
    direct = {pair for pair, one in every.items() if len(one.chain) == 1}
    assert direct <= kept.keys()
