"""What checks of resources remember from one run to the next: when each took a resource out.

The file is this user's, on this machine, one for each book. It is locked as long as checks run, so that two runs, such
as those of a timer that is faster than the checks, do not count twice.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError, WrongStateError
from bespeak.base.fileio import read_own, write_atomically
from bespeak.base.json_text import compact_utf8
from bespeak.base.paths import user_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bespeak.lifecycle.resource_checks import Falls

_LIMIT_BYTES = 16 * 1024 * 1024
_KEPT = 100


class CheckMemory:
    """The memory of the checks of one book.

    Args:
        path: its file.
        falls: what it holds, by check.
    """

    def __init__(self, path: str, falls: dict[str, Falls]) -> None:
        self._path = path
        self._falls = falls

    def of(self, check: str) -> Falls:
        """Return when the resources of a check were taken out; whoever changes it calls :meth:`save`."""
        return self._falls.setdefault(check, {})

    def save(self) -> None:
        """Write it down.

        Raises:
            BespeakError: it cannot be written.
        """
        kept = {check: {name: times[-_KEPT:] for name, times in falls.items()} for check, falls in self._falls.items()}
        try:
            write_atomically(self._path, compact_utf8({"format": 1, "falls": kept}).encode())
        except OSError as error:
            raise _failed(self._path, error) from error


@contextmanager
def memory_of(book_url: str, environ: Mapping[str, str]) -> Iterator[CheckMemory]:
    """Lock and read the memory of the checks of a book.

    Raises:
        WrongStateError: checks of this book are running already.
        BespeakError: the file cannot be read or made.
    """
    import fcntl

    folder = os.path.join(user_folder(environ, "state"), "health")
    path = os.path.join(folder, sha256(book_url.encode()).hexdigest()[:32] + ".json")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _failed(path, error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WrongStateError("checks of this book are running already; nothing was done") from error
        yield CheckMemory(path, _read(path))
    finally:
        os.close(descriptor)


def _read(path: str) -> dict[str, Falls]:
    """Return what was written; nothing where the file is not what this writes: then falls are counted anew."""
    try:
        raw = read_own(path, _LIMIT_BYTES)
        found: Any = json.loads(raw) if raw is not None else {}
        falls = found.get("falls", {})
        return {
            str(check): {str(name): [int(at_us) for at_us in times] for name, times in of.items()}
            for check, of in falls.items()
        }
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _failed(path, error) from error
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _failed(path: str, error: OSError) -> BespeakError:
    return BespeakError(f"{escape_unprintable(path)}: {escape_unprintable(error.strerror or str(error))}")
