"""check, release, heartbeat, list, intent, depend, dag, gc, guide: what they say and how they exit."""

import json

import pytest

UNKNOWN = "sha256:" + "0" * 64


@pytest.fixture
def held(run):
    return run("reserve", "src/a.py::C.m", "--run-id", "a", "--json").json["reservation_id"]


def test_check_is_free_or_held_and_writes_nothing(run, repo):
    assert (run("check", "src/a.py").code, run("check", "src/a.py").out) == (0, "✅ Free: 1 address(es)\n")
    assert not (repo / ".git" / "bespeak").exists()
    run("reserve", "src/a.py::C", "--run-id", "a")
    answer = run("check", "src/a.py::C.m", "--run-id", "b")
    assert answer.code == 7
    assert " ⚠️ src/a.py::C.m (is inside src/a.py::C)" in answer.out
    facts = run("check", "src/a.py::C.m", "src/b.py", "--run-id", "b", "--json")
    assert (facts.code, facts.json["free"], facts.json["exit_code"]) == (7, False, 7)
    assert facts.json["addresses"] == ["src/a.py::C.m", "src/b.py"]
    assert [found["run_id"] for found in facts.json["conflict_details"]] == ["a"]
    assert run("check", "src/a.py", "--run-id", "a").code == 0
    assert run("list", "--json").json["count"] == 1


def test_shared_claims_conflict_only_with_exclusive_ones(run):
    run("reserve", "src/a.py", "--run-id", "a", "--shared")
    assert run("reserve", "src/a.py", "--run-id", "b", "--shared", "--json").json["conflicts"] == []
    assert len(run("reserve", "src/a.py", "--run-id", "c", "--json").json["conflicts"]) == 2
    assert run("check", "src/a.py", "--run-id", "d", "--shared", "--json").json["conflict_details"][0]["run_id"] == "c"


def test_release_is_at_once_and_again_is_no_fault(run, held):
    other = run("release", held, "--run-id", "b")
    assert (other.code, "is of run-id 'a', not of 'b'" in other.err) == (1, True)
    short = held[:16]
    answer = run("release", short, "--run-id", "a", "--json")
    assert (answer.code, answer.json["status"], answer.json["reservation_id"]) == (0, "ok", held)
    assert run("check", "src/a.py", "--run-id", "b").code == 0
    again = run("release", held, "--run-id", "a", "--json")
    assert (again.code, again.json["status"]) == (0, "already_released")
    missing = run("release", UNKNOWN, "--run-id", "a", "--json")
    assert (missing.code, missing.json["status"]) == (4, "not_found")
    assert run("release").code == 1
    assert run("release", held, "--mine").code == 1
    assert run("release", "sha256:zz").code == 1
    assert run("release", held[:9]).code == 1


def test_release_mine_leaves_the_others(run, held):
    run("reserve", "src/b.py", "--run-id", "a")
    run("reserve", "src/sub/", "--run-id", "b")
    answer = run("release", "--mine", "--run-id", "a", "--json").json
    assert (answer["status"], answer["count"], len(answer["released"])) == ("ok", 2, 2)
    assert [one["run_id"] for one in run("list", "--json").json["reservations"]] == ["b"]
    assert run("release", "--mine", "--run-id", "a", "--json").json["count"] == 0


def test_heartbeat_fields_and_stop_signal(run, held):
    answer = run("heartbeat", held, "--run-id", "a", "--extension", "7200", "--json")
    facts = answer.json
    assert answer.code == 0
    assert set(facts) == {
        "status", "reservation_id", "run_id", "last_beat_at", "extended_expires_at", "ttl_extended_seconds",
        "duration_ms", "schema_version", "exit_code",
    }  # fmt: skip
    assert (facts["status"], facts["ttl_extended_seconds"]) == ("ok", 7200)
    assert run("heartbeat", held, "--run-id", "a").out.startswith(f"✅ {held}\n Expires: ")
    assert run("heartbeat", held, "--run-id", "b").code == 1
    assert run("heartbeat", held, "--run-id", "a", "--extension", "0").code == 1
    run("release", held, "--run-id", "a")
    stop = run("heartbeat", held, "--run-id", "a", "--json")
    assert (stop.code, stop.json["status"], stop.json["ttl_extended_seconds"]) == (1, "already_released", 0)
    assert run("heartbeat", held, "--run-id", "a").out == f"❌ Stop: {held} was released\n"
    assert run("heartbeat", UNKNOWN, "--run-id", "a").code == 4


