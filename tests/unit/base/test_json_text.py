"""JSON without the module ``json``: the same text, the same values, the same errors."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.json_text import compact, compact_utf8, loads, one_line

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(st.characters())
KEYS = st.text(st.characters()) | st.integers() | st.none()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=8)


@given(VALUES)
def test_it_is_the_text_of_the_standard_library(value):
    assert one_line(value) == json.dumps(value)
    assert compact(value) == json.dumps(value, separators=(",", ":"))
    assert compact_utf8(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@given(VALUES)
def test_it_reads_what_the_standard_library_reads(value):
    text = json.dumps(value)
    assert repr(loads(text)) == repr(json.loads(text))
    assert repr(loads(f" {text}\n")) == repr(json.loads(text))


@pytest.mark.parametrize(
    "text", ["", "[", "[1,]", '{"a"}', "[] []", "nul", "-", "1e", '"\x01"', "\ufeff[]", "[1 2]", "'a'"]
)
def test_what_is_no_json_is_told_as_the_standard_library_tells_it(text):
    told = []
    for read in (json.loads, loads):
        with pytest.raises(json.JSONDecodeError) as error:
            read(text)
        told.append(str(error.value))
    assert told[0] == told[1]


def test_what_json_cannot_say_is_no_json():
    with pytest.raises(TypeError, match="set is not JSON serializable"):
        compact({1, 2})


@pytest.mark.parametrize("text", ["{", "[1,", '"', "", "nul", '{"a" 1}'])
def test_what_is_no_json_is_a_value_error_also_where_json_was_not_loaded(text):
    program = (
        "import sys; from bespeak.base.json_text import loads; assert 'json' not in sys.modules\n"
        "try: loads(sys.argv[1])\nexcept ValueError: print('no JSON')"
    )
    done = subprocess.run([sys.executable, "-c", program, text], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("no JSON\n", "")
