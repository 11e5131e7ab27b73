"""The reader of command lines keeps what scripts of the original rely on."""

import pytest

from bespeak.dispatch.arguments import read
from bespeak.dispatch.flags import COMMANDS, TAKES_COMMAND
from bespeak.errors import UsageError


def given(name: str, *words: str):
    return read(words, COMMANDS[name][2], takes_command=name in TAKES_COMMAND)


def test_only_the_first_separator_counts() -> None:
    assert given("reserve", "--run-key", "k", "--", "a", "--", "--b").command == ["a", "--", "--b"]


def test_the_first_word_that_is_no_flag_begins_the_command() -> None:
    found = given("reserve", "--run-key=k", "echo", "--run-key", "other", "--", "x")
    assert found.command == ["echo", "--run-key", "other", "--", "x"]
    assert found.values["run-key"] == "k"


@pytest.mark.parametrize("words", [("--orchesjob-start-option=--strict",), ("--orchesjob-start-option", "--strict")])
def test_a_start_option_in_one_word_or_two(words: tuple[str, ...]) -> None:
    found = given("reserve", *words, "--orchesjob-start-option", "-x", "--", "a")
    assert found.lists["orchesjob-start-option"] == ["--strict", "-x"]


def test_a_unique_beginning_of_a_flag_is_enough() -> None:
    assert given("list", "--lim", "3").values["limit"] == "3"


def test_an_ambiguous_beginning_is_refused() -> None:
    with pytest.raises(UsageError, match="orchesjob-bin, --orchesjob-start-option"):
        given("list", "--orchesjob", "x")


def test_needs_take_several_words() -> None:
    found = given("reserve", "--needs", "rack 3", "psu", "--for", "1h", "--", "a")
    assert found.lists["needs"] == ["rack 3", "psu"]
    assert found.command == ["a"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--unknown",), "unknown flag '--unknown'"),
        (("--run-key",), "--run-key needs a value"),
        (("--run-key", "--all"), "--run-key needs a value"),
        (("--dry-run=yes",), "--dry-run takes no value"),
        (("word",), "unexpected argument 'word'"),
        (("--\x1b[31m",), r"unknown flag '--\\x1b\[31m'"),
    ],
)
def test_what_is_refused(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        given("clean", *words)


def test_a_value_that_looks_like_a_negative_number_is_a_value() -> None:
    assert given("list", "--limit", "-1").values["limit"] == "-1"
