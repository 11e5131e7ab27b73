"""The script ``orchesjob`` that stands for ``bespeak runner``: the runner writes it, the dispatcher recognises it."""

from __future__ import annotations

import os
import stat

NAME = "orchesjob"
_MARK = b"#!/bin/sh\n# orchesjob: an alias of bespeak's own runner, made by `bespeak runner alias`\n"


def script(python: str) -> bytes:
    """Return the text of an alias.

    Args:
        python: the interpreter that has bespeak.
    """
    import shlex

    return _MARK + f'exec {shlex.quote(python)} -P -m bespeak.cli.orchesjob "$@"\n'.encode("utf-8", "surrogateescape")


def is_alias(path: str) -> bool:
    """Tell whether a file is such an alias; one that cannot be read is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode) and os.read(descriptor, len(_MARK)) == _MARK
    except OSError:
        return False
    finally:
        os.close(descriptor)
