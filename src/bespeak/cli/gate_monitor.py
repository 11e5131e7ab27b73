"""What ``gate`` does while its command runs: ask again, announce an end, and stop the command when the hold is over.

A scheduler may hang, so it is asked in a thread; the command's signals and its end never wait for it. An end that is
known comes also when nobody answers any more.
"""

from __future__ import annotations

from bespeak.base import clock, timeparse
from bespeak.base.clock import FOREVER_US, MINUTE_US, SECOND_US, boot_us, duration_text
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError
from bespeak.cli.supervise import KILL_AFTER_SECONDS, stopping_text, stopping_times

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Context
    from bespeak.cli.hold_events import HoldEvents
    from bespeak.cli.supervise import Child
    from bespeak.reservations.prepare import Prepared
    from bespeak.reservations.report import GateReport

    Answer = tuple[GateReport, int | None, int, int]
    """What the gate says; until when all is held and the present then, µs UTC; when that was asked, µs since boot."""

WARN_US = 5 * MINUTE_US
EVERY_US = 30 * SECOND_US

_FIRST_US = SECOND_US
_SOONEST_US = SECOND_US // 20
_LONGEST_TICK_US = SECOND_US
"""Timers stand still while the machine is suspended, so the clock is looked at this often when an end is known."""

_IDLE_SECONDS = 3600.0


