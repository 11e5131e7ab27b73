"""The forecast as agents get it: on a real repository, with claims on both engines."""

import itertools
import json
import os
import re
import subprocess
import sys

import pytest

from bespeak.coord.errors import ClaimError
from bespeak.coord.forecast import address_groups, overlaps
from bespeak.coord.forecast.model import ClaimedAddress, ForecastKind, Scope
from bespeak.coord.forecast.operation_conflicts import why
from bespeak.coord.forecast.predict import RevisionView, predict
from bespeak.coord.forecast.serialize import forecast_json
from bespeak.coord.service import Coord
from bespeak.git.repository import find
from bespeak.storage import open_engine
from support.engines import on_databases
from support.repositories import git

SHOP = {
    "shop/money.py": "def total(items):\n    return sum(items)\n\n\ndef round_up(x):\n    return x\n",
    "shop/invoice.py": "from shop.money import total\n\n\nclass Invoice:\n    def due(self):\n        return total(self.items)\n",
    "shop/mail.py": "from shop.invoice import Invoice\n\n\ndef send(items):\n    return Invoice().due()\n",
    "shop/night.py": "from shop import mail\n\n\ndef run():\n    mail.send([])\n",
    "README.md": "# Shop\n",
}


@pytest.fixture
def shop(repo):
    """A program of four files in which everything leads to one function."""
    for name, text in SHOP.items():
        (repo / name).parent.mkdir(exist_ok=True)
        (repo / name).write_text(text)
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "shop")
    return repo


def kinds(forecast):
    return {kind: count for kind, count in forecast.counts.items() if count}


def blasts(forecast):
    return {
        (one.address, one.other_address): len(one.chain)
        for one in forecast.conflicts
        if one.kind == "blast_radius_overlap"
    }


def test_a_caller_of_what_another_run_changes_is_named_with_the_way_there(shop, coord):
    coord.reserve(["shop/money.py::total"], run_id="a", operation="rename")
    coord.reserve(["shop/mail.py::send"], run_id="b")
    found = coord.forecast()
    assert kinds(found) == {"blast_radius_overlap": 1}
    assert not found.partial
    assert found.commit == git(shop, "rev-parse", "HEAD")
    (one,) = found.conflicts
    assert (one.address, one.other_address, one.relation, one.pairs) == (
        "shop/money.py::total", "shop/mail.py::send", "called", 1,
    )  # fmt: skip
    assert [(edge.caller, edge.callee, edge.line) for edge in one.chain] == [
        ("shop/mail.py::send", "shop/invoice.py::Invoice.due", 5),
        ("shop/invoice.py::Invoice.due", "shop/money.py::total", 6),
    ]
    assert one.why == (
        "shop/money.py::total is called by shop/invoice.py::Invoice.due, which is called by shop/mail.py::send"
    )
    assert [claim.run_id for claim in one.claims] == ["a", "b"]
    assert 0.3 < one.confidence < 0.8**2


def test_the_farther_the_less_sure_and_no_farther_than_asked_for(shop, coord):
    coord.reserve(["shop/money.py"], run_id="a")
    for number, name in enumerate(("invoice.py::Invoice", "mail.py", "night.py")):
        coord.reserve([f"shop/{name}"], run_id=f"b{number}")
    whole = [one for one in coord.forecast(min_confidence=0).conflicts if one.address == "shop/money.py"]
    assert [len(one.chain) for one in whole] == [1, 2, 3]
    assert whole[0].confidence > whole[1].confidence > whole[2].confidence
    for depth in range(4):
        found = blasts(coord.forecast(depth=depth, min_confidence=0))
        assert [count for (changed, _), count in found.items() if changed == "shop/money.py"] == [1, 2, 3][:depth]
    sure = whole[1].confidence
    kept = coord.forecast(min_confidence=sure).conflicts
    assert [one.confidence for one in kept if one.address == "shop/money.py"] == [whole[0].confidence, sure]


