"""Controllers by name: the shipped ones, those that projects register, and those that packages bring along.

A shipped controller is imported when it is named, and its library when it is used. A package declares one as an
entry point of the group ``bespeak.power_controllers``; entry points are looked through only for a name that nobody
registered.
"""

from __future__ import annotations

import inspect
from typing import Any

from bespeak.base.display import escape_unprintable, short_repr, suggest
from bespeak.base.registry import Registry
from bespeak.host.power.base import PowerController

_MODULES = "bespeak.host.power."
_registered: Registry[type[PowerController]] = Registry(
    "power controller",
    {
        "command": _MODULES + "command:CommandPowerController",
        "fence": _MODULES + "fence:FencePowerController",
        "http": _MODULES + "http:HttpPowerController",
        "ipmi": _MODULES + "ipmi:IpmiPowerController",
        "kasa": _MODULES + "kasa:KasaPowerController",
        "libvirt": _MODULES + "libvirt:LibvirtPowerController",
        "pdudaemon": _MODULES + "pdudaemon:PduDaemonPowerController",
        "redfish": _MODULES + "redfish:RedfishPowerController",
        "snmp": _MODULES + "snmp:SnmpPowerController",
        "wol": _MODULES + "wol:WakeOnLanPowerController",
    },
    group="bespeak.power_controllers",
)


def register_power_controller(type_name: str, cls: type[PowerController]) -> None:
    """Make a controller known to lab data.

    Args:
        type_name: its name there; ``cls.type_name`` must be the same.
        cls: a subclass of :class:`PowerController`.

    Raises:
        ValueError: the two names differ, the name is empty, or the class is no controller that could be used.
    """
    own = getattr(cls, "type_name", None)
    if own != type_name:
        raise ValueError(f"cannot register {getattr(cls, '__name__', cls)} as {type_name!r}: its type_name is {own!r}")
    given: object = cls
    if not inspect.isclass(given) or not issubclass(given, PowerController):
        raise ValueError(f"cannot register {getattr(cls, '__name__', cls)} as {type_name!r}: it is no PowerController")
    if inspect.isabstract(given):
        missing = ", ".join(sorted(given.__abstractmethods__))
        raise ValueError(f"cannot register {cls.__name__} as {type_name!r}: it lacks {missing}")
    _registered.register(type_name, cls)


def known_controllers() -> list[str]:
    """Return every name that lab data can use, sorted; entry points are named but not loaded."""
    return sorted({*_registered.names(), *_registered.installed()})


def build_power_controller(type_name: str) -> type[PowerController]:
    """Return the class that is registered under ``type_name``.

    Raises:
        ValueError: there is none; the message lists those that there are.
    """
    found = _registered.get(type_name)
    if found is not None:
        return found
    found = _registered.load_installed(type_name, lambda thing: _register_installed(type_name, thing))
    if found is None:
        raise ValueError(_registered.unknown(type_name, "Add one of your own with register_power_controller()."))
    return found


def _register_installed(type_name: str, thing: Any) -> None:
    if not inspect.isclass(thing) or not issubclass(thing, PowerController):
        raise TypeError(f"{short_repr(thing)} is no PowerController")
    register_power_controller(type_name, thing)


def power_control_from_spec(value: Any) -> PowerController | None:
    """Make a controller from what lab data says.

    Args:
        value: None; an instance, which is returned as it is; the name of a controller that needs no settings; a table
            with ``type`` and the settings; or a list of such values, one for each supply of the host.

    Raises:
        ValueError: it is something else, or a setting cannot be used; the message names it.
    """
    if value is None or isinstance(value, PowerController):
        return value
    if isinstance(value, str):
        return _constructed(value, {})
    if isinstance(value, dict):
        settings = dict(value)
        type_name = settings.pop("type", None)
        if not isinstance(type_name, str) or not type_name:
            raise ValueError(f"needs a type; known: {', '.join(map(escape_unprintable, known_controllers()))}")
        return _constructed(type_name, settings)
    if isinstance(value, list):
        return _several(value)
    raise ValueError(f"must be a name, a table or a list of them, not {short_repr(value)}")


def _several(values: list[Any]) -> PowerController:
    from bespeak.host.power.redundant import RedundantPowerController

    controllers = []
    for number, value in enumerate(values):
        if value is None or isinstance(value, list):
            raise ValueError(f"[{number}]: must be a name or a table, not {short_repr(value)}")
        try:
            controller = power_control_from_spec(value)
        except ValueError as error:
            raise ValueError(f"[{number}]: {error}") from error
        if controller is not None:
            controllers.append(controller)
    return RedundantPowerController(controllers)


def _constructed(type_name: str, settings: dict[str, Any]) -> PowerController:
    cls = build_power_controller(type_name)
    _check_names(cls, type_name, settings)
    try:
        return cls(**settings)
    except ValueError as error:
        raise ValueError(f"{type_name}: {error}") from error
    except Exception as error:  # a constructor of somebody else's; the settings may hold secrets
        raise ValueError(f"{type_name}: cannot be set up: {type(error).__name__}") from error


def _check_names(cls: type[PowerController], type_name: str, settings: dict[str, Any]) -> None:
    parameters = [each for name, each in inspect.signature(cls).parameters.items() if name != "self"]
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return
    named = [each for each in parameters if each.kind in {each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY}]
    known = [each.name for each in named]
    for key in settings:
        if key not in known:
            near = suggest(str(key), known, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known) or 'none'}"
            raise ValueError(f"{type_name}: there is no setting {short_repr(key)}{hint}")
    for each in named:
        if each.default is each.empty and each.name not in settings:
            raise ValueError(f"{type_name}: {each.name} is missing")
