"""The quick parser never says anything else than Click, and reads every well-formed command line by itself."""

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bespeak.argv import click_adapter, fast_parser
from bespeak.cli import tables
from support.commands import COMMANDS, EVERY

WORDS = st.sampled_from(
    ["rack3", "a", "2h", "5m", "forever", "--", "-", "", "-1", "x=y", "bash", "é", "--for", "-R", "--json", "7"]
)
VALUES = st.sampled_from(["rack3", "2h", "5", "forever", "k=v", "tomorrow 9:00", "-x", "", "--", "0", "007", "é"])


def option_words(option):
    flags = st.sampled_from(option.flags)
    if not option.metavar:
        return flags.map(lambda flag: [flag]) | flags.map(lambda flag: [f"{flag}=x"])
    pairs = st.tuples(flags, VALUES)
    return (
        pairs.map(lambda pair: [pair[0], pair[1]])
        | pairs.map(lambda pair: [f"{pair[0]}={pair[1]}"])
        | flags.map(lambda flag: [flag])
    )


@st.composite
def command_lines(draw):
    command = draw(st.sampled_from(COMMANDS))
    shared = st.lists(st.sampled_from(tables.SHARED).flatmap(option_words), max_size=2)
    pieces = [*draw(shared), command.name.split()]
    options = [*command.options, *tables.SHARED]
    pieces += draw(
        st.lists(st.sampled_from(options).flatmap(option_words) | WORDS.map(lambda word: [word]), max_size=6)
    )
    return [word for piece in pieces for word in piece]


def by_click(argv):
    try:
        return click_adapter.parse(argv)
    except click.ClickException:
        return None


@settings(max_examples=600)
@given(command_lines())
def test_what_the_quick_parser_reads_click_reads_alike(argv):
    read = fast_parser.parse(argv)
    if read is not None:
        assert by_click(argv) == read


@given(st.lists(WORDS | VALUES | st.text(max_size=8), max_size=6))
def test_any_words_are_read_alike_or_left_to_click(argv):
    read = fast_parser.parse(argv)
    if read is not None:
        assert by_click(argv) == read


@pytest.mark.parametrize("command", EVERY, ids=lambda command: command.name)
def test_every_example_of_the_help_is_read_and_needs_no_click(command):
    import shlex

    assert command.examples, "every command shows an example"
    for line, does in command.examples:
        assert does
        words = shlex.split(line)
        assert fast_parser.parse(words) == (
            by_click(words) if not line.endswith("--help") else fast_parser.parse(words)
        )
        assert fast_parser.parse(words) is not None


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_no_option_of_a_command_hides_one_that_every_command_has(command):
    flags = [flag for option in (*command.options, *tables.SHARED) for flag in option.flags]
    keys = [*(option.key for option in command.options), *(argument.key for argument in command.arguments)]
    assert len(flags) == len(set(flags))
    assert len(keys) == len(set(keys))
    assert not any(argument.many for argument in command.arguments[:-1])


def test_the_words_after_two_dashes_belong_to_the_command_behind():
    read = fast_parser.parse(["run", "rack3", "--for", "2h", "--", "ls", "--json", "--", "-x"])
    assert read.values["tail"] == ("ls", "--json", "--", "-x")
    assert read.values["resource"] == ("rack3",)
    assert read.shared["json"] is False


def test_a_value_that_may_be_left_out_is_only_taken_if_it_looks_like_one():
    assert fast_parser.parse(["reserve", "--wait", "rack3"]).values["wait"] == ""
    assert fast_parser.parse(["reserve", "rack3", "--wait", "5m"]).values["wait"] == "5m"
    assert fast_parser.parse(["reserve", "rack3", "--wait"]).values["wait"] == ""
    assert fast_parser.parse(["reserve", "rack3"]).values["wait"] is None


def test_options_of_every_command_are_read_on_both_sides_of_its_name():
    read = fast_parser.parse(["--lab", "a", "--ledger", "x", "list", "--lab=b", "--ledger", "y", "--json"])
    assert read.shared["lab"] == ("a", "b")
    assert read.shared["ledger"] == "y"
    assert read.shared["json"] is True


def test_programs_get_every_word_behind_their_name_untouched():
    for argv in (["runner", "--json", "--", "-x"], ["--ledger", "b", "job", "list", "--help"]):
        read = fast_parser.parse(argv)
        assert read.values["tail"] == tuple(argv[argv.index(read.command.name) + 1 :])
        assert by_click(argv) == read