@pytest.mark.parametrize("held", ["shop/mail.py", "shop/ma*.py", "shop/mail.py::send"])
def test_folders_files_and_patterns_hold_their_symbols(shop, coord, held):
    coord.reserve(["shop/invoice.py::Invoice"], run_id="a")
    coord.reserve([held], run_id="b")
    assert blasts(coord.forecast()) == {("shop/invoice.py::Invoice", held): 1}


def test_nothing_is_told_of_one_run_or_of_what_is_shared_or_over(shop, coord, clock):
    coord.reserve(["shop/money.py::total"], run_id="a", shared=True, ttl_seconds=10)
    coord.reserve(["shop/money.py", "shop/mail.py"], run_id="a")
    assert coord.forecast().total == 0
    coord.reserve(["shop/money.py::total"], run_id="b", shared=True, ttl_seconds=10)
    found = coord.forecast()
    assert [(one.address, one.other_address) for one in found.conflicts if one.kind == "address_overlap"] == [
        ("shop/money.py::total", "shop/money.py")
    ]
    clock.forward(10)
    assert coord.forecast().total == 0
    assert coord.forecast().claims == 2


def test_an_intent_counts_until_it_ends(shop, coord, clock):
    held = coord.reserve(["shop/money.py"], run_id="a", operation="modify", ttl_seconds=100).reservation
    coord.intend(["shop/money.py::total"], "delete", run_id="b", ttl_seconds=10)
    own = coord.reserve(["shop/night.py"], run_id="c").reservation
    coord.intend(["shop/*.py::round_up"], "rename", run_id="c", reservation_id=own.id)
    found = coord.forecast(depth=0)
    assert (found.claims, found.intents) == (2, 2)
    assert [(one.address, one.other_address, one.operations) for one in found.conflicts] == [
        ("shop/*.py::round_up", "shop/money.py", ("rename", "modify")),
        ("shop/money.py::total", "shop/money.py", ("delete", "modify")),
    ]
    assert {one.confidence for one in found.conflicts} == {0.9}
    clock.forward(10)
    assert [one.operations for one in coord.forecast(depth=0).conflicts] == [("rename", "modify")]
    coord.release(own.id, run_id="c")
    assert coord.forecast(depth=0).total == 0
    coord.release(held.id, run_id="a")
    assert (coord.forecast().claims, coord.forecast().intents) == (0, 0)


def test_what_nobody_named_are_strangers(shop, coord):
    coord.reserve(["shop/money.py"], run_id="unknown")
    coord.reserve(["shop/money.py::total", "shop/"], run_id="unknown")
    found = coord.forecast(depth=0)
    assert [(one.address, one.other_address, one.pairs) for one in found.conflicts] == [
        ("shop/money.py", "shop/", 1), ("shop/money.py::total", "shop/money.py", 1),
    ]  # fmt: skip


def test_one_run_or_one_branch_is_asked_for(shop, coord):
    coord.reserve(["shop/money.py"], run_id="a")
    git(shop, "switch", "-q", "-c", "side")
    coord.reserve(["shop/money.py::total"], run_id="b")
    coord.reserve(["shop/money.py"], run_id="c")
    git(shop, "switch", "-q", "main")
    every = {(one.address, one.other_address): one.pairs for one in coord.forecast(depth=0).conflicts}
    assert every == {("shop/money.py", "shop/money.py"): 1, ("shop/money.py::total", "shop/money.py"): 2}
    for_b = coord.forecast(depth=0, run_id="b").conflicts
    assert [(one.address, one.pairs) for one in for_b] == [("shop/money.py::total", 2)]
    on_main = {(one.address, one.other_address): one.pairs for one in coord.forecast(depth=0, branch="main").conflicts}
    assert on_main == {("shop/money.py", "shop/money.py"): 1, ("shop/money.py::total", "shop/money.py"): 1}
    assert coord.forecast(branch="none").total == 0


