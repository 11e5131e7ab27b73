"""The published orchesjob-reserver 0.1.2 beside ours on the same inputs.

The same JSON but for ids and times, and these documented corrections: ``metadata`` is ``null`` instead of a key
``metadata_json``; every ``*_iso`` is there, ``null`` when its time is; an ``--orchesjob-start-option`` in two words is
taken. Ours adds ``attempts``, ``dispatcher``, ``same_request`` and ``warning``. The wording of errors is ours; their exit codes and the
one JSON object on standard error are the same, except that theirs prints usage errors as argparse does.
"""

import json
import os
import subprocess

import pytest

VOLATILE = ("reservation_id", "created_at", "updated_at", "dispatched_at")


class Program:
    """One of the two, with a home of its own and the same stub as runner."""

    def __init__(self, words, home, runner, calls) -> None:
        self.words = words
        self.environ = os.environ | {"ORCHESJOB_HOME": home, "ORCHESJOB_BIN": runner, "STUB_LOG": calls}
        self.calls = calls

    def __call__(self, *args: str):
        return subprocess.run([*self.words, *args], capture_output=True, text=True, check=False, env=self.environ)

    def dispatch(self) -> list[dict]:
        with subprocess.Popen(
            [*self.words, "run", "--poll-interval", "0.1"], stdout=subprocess.PIPE, text=True, env=self.environ
        ) as running:
            events = []
            while not any(event["event"] in ("dispatch_succeeded", "dispatch_failed") for event in events):
                events.append(json.loads(running.stdout.readline()))
            running.terminate()
            events += [json.loads(line) for line in running.stdout]
            assert running.wait(60) == 0
        return events


def plain(value, *, ours: bool):
    """Return a value as both have it: without what is volatile, corrected or added."""
    if isinstance(value, list):
        return [plain(item, ours=ours) for item in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, item in value.items():
        base = name.removesuffix("_iso")
        if base in VOLATILE or (name.endswith("_iso") and item is None):
            continue
        if ours and name in ("attempts", "dispatcher", "same_request", "warning"):
            continue
        if name == "metadata_json" and not ours:
            found["metadata"] = item
            continue
        found[name] = plain(item, ours=ours)
    return found


@pytest.fixture
def both(site, published, tmp_path):
    from support.job_sites import command

    made = []
    for name, words in (("theirs", [published.program("orchesjob-reserver")]), ("ours", command())):
        made.append(Program(words, str(tmp_path / name), site.runner, str(tmp_path / f"{name}-calls")))
    return made


CALLS = [
    ["reserve", "--run-key", "a", "--not-before", "2030-01-01", "--metadata-json", '{"ü": [1, null]}', "--", "/bin/echo", "hi", "--", "x"],
    ["reserve", "--run-key", "a", "--", "/bin/false"],
    ["reserve", "--run-key", "b", "--orchesjob-start-option=--strict", "/bin/echo", "--foo"],
    ["reserve", "--run-key", "c", "--not-before", "1893456000", "--expires-at", "2031-01-01T00:00:00.9+09:00", "--", "/bin/true"],
    ["status", "--run-key", "a"],
    ["status", "--run-key", "nobody"],
    ["result", "--run-key", "a"],
    ["cancel", "--run-key", "c"],
    ["cancel", "--run-key", "c"],
    ["list", "--status", "CANCELLED"],
    ["list", "--limit", "0"],
    ["list", "--limit=-1", "--status", "RESERVED"],
    ["clean"],
    ["clean", "--all", "--dry-run"],
    ["clean", "--job-id", "nobody"],
    ["clean", "--job-id", "x", "--all"],
    ["clean", "--all"],
    ["reserve", "--run-key", "d", "--metadata-json", "[1]", "--", "a"],
    ["reserve", "--run-key", "d", "--metadata-json", "{", "--", "a"],
    ["reserve", "--run-key", "d", "--not-before", "soon", "--", "a"],
    ["reserve", "--run-key", "d"],
    ["reserve", "--", "a"],
    ["status"],
    ["list", "--status", "FOO"],
    ["frobnicate"],
    [],
]  # fmt: skip


def by_key(value):
    """Order the list: the original leaves the order of rows of one second open."""
    if isinstance(value, dict) and isinstance(value.get("reservations"), list):
        value["reservations"].sort(key=lambda item: item["run_key"])
    return value


def test_the_same_answers(both) -> None:
    theirs, ours = both
    for words in CALLS:
        a, b = theirs(*words), ours(*words)
        assert a.returncode == b.returncode, (words, a.stderr, b.stderr)
        if a.stdout:
            assert by_key(plain(json.loads(a.stdout), ours=False)) == by_key(plain(json.loads(b.stdout), ours=True)), (
                words
            )
        if a.stderr.startswith("{"):
            assert set(json.loads(b.stderr)) >= set(json.loads(a.stderr)), words


@pytest.mark.parametrize("runner", ["stub", "missing"])
def test_the_same_dispatch(both, site, runner) -> None:
    found = []
    for program in both:
        if runner == "missing":
            program.environ["ORCHESJOB_BIN"] = "/nonexistent"
        program("reserve", "--run-key", "k", "--orchesjob-start-option=--strict", "--", "/bin/echo", "1")
        events = program.dispatch()
        names = [event["event"] for event in events if event["event"] != "reservation_accepted"]
        calls = ""
        if os.path.exists(program.calls):
            with open(program.calls) as file:
                calls = file.read()
        call = next(event for event in events if event["event"] == "orchesjob_start_call")
        state = json.loads(program("status", "--run-key", "k").stdout)["reservation"]["reservation_status"]
        found.append((names, calls, call["command"], call["run_key"], state))
        for event in events:
            assert {"event", "ts", "ts_epoch"} <= set(event)
    assert found[0] == found[1]


def test_every_field_of_an_event_is_in_ours(both) -> None:
    seen = []
    for program in both:
        program("reserve", "--run-key", "late", "--expires-at", "1000", "--", "/bin/echo", "1")
        program("reserve", "--run-key", "k", "--", "/bin/echo", "1")
        fields: dict[str, set] = {}
        for event in program.dispatch():
            fields.setdefault(event["event"], set()).update(event)
        seen.append(fields)
    for name, fields in seen[0].items():
        if name == "reservation_accepted" and name not in seen[1]:
            continue  # theirs also tells of what was made in the second of its start
        assert fields <= seen[1][name], name


def test_a_database_that_it_wrote_opens_with_nothing_lost(both) -> None:
    theirs, ours = both
    for number in range(7):
        theirs("reserve", "--run-key", f"k{number}", "--metadata-json", f'{{"n": {number}}}', "--", "/bin/echo", "é")
    theirs("cancel", "--run-key", "k3")
    theirs.dispatch()
    before = json.loads(theirs("list", "--limit", "-1").stdout)
    ours.environ["ORCHESJOB_HOME"] = theirs.environ["ORCHESJOB_HOME"]
    after = json.loads(ours("list", "--limit", "-1").stdout)
    volatile = {item["run_key"]: item["reservation_id"] for item in before["reservations"]}
    assert volatile == {item["run_key"]: item["reservation_id"] for item in after["reservations"]}
    assert by_key(plain(before, ours=False)) == by_key(plain(after, ours=True))
    ours.dispatch()
