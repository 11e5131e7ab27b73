"""The command line of jobs keeps what scripts of the original rely on."""

import pytest

from bespeak.argv import click_adapter, fast_parser
from bespeak.base.errors import UsageError
from bespeak.jobs.cli import PROGRAM, CommandContext, read_words


def given(name: str, *words: str) -> CommandContext:
    argv = [name, *words]
    parsed = fast_parser.parse(PROGRAM, argv)
    assert parsed is not None, "read without Click"
    assert click_adapter.parse(PROGRAM, argv) == parsed
    return CommandContext("bespeak job", parsed)


def test_only_the_first_separator_counts() -> None:
    assert given("reserve", "--run-key", "k", "--", "a", "--", "--b").command == ["a", "--", "--b"]


def test_the_first_word_that_is_no_flag_begins_the_command() -> None:
    found = given("reserve", "--run-key=k", "echo", "--run-key", "other", "--", "x")
    assert found.command == ["echo", "--run-key", "other", "--", "x"]
    assert found.value("run-key") == "k"


@pytest.mark.parametrize("words", [("--orchesjob-start-option=--strict",), ("--orchesjob-start-option", "--strict")])
def test_a_start_option_in_one_word_or_two(words: tuple[str, ...]) -> None:
    found = given("reserve", "--run-key", "k", *words, "--orchesjob-start-option", "-x", "--", "a")
    assert found.many("orchesjob-start-option") == ["--strict", "-x"]


def test_a_unique_beginning_of_a_flag_is_enough() -> None:
    assert given("list", "--lim", "3").value("limit") == "3"


def test_options_that_the_original_has_not_are_typed_in_full_and_take_no_beginning_away() -> None:
    assert given("clean", "--j", "j1").value("job-id") == "j1"
    assert given("wait", "--run-key", "k", "--t", "5s").value("timeout") == "5s"
    assert given("list", "--text").as_text is True


def test_options_before_the_command_are_read_like_those_after_it() -> None:
    argv = ["--orchesjob-b", "embedded", "--orchesjob-start-option", "--strict", "status", "--run-key", "k"]
    read = fast_parser.parse(PROGRAM, argv)
    assert read is not None
    assert read.shared["orchesjob_bin"] == "embedded"
    assert read.shared["orchesjob_start_option"] == ("--strict",)
    assert click_adapter.parse(PROGRAM, argv) == read


def test_an_ambiguous_beginning_is_refused() -> None:
    with pytest.raises(UsageError, match="orchesjob-bin, --orchesjob-start-option"):
        read_words(["list", "--orchesjob", "x"], "bespeak job")


def test_needs_take_several_words() -> None:
    found = given("reserve", "--run-key", "k", "--needs", "rack 3", "psu", "--for", "1h", "--", "a")
    assert found.many("needs") == ["rack 3", "psu"]
    assert found.command == ["a"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--unknown",), "no such option.*--unknown"),
        (("--run-key",), "'--run-key' needs a value"),
        (("--run-key", "--all"), "'--run-key' needs a value; if '--all' is meant, write --run-key=--all"),
        (("--dry-run=yes",), "--dry-run.* does not take a value"),
        (("word",), r"unexpected extra argument \(word\)"),
    ],
)
def test_what_is_refused(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_words(["clean", *words], "bespeak job")


@pytest.mark.parametrize("word", ["--\x1b[31m", "\x1b[31m", "a\nb"])
def test_a_refusal_escapes_what_a_terminal_obeys(word: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_words(["clean", word], "bespeak job")
    assert str(refused.value).isprintable()


def test_a_value_that_looks_like_a_negative_number_is_a_value() -> None:
    assert given("list", "--limit", "-1").value("limit") == "-1"
