"""What ``gate`` does while its command runs: ask again, announce an end, and say (or act) when the hold is over.

A scheduler may hang, so it is asked in a thread; the command's signals and its end never wait for it.
"""

from __future__ import annotations

from bespeak.base import clock, timeparse
from bespeak.base.clock import FOREVER_US, MINUTE_US, SECOND_US, duration_text
from bespeak.base.display import escape_unprintable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Context
    from bespeak.cli.supervise import Child
    from bespeak.reservations.evaluation import GateReport
    from bespeak.reservations.session import Prepared

WARN_US = 5 * MINUTE_US
EVERY_US = 30 * SECOND_US

_FIRST_US = SECOND_US
_IDLE_SECONDS = 3600.0


class Guard:
    """The watch over one command.

    Args:
        context: the invocation.
        child: the command.
        warn_us: announce an end so long ahead, µs.
        every_us: ask again so often, µs.
        strict: stop the command when the hold is over.
    """

    def __init__(self, context: Context, child: Child, *, warn_us: int, every_us: int, strict: bool) -> None:
        self._context = context
        self._child = child
        self._warn_us = warn_us
        self._every_us = every_us
        self._strict = strict
        self._prepared: Prepared | None = None
        self._next_us = clock.now() + min(every_us, _FIRST_US)
        self._asking = False
        self._answer: tuple[GateReport, int | None] | Exception | None = None
        self._told: set[object] = set()

    def sleep(self) -> float:
        """Do nothing: the check was skipped."""
        return _IDLE_SECONDS

    def tick(self) -> float:
        """Take an answer that has come, ask if it is time; return the seconds until the next call."""
        if self._answer is not None:
            answer, self._answer, self._asking = self._answer, None, False
            self._next_us = clock.now() + self._take(answer)
        if self._asking:
            return _IDLE_SECONDS  # the answer pokes
        left_us = self._next_us - clock.now()
        if left_us <= 0:
            self._asking = True
            import threading  # most commands have ended before

            threading.Thread(target=self._ask, name="bespeak-gate", daemon=True).start()
            return _IDLE_SECONDS
        return left_us / SECOND_US

    def _ask(self) -> None:
        """Ask the gate again (in a thread)."""
        from bespeak.reservations.expiry import held_until
        from bespeak.reservations.session import prepare_gate

        try:
            if self._prepared is None:
                self._prepared = prepare_gate(
                    self._context.lab_option, as_user=self._context.as_user, ledger=self._context.ledger_flag
                )
            report = self._prepared.report()
            until_us = None
            if report.allowed and report.checked and report.username is not None:
                until_us = held_until(self._prepared.state.backend, report.username, report.required, clock.now())
            self._answer = (report, until_us)
        except Exception as error:  # noqa: BLE001 told by the main thread
            self._answer = error
        self._child.poke()

    def _take(self, answer: tuple[GateReport, int | None] | Exception) -> int:
        """Say what is new; return how long to wait before asking again, µs."""
        if isinstance(answer, Exception):
            self._tell(str(answer), f"the reservation cannot be checked now: {answer}; the command goes on")
            return self._every_us
        report, until_us = answer
        if not report.allowed:
            missing = ", ".join(escape_unprintable(each.resource) for each in report.missing)
            then = "the command is being stopped" if self._strict else "the command goes on without it"
            self._tell(("missing", missing), f"{report.username} no longer holds {missing}; {then}")
            if self._strict:
                self._child.terminate()
            return self._every_us
        if until_us is None or until_us >= FOREVER_US:
            return self._every_us
        left_us = until_us - clock.now()
        if left_us <= self._warn_us:
            then = "the command is stopped then" if self._strict else "the command will go on without it"
            end = f"ends {timeparse.show(until_us)}, in {duration_text(max(left_us, 0))}"
            self._tell(("end", until_us), f"the reservation {end}; {then}")
        soonest_us = left_us - self._warn_us if left_us > self._warn_us else left_us
        return max(min(self._every_us, soonest_us), SECOND_US // 20)

    def _tell(self, key: object, text: str) -> None:
        if key not in self._told:
            self._told.add(key)
            self._context.warn(text)
