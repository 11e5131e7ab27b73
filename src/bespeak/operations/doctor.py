"""What is wrong here, and what to do about it: each check answers alone, and none changes anything."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from bespeak.base import clock, timeparse
from bespeak.base.clock import SECOND_US, duration_text
from bespeak.base.errors import BespeakError, NoBookError, UnavailableError
from bespeak.base.paths import HTTP_PREFIXES, POSTGRES_PREFIXES
from bespeak.ledger import open_ledger
from bespeak.operations.file_systems import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bespeak.settings.files import LedgerPlace
    from bespeak.storage.interface import Engine, Transaction

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "lustre", "afs", "beegfs"})
_NETWORK |= frozenset(
    {"fuse.sshfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "virtiofs", "vboxsf", "ocfs2", "gfs2"}
)
_LITTLE_SPACE = 100 * 1024 * 1024
_CLOCK_TOLERANCE_US = 2 * SECOND_US


class Level(Enum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        check: what was looked at.
        level: how bad it is.
        text: what was found.
        advice: what to do; empty where there is nothing to do.
    """

    check: str
    level: Level
    text: str
    advice: str = ""


def examine(ledger: str | None = None, cwd: str | None = None) -> Iterator[Finding]:
    """Yield what each check finds, in order.

    Args:
        ledger: the book that was named on the command line.
        cwd: the folder whose settings and hooks count; by default the working directory.
    """
    yield Finding("python", Level.OK, f"{sys.version.split()[0]}, {sys.executable}")
    yield from _guarded("time zone", _time_zone)
    place = None
    try:
        place = _place(ledger, cwd)
        yield Finding("settings", Level.OK, f"the book is {place.shown}, named by {place.source}")
    except BespeakError as error:
        yield Finding("settings", Level.PROBLEM, str(error), "correct what is named, or say --ledger")
    if place is not None:
        yield from _book(place)
    yield from _guarded("dispatcher", lambda: _dispatcher(ledger))
    yield from _guarded("hooks", lambda: _hooks(cwd))


