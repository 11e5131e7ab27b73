"""Start the command line: ``bespeak`` and ``python -m bespeak``."""

import sys

from bespeak.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
