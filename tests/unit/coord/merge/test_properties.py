"""Rules that hold for any two sides: turned round, shown in another order, or repeated, they mean the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bespeak.coord.merge.branch_graph import arrange, cycles_in
from bespeak.coord.merge.model import ItemKind, SideChange
from bespeak.coord.merge.side_changes import Side, words
from bespeak.coord.merge.symbol_conflicts import compare_sides
from bespeak.coord.merge.symbol_matching import match
from support.madeup import one, source, version

NAMES = st.sampled_from(["f", "g", "h", "C", "C.m", "C.n", "D", "D.m"])
BODIES = st.sampled_from(["", "pass", "a\nb\nc\nd", "a\nb\nc\ne", "x\ny\nz\nx", "long\nlonger\nlongest\nlast"])
SIGNATURES = st.sampled_from(["()", "(a)", "(a, b)"])
DOCS = st.sampled_from(["", "said"])
DEFINITIONS = st.dictionaries(NAMES, st.tuples(BODIES, SIGNATURES, DOCS), max_size=6)
FILES = st.dictionaries(st.sampled_from(["a.py", "b.py", "c/d.py"]), DEFINITIONS, max_size=3)


def made(files):
    return version(
        *(
            source(path, *(one(name, *facts, "class" if name in "CD" else "") for name, facts in sorted(found.items())))
            for path, found in sorted(files.items())
        )
    )


def turned(item):
    return (
        item.kind,
        item.address,
        item.theirs_change,
        item.ours_change,
        item.theirs_name,
        item.ours_name,
        item.textual,
        item.confidence,
    )


def straight(item):
    return (
        item.kind,
        item.address,
        item.ours_change,
        item.theirs_change,
        item.ours_name,
        item.theirs_name,
        item.textual,
        item.confidence,
    )


def advised(items):
    """Return what is advised where the two sides did different things; who is named first is all the same else."""
    return sorted(
        item.recommendation for item in items if item.ours_change != item.theirs_change and item.kind != "add_add"
    )


def never(*_):
    return ""


def always(*_):
    return "somewhere.py"


def once(_):
    return 1


@given(FILES, FILES, FILES, st.booleans())
@settings(max_examples=150, deadline=None)
def test_it_does_not_matter_which_side_is_ours(base, ours, theirs, clashes):
    textual = always if clashes else never
    one_side, other = match(made(base), made(ours)), match(made(base), made(theirs))
    forth = compare_sides(Side("ours", "x", one_side), Side("theirs", "y", other), textual, once)
    back = compare_sides(Side("ours", "y", other), Side("theirs", "x", one_side), textual, once)
    conflicts = sorted(straight(item) for item in forth if item.kind != "add_add")
    assert conflicts == sorted(turned(item) for item in back if item.kind != "add_add")
    assert sorted(item.address for item in forth if item.kind == "add_add") == sorted(
        item.address for item in back if item.kind == "add_add"
    )
    assert advised(forth) == advised(back)
    for item in forth:
        assert item.kind in ItemKind
        assert {*item.ours_change, *item.theirs_change} <= set(SideChange)
        assert 0 <= item.confidence <= 1
        assert item.recommendation.endswith(".")


@given(FILES, FILES)
@settings(max_examples=100, deadline=None)
def test_two_sides_that_did_the_same_have_no_conflict(base, after):
    pairs = match(made(base), made(after))
    assert {item.kind for item in compare_sides(Side("ours", "x", pairs), Side("theirs", "y", pairs), never, once)} <= {
        ItemKind.NO_CONFLICT
    }


@given(FILES, FILES)
@settings(max_examples=100, deadline=None)
def test_a_side_that_did_nothing_has_no_conflict(base, after):
    nothing, all_ = match(made(base), made(base)), match(made(base), made(after))
    assert all(not words(pair) for pair in nothing)
    found = compare_sides(Side("ours", "x", nothing), Side("theirs", "y", all_), always, once)
    assert {item.kind for item in found} <= {ItemKind.NO_CONFLICT}


@given(FILES, FILES)
@settings(max_examples=100, deadline=None)
def test_every_definition_is_paired_exactly_once(base, after):
    pairs = match(made(base), made(after))
    for side, files in (("before", made(base)), ("after", made(after))):
        keys = [getattr(pair, side).key for pair in pairs if getattr(pair, side) is not None]
        assert len(keys) == len(set(keys)) == sum(len(one.facts.symbols) for one in files.values())
    assert list(pairs) == list(match(dict(reversed(made(base).items())), dict(reversed(made(after).items()))))


@given(FILES)
@settings(max_examples=100, deadline=None)
def test_files_with_other_paths_are_moved_whole(base):
    renamed = {path: f"new/{path}" for path in base}
    pairs = match(made(base), made({renamed[path]: found for path, found in base.items()}), renamed)
    assert {words(pair) for pair in pairs} <= {("moved",)}


GRAPHS = st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef")), max_size=6)
TROUBLE = st.dictionaries(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), st.integers(0, 9), max_size=9
)


@given(GRAPHS, TROUBLE)
@settings(max_examples=150, deadline=None)
def test_an_order_has_everybody_once_and_dependencies_first(needs, trouble):
    trouble = {pair: count for pair, count in trouble.items() if pair[0] < pair[1]}
    order = arrange(needs, needs, trouble)
    assert sorted(order) == sorted(needs)
    stuck = {name for circle in cycles_in(needs) for name in circle}
    for name in needs:
        for needed in needs[name] & needs.keys():
            if name not in stuck or needed not in stuck:
                assert needed == name or order.index(needed) < order.index(name)
    assert order == arrange(dict(reversed(needs.items())), needs, dict(reversed(trouble.items())))


def test_a_circle_is_named_and_who_hangs_on_it_is_not():
    assert cycles_in({"a": ["b"], "b": ["a"], "c": ["a"], "d": ["d"], "e": []}) == (("a", "b"),)
    assert arrange("abc", {"a": ["b"], "b": ["a"], "c": ["a"]}, {("a", "c"): 1}) == ["b", "a", "c"]


def test_who_has_the_fewest_conflicts_with_those_to_come_goes_first():
    assert arrange("abc", {}, {("a", "b"): 2, ("a", "c"): 3}) == ["b", "a", "c"]


def test_a_long_chain_needs_no_recursion():
    names = [f"{number:05}" for number in range(3_000)]
    needs = {name: [names[number + 1]] for number, name in enumerate(names[:-1])} | {names[-1]: [names[0]]}
    assert cycles_in(needs) == (tuple(names),)
