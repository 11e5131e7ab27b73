"""Which definition is which: by name, content, what holds it, and likeness; and what was done to it."""

import pytest

from bespeak.coord.merge.side_changes import words
from bespeak.coord.merge.symbol_matching import match
from support.madeup import one, source, version

LONG = "first thing\nsecond thing\nthird thing\nfourth thing"
OTHER = "something else\nentirely\ndifferent from it\nall over"


def done(before, after, renamed=None):
    """Return what was done to each address: (becomes, what, how)."""
    found = {}
    for pair in match(before, after, renamed):
        what = words(pair)
        if what:
            address = pair.before.address if pair.before else pair.after.address
            found[address] = (pair.after.address if pair.after else "", what, pair.how)
    return found


def test_nothing_was_done():
    files = version(source("a.py", one("f", LONG), one("C", kind="class"), one("C.m", OTHER)))
    assert done(files, files) == {}


@pytest.mark.parametrize(
    ("after", "what"),
    [
        (one("f", OTHER, "(a)", "said"), ("body",)),
        (one("f", LONG, "(a, b)", "said"), ("signature",)),
        (one("f", LONG, "(a)", "said otherwise"), ("docstring",)),
        (one("f", OTHER, "(b)", ""), ("signature", "body", "docstring")),
    ],
)
def test_an_edit_is_told_by_what_was_edited(after, what):
    found = done(version(source("a.py", one("f", LONG, "(a)", "said"))), version(source("a.py", after)))
    assert found == {"a.py::f": ("a.py::f", what, "name")}


def test_a_function_with_another_name_and_the_same_body_was_renamed():
    found = done(version(source("a.py", one("f", LONG), one("k"))), version(source("a.py", one("g", LONG), one("k"))))
    assert found == {"a.py::f": ("a.py::g", ("renamed",), "body")}


def test_a_function_renamed_and_edited_is_found_by_likeness():
    edited = LONG.replace("second", "another")
    found = done(version(source("a.py", one("f", LONG))), version(source("a.py", one("g", edited))))
    assert found == {"a.py::f": ("a.py::g", ("renamed", "body"), "similar")}


def test_a_function_that_has_nothing_in_common_was_deleted_and_another_added():
    found = done(version(source("a.py", one("f", LONG))), version(source("a.py", one("g", OTHER))))
    assert found == {"a.py::f": ("", ("deleted",), "name"), "a.py::g": ("a.py::g", ("added",), "name")}


def test_a_function_in_another_file_was_moved_whether_or_not_it_was_edited():
    before = version(source("a.py", one("f", LONG), one("g", OTHER)), source("b.py"))
    edited = OTHER.replace("entirely", "partly")
    after = version(source("a.py"), source("b.py", one("f", LONG), one("g", edited)))
    assert done(before, after) == {
        "a.py::f": ("b.py::f", ("moved",), "body"),
        "a.py::g": ("b.py::g", ("moved", "body"), "similar"),
    }


def test_a_class_takes_its_methods_along_when_it_is_renamed_or_moved():
    before = version(source("a.py", one("C", "x = 1", kind="class"), one("C.m", LONG), one("C.n", OTHER)))
    renamed = version(source("a.py", one("D", "x = 1", kind="class"), one("D.m", LONG), one("D.n", OTHER)))
    assert done(before, renamed) == {
        "a.py::C": ("a.py::D", ("renamed",), "body"),
        "a.py::C.m": ("a.py::D.m", ("renamed",), "parent"),
        "a.py::C.n": ("a.py::D.n", ("renamed",), "parent"),
    }
    moved = version(source("b.py", one("C", "x = 1", kind="class"), one("C.m", LONG), one("C.n", "new body\nof n")))
    found = done(before, moved)
    assert found["a.py::C"][:2] == ("b.py::C", ("moved",))
    assert found["a.py::C.n"] == ("b.py::C.n", ("moved", "body"), "parent")


def test_a_method_that_became_a_function_was_moved():
    before = version(source("a.py", one("C", "x = 1", kind="class"), one("C.m", LONG)))
    after = version(source("a.py", one("C", "x = 1", kind="class"), one("m", LONG)))
    assert done(before, after) == {"a.py::C.m": ("a.py::m", ("moved",), "body")}


def test_a_file_with_another_path_takes_its_symbols_along():
    before, after = version(source("a.py", one("f", LONG))), version(source("b.py", one("f", LONG)))
    assert done(before, after, {"a.py": "b.py"}) == {"a.py::f": ("b.py::f", ("moved",), "file rename")}


def test_a_function_never_becomes_a_class():
    found = done(version(source("a.py", one("f", LONG))), version(source("a.py", one("F", LONG, kind="class"))))
    assert found["a.py::f"][1] == ("deleted",)


def test_small_bodies_that_many_share_are_not_taken_for_renames():
    before = version(source("a.py", *(one(name, "pass") for name in ("aa", "bb", "cc"))))
    after = version(source("a.py", *(one(name, "pass") for name in ("xx", "yy", "zz"))))
    found = done(before, after)
    assert {found[f"a.py::{name}"][1] for name in ("aa", "bb", "cc")} == {("deleted",)}


def test_several_definitions_of_one_name_are_paired_by_signature_then_content():
    before = version(source("A.java", one("f", LONG, "(int)"), one("f", OTHER, "(String)"), language="java"))
    after = version(
        source(
            "A.java", one("f", "new\nbody", "(String)"), one("f", LONG, "(int)"), one("f", "", "()"), language="java"
        )
    )
    found = {(words(pair), pair.after.symbol.signature) for pair in match(before, after) if words(pair)}
    assert found == {(("added",), "()"), (("body",), "(String)")}


def test_the_order_of_files_and_of_definitions_changes_nothing():
    before = version(source("a.py", one("f", LONG), one("g", OTHER)), source("b.py", one("h", "h\nh\nh")))
    after = version(source("b.py", one("h", "h\nh\nh"), one("f", LONG)), source("a.py", one("gg", OTHER)))
    turned = dict(reversed(after.items()))
    assert done(before, after) == done(dict(reversed(before.items())), turned)
