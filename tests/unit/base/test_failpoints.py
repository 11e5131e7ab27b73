"""A process dies at the named point at the given time, and nowhere otherwise."""

import subprocess
import sys

import pytest

LOOP = "from bespeak.base.failpoints import reach\nfor n in range(4):\n    print(n, flush=True)\n    reach('loop')\n    reach('other')"


@pytest.mark.parametrize(
    ("where", "printed", "code"),
    [
        ("", "0123", 0),
        ("nowhere", "0123", 0),
        ("loop", "0", -9),
        ("loop:1", "0", -9),
        ("loop:3", "012", -9),
        ("loop:9", "0123", 0),
        ("loop:x", "0", -9),
        ("loo", "0123", 0),
    ],
)
def test_where_a_process_dies(monkeypatch, where, printed, code):
    monkeypatch.setenv("BESPEAK_CRASH_AT", where)
    ran = subprocess.run([sys.executable, "-c", LOOP], check=False, capture_output=True, text=True)
    assert (ran.stdout.split(), ran.returncode) == (list(printed), code)