@on_databases
def test_the_order_does_not_depend_on_that_of_the_claims(shop, fresh_book, clock):
    places = ["shop/money.py::total", "shop/", "shop/*.py", "shop/mail.py", "shop/invoice.py::Invoice.due", "README.md"]
    told = []
    for order in (places, places[::-1], [*places[3:], *places[:3]]):
        url = fresh_book()
        from bespeak.coord.schema import COORD

        coord = Coord(find(str(shop)), open_engine(url, [COORD], now=clock), "r")
        for place in order:
            coord.reserve([place], run_id=f"run of {place}")
        body = forecast_json(coord.forecast())
        told.append(re.sub(r"sha256:[0-9a-f]{64}", "ID", json.dumps(body)))
        coord.close()
    assert told[0] == told[1] == told[2]
    assert json.loads(told[0])["total"] > 8


def test_a_revision_or_the_work_tree_is_looked_at(shop, coord):
    coord.reserve(["shop/money.py::total"], run_id="a")
    coord.reserve(["shop/new.py"], run_id="b")
    found = coord.forecast()
    assert (found.total, found.unknown) == (0, ("shop/new.py",))
    assert not found.partial  # it is yet to be written
    (shop / "shop" / "new.py").write_text("from shop.money import total\n\n\ndef twice(x):\n    return total([x, x])\n")
    seen = coord.forecast(worktree=True)
    assert blasts(seen) == {("shop/money.py::total", "shop/new.py"): 1}
    assert (seen.commit, seen.partial) == (None, False)
    git(shop, "add", ".")
    git(shop, "commit", "-qm", "new")
    assert blasts(coord.forecast()) == blasts(coord.forecast(rev="main")) == blasts(seen)
    assert blasts(coord.forecast(rev="HEAD~1")) == {}
    with pytest.raises(ClaimError, match="no such revision: nowhere"):
        coord.forecast(rev="nowhere")


def test_what_could_not_be_seen_is_said(shop, coord):
    (shop / "shop" / "broken.py").write_text("def f(:\n    pass\n\n\ndef g():\n    pass\n")
    git(shop, "add", ".")
    git(shop, "commit", "-qm", "broken")
    coord.reserve(["shop/money.py::totl", "shop/gone.py", "README.md", "shop/broken.py::g", "docs/"], run_id="a")
    found = coord.forecast()
    assert found.unknown == ("shop/gone.py", "shop/money.py::totl")
    assert [(one.path, one.line) for one in found.unread] == [("shop/broken.py", 1)]
    body = forecast_json(found)
    assert body["partial_forecast"] is True
    assert (body["unknown_total"], body["unread_total"]) == (2, 1)
    assert len(body["partial_reasons"]) == 2
    (reason,) = [one for one in body["partial_reasons"] if "name nothing" in one]
    assert reason.startswith("1 claimed address(es)")
    assert reason.endswith("; the nearest to shop/money.py::totl is shop/money.py::total")


def test_where_the_renamed_thing_is_gone_there_is_no_green_tick(shop, run):
    run("reserve", "shop/money.py::total", "--op", "rename", "--run-id", "a")
    assert "✅ No conflict predicted" in run("forecast").out
    money = shop / "shop" / "money.py"
    money.write_text(money.read_text().replace("def total", "def grand_total"))
    told = run("forecast", "--worktree").out
    assert "✅" not in told
    assert "⚠️ No conflict seen among 1 claim(s)" in told
    assert "the nearest to shop/money.py::total is shop/money.py::grand_total" in told
    git(shop, "mv", "shop/money.py", "shop/moneys.py")
    run("release", "--mine", "--run-id", "a")
    run("reserve", "shop/money.py", "--op", "move", "--run-id", "a")
    moved = run("forecast", "--worktree").out
    assert "✅" not in moved
    assert "the nearest to shop/money.py is shop/moneys.py" in moved


def test_a_file_that_is_yet_to_be_written_makes_nothing_partial(shop, run):
    run("reserve", "shop/new.py", "shop/other.py::f", "--run-id", "a")
    told = run("forecast").out
    assert "✅ No conflict predicted" in told
    assert "partial" not in told
    assert "not there yet: shop/new.py" in told


