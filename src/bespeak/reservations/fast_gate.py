"""A quick road for the hook that asks the gate again and again: what was worked out once is remembered.

Working out what a lab requires means reading settings and lab files, which costs more than asking the book. So the
outcome, "this lab requires these resources, that file decided, and the book is there", is kept in a small file of the
user's cache. It is believed only while each file that was looked at is unchanged and each file that was not there is
still not there, for the same directory, words and environment; otherwise the caller goes the long way. Who holds what
is never remembered: the book is asked each time.

Only the ``ledger`` backend has this road. Nothing here imports more than a hook can afford.
"""

from __future__ import annotations

import os

from bespeak import __version__
from bespeak.base.paths import HTTP_PREFIXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from bespeak.base.fileio import Signature
    from bespeak.ledger.gate import Gate, GateAnswer
    from bespeak.reservations.report import GateReport

    Consulted = Sequence[tuple[str, Signature | None]]
    Key = tuple[str, ...]

_FORMAT = 1
_VARIABLES = (
    *("BESPEAK_LAB", "BESPEAK_LEDGER", "BESPEAK_SUT_DIRS", "OTTO_SUT_DIRS"),
    *("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"),
)
_SETTLED_NS = 2_000_000_000


class RememberedPlan:
    """What was worked out: everything the gate needs to know but who holds what.

    Args:
        lab: the name of the lab.
        required: what it requires, sorted; never empty.
        decided_by: the settings file that selected the backend; None if none did.
        book: where the book is, absolute.
    """

    __slots__ = ("book", "decided_by", "lab", "required")

    def __init__(self, lab: str, required: tuple[str, ...], decided_by: str | None, book: str) -> None:
        self.lab = lab
        self.required = required
        self.decided_by = decided_by
        self.book = book


def try_fast_gate(
    labs: Sequence[str] = (), *, as_user: str | None = None, ledger: str | None = None
) -> GateReport | None:
    """Answer for ``labs`` by a plan that is remembered and still holds; None if the long way has to be gone.

    Args:
        labs: the values of ``--lab``, as typed.
        as_user: the value of ``--as-user``.
        ledger: the value of ``--ledger``.

    Raises:
        ReservationBackendError: there is a plan, and the book cannot be asked.
    """
    if as_user and ":" in as_user:
        return None  # a team's holds are asked for by its members alone
    key = _key(labs, ledger)
    plan = None if key is None else _recall(key)
    if plan is None:
        return None
    username = as_user or None
    if username is None and not plan.book.startswith(HTTP_PREFIXES):  # who we are to a server is up to that
        from bespeak.reservations.identity import plain_username

        username = plain_username()
        if username is None:
            return None
    return _ask(plan, username)


def remember(
    labs: Sequence[str], plan: RememberedPlan, consulted: Consulted, *, began_ns: int, ledger: str | None = None
) -> bool:
    """Keep a plan for the next time; False if it cannot be kept, which harms nobody.

    A plan is not kept if a file it rests on was touched in the two seconds before it was read, because a second change
    within the same tick of the file system's clock would not show.

    Args:
        labs: the values of ``--lab``, as typed.
        plan: what was worked out.
        consulted: every file that was looked for, with the signature it had, or None where there was none.
        began_ns: when the reading began, ns since 1970.
        ledger: the value of ``--ledger``.
    """
    newest = max((max(sign[0], sign[1]) for _, sign in consulted if sign is not None), default=0)
    key = _key(labs, ledger)
    if key is None or newest + _SETTLED_NS > began_ns:
        return False
    import marshal

    from bespeak.base.fileio import write_atomically

    content = (_FORMAT, key, tuple(consulted), plan.lab, plan.required, plan.decided_by, plan.book)
    path = _path(key)
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_atomically(path, marshal.dumps(content))
    except (OSError, ValueError):
        return False
    return True


def _key(labs: Sequence[str], ledger: str | None) -> Key | None:
    """Return everything but files that the plan depends on."""
    try:
        cwd = os.getcwd()
    except OSError:
        return None
    environ: Mapping[str, str] = os.environ
    said = (f"{name}={environ[name]}" if name in environ else name for name in _VARIABLES)
    return (__version__, str(os.getuid()), cwd, "-" if ledger is None else f"={ledger}", *said, *labs)


def _path(key: Key) -> str:
    from binascii import crc32

    from bespeak.base.paths import user_folder

    folder = user_folder(os.environ, "cache")
    return os.path.join(folder, f"gate-{crc32(repr(key).encode('utf-8', 'surrogateescape')):08x}.plan")


def _recall(key: Key) -> RememberedPlan | None:
    """Return the plan kept under ``key`` if it is the user's own, whole, and still true."""
    import marshal

    from bespeak.base.fileio import read_own

    try:
        raw = read_own(_path(key))
        if raw is None:
            return None
        kept: Any = marshal.loads(raw)  # noqa: S302 - the file is the user's own and nobody else may write it
        if kept[0] != _FORMAT or kept[1] != key:
            return None
        _, _, consulted, lab, required, decided_by, book = kept
        if _unchanged(consulted):
            return RememberedPlan(lab, required, decided_by, book)
    except (OSError, ValueError, EOFError, TypeError, LookupError):
        return None
    return None


def _unchanged(consulted: Consulted) -> bool:
    from bespeak.base.fileio import signature

    return all(signature(path) == sign for path, sign in consulted)


def _ask(plan: RememberedPlan, username: str | None) -> GateReport:
    from bespeak.base.errors import BespeakError
    from bespeak.base.paths import public_url
    from bespeak.ledger.current_hold import current_hold
    from bespeak.ledger.open_gate import open_gate
    from bespeak.reservations.report import GateReport, missing_resources

    within = current_hold()
    try:
        book = open_gate(plan.book)
        try:
            found = book.ask(username, plan.required, within)
            users = _users(book, found)
        finally:
            book.close()
    except (BespeakError, UnicodeError, ValueError) as error:
        from bespeak.reservations.errors import as_backend_error

        raise as_backend_error(error, "the 'ledger' backend failed") from error
    return GateReport(
        plan.lab,
        found.username,
        plan.required,
        held=tuple(resource for resource in plan.required if resource in found.held),
        missing=missing_resources(found.others, found.free, users),
        backend="ledger",
        decided_by=plan.decided_by,
        within=None if within is None else within.reservation_id,
        book=public_url(plan.book),
    )


def _users(book: Gate, found: GateAnswer) -> dict[str, list[tuple[str, str, int]]]:
    """Return what uses what is held by others; an older server cannot say it, and the refusal stands without."""
    from bespeak.base.errors import BespeakError

    try:
        return book.users_of(list(found.others)) if found.others else {}
    except BespeakError:
        return {}
