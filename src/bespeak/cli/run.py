"""``run``: hold resources exactly as long as a command runs.

The hold lives by signs of life, so it ends by itself if this process is killed. While the command runs, a thread gives
them (:mod:`bespeak.ledger.lease`); the main thread only watches the command and the clock. A hold that is lost, or
about to end, ends the command and all it has started *before* the resource can be another's: the next holder must not
find somebody else's program on it.
"""

from __future__ import annotations

import os
from contextlib import suppress

from bespeak.argv.declarations import Option, command
from bespeak.base import ids, timeparse
from bespeak.base.clock import FOREVER_US, SECOND_US, boot_us
from bespeak.base.errors import BespeakError, NotFoundError, UsageError, WrongStateError
from bespeak.base.frozen import replace
from bespeak.base.process_identity import this_host
from bespeak.cli import converters, errors, formatting, needs, reserve
from bespeak.cli.converters import FOR, PRIORITY, PURPOSE, SHARED_USE, TAG
from bespeak.cli.signals import ended_by_signal
from bespeak.cli.supervise import (
    HOLD_LOST,
    Child,
    left_behind_text,
    start_failure,
    stopping_text,
    stopping_times,
)
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.lease import KEEPALIVE_US, NOTICE_US, Lease
from bespeak.ledger.model import Origin
from bespeak.ledger.surrounding_hold import surrounding_hold
from bespeak.storage.time_limit import within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.ledger.model import Request, Reservation

_SHORTEST_KEEPALIVE_US = SECOND_US
_GIVE_UP_SECONDS = 2.0
_LONGEST_TICK_US = SECOND_US
"""Timers stand still while the machine is suspended, so the clock is looked at this often."""


@command(
    "run",
    text="Takes the resources (with --wait: waits for them), runs the command, and gives them back however it "
    "ends. If this process dies, the hold lapses by itself. The command sees BESPEAK_RESERVATION, BESPEAK_NUMBER, "
    "BESPEAK_BOOK and BESPEAK_RESOURCES (one a line), and labels of what it holds (BESPEAK_BOARD1_IP); signals are "
    "passed on; the exit code is the command's. With --for, the "
    "command is stopped when the time is over. Without it, the end moves on while the command runs, unless "
    "somebody has booked what follows: that is said five minutes ahead. If the hold is "
    "lost or taken away, or cannot be kept alive, the command and all it has started are stopped before it can be "
    "another's, and the exit code is 11; unless --keep-going. Two things leave the command "
    "running past the hold: kill -9 of bespeak itself, and stopping bespeak (kill -STOP) for longer than the lease.",
    examples=(
        ("run rack3 -- pytest tests/hw", "hold rack3 while the tests run"),
        ("run --any 1 --label arm64 -- pytest tests/hw", "hold any board that has the label"),
        ("run rack3 analyser --wait 1h --for 2h -- make soak", "wait an hour at most, stop after two"),
    ),
    arguments=(needs.RESOURCES,),
    options=(
        *needs.OPTIONS,
        FOR,
        SHARED_USE,
        PURPOSE,
        TAG,
        Option(("--wait",), "Wait in the queue, for at most TIMEOUT.", "TIMEOUT", optional_value=True),
        PRIORITY,
        Option(("--keep-going",), "If the hold is lost, warn and let the command run on."),
        Option(
            ("--keepalive",),
            "The hold lapses so long after this process last gave a sign of life.",
            "DURATION",
        ),
    ),
    tail="COMMAND",
)
def run(context: Context, values: Values) -> int:
    """Take the resources, run the command, give them back; return the command's exit code."""
    words = values["tail"]
    if not words:
        raise UsageError("run: write the command after '--', as in: bespeak run rack3 -- make test")
    keepalive_us = converters.duration("--keepalive", values["keepalive"])
    keepalive_us = KEEPALIVE_US if keepalive_us is None else keepalive_us
    if not _SHORTEST_KEEPALIVE_US <= keepalive_us < FOREVER_US:
        raise UsageError("--keepalive: at least 1s, and an end")
    with ended_by_signal():
        asked, origin = reserve.asked(context, values), Origin(this_host(), f"pid {os.getpid()}")
        request = replace(asked, keepalive_us=keepalive_us, open_end=values["for"] is None, origin=origin)
        book = context.book(create=True)
        around = None if request.needs else surrounding_hold(book, request)
        hold = (
            _take(context, request, values) if around is None else CommandHold(context, around, values, borrowed=True)
        )
    return hold.supervise(words)


