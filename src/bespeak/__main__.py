"""Start the command line: ``bespeak`` and ``python -m bespeak``."""

from __future__ import annotations

import atexit
import os
import sys

from bespeak.cli import main as cli


def main() -> None:
    """Run the command line of this process and end the process.

    Taking the interpreter down in order costs milliseconds of every command. Everything is closed and flushed by then,
    so where nobody has asked to be called at the end and no thread runs, the process just ends.
    """
    code = cli.main()
    nobody_waits = getattr(atexit, "_ncallbacks", lambda: 1)() == 0
    threading = sys.modules.get("threading")
    if nobody_waits and (threading is None or threading.active_count() == 1):
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
