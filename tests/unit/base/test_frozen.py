"""Value classes behave like frozen slotted dataclasses; the standard library is the judge."""

import copy
import dataclasses
import pickle
import subprocess
import sys
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.frozen import field, frozen, replace


@frozen
class Point:
    """A point.

    Args:
        x: across.
    """

    x: int
    y: int = 2
    tags: dict[str, int] = field(default_factory=dict)

    @property
    def sum(self):
        return self.x + self.y


@dataclass(frozen=True, slots=True)
class Judge:
    x: int
    y: int = 2
    tags: dict[str, int] = dataclasses.field(default_factory=dict)


ARGUMENTS = st.tuples(
    st.lists(st.integers(), max_size=4),
    st.dictionaries(st.sampled_from(["x", "y", "tags", "z"]), st.integers(), max_size=4),
)


@given(ARGUMENTS)
def test_takes_and_refuses_the_same_arguments_as_a_dataclass(arguments):
    given_, named = arguments
    try:
        judged = Judge(*given_, **named)
    except TypeError:
        with pytest.raises(TypeError):
            Point(*given_, **named)
        return
    made = Point(*given_, **named)
    assert (made.x, made.y, made.tags) == (judged.x, judged.y, judged.tags)
    assert repr(made) == repr(judged).replace("Judge", "Point")


@given(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2))
def test_equality_and_hashing_follow_the_fields(a, b, c, d):
    assert (Point(a, b, 0) == Point(c, d, 0)) is (Judge(a, b, 0) == Judge(c, d, 0))
    assert (hash(Point(a, b, 0)) == hash(Point(c, d, 0))) is (hash(Judge(a, b, 0)) == hash(Judge(c, d, 0)))


def test_another_class_is_never_equal():
    assert Point(1, 2) != Judge(1, 2)
    assert Point(1) != (1, 2, {})


def test_nothing_can_be_changed_or_added():
    point = Point(1)
    for name in ("x", "z"):
        with pytest.raises(AttributeError):
            setattr(point, name, 5)
    with pytest.raises(AttributeError):
        del point.x
    assert not hasattr(point, "__dict__")


def test_made_defaults_are_made_anew():
    assert Point(1).tags is not Point(1).tags


def test_replace_copy_and_pickle():
    point = Point(1, 5, {"a": 1})
    assert replace(point, x=9) == Point(9, 5, {"a": 1})
    assert copy.deepcopy(point) == point
    assert pickle.loads(pickle.dumps(point)) == point
    with pytest.raises(TypeError):
        replace(point, z=1)


def test_methods_docs_and_matching_are_kept():
    assert Point(1).sum == 3
    assert Point.__doc__.startswith("A point.")
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)


def test_imports_nothing():
    program = "import sys; before = set(sys.modules); import bespeak.base.frozen; print(set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert eval(done.stdout) <= {"bespeak", "bespeak.base", "bespeak.base.frozen", "__future__"}
