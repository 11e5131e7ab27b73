"""What Python was seen to call in real packages, against the graph: how much it has, and whether certain edges are true.

Each package is exercised in a process of its own under ``sys.setprofile`` (``tests/support/traced.py``); for bespeak
that is a part of its own tests. The floors are a little below what was measured.
"""

import importlib
import os

import pytest

from support import traced

FLOORS = {"packaging": 0.80, "click": 0.80, "jinja2": 0.75, "bespeak": 0.80}


@pytest.mark.parametrize("package", traced.SCENARIOS)
def test_calls_that_were_observed_are_in_the_graph(package, tmp_path):
    folder = os.path.dirname(importlib.import_module(package).__file__)
    result = traced.compare(package, folder, str(tmp_path / "copy"))
    assert len(result.observed) > 150
    assert result.share >= FLOORS[package], result.told()
    assert len(result.right) > 100
    assert result.precision >= 0.98, result.told()