def _take(context: Context, request: Request, values: Values) -> CommandHold:
    taken = _taken(context, request, values)
    try:
        return CommandHold(context, taken, values)
    except BaseException:
        with within(_GIVE_UP_SECONDS), suppress(BespeakError):
            context.book().release(taken.id, context.holder(), fencing_token=taken.fencing_token)
        raise


def _taken(context: Context, request: Request, values: Values) -> Reservation:
    if values["wait"] is not None:
        return reserve.wait(context, request, values)
    if values["priority"] is not None:
        raise UsageError("--priority is a queue position; it needs --wait")
    try:
        return context.book(create=True).reserve(request)
    except RefusedError as refused:
        reserve.refuse(refused, request, context)


class CommandHold:
    """What is held for the command.

    Args:
        context: the invocation.
        taken: the reservation.
        values: what was typed.
        borrowed: the ``run`` around this one keeps the hold, and gives it back.
    """

    def __init__(self, context: Context, taken: Reservation, values: Values, *, borrowed: bool = False) -> None:
        self._context = context
        self._borrowed = borrowed
        self._moves_on = values["for"] is None
        self._stops = not values["keep_going"]
        length_us = taken.ends_us - taken.starts_us
        self._notice_us = min(NOTICE_US, length_us // 2)
        self._lease = Lease(
            context.book(),
            context.holder(),
            taken,
            moves_on=self._moves_on and not borrowed,
            notice_us=self._notice_us,
            on_news=self._poke,
            borrowed=borrowed,
        )
        for_us = converters.duration("--for", values["for"]) if borrowed else None
        self._over_us = FOREVER_US if for_us is None else min(boot_us() + for_us, FOREVER_US)
        keepalive_us = taken.keepalive_us or FOREVER_US
        self._lease_stop_us, self._lease_kill_us = stopping_times(keepalive_us)
        self._stop_us, self._kill_us = stopping_times(length_us if for_us is None else min(length_us, for_us))
        self._identity = context.book().identity()
        self._announced = False
        self._over = False
        self._stopped = False
        self._child: Child | None = None
        self._say("holding", f"holding {self._sentence()}")

    def _sentence(self) -> str:
        held = self._lease.held
        if self._borrowed:
            return f"{ids.short_id(held.id)}  {formatting.names(held)}  with the bespeak run around this one"
        if not self._moves_on:
            return formatting.sentence(held, self._lease.now_us())
        return f"{ids.short_id(held.id)}  {formatting.names(held)}  as long as the command runs"

    def supervise(self, words: tuple[str, ...]) -> int:
        """Run the command to its end and give back what is held; return the exit code."""
        try:
            self._child = Child(words, self._environment())
        except (OSError, ValueError) as error:
            self._lease.start()
            self._give_back()
            message, code = start_failure(words, error)
            return errors.say(message, code, {}, as_json=self._context.json)
        self._lease.start()
        try:
            code = self._child.wait(self._tick)
            if self._child.was_killed and self._stops and self._is_over():
                self._stopped = True  # the watchdog was faster than we were
        finally:
            self._give_back()
        if self._child.left_behind:
            self._context.warn(left_behind_text(self._child.left_behind))
        return HOLD_LOST if self._stopped else code

    def _poke(self) -> None:
        if self._child is not None:
            self._child.poke()

    def _give_back(self) -> None:
        """Release what is held; a hold that was lost is nobody's to release. Never waits for a book that hangs."""
        lease = self._lease
        in_time = lease.finish()
        if not in_time:
            self._context.forget_book()
        if lease.lost is not None:
            self._tell_lost()
            return
        failure = lease.release_failure
        if isinstance(failure, (WrongStateError, NotFoundError)):
            self._say("lost", f"the hold was lost before it was given back: {failure}")
        elif self._borrowed:
            return
        elif failure is not None or not in_time:
            why = str(failure or lease.trouble or "the book does not answer")
            self._say("not_released", f"could not give back ({why}); the hold lapses by itself")
        elif self._context.json:
            self._say("released", f"released {ids.short_id(lease.held.id)}")

    def _environment(self) -> dict[str, str]:
        from bespeak.ledger.by_need import RESOURCES_VARIABLE, variables

        held = self._lease.held
        more = variables(self._context.book(), held.resources) | {
            "BESPEAK_RESERVATION": held.id,
            "BESPEAK_NUMBER": str(held.fencing_token),
            RESOURCES_VARIABLE: "\n".join(held.resources),
            "BESPEAK_BOOK": self._identity,
        }
        if self._context.ledger_flag is not None:
            from bespeak.settings import ledger_url

            more["BESPEAK_LEDGER"] = ledger_url(self._context.ledger_flag)
        return {**os.environ, **more}

    def _tick(self) -> float:
        """See how long the hold lasts; return the seconds until the next look."""
        lease = self._lease
        if lease.lost is not None:
            self._tell_lost()
        if self._over:
            return _LONGEST_TICK_US / SECOND_US
        lease_us, left_us = lease.lease_left_us(), min(lease.left_us(), self._over_us - boot_us())
        until_lapse_us = lease_us - (self._lease_stop_us if self._stops else 0)
        until_end_us = left_us - (self._stop_us if self._stops else 0)
        if self._stops and self._child is not None:
            now_us = boot_us()
            kill_us = min(lease_us - self._lease_kill_us, left_us - self._kill_us)
            self._child.stop_by(now_us + min(until_lapse_us, until_end_us), now_us + kill_us)
        if until_lapse_us <= 0:
            self._cannot_keep(lease_us)
        elif until_end_us <= 0:
            self._end(left_us)
        elif left_us <= self._notice_us:
            self._announce()
        else:
            until_end_us = left_us - self._notice_us
        return min(max(min(until_lapse_us, until_end_us), 0), _LONGEST_TICK_US) / SECOND_US

    def _is_over(self) -> bool:
        lease = self._lease
        left_us = min(lease.left_us(), self._over_us - boot_us())
        kill_us = min(lease.lease_left_us() - self._lease_kill_us, left_us - self._kill_us)
        return self._over or lease.lost is not None or kill_us <= 0

    def _announce(self) -> None:
        """Say once that the end comes and stays; while it may still be moved, say nothing."""
        why = self._lease.fixed
        if self._announced or self._borrowed or (self._moves_on and why is None):
            return
        self._announced = True
        then = stopping_text(self._stop_us) if self._stops else "the command goes on without it"
        text = f"the hold ends {timeparse.show(self._lease.held.ends_us)}; {then}"
        self._say("ending", f"{text} (it cannot go on then: {why})" if why else text)

    def _tell_lost(self) -> None:
        if not self._over:
            self._over = True
            then = self._stop(self._lease_stop_us)
            self._say("lost", f"the hold is lost: {self._lease.lost}; {then}")

    def _cannot_keep(self, left_us: int) -> None:
        self._over = True
        then = self._stop(left_us - self._lease_kill_us)
        why = self._lease.trouble or "the book does not answer"
        self._say("lost", f"the hold cannot be kept, no sign of life could be given in time ({why}); {then}")

    def _end(self, left_us: int) -> None:
        self._over = True
        then = self._stop(left_us - self._kill_us)
        self._say("over", f"the {'time' if self._borrowed else 'hold'} is over; {then}")

    def _stop(self, grace_us: int) -> str:
        """Stop the command if that is wanted, and kill it after ``grace_us`` µs; return what becomes of it."""
        if self._child is None:
            return "the command has ended"
        if not self._stops:
            return "the command has ended" if self._child.has_ended else "the command goes on without it"
        if self._child.has_ended:
            self._stopped = self._child.was_killed
            self._child.terminate(max(grace_us, 0) / SECOND_US)
            return "the command has ended, and what it has left is being stopped"
        self._stopped = True
        self._child.terminate(max(grace_us, 0) / SECOND_US)
        return "the command is being stopped"

    def _say(self, event: str, text: str) -> None:
        """Tell people and programs on stderr; stdout belongs to the command."""
        if self._context.json:
            from bespeak.base.json_text import one_line
            from bespeak.cli.output import to_stderr
            from bespeak.ledger.serialize import reservation_json

            held = reservation_json(self._lease.held, self._lease.now_us())
            to_stderr(one_line({"event": event, "text": text, "reservation": held}))
        else:
            warns = event in ("lost", "over", "ending", "not_released")
            self._context.warn(text, "yellow" if warns else "dim")
