"""Reserve, look, change and give back, as one types it."""

import json
import shlex
import signal
import sys

import pytest


def test_reserve_says_what_until_when_and_that_the_length_is_the_default(run_as, as_json):
    out = run_as("alice", "reserve", "rack3", "analyser").stdout
    assert out.startswith("reserved ")
    assert "analyser, rack3  until " in out
    assert " UTC (4h); the default is 4h, choose with --for" in out
    assert "default" not in run_as("alice", "reserve", "other", "--for", "1h").stdout
    [first, second] = as_json("alice", "list")["reservations"]
    assert first["resources"] == ["analyser", "rack3"]
    assert second["ends_us"] - second["starts_us"] == 3_600_000_000


def test_the_way_out_works_for_a_name_that_looks_like_an_option(run_as):
    run_as("alice", "reserve", "--for", "1h", "--", "-x")
    hint = run_as("bob", "reserve", "--for", "1h", "--", "-x", code=7).stderr.splitlines()[-1]
    words = shlex.split(hint.partition("book that with: ")[2])
    assert words == ["bespeak", "--as-user", "bob", "reserve", "--for", "1h", "--next", "--", "-x"]
    run_as("bob", *words[3:])


def test_a_refusal_says_who_until_when_why_when_free_and_how_to_book_that(run_as):
    run_as("alice", "reserve", "rack3", "--for", "2h", "--purpose", "thermal run")
    refused = run_as("bob", "reserve", "rack3", "--for", "30m", "--purpose", "it's mine", code=7)
    line, hint = refused.stderr.splitlines()
    assert line.startswith("bespeak: error: rack3 is held by alice until ")
    assert "(thermal run); asked of book " in line
    command = hint.partition("book that with: ")[2]
    assert command == """bespeak --as-user bob reserve rack3 --for 30m --purpose 'it'"'"'s mine' --next"""
    assert refused.stdout == ""


@pytest.mark.parametrize("name", ["rack3", "-x"])
def test_who_is_refused_by_a_hold_of_their_own_reads_what_to_do_with_it(run_as, name):
    made = run_as("alice", "reserve", "--for", "1h", "--", name)
    hint = run_as("alice", "reserve", "--for", "30m", "--", name, code=7).stderr.splitlines()[-1]
    assert hint.startswith(f"bespeak: {name} is yours until then: work with it, or make that longer with ")
    words = shlex.split(hint.partition("longer with ")[2].partition(";")[0])
    assert words[:5] == ["bespeak", "--as-user", "alice", "extend", "--for"]
    assert "(1h30m)" in run_as("alice", *words[3:]).stdout
    assert "is yours" not in run_as("bob", "reserve", "--", name, code=7).stderr
    assert made.stdout.startswith("reserved ")


def test_a_hold_that_another_command_of_the_account_uses_is_not_called_theirs_to_work_with(run_as):
    refused = run_as(
        "alice", "run", "rack3", "--", sys.executable, "-m", "bespeak", "--as-user", "alice", "reserve", "rack3", code=7
    )
    assert "rack3 is held by alice" in refused.stderr
    assert "is yours" not in refused.stderr


