"""``python -m bespeak.runner``: the runner without the rest of the command line."""

import sys

if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        from bespeak.runner import helper_server

        sys.exit(helper_server.main())
    from bespeak.runner.cli import main

    sys.exit(main(prog="python -m bespeak.runner"))
