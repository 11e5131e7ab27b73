"""The tree of errors is drawn as it is, and each error is one line and its facts."""

import json

import pytest

from bespeak.base import errors
from bespeak.base.errors import BespeakError

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BespeakError)]


@pytest.mark.parametrize("kind", ALL)
def test_the_drawing_of_the_tree_is_true(kind):
    line = next(line for line in (errors.__doc__ or "").splitlines() if f"{kind.__name__} " in f"{line} ")
    number = [word for word in line.split() if word.isdigit()]
    assert number in ([str(int(kind.exit_code))], [])


@pytest.mark.parametrize("kind", ALL)
def test_an_error_is_its_line_and_its_facts(kind):
    error = kind("it is so", resource="rack1", until_us=1)
    assert str(error) == "it is so"
    assert json.dumps(error.details) == '{"resource": "rack1", "until_us": 1}'