def test_the_command_of_a_refusal_books_what_it_promises(run_as, as_json, cli):
    import shlex

    run_as("alice", "reserve", "rack3", "--for", "2h")
    refused = json.loads(run_as("bob", "reserve", "rack3", "x", "--for", "30m", "--json", code=7).stderr)
    assert refused["exit_code"] == 7
    assert refused["conflicts"][0]["holder"] == "alice"
    words = shlex.split(refused["command"])[1:]
    made = json.loads(cli(*words, "--json").stdout)
    assert made["starts_us"] == refused["next_free_us"] == refused["conflicts"][0]["ends_us"]
    assert made["resources"] == ["rack3", "x"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["reserve", "a", "--for", "90"], "--for: '90' is not clear: it could be '90s', '90m' or '90h'"),
        (["reserve", "a", "--at", "05/06/2030 9:00"], "--at: '05/06/2030 9:00' is not clear"),
        (["reserve", "a", "--for", "1h", "--until", "+2h"], "--for and --until"),
        (["reserve", "a", "--tag", "x"], "--tag: 'x' is not of the form KEY=VALUE"),
        (["reserve", "a", "--priority", "3"], "--priority"),
        (["reserve", "a", "--wait", "--next"], "--wait and --next"),
        (["reserve", "a", "--wait", "10.0.0.1"], "--wait: '10.0.0.1'"),
        (["reserve", "a", "--at", "2020-01-01T00:00Z"], "in the past"),
        (["reserve", " a"], "begins or ends with a blank"),
        (["reserve", "a\x1b[31m"], r"\x1b"),
        (["reserve"], "name the resources, or ask for some"),
        (["reserve", "a", "--fro", "1h"], "no such option"),
        (["resrve", "a"], "no command 'resrve'; did you mean reserve"),
        (["resource", "ad"], "did you mean add"),
        (["list", "--state", "gone"], "--state: 'gone' is not a state"),
        (["list", "--limit", "0"], "--limit"),
        (["extend", "abcdef12"], "say how much with --for"),
        (["release"], "name reservations or resources"),
        (["show", "ab"], "'ab' is not an id: an id begins with at least 6 characters; `bespeak list` shows them"),
        (["run", "a", "ls"], "after '--'"),
        (["gate"], "Missing option '--lab' / '-l'"),
        (["completion", "cmd"], "'cmd'"),
        (["--as-user", "x", "--ledger", "http://x", "list"], "http"),
    ],
)
def test_what_cannot_be_understood_is_one_line_with_code_2_and_nothing_is_written(cli, words, says):
    refused = cli(*words)
    assert refused.returncode == 2
    lines = [line for line in refused.stderr.splitlines() if "acting as" not in line]
    assert lines[0].startswith("bespeak: error: ")
    assert says in lines[0]
    assert len(lines) <= 2
    assert all(line.isprintable() for line in lines)
    assert refused.stdout == ""
    assert json.loads(cli("list", "--json").stdout)["reservations"] == []


def test_with_json_an_error_is_one_object_on_stderr(cli):
    refused = cli("reserve", "a", "--for", "90", "--json")
    told = json.loads(refused.stderr)
    assert told["exit_code"] == refused.returncode == 2
    assert told["option"] == "--for"
    assert told["readings"] == ["90s", "90m", "90h"]
    told = json.loads(cli("--json", "resrve").stderr)
    assert told["exit_code"] == 2
    assert "resrve" in told["error"]


def test_extend_shorten_and_release(run_as, as_json):
    made = as_json("alice", "reserve", "rack3", "--for", "1h")
    longer = as_json("alice", "extend", made["short_id"], "--for", "30m")["reservations"][0]
    assert longer["ends_us"] - made["ends_us"] == 1_800_000_000
    shorter = as_json("alice", "shorten", made["id"], "--for", "1h")["reservations"][0]
    assert longer["ends_us"] - shorter["ends_us"] == 3_600_000_000
    assert run_as("bob", "release", made["short_id"], code=7).stderr.startswith("bespeak: error: ")
    assert run_as("alice", "release", "rack3").stdout.startswith(f"released {made['short_id']}  rack3  ended ")
    run_as("alice", "release", made["short_id"], code=6)
    run_as("alice", "release", "rack3", code=4)


def test_extend_is_refused_when_the_next_holder_would_lose(run_as, as_json):
    made = as_json("alice", "reserve", "rack3", "--for", "1h")
    run_as("bob", "reserve", "rack3", "--for", "1h", "--next", "--purpose", "mine")
    refused = run_as("alice", "extend", made["short_id"], "--for", "1h", code=7)
    assert "rack3 is booked by bob from" in refused.stderr
    assert "so it cannot end then" in refused.stderr


def test_release_by_id_of_several_and_of_everything(as_json, run_as):
    ids = [as_json("alice", "reserve", name)["short_id"] for name in ("a", "b", "c")]
    assert len(as_json("alice", "release", ids[0], ids[1])["reservations"]) == 2
    assert len(as_json("alice", "release", "--mine")["reservations"]) == 1
    assert run_as("alice", "release", "--mine").stdout == "nothing to be released\n"


def test_a_word_that_is_a_resource_and_an_id_is_not_guessed(as_json, run_as):
    made = as_json("alice", "reserve", "x")
    named = made["short_id"]
    run_as("alice", "reserve", named)
    assert "is a resource that you hold and the start of an id" in run_as("alice", "release", named, code=2).stderr
    run_as("alice", "release", made["id"])
    run_as("alice", "release", "x", named, code=2)


