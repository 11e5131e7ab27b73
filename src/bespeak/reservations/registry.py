"""Backends by name: the built-in ones, those that init modules register, and those that packages bring along.

A built-in one is loaded when it is asked for. A package declares one as an entry point of the group
``bespeak.reservation_backends``; entry points are looked through only for a name that nobody registered.
"""

from __future__ import annotations

from typing import Any

from bespeak.base.registry import Registry
from bespeak.settings import SettingsError

BUILT_IN = {
    "json": "bespeak.reservations.json_backend:JsonReservationBackend",
    "ledger": "bespeak.reservations.ledger_backend:LedgerReservationBackend",
    "none": "bespeak.reservations.null_backend:NullReservationBackend",
}
_BACKENDS: Registry[type[Any]] = Registry("reservation backend", BUILT_IN, group="bespeak.reservation_backends")


def register_reservation_backend(name: str, cls: type[Any]) -> None:
    """Make a backend selectable as ``backend = "<name>"``.

    Called from an init module. The built-in names keep their meaning in settings whatever is registered, so that no
    module can open a gate that settings closed.

    Args:
        name: the bare name that settings use.
        cls: a class whose instances have the methods of
            :class:`~bespeak.reservations.protocol.ReservationBackend`.

    Raises:
        ValueError: the name is empty or not a text.
    """
    _BACKENDS.register(name, cls)


def get_reservation_backend_class(name: str) -> type[Any]:
    """Return the class registered as ``name``.

    Raises:
        ValueError: there is none; the message lists the names there are.
    """
    found = _BACKENDS.get(name)
    if found is not None:
        return found
    try:
        found = _BACKENDS.load_installed(name, lambda cls: register_reservation_backend(name, cls))
    except ValueError as error:
        raise SettingsError(str(error)) from error
    if found is None:
        raise SettingsError(_BACKENDS.unknown(name, "An init module adds others with register_reservation_backend()."))
    return found


def is_registered(name: str) -> bool:
    """Tell whether a name can be selected."""
    return name in _BACKENDS.names()
