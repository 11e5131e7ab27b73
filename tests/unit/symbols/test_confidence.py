"""The one scale of confidence: what each level says is what programs that were traced, or written by hand, show."""

import importlib
import os
from collections import Counter
from inspect import getmembers

import pytest

from bespeak_symbols import confidence
from support import corpus, traced

TRACED = ("packaging", "click", "jinja2")
LEVELS = {value for _, value in getmembers(confidence) if isinstance(value, float)}
DIRECT = sorted(level for level in LEVELS if level > confidence.OVERRIDE)
FEWEST = 20
"""Edges from which on a share says something."""


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """How many calls of each level are true, and how many are not."""
    right, wrong = Counter(), Counter()
    for package in TRACED:
        folder = os.path.dirname(importlib.import_module(package).__file__)
        result = traced.compare(package, folder, str(tmp_path_factory.mktemp(package) / "copy"))
        right.update(edge.confidence for edge, true in result.judged if true)
        wrong.update(edge.confidence for edge, true in result.judged if not true)
    for language in corpus.languages():
        score = corpus.score(language, str(tmp_path_factory.mktemp(language)))
        for key, level in score.levels.items():
            (right if key in score.true else wrong)[level] += 1
    return right, wrong


def test_of_the_calls_of_a_level_at_least_as_many_are_true_as_it_says(judged):
    right, wrong = judged
    shares = {level: right[level] / (right[level] + wrong[level]) for level in DIRECT if right[level] + wrong[level]}
    counts = {level: (right[level], wrong[level]) for level in shares}
    weighed = {level for level in shares if right[level] + wrong[level] >= FEWEST}
    assert {confidence.DEFINED, confidence.IMPORTED, confidence.MEMBER, confidence.DECLARED} <= weighed, counts
    assert [level for level in weighed if shares[level] < level - 0.05] == [], counts


def test_of_the_calls_called_certain_more_than_nine_in_ten_are_true(judged):
    right, wrong = judged
    true, false = (sum(count for level, count in of.items() if level >= confidence.CERTAIN) for of in judged)
    assert true > 1500
    assert true / (true + false) >= 0.98, (right, wrong)


def test_every_language_uses_the_levels_of_the_scale_and_no_others(tmp_path):
    shared = {confidence.by_name(alike) for alike in range(1, 7)}
    known = LEVELS | shared | {round(level / 2, 3) for level in shared}
    for language in corpus.languages():
        for program in corpus.programs(language):
            with corpus.graph(language, program, str(tmp_path)) as calls:
                found = {edge.confidence for path in calls.snapshot.paths for edge in calls.edges_of(path)}
            assert found <= known, (language, program, found - known)


def test_what_shares_its_name_with_more_is_less_sure():
    levels = [confidence.by_name(alike) for alike in range(1, 9)]
    assert levels == sorted(levels, reverse=True)
    assert all(level <= 1 / alike for alike, level in enumerate(levels, 1))