def test_without_a_commit_overlaps_are_told(repo, coord):
    coord.reserve(["src/a.py"], run_id="a")
    coord.reserve(["src/a.py::f"], run_id="b")
    found = coord.forecast()
    assert kinds(found) == {"address_overlap": 1}
    assert found.reasons == ("the repository has no commit: callers are not known",)
    assert coord.forecast(depth=0).partial is False
    with pytest.raises(ClaimError, match="no such revision"):
        coord.forecast(rev="HEAD")
    assert coord.forecast(worktree=True).partial  # there is no f in src/a.py
    assert coord.forecast(worktree=True).unknown == ("src/a.py::f",)


def test_without_the_extra_overlaps_are_told(shop, run):
    run("reserve", "shop/money.py", "--run-id", "a")
    run("reserve", "shop/money.py::total", "--run-id", "b")
    program = (
        "import sys; sys.modules['tree_sitter'] = None\n"
        "from bespeak.cli.main import main; raise SystemExit(main(['coord', 'forecast', '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert body["counts"]["address_overlap"] == 1
    assert body["partial_forecast"] is True
    assert "pip install '.[symbols]'" in body["partial_reasons"][0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--depth", "21"], "Invalid --depth"),
        (["--depth", "-1"], "Invalid --depth"),
        (["--min-confidence", "1.5"], "Invalid --min-confidence"),
        (["--min-confidence", "nan"], "Invalid --min-confidence"),
        (["--min-confidence", "\x1b[31m"], "Invalid --min-confidence: '\\x1b[31m'"),
        (["--limit", "-1"], "Invalid --limit"),
        (["--fail-on", "all"], "Invalid --fail-on: 'all'; choose one of: any, address_overlap"),
        (["--rev", "x", "--worktree"], "Choose one of --rev and --worktree"),
        (["--rev", ""], "no such revision"),
        (["--dot", "--mermaid"], "Choose one of"),
        (["--run-id", "a\0b"], "Invalid --run-id"),
    ],
)
def test_a_mistake_is_one_line(shop, run, words, said):
    run("reserve", "shop/money.py", "--run-id", "a")
    answer = run("forecast", *words)
    assert (answer.code, answer.out) == (1, "")
    assert said in answer.err
    assert answer.err.count("\n") == 1


def test_the_exit_code_is_0_unless_asked_otherwise(shop, run):
    run("reserve", "shop/money.py::total", "--run-id", "a")
    run("reserve", "shop/invoice.py", "--run-id", "b")
    assert run("forecast").code == 0
    assert run("forecast", "--fail-on", "address_overlap", "--fail-on", "operation_conflict").code == 0
    for kind in ("any", "blast_radius_overlap"):
        answer = run("forecast", "--fail-on", kind, "--json")
        assert (answer.code, answer.json["exit_code"]) == (7, 7)
    assert run("forecast", "--fail-on", "any", "--min-confidence", "0.95").code == 0
    assert run("forecast", "--fail-on", "any", "--run-id", "c").code == 0


def test_what_people_read(shop, run):
    assert run("forecast").out == "✅ No conflict predicted among 0 claim(s) and 0 intent(s)\n"
    run("reserve", "shop/money.py::total", "--run-id", "a", "--op", "rename")
    run("reserve", "shop/invoice.py", "--run-id", "b")
    lines = run("forecast").out.splitlines()
    assert lines[0] == " ⚠️ blast_radius_overlap (0.78) shop/money.py::total affects shop/invoice.py"
    assert lines[1] == "    shop/money.py::total is called by shop/invoice.py::Invoice.due"
    assert lines[2] == "    shop/invoice.py:6: shop/invoice.py::Invoice.due calls shop/money.py::total"
    assert lines[3].startswith("    'a' on main holds rename shop/money.py::total until 20")
    assert lines[-1] == "⚠️ 1 conflict(s) predicted: 1 blast_radius_overlap"
    assert run("forecast", "--mermaid").out.startswith('graph LR\n  n0["shop/money.py::total (a)"]\n')
    assert 'n0 -> n1 [label="blast_radius_overlap 0.78"];' in run("forecast", "--dot").out


