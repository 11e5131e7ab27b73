"""Backends of PostgreSQL are killed with -9 under load: what was acknowledged is there, what was refused is not.

``BESPEAK_BACKEND_KILL_SECONDS`` sets for how long; the suite's time is short, five minutes are the ones to believe.
"""

import json
import os
import subprocess
import sys

import pytest

from support import pgserver

ATTACK = [sys.executable, pgserver.__file__.replace("pgserver.py", "backendkills.py")]
SECONDS = float(os.environ.get("BESPEAK_BACKEND_KILL_SECONDS", "10"))


@pytest.mark.timeout(300 + 2 * SECONDS)
def test_nothing_acknowledged_is_missing_and_nothing_refused_is_there():
    ran = subprocess.run([*ATTACK, f"{SECONDS:g}"], check=False, capture_output=True, text=True)
    print(ran.stdout)
    assert ran.stdout, ran.stderr[-3000:]
    seen = json.loads(ran.stdout)
    assert seen["acknowledged_and_missing"] == []
    assert seen["not_made_and_present"] == []
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert seen["kills"] > 0
    for kind in ("ledger made", "ledger ended", "claims made", "claims ended", "jobs made", "jobs ended"):
        assert seen["counts"][f"acknowledged: {kind}"] > 0
