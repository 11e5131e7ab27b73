"""What newcomers type that is no command: the answer names the command that they mean."""

import pytest

from bespeak.argv.declarations import find
from bespeak.cli.index import PROGRAM
from bespeak.cli.main import main


@pytest.mark.parametrize("word", PROGRAM.other_words)
def test_a_word_that_is_no_command_is_told_with_the_one_that_is(word, capfd):
    assert main([word]) == 2
    assert capfd.readouterr().err == (
        f"bespeak: error: no command {word!r}; did you mean {PROGRAM.other_words[word]}?\nbespeak: see 'bespeak --help'\n"
    )


@pytest.mark.parametrize(("word", "meant"), PROGRAM.other_words.items())
def test_what_is_meant_exists_and_the_word_does_not(word, meant):
    assert find(PROGRAM.entries, word) is None
    entries = PROGRAM.entries
    for part in meant.split():
        if part.startswith("--"):
            continue
        entry = find(entries, part)
        assert entry is not None, meant
        entries = entry.entries


def test_other_words_are_those_of_the_program_and_not_of_its_groups(capfd):
    assert main(["resource", "book"]) == 2
    assert "did you mean" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("word", "meant"), [("whoami", "reservation whoami"), ("guard", "coord guard"), ("health", "host health")]
)
def test_a_command_of_a_group_is_found_without_the_group(word, meant, capfd):
    assert main([word]) == 2
    assert f"no command {word!r}; did you mean {meant}" in capfd.readouterr().err
