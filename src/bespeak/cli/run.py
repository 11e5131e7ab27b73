"""``run``: hold resources exactly as long as a command runs.

The hold lives by signs of life, so it ends by itself if this process is killed. While the command runs, the signs
are given, an end that nobody chose is moved on, and a hold that was lost ends the command: whoever has the resource
now must not find somebody else's program on it.
"""

from __future__ import annotations

import os
from _thread import start_new_thread

from bespeak.argv.declarations import Option, command
from bespeak.base import clock, ids, timeparse
from bespeak.base.clock import FOREVER_US, MINUTE_US, SECOND_US
from bespeak.base.errors import BespeakError, BusyError, NotFoundError, UnavailableError, UsageError, WrongStateError
from bespeak.base.frozen import replace
from bespeak.cli import converters, errors, formatting, reserve
from bespeak.cli.converters import FOR, PRIORITY, PURPOSE, RESOURCES, SHARED_USE, TAG
from bespeak.cli.supervise import Child, start_failure
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.write_operations import reservation_topic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.ledger.model import Actor, Reservation
    from bespeak.storage.interface import Listener

_KEEPALIVE_US = 60 * SECOND_US
_SHORTEST_KEEPALIVE_US = SECOND_US
_SIGNS_A_LEASE = 3
_SOONEST_US = SECOND_US // 50
_NOTICE_US = 5 * MINUTE_US
"""An end is moved or announced this long ahead, µs, or halfway through a shorter hold."""