def test_kick_needs_a_reason_and_the_log_keeps_it(as_json, run_as):
    made = as_json("alice", "reserve", "rack3")
    assert "--reason" in run_as("eve", "kick", made["short_id"], code=2).stderr
    run_as("eve", "kick", made["short_id"], "--reason", "fire drill")
    assert "fire drill" in run_as("bob", "log").stdout
    assert "kicked: fire drill" in run_as("bob", "show", made["short_id"]).stdout


def test_shared_holders_get_along_and_an_exclusive_one_does_not(run_as):
    run_as("alice", "reserve", "server", "--shared", "--for", "forever")
    run_as("bob", "reserve", "server", "--shared", "--for", "1h")
    refused = run_as("carol", "reserve", "server", "--for", "1h", code=7)
    assert "held by alice without an end" in refused.stderr
    assert "book that with" not in refused.stderr
    assert "alice, shared without an end" in run_as("carol", "who", "server").stdout


def test_the_future_can_be_booked_and_is_seen(run_as, as_json):
    made = as_json("alice", "reserve", "rack3", "--at", "tomorrow 9:00", "--for", "90m", "--tag", "ci=42")
    assert made["state"] == "pending"
    assert made["starts"].endswith("T09:00:00+00:00")
    assert made["tags"] == {"ci": "42"}
    assert "09:00 UTC until" in run_as("bob", "who", "rack3").stdout
    assert "rack3: free now, until" in run_as("bob", "free", "rack3", "--for", "30m").stdout
    assert as_json("bob", "free", "rack3", "--for", "2d")["resources"][0]["from_us"] == made["ends_us"]


def test_what_has_not_begun_is_said_so_with_an_end_that_would_do(run_as):
    run_as("alice", "reserve", "rack3", "--at", "2031-07-01T12:00Z", "--for", "2h")
    refused = run_as("bob", "reserve", "rack3", "--at", "2031-07-01T11:00Z", "--for", "2h", code=7).stderr
    assert "rack3 is booked by alice from 2031-07-01 12:00 UTC until 2031-07-01 14:00 UTC" in refused
    assert "; or end by 2031-07-01 12:00 UTC" in refused
    run_as("bob", "reserve", "rack3", "--at", "2031-07-01T11:00Z", "--until", "2031-07-01T12:00Z")


def test_local_time_is_shown_with_its_zone(run_as):
    shown = run_as("alice", "reserve", "rack3", "--at", "2030-07-01T12:00Z", env={"TZ": "Europe/Berlin"}).stdout
    assert "from 2030-07-01 14:00 CEST until 2030-07-01 18:00 CEST" in shown


def test_the_line_moves_the_moment_the_holder_gives_back(cli, run_as, as_json):
    run_as("alice", "reserve", "rack3", "--for", "2h")
    waiting = cli.start("--as-user", "bob", "reserve", "rack3", "--for", "1h", "--wait", "60s", "--json")
    waiting.stderr.readline()
    event = json.loads(waiting.stderr.readline())
    assert (event["event"], event["position"], event["ahead"]) == ("waiting", 1, [])
    assert [(held["resource"], held["holder"]) for held in event["held"]] == [("rack3", "alice")]
    assert event["promised_us"] == event["held"][0]["ends_us"]
    assert as_json("bob", "list", "--state", "waiting")["reservations"][0]["holder"] == "bob"
    run_as("alice", "release", "rack3")
    out, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0
    assert json.loads(out)["state"] == "active"


def test_a_waiter_is_told_who_has_it_until_when_and_what_for(cli, run_as):
    run_as("alice", "reserve", "rack3", "--for", "2h", "--purpose", "thermal run")
    done = cli("--as-user", "bob", "reserve", "rack3", "--for", "1h", "--wait", "1s")
    assert done.returncode == 10
    (line,) = [line for line in done.stderr.splitlines() if "waiting: position 1" in line]
    assert "; rack3 is held by alice until" in line
    assert line.endswith("(thermal run)")