@pytest.mark.parametrize("words", [[], ["--json"], ["--dot"], ["--mermaid"]])
def test_terminal_escapes_are_never_printed_raw(shop, run, words):
    evil = 'shop/\x1b]0;x\x07"><script>\n.py'
    (shop / evil).write_text("from shop.money import total\n\n\ndef f():\n    total([])\n")
    git(shop, "add", ".")
    git(shop, "commit", "-qm", "evil")
    run("reserve", "shop/money.py", "--run-id", "a\x1b[2J")
    run("reserve", f":/{evil}", "--run-id", "b\nc")
    run("intent", f":/{evil}::g\x1b[1m", "--op", "delete", "--run-id", "d")
    answer = run("forecast", *words)
    assert answer.code == 0, answer.err
    assert not {"\x1b", "\x07"} & {*answer.out, *answer.err}
    assert "script" in answer.out
    if words == ["--mermaid"]:
        assert '"><' not in answer.out


def claims_on(*places, run=None):
    return [
        ClaimedAddress("/".join(text.removesuffix("/").partition("::")[::2]).rstrip("/"), text, glob, name, name, "main", None, False, 9, f"r{number}")
        for number, (text, glob) in enumerate(places)
        for name in (run or f"run{number}",)
    ]  # fmt: skip


def test_a_crowd_on_one_place_is_one_conflict_with_a_count():
    found = predict(claims_on(*[("src/a.py", False)] * 3_000), Scope(), RevisionView())
    (one,) = found.conflicts
    assert (one.pairs, one.claims_total, len(one.claims)) == (3_000 * 2_999 // 2, 3_000, 10)
    assert kinds(found) == {"address_overlap": 1}


def test_claims_are_never_compared_each_with_each(monkeypatch):
    """Ten times the claims cost about ten times the steps, whatever they are on."""
    counted = []
    monkeypatch.setattr(overlaps.globs, "relation", lambda *_: counted.append(1))
    for make in (
        lambda n: [(f"src/m{number}.py", False) for number in range(n)] + [("src/", False)],
        lambda n: [(f"src/m{number}.py::f", False) for number in range(n)] + [("src/*.py", True)] * n,
        lambda n: [("src/**/x.py", True)] * n + [("src/**", True)] * n,
    ):
        steps = []
        for size in (30, 300):
            budget = overlaps.Budget()
            list(overlaps.pairs(address_groups.gather(claims_on(*make(size)), None), budget))
            steps.append(overlaps.STEPS - budget.left)
        assert steps[1] <= 11 * steps[0]
    assert len(counted) <= 10


def test_what_is_too_much_is_left_out_and_said():
    words = ["".join(chars) for chars in itertools.product("abc", repeat=7)][:1500]
    patterns = [(f"*{word}*", True) for word in words]
    found = predict(claims_on(*patterns), Scope(), RevisionView())
    assert found.partial
    assert "too many overlapping" in found.reasons[0]
    assert found.counts["address_overlap"] > 5_000
    again = predict(claims_on(*patterns), Scope(), RevisionView())
    assert again == found


def test_the_documented_table_is_the_one_that_decides(request):
    page = (request.config.rootpath / "docs/reference/coord.md").read_text()
    head, _, *rows = page[page.index("| | delete |") :].partition("\n\n")[0].splitlines()
    names = [cell.strip() for cell in head.split("|")[2:-1]]
    assert names[-1] == "-"
    for row in rows:
        one, *cells = (cell.strip() for cell in row.split("|")[1:-1])
        for two, cell in zip(names, cells, strict=True):
            stated = [None if name == "-" else name for name in (one, two)]
            assert bool(why(*stated)) == (cell == "x"), (one, two)
    assert {kind for kind in ForecastKind if f"`{kind}`" in page} == set(ForecastKind)
