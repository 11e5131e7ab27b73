"""The benchmarks can be listed and loaded, and their arithmetic is right; no test asks how fast anything is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))

from harness import stats
from harness.lines import Bar, Line, Verdict, number, table
from support.repositories import git

BENCH = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=BENCH, capture_output=True, text=True, check=False)


def test_the_groups_can_be_listed() -> None:
    done = subprocess.run(
        [sys.executable, os.path.join(BENCH, "run.py"), "--list"], capture_output=True, text=True, check=True
    )
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert {"gate", "book", "clients", "handover", "forecast", "json", "cli"} <= set(names)


def test_every_group_has_a_module_that_can_be_loaded() -> None:
    done = run(
        "import run\nfrom importlib import import_module\n"
        "for module, _ in run.GROUPS.values(): assert callable(import_module(module).measure), module"
    )
    assert done.returncode == 0, done.stderr


def test_a_group_that_is_not_there_is_refused_with_the_names_there_are() -> None:
    done = subprocess.run(
        [sys.executable, os.path.join(BENCH, "run.py"), "--only", "gaet"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "there is no group 'gaet'; known: gate," in done.stderr


def test_percentiles_are_nearest_rank() -> None:
    kept = stats.summary([float(value) for value in range(1, 101)])
    assert (kept.p50, kept.p90, kept.p99, kept.least, kept.most, kept.count) == (50.5, 90.0, 99.0, 1.0, 100.0, 100)
    assert stats.summary([3.0]).p99 == 3.0


def test_things_are_measured_in_turn_and_the_warming_is_dropped() -> None:
    order: list[str] = []

    def thing(name: str) -> float:
        order.append(name)
        return float(len(order))

    taken = stats.in_turn({"a": lambda: thing("a"), "b": lambda: thing("b")}, rounds=2, warm=1)
    assert order == ["a", "b"] * 3
    assert taken == {"a": [3.0, 5.0], "b": [4.0, 6.0]}


@pytest.mark.parametrize(
    ("line", "ratio", "verdict"),
    [
        (Line("x", 10.0, "ms", "peer", 80.0, bar=Bar(8, at_least=True, of_ratio=True)), 8.0, Verdict.MEETS),
        (Line("x", 11.0, "ms", "peer", 80.0, bar=Bar(8, at_least=True, of_ratio=True)), 80 / 11, Verdict.SHORT),
        (Line("x", 30.0, "ms", "bare", 10.0, "slower", Bar(2.5, of_ratio=True)), 3.0, Verdict.SHORT),
        (Line("x", 0.9, "ms", bar=Bar(1, unit="ms")), None, Verdict.MEETS),
        (Line("x", 900.0, "1/s", bar=Bar(1500, at_least=True, unit="1/s")), None, Verdict.SHORT),
        (Line("x", 900.0, "1/s", "peer", 90.0, "more"), 10.0, Verdict.NO_BAR),
        (Line("x", None, "ms", bar=Bar(1, unit="ms")), None, Verdict.FAILED),
    ],
)
def test_a_line_says_its_ratio_and_its_verdict(line: Line, ratio: float | None, verdict: Verdict) -> None:
    assert line.ratio == (None if ratio is None else pytest.approx(ratio))
    assert line.verdict is verdict


def test_results_go_between_the_marks_of_a_document(tmp_path: Path) -> None:
    done = run(
        f"import run\npath = {str(tmp_path / 'page.md')!r}\n"
        "open(path, 'w').write(f'# Before\\n{run.START}\\nold\\n{run.END}\\nafter\\n')\n"
        "run._write_into(path, run.Run('test run', ['a machine']))"
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.md").read_text()
    assert page.startswith("# Before\n<!-- results")
    assert page.endswith("<!-- to here -->\nafter\n")
    assert "- a machine" in page
    assert "old" not in page.replace("older", "")


def test_a_table_lines_up() -> None:
    rows = table([Line("short", 1.0, "ms"), Line("much longer", 1234.5, "ms", "peer", 0.5)]).splitlines()
    assert len({len(row) for row in rows}) == 1
    assert number(1234.5) == "1,234"
    assert number(0.034) == "0.034"


def test_planted_conflicts_are_told_and_their_twins_are_not(tmp_path: Path) -> None:
    """One language of the group ``plans``, on the few files that are enough."""
    code = (
        "import sys\nfrom harness.planted import Planter\nfrom harness.planted_judge import Score, judge\n"
        "from harness.real_code import CodeTree\n"
        "tree = CodeTree(sys.argv[2], 'go')\ncases = list(Planter(tree, 1).cases(1))[:6]\n"
        "answers = list(judge(sys.argv[1], tree, cases))\nscore = Score.of(answers)\n"
        "print(len({one.kind for one in answers}), score.planted, score.found, score.false)\n"
    )
    clone = tmp_path / "clone"
    shutil.copytree(Path(BENCH).parent / "tests" / "corpus" / "go", clone)
    git(clone, "init", "-q")
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "code")
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "repo"), str(clone)],
        cwd=BENCH,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kinds, planted, found, false = (int(word) for word in done.stdout.split())
    assert kinds >= 4
    assert planted == 2 * kinds
    assert (found > planted // 3, false) == (True, 0)


def test_clones_behind_links_are_found_and_a_folder_without_any_is_refused(tmp_path: Path) -> None:
    clone, links = tmp_path / "clones" / "one", tmp_path / "links"
    (clone / ".git").mkdir(parents=True)
    links.mkdir()
    code = f"from rows.plans import clones_in; print(clones_in({str(links)!r}))"
    nothing = run(code)
    assert (nothing.returncode, nothing.stderr) == (1, f"--repos {links}: no clone in it\n")
    (links / "one").symlink_to(clone)
    assert run(code).stdout == f"['{links}/one']\n"