def test_waiting_ends_with_code_10_and_leaves_the_line(run_as, as_json):
    run_as("alice", "reserve", "rack3", "--for", "2h")
    run_as("bob", "reserve", "rack3", "--for", "1h", "--wait", "1s", code=10)
    assert as_json("bob", "list", "--mine")["reservations"] == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_leaves_the_line(cli, run_as, as_json, number, code):
    run_as("alice", "reserve", "rack3", "--for", "2h")
    waiting = cli.start("--as-user", "bob", "reserve", "rack3", "--for", "1h", "--wait")
    waiting.stderr.readline()
    assert "waiting" in waiting.stderr.readline()
    waiting.send_signal(number)
    waiting.communicate(timeout=60)
    assert waiting.returncode == code
    assert as_json("bob", "list", "--mine")["reservations"] == []


def test_watch_prints_one_line_a_change_at_once(cli, run_as, as_json):
    run_as("alice", "reserve", "other")
    seq = as_json("alice", "log")["entries"][-1]["seq"]
    watching = cli.start("watch", "rack3", "--after", str(seq))
    run_as("alice", "reserve", "rack3")
    run_as("alice", "release", "other")
    run_as("alice", "release", "rack3")
    lines = [json.loads(watching.stdout.readline()) for _ in range(2)]
    assert [line["action"] for line in lines] == ["reserved", "released"]
    watching.send_signal(signal.SIGINT)
    assert watching.wait(60) == 130


def test_the_log_follows(cli, run_as):
    run_as("alice", "reserve", "a")
    following = cli.start("log", "--follow")
    assert "alice" in following.stdout.readline()
    run_as("bob", "reserve", "b")
    assert "bob (by " in following.stdout.readline()


def test_resources_are_declared_changed_listed_and_removed(run_as, as_json):
    run_as("alice", "resource", "add", "licences", "--capacity", "2", "--description", "two seats")
    run_as("alice", "resource", "add", "licences", code=6)
    run_as("alice", "reserve", "licences")
    run_as("bob", "reserve", "licences")
    run_as("carol", "reserve", "licences", code=7)
    assert as_json("alice", "resource", "set", "licences", "--capacity", "3")["capacity"] == 3
    run_as("alice", "resource", "set", "licenses", "--capacity", "3", code=4)
    run_as("alice", "resource", "remove", "licences", code=7)
    run_as("alice", "release", "licences")
    run_as("bob", "release", "licences")
    run_as("alice", "resource", "remove", "licences")
    assert as_json("alice", "resource", "list")["resources"] == []


def test_strict_settings_refuse_a_typo_with_the_nearest_name(run_as, tmp_path, monkeypatch):
    (tmp_path / ".bespeak").mkdir()
    (tmp_path / ".bespeak" / "settings.toml").write_text('[ledger]\nstrict = true\ndefault_for = "30m"\n')
    monkeypatch.chdir(tmp_path)
    run_as("alice", "resource", "add", "rack3")
    assert "rack3" in run_as("alice", "reserve", "rak3", code=4).stderr
    assert "(30m); the default is 30m" in run_as("alice", "reserve", "rack3").stdout


def test_a_setting_that_makes_no_sense_names_file_and_field(cli, tmp_path, monkeypatch):
    (tmp_path / ".bespeak").mkdir()
    (tmp_path / ".bespeak" / "settings.toml").write_text('[ledger]\ndefault_for = "30"\n')
    monkeypatch.chdir(tmp_path)
    refused = cli("list")
    assert refused.returncode == 2
    assert "settings.toml: [ledger] default_for: '30' is not clear" in refused.stderr


def test_what_is_held_can_be_named_by_its_resource(run_as, as_json):
    held = as_json("alice", "reserve", "rack3", "--for", "1h")["id"]
    assert as_json("bob", "show", "rack3")["id"] == held
    run_as("alice", "extend", "rack3", "--for", "1h")
    run_as("alice", "shorten", "rack3", "--for", "30m")
    refused = run_as("bob", "extend", "rack3", "--for", "1h", code=4).stderr
    assert refused.startswith("bespeak: error: bob does not hold rack3 now; alice does")
    run_as("bob", "kick", "rack3", "--reason", "fire drill")
    assert as_json("bob", "show", held)["ended_why"] == "kicked"


