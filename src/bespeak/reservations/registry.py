"""Backends by name. The built-in ones are loaded when they are asked for."""

from __future__ import annotations

from typing import Any

from bespeak.registry import Registry
from bespeak.settings import SettingsError
from bespeak.text import safe

BUILT_IN = {
    "json": ("json_backend", "JsonReservationBackend"),
    "ledger": ("ledger_backend", "LedgerReservationBackend"),
    "none": ("null_backend", "NullReservationBackend"),
}
_CUSTOM: Registry[type[Any]] = Registry("reservation backend")


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
    _CUSTOM.register(name, cls)


def get_reservation_backend_class(name: str) -> type[Any]:
    """Return the class registered as ``name``.

    Raises:
        ValueError: there is none; the message lists the names there are.
    """
    custom = _CUSTOM.get(name)
    if custom is not None:
        return custom
    if name in BUILT_IN:
        from importlib import import_module

        module, attribute = BUILT_IN[name]
        built_in: type[Any] = getattr(import_module(f"bespeak.reservations.{module}"), attribute)
        return built_in
    known = ", ".join(safe(each) for each in sorted({*BUILT_IN, *_CUSTOM.names()}))
    raise SettingsError(
        f"Unknown reservation backend {name!r}. Registered backends: {known}. "
        "An init module adds others with register_reservation_backend()."
    )


def is_registered(name: str) -> bool:
    """Tell whether a name can be selected."""
    return name in BUILT_IN or _CUSTOM.get(name) is not None
