"""Says what a long command does and how long it takes, and runs it: ``timed.py NAME WHAT ESTIMATE COMMAND...``.

How long it took is kept in ``.cache``, so the next run says how long it took here.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

KEPT = Path(__file__).resolve().parent.parent / ".cache" / "durations"


def spoken(seconds: float) -> str:
    """Return a duration as one says it."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def main(name: str, what: str, estimate: str, command: list[str]) -> int:
    """Run a command; return its exit code."""
    kept = KEPT / name
    expected = f"last time here {spoken(float(kept.read_text()))}" if kept.exists() else estimate
    print(f"{name}: {what}; {expected}", flush=True)
    begin = time.monotonic()
    code = subprocess.run(command, check=False).returncode
    if code == 0:
        KEPT.mkdir(parents=True, exist_ok=True)
        kept.write_text(str(time.monotonic() - begin))
    return code


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]))
    except KeyboardInterrupt:
        sys.exit(130)
