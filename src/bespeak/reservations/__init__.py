"""The gate: may this user use this lab now?

The check is fixed; who holds what is answered by a backend: bespeak's own book, a JSON file, or a class of one's own
that an init module registers. Names and signatures are those of otto's `reservations`; what bespeak adds to it
(:func:`evaluate`, the ``ledger`` backend, further capabilities) stands beside them.

Importing this package loads nothing: a hook that asks the gate pays for what it uses.
"""

from __future__ import annotations

from bespeak.base.lazy_attributes import on_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.reservations.check import check_reservations as check_reservations
    from bespeak.reservations.check import gate as gate
    from bespeak.reservations.check import required_resources as required_resources
    from bespeak.reservations.errors import MissingReservationError as MissingReservationError
    from bespeak.reservations.errors import ReservationBackendError as ReservationBackendError
    from bespeak.reservations.evaluation import ReservationState as ReservationState
    from bespeak.reservations.evaluation import evaluate as evaluate
    from bespeak.reservations.factory import build_backend as build_backend
    from bespeak.reservations.factory import build_reservation_state as build_reservation_state
    from bespeak.reservations.identity import ResolvedIdentity as ResolvedIdentity
    from bespeak.reservations.identity import resolve_username as resolve_username
    from bespeak.reservations.json_backend import JsonReservationBackend as JsonReservationBackend
    from bespeak.reservations.ledger_backend import LedgerReservationBackend as LedgerReservationBackend
    from bespeak.reservations.null_backend import NullReservationBackend as NullReservationBackend
    from bespeak.reservations.protocol import ReservationBackend as ReservationBackend
    from bespeak.reservations.protocol import ReservationWindow as ReservationWindow
    from bespeak.reservations.protocol import SupportsHeldAmong as SupportsHeldAmong
    from bespeak.reservations.protocol import SupportsHolderEnds as SupportsHolderEnds
    from bespeak.reservations.protocol import SupportsHoldings as SupportsHoldings
    from bespeak.reservations.protocol import SupportsNextFree as SupportsNextFree
    from bespeak.reservations.protocol import SupportsReservationWindows as SupportsReservationWindows
    from bespeak.reservations.protocol import SupportsUsernameCompletion as SupportsUsernameCompletion
    from bespeak.reservations.protocol import SupportsUsers as SupportsUsers
    from bespeak.reservations.registry import register_reservation_backend as register_reservation_backend
    from bespeak.reservations.report import GateReport as GateReport

__getattr__, __dir__ = on_first_use(
    __name__,
    {
        "GateReport": "report",
        "JsonReservationBackend": "json_backend",
        "LedgerReservationBackend": "ledger_backend",
        "MissingReservationError": "errors",
        "NullReservationBackend": "null_backend",
        "ReservationBackend": "protocol",
        "ReservationBackendError": "errors",
        "ReservationState": "evaluation",
        "ReservationWindow": "protocol",
        "ResolvedIdentity": "identity",
        "SupportsHeldAmong": "protocol",
        "SupportsHolderEnds": "protocol",
        "SupportsHoldings": "protocol",
        "SupportsNextFree": "protocol",
        "SupportsReservationWindows": "protocol",
        "SupportsUsernameCompletion": "protocol",
        "SupportsUsers": "protocol",
        "build_backend": "factory",
        "build_reservation_state": "factory",
        "check_reservations": "check",
        "evaluate": "evaluation",
        "gate": "check",
        "register_reservation_backend": "registry",
        "required_resources": "check",
        "resolve_username": "identity",
    },
)