@command(
    "run",
    text="Takes the resources (with --wait: waits for them), runs the command, and gives them back however it "
    "ends. If this process dies, the hold lapses by itself. The command sees BESPEAK_RESERVATION, BESPEAK_NUMBER "
    "and BESPEAK_RESOURCES (one a line); signals are passed on; the exit code is the command's. With --for, the "
    "command is stopped when the time is over. Without it, the end moves on while the command runs, unless "
    "somebody waits for what is held or has booked what follows: that is said five minutes ahead. If the hold is "
    "lost or taken away, the command is stopped, unless --keep-going. Only kill -9 of bespeak itself leaves the "
    "command running.",
    examples=(
        ("run rack3 -- pytest tests/hw", "hold rack3 while the tests run"),
        ("run rack3 analyser --wait 1h --for 2h -- make soak", "wait an hour at most, stop after two"),
    ),
    arguments=(RESOURCES,),
    options=(
        FOR,
        SHARED_USE,
        PURPOSE,
        TAG,
        Option(("--wait",), "Wait in line, for at most TIMEOUT.", "TIMEOUT", optional_value=True),
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
    keepalive_us = _KEEPALIVE_US if keepalive_us is None else keepalive_us
    if not _SHORTEST_KEEPALIVE_US <= keepalive_us < FOREVER_US:
        raise UsageError("--keepalive: at least 1s, and an end")
    hold = Hold(context, _taken(context, values, keepalive_us), keepalive_us, values)
    try:
        return hold.supervise(words)
    finally:
        hold.give_back()


def _taken(context: Context, values: Values, keepalive_us: int) -> Reservation:
    request = replace(reserve.asked(context, values), keepalive_us=keepalive_us)
    if values["wait"] is not None:
        return reserve.wait(context, request, values)
    if values["priority"] is not None:
        raise UsageError("--priority is a place in line; it needs --wait")
    try:
        return context.book().reserve(request)
    except RefusedError as refused:
        reserve.refuse(refused, request, context.spoken())


class Hold:
    """What is held for the command.

    Args:
        context: the invocation.
        taken: the reservation.
        keepalive_us: how long it lives without a sign of life, µs.
        values: what was typed.
    """

    def __init__(self, context: Context, taken: Reservation, keepalive_us: int, values: Values) -> None:
        self._context = context
        self._book = context.book()
        self._actor: Actor = context.actor()
        self._held = taken
        self._keepalive_us = keepalive_us
        self._moves_on = values["for"] is None
        self._notice_us = min(_NOTICE_US, (taken.ends_us - taken.starts_us) // 2)
        self._stops = not values["keep_going"]
        self._announced = False
        self._lost = False
        self._child: Child | None = None
        self._alive_until_us = clock.now() + keepalive_us
        self._ahead_us = self._book.now_us() - clock.now()
        self._say("holding", f"holding {self._sentence()}")

    def _sentence(self) -> str:
        if not self._moves_on:
            return formatting.sentence(self._held, self._now_us())
        return f"{ids.short_id(self._held.id)}  {formatting.names(self._held)}  as long as the command runs"

    def supervise(self, words: tuple[str, ...]) -> int:
        """Run the command to its end; return its exit code."""
        try:
            self._child = Child(words, self._environment())
        except (OSError, ValueError) as error:
            message, code = start_failure(words, error)
            return errors.say(message, code, {}, as_json=self._context.json)
        listener = self._listen(self._child)
        try:
            return self._child.wait(self._tick)
        finally:
            if listener is not None:
                listener.close()

    def _listen(self, child: Child) -> Listener | None:
        """Have the hold looked at as soon as somebody changes it; without that, the signs of life find out."""
        try:
            listener = self._book.engine.listen([reservation_topic(self._held.id)])
        except BespeakError:
            return None
        start_new_thread(_poke_on_change, (listener, child))
        return listener

    def give_back(self) -> None:
        """Release what is held; a hold that was lost is nobody's to release."""
        if self._lost:
            return
        try:
            self._held = self._book.release(self._held.id, self._actor, fencing_token=self._held.fencing_token)
        except (WrongStateError, NotFoundError) as error:
            self._say("lost", f"the hold was lost before it was given back: {error}")
        except BespeakError as error:
            self._say("not_released", f"could not give back ({error}); the hold lapses by itself")
        else:
            if self._context.json:
                self._say("released", f"released {ids.short_id(self._held.id)}")

    def _environment(self) -> dict[str, str]:
        more = {
            "BESPEAK_RESERVATION": self._held.id,
            "BESPEAK_NUMBER": str(self._held.fencing_token),
            "BESPEAK_RESOURCES": "\n".join(self._held.resources),
        }
        if self._context.ledger_flag is not None:
            from bespeak.settings import ledger_url

            more["BESPEAK_LEDGER"] = ledger_url(self._context.ledger_flag)
        return {**os.environ, **more}

    def _now_us(self) -> int:
        return clock.now() + self._ahead_us

    def _tick(self) -> float:
        """Give a sign of life; return the seconds until the next one is due."""
        if self._lost:
            return _KEEPALIVE_US / SECOND_US
        every_us = self._give_sign()
        left_us = self._held.ends_us - self._now_us()
        if left_us <= self._notice_us:
            left_us = self._near_the_end(left_us)
        due_us = left_us - self._notice_us if left_us > self._notice_us else left_us
        return max(min(every_us, due_us), _SOONEST_US) / SECOND_US

    def _give_sign(self) -> int:
        """Renew the lease; return how long to wait until the next time, µs."""
        every_us = self._keepalive_us // _SIGNS_A_LEASE
        try:
            self._held = self._book.keep_alive(self._held.id, self._held.fencing_token or 0)
            self._alive_until_us = clock.now() + self._keepalive_us
        except (WrongStateError, NotFoundError) as error:
            self._lose(str(error))
        except UnavailableError as error:
            every_us = min(every_us, SECOND_US)
            if clock.now() >= self._alive_until_us:
                self._lose(f"no sign of life could be given in time: {error}")
        return every_us

    def _near_the_end(self, left_us: int) -> int:
        """Move an end that nobody chose; announce one that stays. Return what is left of the hold, µs."""
        if self._lost or self._announced:
            return left_us
        if self._moves_on:
            try:
                self._held = self._book.extend(
                    self._held.id,
                    self._actor,
                    duration_us=self._book.default_for_us,
                    fencing_token=self._held.fencing_token,
                )
                return self._held.ends_us - self._now_us()
            except BusyError as error:
                self._announce(f"it cannot go on then: {error}")
            except BespeakError:
                return left_us  # the next sign of life finds out what is wrong
        else:
            self._announce("")
        return left_us

    def _announce(self, why: str) -> None:
        self._announced = True
        then = "the command is stopped then" if self._stops else "the command goes on without it"
        text = f"the hold ends {timeparse.show(self._held.ends_us)}; {then}"
        self._say("ending", f"{text} ({why})" if why else text)

    def _lose(self, why: str) -> None:
        self._lost = True
        then = "the command is being stopped" if self._stops else "the command goes on without it"
        self._say("lost", f"the hold is lost: {why}; {then}")
        if self._stops and self._child is not None:
            self._child.terminate()

    def _say(self, event: str, text: str) -> None:
        """Tell people and programs on stderr; stdout belongs to the command."""
        if self._context.json:
            from bespeak.cli.output import to_json, to_stderr
            from bespeak.ledger.serialize import reservation_json

            held = reservation_json(self._held, self._now_us())
            to_stderr(to_json({"event": event, "text": text, "reservation": held}))
        else:
            self._context.warn(text, "yellow" if event in ("lost", "ending", "not_released") else "dim")


def _poke_on_change(listener: Listener, child: Child) -> None:
    """Have the hold looked at as soon as somebody changes it; ends with the listener."""
    try:
        while listener.wait(None):
            child.poke()
    except Exception:  # noqa: BLE001 closed under us at the end, or the database is away: the signs of life find out
        return
