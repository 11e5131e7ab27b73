"""What a start of the embedded runner costs, beside posix_spawn and the published orchesjob.

python bench/runner_start.py [--quick]
"""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness.bench import Bench
from harness.lines import table
from rows import runner


def main() -> int:
    """Measure and print."""
    bench = Bench(quick="--quick" in sys.argv[1:])
    try:
        print(table(list(runner.measure(bench))))
    finally:
        bench.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
