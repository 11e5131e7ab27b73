"""The fast parser and Click read the same from every command line of every program, and both read what was meant.

What was meant is made together with the words: neither parser is compared with itself.
"""

import shlex

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bespeak.argv import click_adapter, fast_parser
from bespeak.argv.declarations import Parsed, load
from bespeak.cli.index import PROGRAM
from support.commands import EVERYWHERE, PROGRAMS, SUMMARIES

WORDS = st.sampled_from(
    ["rack3", "a", "2h", "5m", "forever", "--", "-", "", "-1", "x=y", "bash", "é", "--for", "-R", "--json", "7", "--co"]
)
VALUES = st.sampled_from(["rack3", "2h", "5", "forever", "k=v", "tomorrow 9:00", "-x", "", "--", "0", "007", "é"])
PLAIN = st.sampled_from(["rack3", "k=v", "tomorrow 9:00", "5", "é", "a\udcff", "forever", "=", "a=--b"])
BEHIND = st.lists(st.sampled_from(["ls", "--json", "--", "-x", "", "--help", "é"]), max_size=3)
every_command = pytest.mark.parametrize(
    ("program", "command"), EVERYWHERE, ids=[f"{program.name}: {command.name}" for program, command in EVERYWHERE]
)


def by_click(program, argv):
    try:
        return click_adapter.parse(program, argv)
    except click.ClickException:
        return None


@st.composite
def typed_option(draw, program, option):
    """Words that type an option, and the value they mean."""
    flag = draw(st.sampled_from(option.flags))
    if not option.metavar:
        return [flag], True
    if option.words:
        several = draw(st.lists(PLAIN.filter(lambda word: not word.startswith("-")), min_size=1, max_size=3))
        return [flag, *several], several
    if option.kind == "int":
        number = draw(st.integers(0, 10**12))
        value, meant = str(number), number
    elif option.optional_value:
        value = meant = draw(st.sampled_from(["", "5m", "forever"]))
    else:
        value = meant = draw(PLAIN | st.sampled_from(["-1", "-x", "--x", "--"]))
    attached = flag.startswith("--") and (draw(st.booleans()) or value.startswith("--"))
    if value.startswith("--") and not attached:
        value = meant = "x"
    words = [f"{flag}={value}"] if attached else [flag, value] if value else [flag]
    return words, [meant] if option.many else meant


def put(values, option, meant):
    values[option.key] = (*values[option.key], *meant) if option.many else meant


@st.composite
def well_formed(draw, program, command):
    """A well-formed command line, and what it means."""
    shared = {option.key: option.default for option in program.shared}
    values = {option.key: option.default for option in command.options}
    front, behind = [], []
    for option in draw(st.lists(st.sampled_from(program.shared), max_size=2)) if program.shared else []:
        words, meant = draw(typed_option(program, option))
        if not option.words:
            put(shared, option, meant)
            front += words
    chosen = draw(st.lists(st.sampled_from(command.options), max_size=3, unique_by=id)) if command.options else []
    if command.one_of:
        one = draw(st.sampled_from(command.one_of))
        chosen = [option for option in chosen if option.flags[-1] not in command.one_of or option.flags[-1] == one]
        chosen += [option for option in command.options if option.flags[-1] == one and option not in chosen]
    chosen += [option for option in command.options if option.required and option not in chosen]
    pieces = []
    for option in chosen:
        words, meant = draw(typed_option(program, option))
        put(values, option, meant)
        pieces.append((words, option.words or option.optional_value))
    for argument in command.arguments:
        words = st.sampled_from(argument.choices) if argument.choices else PLAIN
        least = 1 if argument.required else 0
        given = draw(st.lists(words, min_size=least, max_size=3 if argument.many else 1))
        values[argument.key] = tuple(given) if argument.many else (given[0] if given else None)
        behind += given
        if not given:
            break
    for argument in command.arguments:
        values.setdefault(argument.key, () if argument.many else None)
    pieces.sort(key=lambda piece: piece[1])  # what takes as many words as there are stands last
    line = [*behind, *(word for words, _ in pieces for word in words)]
    if command.tail:
        tail = draw(st.none() | BEHIND)
        values |= {"tail": tuple(tail or ()), "tail_given": tail is not None}
        line += ["--", *tail] if tail is not None else []
    return [*front, *command.name.split(), *line], Parsed(command, shared, values)


@every_command
@settings(max_examples=25)
@given(st.data())
def test_both_parsers_read_what_was_meant(program, command, data):
    argv, meant = data.draw(well_formed(program, command))
    assert click_adapter.parse(program, argv) == meant
    read = fast_parser.parse(program, argv)
    assert read == meant, "a well-formed command line has to do without Click"