def test_of_a_resource_that_nobody_holds_that_is_said(run_as):
    run_as("alice", "reserve", "rack3", "--at", "+1h", "--for", "1h")
    refused = run_as("alice", "extend", "rack3", "--for", "1h", code=4).stderr
    assert refused.startswith("bespeak: error: nobody holds rack3 now; what has not begun is named by its id")
    refused = run_as("alice", "reserve", "rack3", "--at", "+90m", "--for", "1h", code=7).stderr
    assert (
        "rack3 is yours at that time; make that longer with bespeak --as-user alice extend --for 1h rack3;" in refused
    )


def test_a_resource_with_several_holds_names_none_of_them(run_as):
    run_as("alice", "resource", "add", "licences", "--capacity", "2")
    run_as("alice", "reserve", "licences", "--for", "1h")
    run_as("alice", "reserve", "licences", "--for", "1h")
    assert "held by several reservations" in run_as("alice", "extend", "licences", "--for", "1h", code=2).stderr


LOOKING = (
    ("list",), ("list", "--all", "--json"), ("who", "rack3"), ("show", "8f3a2c10"), ("free",), ("log",), ("resource", "list"),
    ("release", "--mine"), ("extend", "8f3a2c10", "--for", "1h"), ("kick", "8f3a2c10", "--reason", "drill"),
)  # fmt: skip


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_looking_makes_no_book(cli, tmp_path, words):
    path = tmp_path / "deep" / "other.db"
    done = cli("--ledger", str(path), *words)
    assert done.returncode == 3
    assert f"no book at {path}; `bespeak init` or the first reservation makes it" in done.stderr
    assert not path.parent.exists()


def test_looking_makes_no_schema(cli, postgres_url):
    for words in (("list",), ("free",)):
        assert cli("--ledger", postgres_url, *words).returncode == 3
    made = cli("--ledger", postgres_url, "reserve", "rack3")
    assert "bespeak: there was no book, so this is a new one: " in made.stderr
    assert cli("--ledger", postgres_url, "list").returncode == 0


def test_making_a_book_is_said_once(cli, tmp_path):
    path = str(tmp_path / "other.db")
    first, second = (cli("--ledger", path, "reserve", name) for name in ("rack3", "rack4"))
    assert first.stderr == f"bespeak: there was no book, so this is a new one: {path}\n"
    assert second.stderr == ""


@pytest.mark.parametrize(
    "words",
    [
        ["reserve", "board*"],
        ["reserve", "board*", "--wait", "5s"],
        ["--as-user", "team:x", "reserve", "rack3"],
        ["run", "board*", "--", "true"],
        ["run", "board*", "--wait", "5s", "--", "true"],
        ["reserve", "--any", "1", "--label", "a=b"],
        ["resource", "add", "b*"],
        ["job", "reserve", "--run-key", "k", "--needs", "b*", "--for", "1h", "--", "true"],
    ],
)
def test_what_is_refused_makes_no_book(cli, tmp_path, monkeypatch, words):
    path = tmp_path / "deep" / "other.db"
    monkeypatch.setenv("BESPEAK_LEDGER", str(path))
    monkeypatch.setenv("ORCHESJOB_HOME", str(tmp_path / "jobs"))
    done = cli(*words)
    assert done.returncode in {2, 4, 7}
    assert "there was no book" not in done.stderr
    assert not path.parent.exists()


def test_what_is_refused_makes_no_schema(cli, postgres_url):
    assert cli("--ledger", postgres_url, "reserve", "board*").returncode == 2
    assert cli("--ledger", postgres_url, "list").returncode == 3
    made = cli("--ledger", postgres_url, "run", "board1", "--", "true")
    assert "there was no book, so this is a new one" in made.stderr
    assert cli("--ledger", postgres_url, "list").returncode == 0


def test_who_makes_a_book_by_its_policy_owns_it(cli, tmp_path):
    path = str(tmp_path / "other.db")
    assert cli("--ledger", path, "ledger", "policy", "set", "strict", "true").returncode == 0
    assert cli("--ledger", path, "reserve", "rack3").returncode != 0


def test_init_makes_the_book(cli, tmp_path):
    folder = tmp_path / "team"
    assert cli("init", str(folder), "--ledger", str(folder / "book.db")).returncode == 0
    assert cli("--ledger", str(folder / "book.db"), "list").stdout == "nothing is reserved\n"
