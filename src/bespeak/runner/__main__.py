"""``python -m bespeak.runner``: the runner without the rest of the command line."""

import sys

from bespeak.runner.cli import main

if __name__ == "__main__":
    sys.exit(main(prog="python -m bespeak.runner"))