class GateMonitor:
    """The watch over one command.

    Args:
        context: the invocation.
        child: the command.
        warn_us: announce an end so long ahead, µs.
        every_us: ask again so often, µs.
        stops: stop the command when the hold is over.
    """

    def __init__(self, context: Context, child: Child, *, warn_us: int, every_us: int, stops: bool) -> None:
        self._context = context
        self._child = child
        self._warn_us = warn_us
        self._every_us = every_us
        self._stops = stops
        self._prepared: Prepared | None = None
        self._next_us = boot_us() + min(every_us, _FIRST_US)
        self._asking = False
        self._answer: Answer | Exception | None = None
        self._news: HoldEvents | None = None
        self._is_changed = False
        """Somebody has changed what is held, so it is time to ask."""
        self._until_us: int | None = None
        """When the reservation ends, µs UTC, as far as is known."""
        self._end_us: int | None = None
        """The same since boot, µs."""
        self._stop_us = self._kill_us = 0
        self._told: set[object] = set()
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """The command was stopped because the hold was over: by this process, or by its watchdog, which was faster."""
        over = self._end_us is not None and boot_us() >= self._end_us - self._kill_us
        return self._stopped or (over and self._stops and self._child.was_killed)

    def sleep(self) -> float:
        """Do nothing: the check was skipped."""
        return _IDLE_SECONDS

    def tick(self) -> float:
        """Take an answer that has come, ask if it is time; return the seconds until the next call."""
        if self._answer is not None:
            answer, self._answer, self._asking = self._answer, None, False
            self._next_us = boot_us() + self._every_us
            self._take(answer)
        now_us = boot_us()
        if self._is_changed and not self._asking:
            self._is_changed = False
            self._next_us = now_us
        if not self._asking and now_us >= self._next_us:
            self._ask_in_a_thread()
        due = [] if self._asking else [self._next_us]  # an answer pokes
        if self._end_us is not None:
            due.append(self._near_the_end(self._end_us, now_us))
        return min((max(each - now_us, 0) for each in due), default=int(_IDLE_SECONDS) * SECOND_US) / SECOND_US

    def _ask_in_a_thread(self) -> None:
        import threading  # most commands have ended before

        self._asking = True
        threading.Thread(target=self._ask, name="bespeak-gate", daemon=True).start()

    def _ask(self) -> None:
        """Ask the gate again (in a thread)."""
        from bespeak.reservations.evaluation import held_until
        from bespeak.reservations.prepare import prepare_gate

        try:
            if self._prepared is None:
                self._prepared = prepare_gate(
                    self._context.lab_option, as_user=self._context.as_user, ledger=self._context.ledger_flag
                )
            report = self._prepared.report()
            if report.allowed and self._listen(self._prepared.state.backend, report):
                report = self._prepared.report()  # what was changed before there was somebody to hear it
            asked_us, now_us, until_us = boot_us(), 0, None
            if report.allowed and report.checked and report.username is not None:
                backend = self._prepared.state.backend
                now_us = getattr(backend, "present_us", clock.now)()  # its clock, where it has one
                until_us = held_until(backend, report.username, report.required, now_us)
                if note := getattr(backend, "sign_of_life", None):
                    note(report.username, report.required)
            self._answer = (report, until_us, now_us, asked_us)
        except Exception as error:  # noqa: BLE001 told by the main thread
            self._answer = error
        self._child.poke()

    def _listen(self, backend: object, report: GateReport) -> bool:
        """Begin to hear of changes of what is held, if the backend tells of them; True when that is new."""
        listen = getattr(backend, "listen", None)
        if self._news is not None or listen is None or report.username is None:
            return False
        from bespeak.cli.hold_events import HoldEvents

        try:
            self._news = HoldEvents(listen(report.username, report.required), self._changed)
        except (BespeakError, OSError):
            return False  # the regular question finds out
        return True

    def _changed(self) -> None:
        self._is_changed = True
        self._child.poke()

    def close(self) -> None:
        """Stop hearing of changes."""
        if self._news is not None:
            self._news.close()

    def _take(self, answer: Answer | Exception) -> None:
        """Keep what the answer says of the end, and act on what it refuses."""
        if isinstance(answer, Exception):
            self._tell(str(answer), f"the reservation cannot be checked now: {answer}; the command goes on")
            return
        report, until_us, now_us, asked_us = answer
        if not report.allowed:
            missing = ", ".join(escape_unprintable(each.resource) for each in report.missing)
            then = self._stop(KILL_AFTER_SECONDS)
            self._tell(("missing", missing), f"{report.username} no longer holds {missing}; {then}")
            self._end_us = None
        elif until_us is None or until_us >= FOREVER_US:
            self._end_us = None
        else:
            self._expect(until_us, until_us - now_us, asked_us)

    def _expect(self, until_us: int, left_us: int, asked_us: int) -> None:
        """Note when the reservation ends, and ask once more just before that matters.

        Args:
            until_us: its end, µs UTC.
            left_us: how long it lasted when that was asked, µs by the clock of whoever answered.
            asked_us: when that was asked, µs since boot.
        """
        if until_us != self._until_us:
            self._stop_us, self._kill_us = stopping_times(left_us)
        self._until_us, self._end_us = until_us, asked_us + left_us
        last_us = self._end_us - (self._stop_us + self._kill_us if self._stops else 0)
        now_us = boot_us()
        if now_us < last_us or not self._stops:
            self._next_us = min(self._next_us, max(last_us, now_us + _SOONEST_US))

    def _near_the_end(self, end_us: int, now_us: int) -> int:
        """Announce the end, stop the command in time; return when to look again (µs since boot)."""
        left_us = end_us - now_us
        if self._stops:
            self._child.stop_by(end_us - self._stop_us, end_us - self._kill_us)
        if left_us <= self._warn_us:
            stopped = stopping_text(self._stop_us)
            then = stopped if self._stops else "the command will go on without it"
            end = f"ends {timeparse.show(self._until_us or 0)}, in {duration_text(max(left_us, 0))}"
            self._tell(("end", self._until_us), f"the reservation {end}; {then}")
        if self._stops and left_us <= self._stop_us and not self._stopped:
            then = self._stop(max(left_us - self._kill_us, 0) / SECOND_US)
            self._tell("over", f"the reservation is over; {then}")
        return now_us + _LONGEST_TICK_US if left_us > _LONGEST_TICK_US + self._stop_us else now_us + _SOONEST_US * 2

    def _stop(self, grace_seconds: float) -> str:
        """Stop the command if that is wanted; return what becomes of it."""
        if not self._stops:
            return "the command has ended" if self._child.has_ended else "the command goes on without it"
        if self._child.has_ended:
            self._stopped = self._child.was_killed
            self._child.terminate(grace_seconds)
            return "the command has ended, and what it has left is being stopped"
        self._stopped = True
        self._child.terminate(grace_seconds)
        return "the command is being stopped"

    def _tell(self, key: object, text: str) -> None:
        if key not in self._told:
            self._told.add(key)
            self._context.warn(text)
