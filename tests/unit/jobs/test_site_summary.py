"""The morning view of a book: ``list --all-sites``."""

from __future__ import annotations

import json

from bespeak.base import ids
from bespeak.base.clock import SECOND_US
from bespeak.jobs import cli, liveness, store
from bespeak.jobs.liveness import DispatcherRecord, machine, this_process
from bespeak.jobs.schema import LOCK
from bespeak.jobs.site_summary import SiteSummary, summaries
from bespeak.jobs.store import JobSpec
from bespeak.storage.interface import Engine
from support.job_sites import Site

DAY_S = 86_400


def dispatcher(site: str, process: str | None = None) -> DispatcherRecord:
    home = f"{machine()}:/nowhere"
    return DispatcherRecord(f"d-{site}", site, "host", process or this_process(), home, "bespeak runner", 1, 0, 0, 0)


def alive(engine: Engine, *sites: str) -> None:
    for site in sites:
        engine.transact((LOCK,), lambda tx, site=site: liveness.register(tx, dispatcher(site)))


def reserved(engine: Engine, key: str, site: str = "", **fields: object) -> None:
    store.reserve(engine, JobSpec(key, ["/bin/true"], site=site), ids.new_id())
    sets = ", ".join(f"{name} = :{name}" for name in fields)
    if sets:
        sql = f"UPDATE reservations SET {sets} WHERE run_key = :key"
        engine.transact((LOCK,), lambda tx: tx.execute(sql, {**fields, "key": key}))


def ended(engine: Engine, key: str, site: str, outcome: str, ended_us: int, exit_code: int | None = None) -> None:
    reserved(engine, key, site, reservation_status="DISPATCHED", job_id=key, outcome=outcome, ended_us=ended_us,
             exit_code=exit_code)  # fmt: skip


def of(engine: Engine, since_s: int) -> dict[str, SiteSummary]:
    return {each.site: each for each in engine.read(lambda tx: summaries(tx, since_s))}


def test_each_site_is_summed_up(engine: Engine, clock) -> None:
    now_us = clock.us
    since_s = now_us // SECOND_US - DAY_S
    alive(engine, "a", "b")
    for number, outcome in enumerate(("SUCCEEDED", "SUCCEEDED", "FAILED", "TIMED_OUT", "LOST", "CANCELLED")):
        ended(engine, f"a{number}", "a", outcome, now_us - number * SECOND_US, number)
    ended(engine, "old", "a", "FAILED", now_us - 2 * DAY_S * SECOND_US)
    reserved(engine, "runs", "a", reservation_status="DISPATCHED", job_id="runs")
    reserved(engine, "late", "a", reservation_status="EXPIRED", updated_at=now_us // SECOND_US - 60)
    reserved(engine, "soon", "a", next_us=now_us + SECOND_US)
    reserved(engine, "later", "a", next_us=now_us + 60 * SECOND_US)
    ended(engine, "b0", "b", "SUCCEEDED", now_us)
    found = of(engine, since_s)
    assert set(found) == {"a", "b"}
    counts = {name: found["a"].counts[name] for name in ("ran", "failed", "not_started", "lost", "running", "waiting")}
    assert counts == {"ran": 5, "failed": 2, "not_started": 1, "lost": 1, "running": 1, "waiting": 2}
    assert (found["a"].why, found["a"].ok) == ((), False)
    assert found["a"].upcoming == ("soon", now_us + SECOND_US)
    assert found["a"].last_error == ("a2", now_us - 2 * SECOND_US, "FAILED, exit code 2")
    assert found["b"].ok
    assert (found["b"].upcoming, found["b"].last_error) == (None, None)


def test_what_is_wrong_with_dispatching_is_named(engine: Engine, clock) -> None:
    engine.transact((LOCK,), lambda tx: liveness.register(tx, dispatcher("dead", f"another-boot/{this_process()}")))
    reserved(engine, "k1", "none")
    reserved(engine, "k2", "c", reservation_status="START_UNKNOWN", last_error="who knows")
    reserved(engine, "k3", "c", reservation_status="DISPATCHING", owner="nobody")
    reserved(engine, "k4", "c")
    ended(engine, "ancient", "gone", "SUCCEEDED", clock.us - 9 * DAY_S * SECOND_US)
    clock.step(25)
    alive(engine, "c")
    found = of(engine, clock.us // SECOND_US - DAY_S)
    assert set(found) == {"none", "dead", "c"}, "a site of which only history is left is not shown"
    assert found["none"].why == ("no dispatcher", "1 overdue")
    assert found["dead"].why == ("no dispatcher",)
    assert found["c"].why == ("1 overdue", "1 left by dead dispatchers", "1 START_UNKNOWN")
    assert found["c"].counts["lost"] == 1
    assert found["c"].last_error is not None
    assert found["c"].last_error[2] == "START_UNKNOWN: who knows"


def test_a_book_with_nothing_in_it_has_no_dispatcher(engine: Engine) -> None:
    (only,) = engine.read(lambda tx: summaries(tx, 0))
    assert (only.site, only.why, only.ok) == ("", ("no dispatcher",), False)


def test_the_command(any_site: Site, capfd) -> None:
    any_site.reserve("k")
    any_site.reserve("l", "--site", "lab", "--not-before", "+1h")
    words = ["list", "--db", any_site.url, "--all-sites"]
    assert cli.main(words) == 1
    told = json.loads(capfd.readouterr().out)
    assert (told["ok"], [each["site"] for each in told["sites"]]) == (False, ["", "lab"])
    assert told["sites"][1]["next"]["run_key"] == "l"
    first = any_site.run(prog="bespeak job")
    any_site.run("--site", "lab", prog="bespeak job")
    first.await_event("job_ended")
    assert cli.main([*words, "--text"]) == 0
    lines = [line.split() for line in capfd.readouterr().out.splitlines()]
    assert lines[1] == ["-", "alive", "1", "0", "0", "-", "-"]
    assert lines[2][:6] == ["lab", "alive", "0", "0", "0", "l"]
    assert cli.main([*words, "--failed"]) == 0
    assert json.loads(capfd.readouterr().out)["sites"] == []
    assert cli.main([*words, "--limit", "3"]) == 2
    assert "--all-sites takes --since and --failed only" in capfd.readouterr().err
