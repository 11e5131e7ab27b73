"""Programs under our name that read their own command line."""

from __future__ import annotations

import os

from bespeak.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bespeak.argv.declarations import Parsed


def delegate(parsed: Parsed) -> int:
    """Hand everything after the name to the program, untouched; return its exit code.

    Raises:
        UsageError: an option before the name means nothing to the program.
    """
    name = parsed.command.name
    shared: dict[str, Any] = dict(parsed.shared)
    ledger = shared.pop("ledger")
    for key, value in shared.items():
        if value and key not in ("debug", "no_color"):
            raise UsageError(f"--{key.replace('_', '-')} before {name!r} has no meaning; see 'bespeak {name} --help'")
    if ledger is not None:
        os.environ["BESPEAK_LEDGER"] = ledger
    module, _, function = parsed.command.delegate.partition(":")
    main = getattr(__import__(module, fromlist=[function]), function)
    return int(main(list(parsed.values["tail"]), prog=f"bespeak {name}") or 0)  # type: ignore[call-overload]
