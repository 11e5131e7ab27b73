"""Overlap against brute force: what two addresses name in a small world, written out and compared."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.coord import address as addresses
from bespeak.coord import globs
from bespeak.coord.conflicts import conflicts
from bespeak.coord.schema import COORD
from bespeak.storage import open_engine

DIRS = ("a", "b", "ab")
FILES = ("a.x", "b.x", "ab.y", "c.y")
FOLDERS = ["", *DIRS, *(f"{one}/{two}" for one in DIRS for two in DIRS), *(f"{d}/a/b" for d in DIRS)]
PATHS = [f"{folder}/{name}" if folder else name for folder in FOLDERS for name in FILES]
SYMBOLS = [(), ("f",), ("C",), ("C", "m"), ("C", "n"), ("CC",)]
WORLD = [(path, symbol) for path in PATHS for symbol in SYMBOLS]

segment = st.sampled_from(["a", "b", "ab", "*", "**", "a*", "*b", "?", "[ab]", "[!a]*"])
last = st.sampled_from(["a.x", "b.x", "*.x", "*", "**", "?.x", "[!a].x", "ab.[x-z]", "*b.*", "a*"])
pattern = st.tuples(st.lists(segment, max_size=3), last).map(lambda parts: "/".join([*parts[0], parts[1]]))
symbol = st.sampled_from(["", "::f", "::C", "::C.m", "::C.n", "::CC"])
plain = st.tuples(st.sampled_from(PATHS), symbol).map("".join)
folder = st.sampled_from([f"{name}/" if name else "./" for name in FOLDERS])
text = st.one_of(plain, folder, st.tuples(pattern, symbol).map("".join))


def read(words):
    return addresses.stored(words, glob=addresses.is_wild(words))


def name_matches(pattern, name):
    """Match one name by trying, the way one would explain it."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(name_matches(pattern[1:], name[count:]) for count in range(len(name) + 1))
    if not name:
        return False
    if pattern[0] == "[":
        end = pattern.index("]", 2)
        inside, negated = pattern[1:end].lstrip("!"), pattern[1] == "!"
        some = "xyz" if inside == "x-z" else inside
        return ((name[0] in some) != negated) and name_matches(pattern[end + 1 :], name[1:])
    return pattern[0] in ("?", name[0]) and name_matches(pattern[1:], name[1:])


def path_matches(pattern, names):
    if not pattern:
        return not names
    if pattern[0] == "**":
        if len(pattern) == 1:
            return bool(names)
        return any(path_matches(pattern[1:], names[count:]) for count in range(len(names) + 1))
    return bool(names) and name_matches(pattern[0], names[0]) and path_matches(pattern[1:], names[1:])


def named(words):
    """Return everything in the world that an address names."""
    path, _, rest = words.partition("::")
    prefix = tuple(rest.split(".")) if rest else ()
    if words.endswith("/"):
        files = {name for name in PATHS if words == "./" or name.startswith(path)}
    elif addresses.is_wild(path):
        files = {name for name in PATHS if path_matches(path.split("/"), name.split("/"))}
    else:
        files = {path}
    return {(name, found) for name, found in WORLD if name in files and found[: len(prefix)] == prefix}


@pytest.mark.parametrize("part", range(4))
def test_relation_is_what_brute_force_says(effort, part):
    @effort(150)
    @given(text, text)
    def check(one, two):
        left, right = named(one), named(two)
        found = globs.relation(read(one), read(two))
        if left & right:
            assert found is not None
        wild = addresses.is_wild(one) and addresses.is_wild(two)
        if not wild and found is not None and left and right:
            assert left & right, (one, two, found)
        if found == addresses.CONTAINS:
            assert right <= left
        if found == addresses.INSIDE:
            assert left <= right
        if found == addresses.SAME:
            assert left == right
        turned = {addresses.CONTAINS: addresses.INSIDE, addresses.INSIDE: addresses.CONTAINS}
        assert globs.relation(read(two), read(one)) == turned.get(found, found)

    check()


name_pattern = st.text("ab*?", min_size=1, max_size=5)
NAMES = ["".join(chars) for size in range(1, 7) for chars in itertools.product("ab", repeat=size)]


def test_two_patterns_meet_exactly_when_some_name_matches_both(effort):
    """Names over two letters, up to the length that two patterns of five characters can need."""

    @effort(300)
    @given(name_pattern, name_pattern)
    def check(one, two):
        some = any(name_matches(one, name) and name_matches(two, name) for name in NAMES)
        longest = len(one.replace("*", "")) + len(two.replace("*", ""))
        if some or longest <= 6:
            assert globs.intersect(globs.parse(f"d/{one}"), globs.parse(f"d/{two}")) == some

    check()


def test_the_index_finds_what_comparing_all_pairs_finds(effort, tmp_path):
    engine = open_engine(str(tmp_path / "book"), [COORD], durable=False)

    def fill(tx, held):
        tx.execute("DELETE FROM coord_claims")
        tx.execute("DELETE FROM coord_reservations")
        for epoch, words in enumerate(held, 1):
            one = read(words)
            tx.execute(
                "INSERT INTO coord_reservations (repo, epoch, id, run_id, branch, addresses, shared, created_us, "
                "expires_us, beat_us, live) VALUES ('', :epoch, :id, 'other', 'main', '[]', 0, 0, :now + 1000000000, 0, 1)",
                {"epoch": epoch, "id": str(epoch), "now": tx.now_us},
            )
            tx.execute(
                "INSERT INTO coord_claims (repo, key, epoch, part, address, glob) VALUES ('', :key, :epoch, 0, :text, :glob)",
                {"key": one.key, "epoch": epoch, "text": words, "glob": int(one.glob)},
            )

    @effort(60)
    @given(st.lists(text, max_size=12), st.lists(text, min_size=1, max_size=3, unique=True))
    def check(held, asked):
        engine.transact([], lambda tx: fill(tx, held))
        found = engine.read(lambda tx: conflicts(tx, "", "me", [read(words) for words in asked]))
        assert [(one.address, one.epoch, one.relation) for one in found] == [
            (words, epoch, relation)
            for words in asked
            for epoch, other in enumerate(held, 1)
            if (relation := globs.relation(read(words), read(other)))
        ]

    check()
    engine.close()
