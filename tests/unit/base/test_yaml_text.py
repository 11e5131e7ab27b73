"""YAML of other programs: plain values come back, and a file cannot surprise whoever reads it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bespeak.base.yaml_text import read, write

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20)
SCALARS = st.one_of(
    TEXTS,
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["yes", "null", "~", "2026-11-29", "0x1f", "1:30", "=", "<<", "- a", "a: b", "#", "1e3", "\n x\r\n"]
    ),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_plain_values_come_back(value):
    assert read(write(value)) == value


def test_times_stay_texts_and_aliases_are_followed():
    assert read("a: 2026-11-29\nb: &x [1, true]\nc: *x\n") == {"a": "2026-11-29", "b": [1, True], "c": [1, True]}
    assert read("") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\na: 2\n", "line 2: the key 'a' stands twice"),
        ("a: &x [*x]\n", "line 1: a value contains itself"),
        ("a: !!python/object/apply:os.system [ls]\n", "is no plain value"),
        ("a: !secret x\n", "is no plain value"),
        ("? [a, b]\n: c\n", "a key must be a text"),
        ("a: [1\n", "line 2: "),
        ("a: !!int x\n", "'x' cannot be read"),
        ("a: !!bool maybe\n", "'maybe' cannot be read"),
        ("[" * 5_000, "nest"),
        (
            "a0: &a0 [1,1,1,1,1,1,1,1]\n"
            + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 8)}]\n" for n in range(1, 12)),
            "values, aliases included",
        ),
    ],
)
def test_what_is_no_plain_document(text, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        read(text)
