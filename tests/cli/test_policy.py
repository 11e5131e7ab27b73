"""``ledger policy``, and what it decides from every folder; as a user types it."""

import json
import os
import pwd

import pytest

ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def book(tmp_path):
    return str(tmp_path / "team.sqlite3")


def settings(folder, text):
    path = folder / ".bespeak" / "settings.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_the_policy_is_shown_set_and_unset(cli, book):
    made = cli("--ledger", book, "ledger", "policy", "set", "kickers", "bob,alice", "--json")
    assert json.loads(made.stdout) == {"policy": {"kickers": ["alice", "bob"]}}
    assert "this is a new one" in made.stderr
    shown = cli("--ledger", book, "ledger", "policy").stdout
    assert shown.splitlines()[0].split() == ["KEY", "VALUE", "MEANING"]
    assert any(line.startswith("kickers") and "alice,bob" in line for line in shown.splitlines())
    every = json.loads(cli("--ledger", book, "ledger", "policy", "show", "--json").stdout)["policy"]
    assert {name for name, value in every.items() if value is not None} == {"kickers"}
    assert cli("--ledger", book, "ledger", "policy", "unset", "kickers").returncode == 0
    log = cli("--ledger", book, "log").stdout
    assert 'kickers = ["alice","bob"] instead of nothing' in log
    assert 'kickers = nothing instead of ["alice","bob"]' in log


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["set", "kickers"], "set KEY VALUE"),
        (["unset"], "unset KEY"),
        (["show", "kickers", "x"], "show [KEY]"),
        (["set", "kicker", "x"], "did you mean kickers?"),
        (["set", "strict", "x"], "policy strict: must be true or false"),
        (["drop"], "drop"),
    ],
)
def test_what_cannot_be_is_refused_and_makes_no_book(cli, book, words, told):
    refused = cli("--ledger", book, "ledger", "policy", *words)
    assert (refused.returncode, told in refused.stderr) == (2, True), refused.stderr
    assert not os.path.exists(book)


def test_a_policy_is_looked_at_where_there_is_none_and_makes_no_book(cli, book):
    assert cli("--ledger", book, "ledger", "policy").returncode == 3
    assert not os.path.exists(book)


def test_a_folder_that_says_otherwise_does_not_count_and_is_told(cli, book, tmp_path):
    settings(tmp_path / "repo", 'ledger = {strict = false, default_for = "1h", kickers = ["zoe"]}\n')
    for key, value in (("strict", "true"), ("default_for", "60m")):
        assert cli("--ledger", book, "ledger", "policy", "set", key, value).returncode == 0
    here = {"cwd": tmp_path / "repo"}
    refused = cli("--ledger", book, "reserve", "rack", **here)
    assert (refused.returncode, "not declared" in refused.stderr) == (4, True)
    told = cli("--ledger", book, "reservation", "whoami", **here)
    source = str(tmp_path / "repo" / ".bespeak" / "settings.toml")
    assert f"{source}: [ledger] strict = False does not count; the policy of the book says True" in told.stderr
    assert told.stderr.count("does not count") == 1
    (ignored,) = json.loads(cli("--ledger", book, "reservation", "whoami", "--json", **here).stdout)["ignored_settings"]
    assert ignored == {"key": "strict", "value": False, "source": source, "policy": True}


def test_whoami_asks_no_book_where_settings_say_nothing_of_it(cli):
    told = cli("--ledger", "postgresql://127.0.0.1:9/none", "reservation", "whoami", "--json")
    assert (told.returncode, json.loads(told.stdout)["ignored_settings"]) == (0, [])