def option_words(option):
    flags = st.sampled_from(option.flags) | st.sampled_from(option.flags).map(lambda flag: flag[:-2])
    if not option.metavar:
        return flags.map(lambda flag: [flag]) | flags.map(lambda flag: [f"{flag}=x"])
    pairs = st.tuples(flags, VALUES)
    return (
        pairs.map(lambda pair: [pair[0], pair[1]])
        | pairs.map(lambda pair: [f"{pair[0]}={pair[1]}"])
        | flags.map(lambda flag: [flag])
    )


@st.composite
def command_lines(draw, program, command):
    """Command lines with mistakes in them."""
    options = st.sampled_from([*command.options, *program.shared]).flatmap(option_words)
    pieces = [*draw(st.lists(options, max_size=1)), command.name.split()]
    pieces += draw(st.lists(options | WORDS.map(lambda word: [word]), max_size=6))
    return [word for piece in pieces for word in piece]


@every_command
@settings(max_examples=25)
@given(st.data())
def test_what_the_fast_parser_reads_click_reads_alike(program, command, data):
    argv = data.draw(command_lines(program, command))
    read = fast_parser.parse(program, argv)
    if read is not None:
        assert by_click(program, argv) == read


@given(st.sampled_from([PROGRAM, *PROGRAMS]), st.lists(WORDS | VALUES | st.text(max_size=8), max_size=6))
def test_any_words_are_read_alike_or_left_to_click(program, argv):
    read = fast_parser.parse(program, argv)
    if read is not None:
        assert by_click(program, argv) == read


@every_command
def test_every_example_of_the_help_is_read_and_needs_no_click(program, command):
    assert command.examples, "every command shows an example"
    for line, does in command.examples:
        assert does
        read = fast_parser.parse(program, shlex.split(line))
        assert read is not None
        assert read.command is command
        assert click_adapter.parse(program, shlex.split(line)) == read


@every_command
def test_no_option_of_a_command_hides_one_that_every_command_has(program, command):
    flags = [flag for option in (*command.options, *program.shared) for flag in option.flags]
    keys = [option.key for option in command.options] + [argument.key for argument in command.arguments]
    assert len(flags) == len(set(flags))
    assert len(keys) == len(set(keys))
    assert not {option.key for option in command.options} & {option.key for option in program.shared}
    assert not any(argument.many for argument in command.arguments[:-1])
    assert set(command.one_of) <= set(flags)


@pytest.mark.parametrize("program", [PROGRAM, *PROGRAMS], ids=lambda program: program.name)
def test_the_index_names_each_command_as_its_declaration_does(program):
    for entry in program.entries:
        for leaf in entry.entries:
            assert leaf.load().name == f"{entry.name} {leaf.name}"
        if not entry.entries:
            assert entry.load().name.removeprefix("bespeak ") == entry.name
    assert callable(load(program.main))


def test_every_command_has_one_line_of_help():
    assert all(text.endswith(".") and "\n" not in text for text in SUMMARIES.values())


def test_the_words_after_two_dashes_belong_to_the_command_behind():
    read = fast_parser.parse(PROGRAM, ["run", "rack3", "--for", "2h", "--", "ls", "--json", "--", "-x"])
    assert read.values["tail"] == ("ls", "--json", "--", "-x")
    assert read.values["resource"] == ("rack3",)
    assert read.shared["json"] is False


def test_a_value_that_may_be_left_out_is_only_taken_if_it_looks_like_one():
    assert fast_parser.parse(PROGRAM, ["reserve", "--wait", "rack3"]).values["wait"] == ""
    assert fast_parser.parse(PROGRAM, ["reserve", "rack3", "--wait", "5m"]).values["wait"] == "5m"
    assert fast_parser.parse(PROGRAM, ["reserve", "rack3", "--wait"]).values["wait"] == ""
    assert fast_parser.parse(PROGRAM, ["reserve", "rack3"]).values["wait"] is None


def test_options_of_every_command_are_read_on_both_sides_of_its_name():
    read = fast_parser.parse(PROGRAM, ["--lab", "a", "--ledger", "x", "list", "--lab=b", "--ledger", "y", "--json"])
    assert read.shared["lab"] == ("a", "b")
    assert read.shared["ledger"] == "y"
    assert read.shared["json"] is True


@pytest.mark.parametrize("words", [["-Rl", "x"], ["-R", "-lx"], ["-l", "x", "-R"], ["-Rlx"]])
def test_short_options_in_one_word_are_read_by_click_on_both_sides(words):
    for argv in ([*words, "lab", "list"], ["lab", "list", *words]):
        read = by_click(PROGRAM, argv)
        assert (read.command.name, read.shared["lab"], read.shared["skip_reservation_check"]) == (
            "lab list",
            ("x",),
            True,
        )


def test_programs_get_every_word_behind_their_name_untouched():
    for argv in (["runner", "--json", "--", "-x"], ["--ledger", "b", "job", "list", "--help"]):
        read = fast_parser.parse(PROGRAM, argv)
        word = read.command.name.rpartition(" ")[2]
        assert read.values["tail"] == tuple(argv[argv.index(word) + 1 :])
        assert by_click(PROGRAM, argv) == read
