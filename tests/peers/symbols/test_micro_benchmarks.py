"""Public micro-benchmarks of call graphs: how many of their calls the graph has, and how many it calls certain wrongly.

PyCG's is in the source release of its package. JCG (CATS) and Jelly have theirs in their repositories only, which no
package index gives.
"""

import os

import pytest

from support import peervenv, pycg_benchmark


@pytest.fixture(scope="module")
def pycg(tmp_path_factory):
    kept = os.path.join(peervenv.FOLDER, pycg_benchmark.RELEASE.replace("==", "-"))
    try:
        folders = pycg_benchmark.programs(kept, str(tmp_path_factory.mktemp("pycg")))
    except peervenv.UnobtainableError as error:
        pytest.fail(str(error), pytrace=False)
    return pycg_benchmark.score(folders)


def test_the_benchmark_is_whole(pycg):
    assert len(pycg.true) == 241


def test_of_the_calls_called_certain_nearly_all_are_calls(pycg):
    assert pycg.precision >= 0.98, pycg.told()


def test_the_calls_found_are_no_fewer_than_the_reference_says(pycg):
    """docs/reference/coord.md states the figures."""
    assert pycg.recall >= 0.90, pycg.told()
    assert pycg.certain_recall >= 0.85, pycg.told()
