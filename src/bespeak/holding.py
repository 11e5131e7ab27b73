"""``bespeak.hold``: resources held exactly as long as a block of Python runs.

What ``bespeak run`` does for a command, this does for a block: take or wait, keep alive by a thread of its own, count
as lost *before* the resource can be another's, give back. No signal is handled and no thread is interrupted, so it
works in notebooks, threads and servers. A lost hold is told by :meth:`Hold.check`, by a callback, and at the end of the
block.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from bespeak.base import ids, timeparse
from bespeak.base.clock import FOREVER_US, MINUTE_US, SECOND_US, boot_us
from bespeak.base.errors import BespeakError, UsageError, WrongStateError
from bespeak.base.process_identity import this_host
from bespeak.ledger.errors import Lost
from bespeak.ledger.lease import KEEPALIVE_US, NOTICE_US, Lease, margin_us
from bespeak.ledger.model import Holder, Mode, Need, Origin, Request
from bespeak.ledger.open_from_settings import open_book
from bespeak.ledger.service import Ledger
from bespeak.ledger.surrounding_hold import surrounding_hold
from bespeak.reservations.identity import resolve_username

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from bespeak.ledger.model import Reservation

_LONGEST_LOOK_SECONDS = 1.0
"""Timers stand still while the machine is suspended, so the clock is looked at this often."""

_LOG = logging.getLogger(__name__)


def hold(
    *resources: str,
    any: int | None = None,  # noqa: A002 the word of the command line
    label: str | None = None,
    prefer: str = "",
    same: tuple[str, ...] = (),
    minutes: float | None = None,
    wait: str | bool = False,
    shared: bool = False,
    purpose: str = "",
    tags: Mapping[str, str] | None = None,
    priority: int = 0,
    user: str | None = None,
    book: Ledger | str | None = None,
    keepalive: str | None = None,
    on_lost: Callable[[str], None] | None = None,
) -> Hold:
    """Hold resources as long as a block runs: ``with bespeak.hold("rack3", minutes=20, wait="10m") as held:``.

    Nothing is taken before the block begins. If the process dies, the hold lapses by itself.

    Args:
        resources: names, all of which are held, or none.
        any: besides, so many that match ``label``, whichever they are; one if only ``label`` is given.
        label: what their labels must match, such as ``"arm64 and ram>=4"``.
        prefer: labels that those should match where there is a choice.
        same: labels that all of them must have alike, such as ``("site",)``.
        minutes: how long at most; by default the end moves on while the block runs, unless somebody waits for it.
        wait: False refuses at once if somebody is in the way; True waits in the queue; ``"10m"`` waits that long.
        shared: share them with others who share them.
        purpose: what for; whoever is refused reads it.
        tags: notes for programs.
        priority: points in the queue; each counts as an hour of having waited.
        user: for whom; by default the user who runs the process.
        book: an open book, or where it is; by default the book of the settings.
        keepalive: how long the hold outlives this process's last sign of life, such as ``"60s"``, the default.
        on_lost: called once, in another thread, with the reason if the hold is lost while the block runs.

    Raises:
        UsageError: the arguments contradict each other.
    """
    limit_us = _length_us("minutes", minutes)
    keepalive_us = KEEPALIVE_US if keepalive is None else timeparse.duration(keepalive)
    if not SECOND_US <= keepalive_us < FOREVER_US:
        raise UsageError("keepalive: at least 1s, and an end")
    wanted = partial(
        Request,
        resources=resources,
        needs=() if any is None and label is None else (Need(1 if any is None else any, label or ""),),
        prefer=prefer,
        same=tuple(same),
        open_end=minutes is None,
        duration_us=limit_us,
        mode=Mode.SHARED if shared else Mode.EXCLUSIVE,
        purpose=purpose,
        tags=tuple((tags or {}).items()),
        keepalive_us=keepalive_us,
        origin=Origin(this_host(), f"pid {os.getpid()}"),
    )
    return Hold(
        wanted, user, book, waits=wait is not False, timeout_us=_timeout_us(wait), priority=priority, on_lost=on_lost
    )


def _length_us(name: str, minutes: float | None) -> int | None:
    if minutes is None:
        return None
    if not 0 < minutes < FOREVER_US / MINUTE_US:
        raise UsageError(f"{name}: {minutes!r} is not a number of minutes greater than zero")
    return max(int(minutes * MINUTE_US), 1)


def _timeout_us(wait: str | bool) -> int | None:
    if isinstance(wait, bool):
        return None
    timeout_us = timeparse.optional("wait", wait, timeparse.duration) or 0
    return timeout_us if timeout_us < FOREVER_US else None


def _say_it_is_new(book: str) -> None:
    _LOG.warning("there was no book, so this is a new one: %s", book)


class Hold:
    """What :func:`hold` returns: a context manager, or :meth:`take` and :meth:`release` where no block fits."""

    def __init__(
        self,
        wanted: Callable[..., Request],
        user: str | None,
        book: Ledger | str | None,
        *,
        waits: bool,
        timeout_us: int | None,
        priority: int,
        on_lost: Callable[[str], None] | None,
    ) -> None:
        self._wanted = wanted
        self._user = user
        self._named_book = book
        self._waits = waits
        self._timeout_us = timeout_us
        self._priority = priority
        self._on_lost = on_lost
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._stop_waiting = False
        self._over = False
        self._lost: str | None = None
        self._book: Ledger | None = None
        self._lease: Lease | None = None
        self._identity = ""
        self._limit_us = FOREVER_US
        self._lease_margin_us = self._end_margin_us = 0

    def __repr__(self) -> str:
        lease = self._lease
        if lease is None:
            return "<Hold: nothing is taken>"
        held = lease.held
        until = "released" if self._over else self.lost or f"until {timeparse.show(held.ends_us)}"
        return f"<Hold {ids.short_id(held.id)}: {', '.join(held.resources)}, {until}>"

    # --- what it is ---------------------------------------------------------------------------------------------

    @property
    def reservation(self) -> Reservation:
        """The reservation, as the book last told it.

        Raises:
            WrongStateError: nothing has been taken yet.
        """
        return self._taken().held

    @property
    def resources(self) -> tuple[str, ...]:
        """What is held."""
        return self.reservation.resources

    @property
    def id(self) -> str:
        """The id of the reservation."""
        return self.reservation.id

    @property
    def fencing_token(self) -> int:
        """The number of the grant; a later grant of the same resource has a greater one."""
        return self.reservation.fencing_token or 0

    @property
    def lost(self) -> str | None:
        """Why it does not count as held any more; None while it does."""
        with self._lock:
            if self._lost is None and not self._over and self._lease is not None:
                self._lost = self._why_lost(self._lease)
            return self._lost

    def check(self) -> None:
        """Go on only if the resources are still held; cheap, and asks nobody.

        Raises:
            Lost: the hold was taken away, ended, or could not be kept alive.
            WrongStateError: nothing has been taken yet.
        """
        self._taken()
        if (why := self.lost) is not None:
            raise Lost(why, reservation=self.id)

    def environment(self) -> dict[str, str]:
        """Return the process's environment with the variables that ``bespeak run`` sets for its command."""
        return {
            **os.environ,
            "BESPEAK_RESERVATION": self.id,
            "BESPEAK_NUMBER": str(self.fencing_token),
            "BESPEAK_RESOURCES": "\n".join(self.resources),
            "BESPEAK_BOOK": self._identity,
        }

    def when_lost(self, tell: Callable[[str], None]) -> None:
        """Have ``tell`` called once, in another thread, with the reason, if the hold is lost; before it is taken."""
        self._on_lost = tell

    def stop_waiting(self) -> None:
        """Leave the queue as soon as the book answers, if :meth:`take` waits in another thread."""
        self._stop_waiting = True

    def _taken(self) -> Lease:
        if self._lease is None:
            raise WrongStateError("nothing is held yet: use it in a with block, or call take()")
        return self._lease

    def _why_lost(self, lease: Lease) -> str | None:
        if lease.lost is not None:
            return f"the hold is lost: {lease.lost}"
        if lease.lease_left_us() <= self._lease_margin_us:
            why = lease.trouble or "the book does not answer"
            return f"the hold cannot be kept, no sign of life could be given in time ({why})"
        if min(lease.left_us(), self._limit_us - boot_us()) <= self._end_margin_us:
            return "the time is over" + (f" (it cannot go on: {lease.fixed})" if lease.fixed else "")
        return None

    # --- taking and giving back ---------------------------------------------------------------------------------

    def take(self) -> Self:
        """Take the resources now, or wait for them; give them back with :meth:`release`.

        Raises:
            RefusedError: somebody is in the way, and ``wait`` is False.
            WaitTimedOutError: what was waited for did not become free in time.
            UnavailableError: the book cannot be asked.
            WrongStateError: it was taken before.
        """
        if self._book is not None:
            raise WrongStateError("a hold is taken once; call bespeak.hold() again for another one")
        given = self._named_book
        self._book = named = given if isinstance(given, Ledger) else open_book(given, when_made=_say_it_is_new)
        try:
            me = named.user or resolve_username(None).username  # a server knows who we are, a file does not
            self._request = self._wanted(holder=Holder(me) if self._user in (None, me) else Holder(str(self._user), me))
            self._start(named)
        except BaseException:
            self._close_book()
            raise
        return self

    def _start(self, book: Ledger) -> None:
        around = surrounding_hold(book, self._request)
        held = around or self._take_from(book)
        try:
            length_us = held.ends_us - held.starts_us
            if around is not None and self._request.duration_us is not None:
                length_us = self._request.duration_us
                self._limit_us = boot_us() + length_us
            self._lease_margin_us = margin_us(held.keepalive_us or FOREVER_US)
            self._end_margin_us = margin_us(length_us)
            lease = Lease(
                book,
                self._request.holder,
                held,
                moves_on=self._request.duration_us is None and around is None,
                notice_us=min(NOTICE_US, length_us // 2),
                on_news=self._news.set,
                borrowed=around is not None,
            )
        except BaseException:
            if around is None:
                with suppress(BespeakError):
                    book.release(held.id, self._request.holder, fencing_token=held.fencing_token)
            raise
        self._lease = lease
        self._identity = book.identity()
        lease.start()
        atexit.register(self.release)
        threading.Thread(target=self._watch, name=f"bespeak hold {held.id}", daemon=True).start()

    def _take_from(self, book: Ledger) -> Reservation:
        if not self._waits:
            return book.reserve(self._request)
        return book.queue(
            self._request,
            priority=self._priority,
            timeout_us=self._timeout_us,
            should_stop=lambda: self._stop_waiting,
        )

    def _watch(self) -> None:
        """Tell, once, that the hold is lost: as soon as the lease says so, or its end comes too near."""
        while not self._over:
            if (why := self.lost) is not None:
                if self._on_lost is not None:
                    self._on_lost(why)
                return
            self._news.wait(_LONGEST_LOOK_SECONDS)
            self._news.clear()

    def release(self) -> None:
        """Give the resources back; nothing to do where they are lost or given back already."""
        with self._lock:
            done, self._over = self._over or self._lease is None, True
        if done:
            return
        atexit.unregister(self.release)
        self._news.set()
        lease = self._taken()
        in_time = lease.finish()
        if lease.lost is None and (lease.release_failure is not None or not in_time):
            why = str(lease.release_failure or lease.trouble or "the book does not answer")
            _LOG.warning("could not give back reservation %s (%s); it lapses by itself", self.id, why)
        if in_time:  # else the lease's thread hangs in the book, and closing would wait for it
            self._close_book()

    def _close_book(self) -> None:
        if self._book is not None and self._book is not self._named_book:
            self._book.close()

    def __enter__(self) -> Self:
        return self.take()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        why = self.lost
        self.release()
        lease = self._taken()
        if why is None and isinstance(failure := lease.lost or lease.release_failure, (str, WrongStateError)):
            why = f"the hold was lost before it was given back: {failure}"
        if why is not None and not isinstance(error, Lost):
            if error is None:
                raise Lost(why, reservation=self.id)
            error.add_note(f"bespeak: {why}")
