"""Everything between the words typed and the gate's answer, for the doors that ask it.

A door says which labs, whose reservations and which book; what comes back is the lab, the state and the report.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bespeak.base.errors import UsageError
from bespeak.labs.model import required_resources
from bespeak.labs.store import lab_names, open_labs
from bespeak.reservations import fast_gate
from bespeak.reservations.evaluation import evaluate
from bespeak.reservations.factory import build_reservation_state
from bespeak.reservations.ledger_backend import LedgerReservationBackend
from bespeak.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.labs.model import Lab
    from bespeak.reservations.evaluation import ReservationState
    from bespeak.reservations.report import GateReport
    from bespeak.settings import Settings

NO_LAB = "Missing option '--lab' / '-l' (env var: 'BESPEAK_LAB')."


@dataclass(frozen=True, slots=True)
class Prepared:
    """A gate that is ready to be asked, once or repeatedly.

    Attributes:
        state: backend and identity.
        lab: the lab, or the labs as one.
        settings: the settings that count.
    """

    state: ReservationState
    lab: Lab
    settings: Settings

    def report(self, *, even_if_skipped: bool = False) -> GateReport:
        """Ask; see :func:`~bespeak.reservations.evaluation.evaluate`."""
        return evaluate(self.state, self.lab, even_if_skipped=even_if_skipped)


def load_lab(labs: Sequence[str] = (), settings: Settings | None = None) -> Lab:
    """Return the lab that is named, the labs as one.

    Args:
        labs: the values of ``--lab``, as typed; ``BESPEAK_LAB`` counts where there are none.
        settings: what :func:`bespeak.settings.load_settings` returned; read here when not given.

    Raises:
        UsageError: no lab is named.
        NoContextError: there is no such lab.
        LabDataError: its data cannot be used.
    """
    names = lab_names(labs)
    if not names:
        raise UsageError(NO_LAB)
    return open_labs(load_settings() if settings is None else settings).load(names)


def load_state(
    *, as_user: str | None, skip_reservation_check: bool, ledger: str | None = None, settings: Settings | None = None
) -> ReservationState:
    """Return the state of this invocation; see :func:`~bespeak.reservations.factory.build_reservation_state`."""
    found = load_settings() if settings is None else settings
    return build_reservation_state(
        list(found.repos),
        as_user=as_user,
        skip_reservation_check=skip_reservation_check,
        cwd_fallback=Path.cwd(),
        ledger=ledger,
        default_backend=found.default_backend,
    )


def prepare_gate(
    labs: Sequence[str] = (),
    *,
    as_user: str | None = None,
    skip_reservation_check: bool = False,
    ledger: str | None = None,
) -> Prepared:
    """Read settings and lab data and build the backend; remember the outcome for the quick road.

    Args:
        labs: the values of ``--lab``, as typed; ``BESPEAK_LAB`` counts where there are none.
        as_user: the value of ``--as-user``.
        skip_reservation_check: ``-R``.
        ledger: the value of ``--ledger``.

    Raises:
        UsageError: no lab is named, or the settings cannot be understood.
        NoContextError: there is no such lab.
        ReservationBackendError: the backend cannot be built, and the check is not skipped.
    """
    names = lab_names(labs)
    if not names:
        raise UsageError(NO_LAB)
    began_ns = time.time_ns()
    settings = load_settings()
    store = open_labs(settings)
    lab = store.load(names)
    state = load_state(as_user=as_user, skip_reservation_check=skip_reservation_check, ledger=ledger, settings=settings)
    prepared = Prepared(state, lab, settings)
    if isinstance(state.backend, LedgerReservationBackend):
        _remember(prepared, labs, ledger, (*settings.consulted, *store.consulted), began_ns)
    return prepared


def _remember(
    prepared: Prepared, labs: Sequence[str], ledger: str | None, consulted: fast_gate.Consulted, began_ns: int
) -> None:
    backend, decided_by = prepared.state.backend, getattr(prepared.state.backend_factory, "decided_by", None)
    required = tuple(sorted(required_resources(prepared.lab)))
    if not required or not isinstance(backend, LedgerReservationBackend):
        return
    book = backend.url
    if book is not None and (os.path.isabs(book) or "://" in book):
        known = fast_gate.RememberedPlan(prepared.lab.name, required, decided_by, book)
        fast_gate.remember(labs, known, consulted, began_ns=began_ns, ledger=ledger)