def _guarded(check: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield what a check finds; that it cannot look is a finding too."""
    try:
        yield from look()
    except (BespeakError, OSError) as error:
        yield Finding(check, Level.PROBLEM, str(error))


def _place(ledger: str | None, cwd: str | None) -> LedgerPlace:
    from bespeak.settings import ledger_place, load_settings

    return ledger_place(ledger, load_settings(cwd), cwd=cwd)


def _time_zone() -> Iterator[Finding]:
    from bespeak.base.timezones import local_zone, offset_text

    offset, name = local_zone().at(clock.now() // SECOND_US)
    yield Finding("time zone", Level.OK, f"{name}, {offset_text(offset)}; now is {timeparse.show(clock.now())}")


def _book(place: LedgerPlace) -> Iterator[Finding]:
    if place.url.startswith(HTTP_PREFIXES):
        yield from _guarded("server", lambda: _server(place))
        return
    is_file = not place.url.startswith(POSTGRES_PREFIXES)
    if is_file:
        yield from _guarded("file system", lambda: _file_system(place.url))
        yield from _guarded("permissions", lambda: _permissions(place.url))
    try:
        book = open_ledger(place.url, create=False)
    except NoBookError as error:
        yield Finding("book", Level.WARNING, str(error))
        return
    except BespeakError as error:
        advice = "ask who runs the server, or name another book" if not is_file else ""
        yield Finding("book", Level.PROBLEM, str(error), advice)
        return
    with book:
        yield from _guarded("book", lambda: _content(book.engine))
        yield from _guarded("clock", lambda: _clock(book.engine))


def _server(place: LedgerPlace) -> Iterator[Finding]:
    """Ask the server of a book who we are, and what time it is."""
    from bespeak.ledger.open_from_settings import open_book

    begun_us = clock.boot_us()
    with open_book(place.url, create=False) as book:
        before_us = clock.now()
        book_us = book.now_us()
        off_us = max(book_us - clock.now(), before_us - book_us, 0)
        took = f"{(clock.boot_us() - begun_us) / 1000:.1f} ms"
        yield Finding("server", Level.OK, f"{book.name} knows you as {book.user}, answered in {took}")
        yield from _compare(book_us, before_us, off_us, "set the clock (NTP); the book goes by its own")


def _content(engine: Engine) -> Iterator[Finding]:
    if engine.moved_to is not None:
        yield Finding("book", Level.PROBLEM, f"it has moved to {engine.moved_to}", "name the new place in the settings")
        return
    begun_us = clock.boot_us()
    counts = engine.read(
        lambda tx: tx.fetch_one(
            "SELECT (SELECT COUNT(*) FROM ledger_resources), "
            "(SELECT COUNT(*) FROM ledger_reservations WHERE ended_us IS NULL AND ends_us > :now)",
            {"now": tx.now_us},
        )
    ) or (0, 0)
    took = f"{(clock.boot_us() - begun_us) / 1000:.1f} ms"
    kind = "PostgreSQL" if engine.dialect == "postgresql" else "SQLite"
    yield Finding("book", Level.OK, f"{kind}; {counts[0]} resources, {counts[1]} live reservations, answered in {took}")


def _clock(engine: Engine) -> Iterator[Finding]:
    """Compare the book's time with this machine's."""
    before_us = clock.now()
    book_us = engine.read(lambda tx: tx.now_us)
    off_us = max(book_us - clock.now(), before_us - book_us, 0)
    advice = "set the clock (NTP)" + ("; the book goes by its own" if engine.dialect == "postgresql" else "")
    yield from _compare(book_us, before_us, off_us, advice)


def _compare(book_us: int, before_us: int, off_us: int, advice: str) -> Iterator[Finding]:
    if off_us <= _CLOCK_TOLERANCE_US:
        yield Finding("clock", Level.OK, "the book and this machine agree")
        return
    ahead = "behind" if book_us > before_us else "ahead of"
    text = f"this machine is {duration_text(off_us)} {ahead} the book"
    yield Finding("clock", Level.WARNING, text, advice)


def _file_system(path: str) -> Iterator[Finding]:
    folder = _nearest(os.path.dirname(path))
    kind = kind_of(folder)
    if kind in _NETWORK:
        advice = "SQLite loses locks there: bespeak ledger move --to a path on a local disk or postgresql://..."
        yield Finding("file system", Level.PROBLEM, f"{folder} is on {kind}, a network file system", advice)
    else:
        yield Finding("file system", Level.OK, f"{folder} is on {kind or 'an unknown file system'}")
    status = os.statvfs(folder)
    left = status.f_bavail * status.f_frsize
    if left < _LITTLE_SPACE:
        yield Finding("disk", Level.WARNING, f"{left // 1024 // 1024} MB are left in {folder}", "make room")
    else:
        yield Finding("disk", Level.OK, f"{left // 1024 // 1024} MB are left")


def _permissions(path: str) -> Iterator[Finding]:
    if not os.path.exists(path):
        return
    status = os.stat(path)
    folder = os.stat(os.path.dirname(path))
    if status.st_mode & 0o002 or (folder.st_mode & 0o002 and not folder.st_mode & 0o1000):
        yield Finding("permissions", Level.PROBLEM, "everybody on this machine may write the book", f"chmod o-w {path}")
    elif not os.access(path, os.W_OK):
        yield Finding(
            "permissions", Level.WARNING, "you may only read the book", "ask its owner for the right to write"
        )
    else:
        shared = "its group and you" if status.st_mode & 0o020 else "you alone"
        yield Finding("permissions", Level.OK, f"{shared} may write the book")


def _nearest(folder: str) -> str:
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder


def _dispatcher(ledger: str | None) -> Iterator[Finding]:
    """Look whether somebody starts the jobs that wait, where there is a store of jobs."""
    from bespeak.jobs.locations import store_url

    url = store_url(None, ledger, os.environ, "bespeak job")
    if not url.startswith(POSTGRES_PREFIXES) and not os.path.exists(url):
        yield Finding("dispatcher", Level.OK, "no job was ever kept here")
        return
    try:
        waiting, living = _jobs(url)
    except UnavailableError as error:  # an older store is one that the next command upgrades
        yield Finding(
            "dispatcher", Level.WARNING, str(error), "bespeak job health looks closer, and upgrades the store"
        )
        return
    if living:
        yield Finding("dispatcher", Level.OK, f"{living} running, {waiting} jobs to start")
    elif waiting:
        advice = "bespeak job run starts one; bespeak job install keeps one running"
        yield Finding("dispatcher", Level.PROBLEM, f"none is running; jobs to start: {waiting}", advice)
    else:
        yield Finding("dispatcher", Level.OK, "none is running, and no job waits")


def _jobs(url: str) -> tuple[int, int]:
    """Return how many jobs are to be started, and how many dispatchers live; nothing is made or upgraded."""
    from bespeak.jobs.liveness import all_dispatchers
    from bespeak.jobs.schema import COMPONENT
    from bespeak.storage import open_engine
    from bespeak.storage.sqlite_readonly import ReadOnlySqliteEngine

    if url.startswith(POSTGRES_PREFIXES):
        engine: Engine = open_engine(url, [], create=False)
    else:
        engine = ReadOnlySqliteEngine(url, [COMPONENT], foreign=True)

    def look(tx: Transaction) -> tuple[int, int]:
        if tx.dialect == "postgresql" and tx.fetch_all("SELECT 1 WHERE to_regclass('dispatch_dispatchers') IS NULL"):
            return 0, 0
        row = tx.fetch_one("SELECT COUNT(*) FROM reservations WHERE reservation_status = 'RESERVED'")
        return int(row[0]) if row else 0, sum(one.alive(tx.now_us) for one in all_dispatchers(tx))

    try:
        return engine.read(look)
    finally:
        engine.close()


def _hooks(cwd: str | None) -> Iterator[Finding]:
    """Look at the hooks of the guard in the clone around the working directory."""
    from bespeak.coord.git_hooks import HOOKS, is_installed
    from bespeak.git.repository import around

    found = around(cwd or os.getcwd())
    if found is None:
        yield Finding("hooks", Level.OK, "this is no git repository")
        return
    there = [name for name, _ in HOOKS if is_installed(found, name)]
    if not there:
        yield Finding("hooks", Level.OK, "the guard is not installed here (bespeak coord guard install)")
    elif len(there) < len(HOOKS):
        missing = ", ".join(name for name, _ in HOOKS if name not in there)
        text = f"the guard is installed in part; missing: {missing}"
        yield Finding("hooks", Level.WARNING, text, "bespeak coord guard install")
    else:
        yield Finding("hooks", Level.OK, f"the guard is installed: {', '.join(there)}")
