"""Power control: how hosts are switched on and off from where it is possible.

A host that is off cannot switch itself on, so a :class:`PowerController` stands for the place where that can be done: a
command on another host, a management controller, a power distribution unit, a smart plug. Which one, lab data says.

Names and signatures are those of otto's `power`; a controller written for otto works with the package name
changed.

Importing this package loads nothing; names are loaded on their first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.lazy_attributes import on_first_use

if TYPE_CHECKING:
    from bespeak.host.power.base import PowerController as PowerController
    from bespeak.host.power.command import CommandPowerController as CommandPowerController
    from bespeak.host.power.registry import build_power_controller as build_power_controller
    from bespeak.host.power.registry import known_controllers as known_controllers
    from bespeak.host.power.registry import power_control_from_spec as power_control_from_spec
    from bespeak.host.power.registry import register_power_controller as register_power_controller
    from bespeak.host.status import PowerState as PowerState

__getattr__, __dir__ = on_first_use(
    __name__,
    {
        "CommandPowerController": "command",
        "PowerController": "base",
        "PowerState": "base",
        "build_power_controller": "registry",
        "known_controllers": "registry",
        "power_control_from_spec": "registry",
        "register_power_controller": "registry",
    },
)
