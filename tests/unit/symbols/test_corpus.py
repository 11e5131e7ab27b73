"""Calls of small programs, written down by hand: those called certain are calls, and as many are found as promised."""

import pytest

from support import corpus

CASES = [(language, program) for language in corpus.languages() for program in corpus.programs(language)]


@pytest.mark.parametrize("language", corpus.languages())
def test_calls_are_found_and_those_called_certain_are_calls(language, tmp_path):
    score = corpus.score(language, str(tmp_path))
    assert score.precision >= 0.98, score.told()
    assert score.recall >= corpus.stated_recall(language), score.told()


@pytest.mark.parametrize(("language", "program"), CASES, ids=[f"{one}-{other}" for one, other in CASES])
def test_what_was_written_down_names_symbols_of_the_program(language, program, tmp_path):
    assert corpus.unknown_addresses(language, program, str(tmp_path)) == []


@pytest.mark.parametrize(("language", "program"), CASES, ids=[f"{one}-{other}" for one, other in CASES])
def test_asking_who_calls_gives_the_same_edges_as_asking_what_is_called(language, program, tmp_path):
    with corpus.graph(language, program, str(tmp_path / "all")) as calls:
        forward = {edge for path in calls.snapshot.paths for edge in calls.edges_of(path)}
        symbols = {symbol for path in calls.snapshot.paths for symbol in calls.symbols_in(path)}
    with corpus.graph(language, program, str(tmp_path / "one")) as calls:
        lazily = type(calls)
        backward = {edge for symbol in sorted(symbols) for edge in lazily(calls.snapshot).into(symbol)}
    expected = {edge for edge in forward if edge.callee in symbols}
    assert sorted(expected - backward, key=str) == []
    assert backward <= expected
    assert {edge.caller for edge in forward} | {edge.callee for edge in forward} <= symbols