def test_what_another_user_has_reserved_is_given_back_with_a_reason_by_who_may(cli, book):
    theirs = json.loads(cli("--ledger", book, "--as-user", "bob", "reserve", "rack", "--json").stdout)
    own = cli("--ledger", book, "--as-user", "bob", "release", "rack")
    assert own.returncode == 0, "who has reserved it for bob gives it back for bob"
    from bespeak.ledger import open_ledger
    from bespeak.ledger.model import Holder, Request

    with open_ledger(book) as opened:
        held = opened.reserve(Request(("rack",), Holder("bob"), duration_us=3_600_000_000))
    bare = cli("--ledger", book, "--as-user", "bob", "release", held.id)
    assert bare.returncode == 2
    assert f"release: bob has reserved it, and not {ME}: a reason must be given" in bare.stderr
    cli("--ledger", book, "ledger", "policy", "set", "kickers", "carol")
    barred = cli("--ledger", book, "--as-user", "bob", "release", held.id, "--reason", "fire")
    assert (barred.returncode, "policy of the book: kickers" in barred.stderr) == (7, True)
    longer = cli("--ledger", book, "--as-user", "bob", "extend", held.id, "--for", "1h")
    assert (longer.returncode, "policy of the book: kickers" in longer.stderr) == (7, True)
    cli("--ledger", book, "ledger", "policy", "set", "kickers", ME)
    assert cli("--ledger", book, "--as-user", "bob", "extend", held.id, "--for", "1h").returncode == 0
    done = cli("--ledger", book, "--as-user", "bob", "release", held.id, "--reason", "fire", "--json")
    (ended,) = json.loads(done.stdout)["reservations"]
    assert (ended["ended_why"], ended["ended_note"], ended["holder"]) == ("kicked", "fire", "bob")
    assert theirs["acting"] == ME


def test_who_was_kicked_hears_it_with_the_next_command_once_and_never_on_stdout(cli, book):
    from bespeak.ledger import open_ledger
    from bespeak.ledger.model import Holder, Request

    with open_ledger(book) as opened:
        for name in ("rack1", "rack2"):
            held = opened.reserve(Request((name,), Holder(ME), duration_us=3_600_000_000))
            opened.kick(held.id, Holder("bob"), f"fire in {name}")
    first = cli("--ledger", book, "list", "--json")
    assert json.loads(first.stdout)["reservations"] == []
    lines = first.stderr.splitlines()
    assert len(lines) == 2
    for line, name in zip(lines, ("rack1", "rack2"), strict=True):
        assert line.startswith(f"bespeak: {name} (reservation ")
        assert "was taken away from you by bob, " in line
        assert line.endswith(f": fire in {name}")
    assert cli("--ledger", book, "list").stderr == ""


def test_what_is_to_be_said_of_the_account_is_said_once(cli, book):
    told = cli("--ledger", book, "ledger", "policy", "set", "strict", "false", env={"LOGNAME": "nobody-else"})
    assert told.stderr.count("LOGNAME") == 2, "one line, which names it twice"


def test_a_refusal_names_the_book(cli, book):
    """Without a variable or with a mistyped path it is another book, and what it says is no reason to wait."""
    cli("--ledger", book, "--as-user", "bob", "reserve", "rack", "--at", "+2h", "--for", "1h")
    cli("--ledger", book, "reserve", "rack", "--for", "1h")
    cli("--ledger", book, "reserve", "rack", "--at", "+4h", "--for", "1h")
    (_, own) = json.loads(cli("--ledger", book, "list", "--mine", "--json").stdout)["reservations"]
    (of_bob,) = json.loads(cli("--ledger", book, "list", "--user", "bob", "--json").stdout)["reservations"]
    calendar = f"{book}.csv"
    with open(calendar, "w") as file:
        file.write(f"resources,starts,ends\nrack,{of_bob['starts']},{of_bob['ends']}\n")
    for words in (
        ["reserve", "rack"],
        ["run", "rack", "--", "true"],
        ["extend", "rack", "--for", "3h"],
        ["move", own["id"], "--at", "+2h"],
        ["extend", of_bob["id"], "--for", "1h"],
        ["shorten", of_bob["id"], "--for", "30m"],
        ["move", of_bob["id"], "--at", "+6h"],
        ["transfer", of_bob["id"], "--to", "carol"],
        ["swap", of_bob["id"], own["id"]],
        ["release", of_bob["id"]],
        ["reserve", "rack", "--every", "FREQ=HOURLY", "--for", "1h", "--count", "5"],
        ["resource", "maintenance", "rack", "--at", "+2h", "--for", "1h"],
        ["import", "--format", "csv", calendar],
    ):
        refused = cli("--json", *words, env={"BESPEAK_LEDGER": book})
        assert refused.returncode == 7, refused.stderr
        told = json.loads(refused.stderr.splitlines()[-1])
        assert (told["book"], told["error"].count(f"; asked of book {book}")) == (book, 1)
