"""bespeak: one book of reservations that people, CI jobs and coding agents share.

Its public names are those of ``bespeak.__all__``, described in ``docs/reference/python.md``, and what the guides name
of ``bespeak.reservations``, ``bespeak.host``, ``bespeak.configmodule``, ``bespeak.integrations`` and
``bespeak.testing``. Everything else is private and may change with any version. A name is loaded when it is used
first: ``import bespeak`` itself loads nothing.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.async_holding import AsyncHold as AsyncHold
    from bespeak.async_holding import ahold as ahold
    from bespeak.base.clock import FOREVER_US as FOREVER_US
    from bespeak.base.errors import BespeakError as BespeakError
    from bespeak.base.errors import BusyError as BusyError
    from bespeak.base.errors import LockedError as LockedError
    from bespeak.base.errors import NotFoundError as NotFoundError
    from bespeak.base.errors import OutcomeUnknownError as OutcomeUnknownError
    from bespeak.base.errors import UnavailableError as UnavailableError
    from bespeak.base.errors import UsageError as UsageError
    from bespeak.base.errors import WaitTimedOutError as WaitTimedOutError
    from bespeak.base.errors import WrongStateError as WrongStateError
    from bespeak.base.timeparse import duration as duration
    from bespeak.base.timeparse import instant as instant
    from bespeak.holding import Hold as Hold
    from bespeak.holding import hold as hold
    from bespeak.ledger.actions import LogEntry as LogEntry
    from bespeak.ledger.batches import Batch as Batch
    from bespeak.ledger.batches import Obstacle as Obstacle
    from bespeak.ledger.errors import Lost as Lost
    from bespeak.ledger.errors import RefusedError as RefusedError
    from bespeak.ledger.errors import UndeclaredError as UndeclaredError
    from bespeak.ledger.model import Booking as Booking
    from bespeak.ledger.model import EndReason as EndReason
    from bespeak.ledger.model import Free as Free
    from bespeak.ledger.model import Holder as Holder
    from bespeak.ledger.model import Mode as Mode
    from bespeak.ledger.model import Need as Need
    from bespeak.ledger.model import QueuePosition as QueuePosition
    from bespeak.ledger.model import Refusal as Refusal
    from bespeak.ledger.model import Request as Request
    from bespeak.ledger.model import Reservation as Reservation
    from bespeak.ledger.model import Resource as Resource
    from bespeak.ledger.model import State as State
    from bespeak.ledger.open_from_settings import open_book as open_book
    from bespeak.ledger.service import Ledger as Ledger
    from bespeak.settings.trust import UntrustedError as UntrustedError

__version__ = "0.1.0"

_HOMES = {
    "hold": "holding",
    "ahold": "async_holding",
    "Hold": "holding",
    "AsyncHold": "async_holding",
    "open_book": "ledger.open_from_settings",
    "Ledger": "ledger.service",
    "Request": "ledger.model",
    "Holder": "ledger.model",
    "Reservation": "ledger.model",
    "Resource": "ledger.model",
    "Free": "ledger.model",
    "Need": "ledger.model",
    "QueuePosition": "ledger.model",
    "Refusal": "ledger.model",
    "Booking": "ledger.model",
    "Batch": "ledger.batches",
    "Obstacle": "ledger.batches",
    "LogEntry": "ledger.actions",
    "Mode": "ledger.model",
    "State": "ledger.model",
    "EndReason": "ledger.model",
    "duration": "base.timeparse",
    "instant": "base.timeparse",
    "FOREVER_US": "base.clock",
    "BespeakError": "base.errors",
    "UsageError": "base.errors",
    "NotFoundError": "base.errors",
    "UndeclaredError": "ledger.errors",
    "WrongStateError": "base.errors",
    "UntrustedError": "settings.trust",
    "BusyError": "base.errors",
    "RefusedError": "ledger.errors",
    "Lost": "ledger.errors",
    "UnavailableError": "base.errors",
    "LockedError": "base.errors",
    "OutcomeUnknownError": "base.errors",
    "WaitTimedOutError": "base.errors",
}
"""In which module each public name is; the order is that of the reference page."""

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    """Load a public name on its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from bespeak.base.lazy_attributes import on_first_use

    return on_first_use(__name__, _HOMES)[0](name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
