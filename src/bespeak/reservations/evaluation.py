"""What the gate finds, as a value that every door prints: the library, ``reservation check`` and ``bespeak gate``.

The backend is somebody else's code. Whatever comes out of it other than an answer of the right shape is treated as
"could not be asked": the gate stays shut.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.errors import UsageError
from bespeak.base.frozen import frozen
from bespeak.labs.model import required_resources
from bespeak.reservations.errors import ReservationBackendError, as_backend_error
from bespeak.reservations.messages import allowed_text, refusal_text
from bespeak.reservations.null_backend import NullReservationBackend

if TYPE_CHECKING:
    from bespeak.reservations.protocol import ReservationBackend
    from bespeak.reservations.state import ReservationState

UNKNOWN_USER = "<unknown>"


@frozen
class Holder:
    """Somebody who holds a missing resource.

    Attributes:
        username: who.
        until: when the hold ends, µs UTC; ``FOREVER_US`` for an open end, None if the backend cannot say.
    """

    username: str
    until: int | None = None


@frozen
class MissingResource:
    """A resource that is required and not held, and who holds it instead."""

    resource: str
    holders: tuple[Holder, ...] = ()


@frozen
class GateReport:
    """The answer of the gate.

    Attributes:
        lab: the name of the lab.
        username: whose reservations count; None if nobody could be found.
        required: what the lab requires, sorted.
        held: those of them that the user holds, sorted.
        missing: those that the user does not hold, sorted by name.
        skipped: the check was skipped with ``-R``.
        checked: a backend was asked, or nothing was required; False under ``none`` and when skipped.
        backend: the name of the backend.
        decided_by: the settings file that selected the backend; None if none did.
    """

    lab: str
    username: str | None
    required: tuple[str, ...]
    held: tuple[str, ...] = ()
    missing: tuple[MissingResource, ...] = ()
    skipped: bool = False
    checked: bool = True
    backend: str = "none"
    decided_by: str | None = None

    @property
    def allowed(self) -> bool:
        """Whether the lab may be used."""
        return not self.missing

    @property
    def text(self) -> str:
        """The answer for people; names are printed literally, unprintable characters as escapes."""
        if self.skipped:
            return (
                f"\N{WARNING SIGN}  Reservation check SKIPPED for user {self.username or UNKNOWN_USER!r} "
                f"on lab {self.lab!r}. Required resources: {list(self.required)!r}"
            )
        if self.missing:
            names = [(each.resource, [holder.username for holder in each.holders]) for each in self.missing]
            return refusal_text(self.username or UNKNOWN_USER, self.lab, names)
        if not self.checked:
            why = (
                f"{escape_unprintable(self.decided_by)} says backend = 'none'"
                if self.decided_by
                else "no backend is configured"
            )
            return f"Nothing was checked: {why}, so anybody may use lab {self.lab!r}."
        if not self.required:
            return f"Nothing had to be checked: lab {self.lab!r} requires no resources."
        return allowed_text(self.username or UNKNOWN_USER, self.lab)


def evaluate(state: ReservationState, lab: Any, *, even_if_skipped: bool = False) -> GateReport:
    """Find out whether ``lab`` may be used, and say why.

    Args:
        state: what :func:`~bespeak.reservations.factory.build_reservation_state` returned.
        lab: anything with ``name``, ``resources`` and ``hosts``.
        even_if_skipped: check even under ``-R``, as ``reservation check`` does.

    Raises:
        ReservationBackendError: the backend cannot be built or asked, or broke.
        UsageError: there is a backend to ask but no identity to ask for.
    """
    username = state.identity.username if state.identity is not None else None
    decided_by = getattr(state.backend_factory, "decided_by", None)
    if state.skip_check and not even_if_skipped:
        return GateReport(
            lab.name,
            username,
            tuple(sorted(required_resources(lab))),
            skipped=True,
            checked=False,
            backend=getattr(state.backend_factory, "backend", "none"),
            decided_by=decided_by,
        )
    backend = state.backend
    if backend is None and state.backend_factory is not None:
        backend = state.backend_factory()
    if backend is None:
        backend = NullReservationBackend()
    if username is None and not isinstance(backend, NullReservationBackend):
        raise UsageError("nobody to check reservations for: the identity was not resolved; say it with --as-user")
    return examine(lab, username or "", backend, decided_by)


def examine(lab: Any, username: str, backend: ReservationBackend, decided_by: str | None = None) -> GateReport:
    """Ask ``backend`` whether ``username`` holds what ``lab`` requires; see :func:`evaluate`."""
    needed = required_resources(lab)
    required = tuple(sorted(needed))
    if isinstance(backend, NullReservationBackend):
        return GateReport(lab.name, username or None, required, checked=False, decided_by=decided_by)
    name = name_of(backend)
    if not needed:
        return GateReport(lab.name, username, required, backend=name, decided_by=decided_by)
    if callable(getattr(backend, "holdings", None)):
        held, missing = _one_look(backend, name, username, required)
    else:
        held = _held(backend, name, username, needed)
        missing = tuple(
            MissingResource(resource, _holders(backend, name, resource))
            for resource in required
            if resource not in held
        )
    return GateReport(
        lab.name,
        username,
        required,
        held=tuple(resource for resource in required if resource in held),
        missing=missing,
        backend=name,
        decided_by=decided_by,
    )


def report_json(report: GateReport) -> dict[str, Any]:
    """Return the report for programs; instants are ISO 8601 in UTC, None for an open or unknown end."""
    from bespeak.base.clock import FOREVER_US, iso

    return {
        "lab": report.lab,
        "username": report.username,
        "allowed": report.allowed,
        "checked": report.checked,
        "skipped": report.skipped,
        "backend": report.backend,
        "decided_by": report.decided_by,
        "required": list(report.required),
        "held": list(report.held),
        "missing": [
            {
                "resource": each.resource,
                "holders": [
                    {
                        "username": holder.username,
                        "until": iso(holder.until),
                        "open_ended": holder.until is not None and holder.until >= FOREVER_US,
                    }
                    for holder in each.holders
                ],
            }
            for each in report.missing
        ],
        "text": report.text,
    }


def whoami(state: ReservationState, lab: str | None = None) -> dict[str, str | None]:
    """Return what ``reservation whoami`` prints; nothing is built for it that was not built already.

    Args:
        state: what :func:`~bespeak.reservations.factory.build_reservation_state` returned.
        lab: the name of the lab, if one was named.
    """
    identity = state.identity
    configured = getattr(state.backend_factory, "backend", "none")
    return {
        "username": identity.username if identity is not None else None,
        "source": identity.source if identity is not None else None,
        "backend": name_of(state.backend) if state.backend is not None else configured,
        "lab": lab,
    }


def name_of(backend: Any) -> str:
    """Return the name of a backend; a broken one is no reason to go on."""
    name = ask(backend, "a backend", "backend_name")
    return name if isinstance(name, str) else _nonsense("a backend", "backend_name", name)


def ask(backend: Any, name: str, question: str, *arguments: Any) -> Any:
    """Ask a backend; whatever it raises, leaving the process included, comes out as the one documented error."""
    try:
        return getattr(backend, question)(*arguments)
    except (Exception, SystemExit) as error:
        raise as_backend_error(error, f"the {name!r} backend failed in {question}") from error


def _held(backend: Any, name: str, username: str, needed: set[str]) -> AbstractSet[str]:
    if callable(getattr(backend, "held_among", None)):
        question, held = "held_among", ask(backend, name, "held_among", username, needed)
    else:
        question, held = "get_reserved_resources", ask(backend, name, "get_reserved_resources", username)
    return held if isinstance(held, AbstractSet) else _nonsense(name, question, held)


def _one_look(
    backend: Any, name: str, username: str, required: tuple[str, ...]
) -> tuple[AbstractSet[str], tuple[MissingResource, ...]]:
    answer = ask(backend, name, "holdings", username, required)
    if not isinstance(answer, tuple) or len(answer) != 2:  # noqa: PLR2004 - a pair
        _nonsense(name, "holdings", answer)
    held, others = answer
    if not isinstance(held, AbstractSet) or not isinstance(others, dict):
        _nonsense(name, "holdings", held)
    missing = []
    for resource in required:
        if resource not in held:
            pairs = others.get(resource)
            if not isinstance(pairs, list) or not all(_is_holder(pair) for pair in pairs):
                _nonsense(name, "holdings", pairs)
            missing.append(MissingResource(resource, tuple(Holder(holder, until) for holder, until in pairs)))
    return held, tuple(missing)


def _holders(backend: Any, name: str, resource: str) -> tuple[Holder, ...]:
    if callable(getattr(backend, "holder_ends", None)):
        pairs = ask(backend, name, "holder_ends", resource)
        if not isinstance(pairs, list) or not all(_is_holder(pair) for pair in pairs):
            _nonsense(name, "holder_ends", pairs)
        return tuple(Holder(username, until) for username, until in pairs)
    names = ask(backend, name, "who_reserved", resource)
    if not isinstance(names, list | tuple) or not all(isinstance(each, str) for each in names):
        _nonsense(name, "who_reserved", names)
    return tuple(Holder(each) for each in names)


def _is_holder(pair: Any) -> bool:
    if not isinstance(pair, tuple) or len(pair) != 2:  # noqa: PLR2004 - a pair
        return False
    return isinstance(pair[0], str) and (pair[1] is None or isinstance(pair[1], int))


def _nonsense(name: str, question: str, answer: Any) -> Any:
    raise ReservationBackendError(
        f"the {name!r} backend answered {question} with a value of type {short_repr(type(answer).__name__)}"
    )
