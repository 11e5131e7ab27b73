"""Asking a backend: may the lab be used, and until when is everything held?

The backend is somebody else's code. Whatever comes out of it other than an answer of the right shape is treated as
"could not be asked": the gate stays shut.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bespeak.base.clock import FOREVER_US, of_datetime
from bespeak.base.display import short_repr
from bespeak.base.errors import Field, UsageError
from bespeak.base.paths import public_url
from bespeak.labs.model import required_resources
from bespeak.reservations.errors import ReservationBackendError, as_backend_error
from bespeak.reservations.null_backend import NullReservationBackend
from bespeak.reservations.report import GateReport, MissingResource, ResourceHolder, missing_resources

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bespeak.reservations.identity import ResolvedIdentity
    from bespeak.reservations.protocol import ReservationBackend


@dataclass(frozen=True)
class ReservationState:
    """The reservation side of one invocation.

    Attributes:
        backend: answers who holds what; None when the check is skipped.
        identity: whose reservations count.
        skip_check: ``-R`` was given.
        backend_factory: builds the backend on demand, for the one command that checks even under ``-R``.
    """

    backend: ReservationBackend | None = None
    identity: ResolvedIdentity | None = None
    skip_check: bool = False
    backend_factory: Callable[[], ReservationBackend] | None = None


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
        raise UsageError(
            "nobody to check reservations for: the identity was not resolved; say it with ", Field("as_user")
        )
    return examine(lab, username or "", backend, decided_by)


def examine(lab: Any, username: str, backend: ReservationBackend, decided_by: str | None = None) -> GateReport:
    """Ask ``backend`` whether ``username`` holds what ``lab`` requires; see :func:`evaluate`."""
    needed = required_resources(lab)
    required = tuple(sorted(needed))
    if isinstance(backend, NullReservationBackend):
        return GateReport(lab.name, username or None, required, checked=False, decided_by=decided_by)
    name = name_of(backend)
    within, url = getattr(backend, "within", None), getattr(backend, "url", None)
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
        missing=_with_more(backend, name, missing),
        backend=name,
        decided_by=decided_by,
        within=within if isinstance(within, str) else None,
        book=public_url(url) if name == "ledger" and isinstance(url, str) else None,
    )


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
            missing.append(MissingResource(resource, tuple(ResourceHolder(holder, until) for holder, until in pairs)))
    return held, tuple(missing)


def _with_more(backend: Any, name: str, missing: tuple[MissingResource, ...]) -> tuple[MissingResource, ...]:
    """Add from when on each missing resource is free, and what uses it where, as far as the backend can say it."""
    names = [each.resource for each in missing]
    free = _if_it_can(backend, name, "next_free", names)
    if not isinstance(free, dict) or not all(isinstance(instant, int) for instant in free.values()):
        _nonsense(name, "next_free", free)
    users = _if_it_can(backend, name, "users_of", names)
    if not isinstance(users, dict) or not all(_are_users(each) for each in users.values()):
        _nonsense(name, "users_of", users)
    others = {each.resource: [(holder.username, holder.until) for holder in each.holders] for each in missing}
    return missing_resources(others, free, users)


def _if_it_can(backend: Any, name: str, question: str, names: list[str]) -> Any:
    return ask(backend, name, question, names) if names and callable(getattr(backend, question, None)) else {}


def _are_users(found: Any) -> bool:
    return isinstance(found, list) and all(
        isinstance(one, tuple) and [type(part) for part in one] == [str, str, int] for one in found
    )


def _holders(backend: Any, name: str, resource: str) -> tuple[ResourceHolder, ...]:
    if callable(getattr(backend, "holder_ends", None)):
        pairs = ask(backend, name, "holder_ends", resource)
        if not isinstance(pairs, list) or not all(_is_holder(pair) for pair in pairs):
            _nonsense(name, "holder_ends", pairs)
        return tuple(ResourceHolder(username, until) for username, until in pairs)
    names = ask(backend, name, "who_reserved", resource)
    if not isinstance(names, list | tuple) or not all(isinstance(each, str) for each in names):
        _nonsense(name, "who_reserved", names)
    return tuple(ResourceHolder(each) for each in names)


def _is_holder(pair: Any) -> bool:
    if not isinstance(pair, tuple) or len(pair) != 2:  # noqa: PLR2004 - a pair
        return False
    return isinstance(pair[0], str) and (pair[1] is None or isinstance(pair[1], int))


def _nonsense(name: str, question: str, answer: Any) -> Any:
    raise ReservationBackendError(
        f"the {name!r} backend answered {question} with a value of type {short_repr(type(answer).__name__)}"
    )


def held_until(backend: ReservationBackend | None, username: str, required: Collection[str], now_us: int) -> int | None:
    """Return the first instant at which one of ``required`` is no longer held, in µs UTC.

    Windows that follow each other without a gap count as one, so a reservation renewed in time ends nothing.

    Args:
        backend: who answers.
        username: whose reservations count.
        required: what the lab requires.
        now_us: the present, µs UTC.

    Returns:
        ``FOREVER_US`` if there is no end in sight, ``now_us`` if something is not held now, None if the backend
        cannot say.

    Raises:
        ReservationBackendError: the backend could say, but failed.
    """
    if not callable(getattr(backend, "get_reservation_windows", None)):
        return None
    name = name_of(backend)
    windows = ask(backend, name, "get_reservation_windows", username)
    spans: dict[str, list[tuple[int, int]]] = {resource: [] for resource in required}
    try:
        for window in windows:
            if window.resource in spans:
                start = 0 if window.start is None else _instant_us(window.start)
                end = FOREVER_US if window.end is None else _instant_us(window.end)
                spans[window.resource].append((start, end))
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise ReservationBackendError(
            f"the {name!r} backend answered get_reservation_windows with {short_repr(type(error).__name__)}"
        ) from error
    return min((_covered_until(each, now_us) for each in spans.values()), default=FOREVER_US)


def _covered_until(spans: list[tuple[int, int]], now_us: int) -> int:
    covered = now_us
    for start, end in sorted(spans):
        if start > covered:
            break
        covered = max(covered, end)
    return covered


def _instant_us(instant: Any) -> int:
    if instant.tzinfo is None:
        raise ValueError("an instant without a zone")
    return of_datetime(instant)