def test_list_filters(run, held):
    run("reserve", "lib/", "--run-id", "b")
    assert run("list", "--run-id", "b", "--json").json["count"] == 1
    assert run("list", "--branch", "main", "--json").json["count"] == 2
    assert run("list", "--branch", "other", "--json").json["count"] == 0
    assert run("list", "--address", "src/", "--json").json["reservations"][0]["reservation_id"] == held
    assert run("list", "--address", "lib/**/x.py", "--json").json["reservations"][0]["run_id"] == "b"
    run("release", "--mine", "--run-id", "b")
    assert run("list", "--json").json["count"] == 1
    states = {one["run_id"]: one["state"] for one in run("list", "--all", "--json").json["reservations"]}
    assert states == {"a": "active", "b": "released"}
    run("release", "--mine", "--run-id", "a")
    assert run("list").out == "nothing is claimed\n"


def test_an_intent_ends_with_its_reservation(run, held):
    made = run("intent", "src/a.py::C.m", "--op", "inline", "--run-id", "a", "--reservation-id", held, "--json").json
    assert (made["operation"], made["reservation_id"]) == ("inline", held)
    run("intent", "src/b.py", "--op", "merge", "--run-id", "b", "--detail", "with c.py")
    assert [one["operation"] for one in run("list", "--json").json["intents"]] == ["inline", "merge"]
    assert [one["operation"] for one in run("list", "--address", "src/b.py", "--json").json["intents"]] == ["merge"]
    assert "intent: merge src/b.py by b (with c.py)" in run("list").out
    run("release", held, "--run-id", "a")
    assert [one["operation"] for one in run("list", "--json").json["intents"]] == ["merge"]
    late = run("intent", "src/a.py", "--op", "move", "--run-id", "a", "--reservation-id", held)
    assert (late.code, "there is no active reservation" in late.err) == (1, True)
    assert run("intent", "src/a.py", "--run-id", "a").code == 1
    assert run("intent", "src/a.py", "--op", "explode").code == 1


def test_depend_and_dag(run, held):
    second = run("reserve", "src/b.py", "--run-id", "b", "--json").json["reservation_id"]
    answer = run("depend", second, "--on", held, "--json")
    assert (answer.code, answer.json["depends_on"]) == (0, [held])
    assert run("depend", second[:20], "--on", held).code == 0
    circle = run("depend", held, "--on", second)
    assert (circle.code, "dependency cycle" in circle.err) == (1, True)
    assert run("depend", held, "--on", held).code == 1
    assert run("depend", held, "--on", UNKNOWN).code == 1
    assert run("depend", UNKNOWN, "--on", held).code == 1
    assert run("depend", held).code == 1
    facts = run("dag", "--json").json
    assert [(node["state"], node["wave"], node["blockers"]) for node in facts["nodes"]] == [
        ("ready", 0, []), ("blocked", 1, [held]),
    ]  # fmt: skip
    assert facts["waves"] == [[held], [second]]
    assert [node["reservation_id"] for node in run("dag", "--ready", "--json").json["nodes"]] == [held]
    assert f'"{held}" -> "{second}";' in run("dag", "--dot").out
    assert "n0 --> n1" in run("dag", "--mermaid").out
    assert "waits for" in run("dag").out
    assert run("dag", "--dot", "--mermaid").code == 1
    run("release", held, "--run-id", "a")
    states = {node["run_id"]: node["state"] for node in run("dag", "--json").json["nodes"]}
    assert states == {"a": "satisfied", "b": "ready"}
    run("gc", "--older-than", "0s")
    facts = run("dag", "--json").json
    assert (facts["dangling"], facts["nodes"][0]["state"]) == ([held], "ready")


def test_gc_removes_what_is_over_and_nothing_else(run, held):
    gone = run("reserve", "src/b.py", "--run-id", "b", "--json").json["reservation_id"]
    run("intent", "src/b.py", "--op", "move", "--run-id", "b", "--reservation-id", gone)
    run("depend", gone, "--on", held)
    run("release", gone, "--run-id", "b")
    assert run("gc", "--older-than", "1h", "--json").json["removed"]["reservations"] == 0
    removed = run("gc", "--older-than", "0s", "--json").json["removed"]
    assert (removed["reservations"], removed["intents"], removed["edges"]) == (1, 1, 1)
    assert removed["changes"] >= 5
    assert [one["reservation_id"] for one in run("list", "--all", "--json").json["reservations"]] == [held]
    assert run("gc", "--older-than", "forever").code == 1
    assert (run("gc", "--older-than", "soon").code, run("gc", "--older-than", "-5").code) == (1, 1)


def test_the_guide_names_commands_that_exist(run):
    for words in (["guide"], ["guide", "--agents-md"]):
        text = run(*words).out
        assert "bespeak coord reserve" in text
        assert "BESPEAK_RUN_ID" in text
    assert run("guide", "--agents-md").out.startswith("## ")


def test_json_of_a_failure_is_one_object_on_stderr(run):
    answer = run("release", "-j")
    assert (answer.code, answer.out) == (1, "")
    assert json.loads(answer.err)["exit_code"] == 1
