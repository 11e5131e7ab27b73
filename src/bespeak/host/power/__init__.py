"""Power control: how hosts are switched on and off from where it is possible.

A host that is off cannot switch itself on, so a :class:`PowerController` stands for the place where that can be done: a
command on another host, a management controller, a power distribution unit, a smart plug. Which one, lab data says.

Names and signatures are those of the documented contract; a controller written for otto works with the package name
changed.
"""

from __future__ import annotations

from bespeak.host.power.base import PowerController as PowerController
from bespeak.host.power.base import PowerState as PowerState
from bespeak.host.power.command import CommandPowerController as CommandPowerController
from bespeak.host.power.registry import build_power_controller as build_power_controller
from bespeak.host.power.registry import known_controllers as known_controllers
from bespeak.host.power.registry import power_control_from_spec as power_control_from_spec
from bespeak.host.power.registry import register_power_controller as register_power_controller
