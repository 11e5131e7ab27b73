"""Merges generated from real code: git's conflicts are all there, clean means clean, what was planted is found.

`make bench` does the same with thousands.
"""

from collections import Counter

import pytest

from support.mergehistories import Histories, write
from support.mergejudge import Judge


@pytest.mark.parametrize(("package", "count"), [("click", 25), ("packaging", 25), ("jinja2", 25)])
def test_generated_merges(package, count, tmp_path):
    histories = Histories(package, seed=1)
    cases = write(str(tmp_path / "repo"), histories.sources, histories.cases(count))
    with Judge(str(tmp_path / "repo")) as judge:
        found = [judge.judge(case) for case in cases]
    assert [one for one in found if one.missed_files or one.wrong_verdict] == []
    assert [one for one in found if one.planted and not one.found] == []
    assert [one.claimed_wrongly for one in found if one.claimed_wrongly] == []
    labels = Counter(case.label for case in cases)
    assert sum(one.conflicted for one in found) >= 1
    assert len(labels) > 6
