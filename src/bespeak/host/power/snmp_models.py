"""What each maker of power distribution units calls "on" over SNMP, and how its outlets are counted.

The object identifiers are those of the makers' published MIBs (PowerNet, CPS, EATON-EPDU, PDU2, Sentry3, Sentry4,
VERTIV-V5, GUDEADS) and of RFC 3621 for power over Ethernet.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outlets:
    """How the outlets of one kind of unit are switched; ``*`` in an OID stands for the index of the outlet.

    Attributes:
        on_oid: what is set to switch on.
        on: the value.
        off_oid: what is set to switch off.
        off: the value.
        state_oid: what tells the state.
        is_on: the value that means on.
        is_off: the value that means off.
        before: the numbers of the index before that of the outlet (unit, tower, infeed ...), as they are where only
            one of each is there.
    """

    on_oid: str
    on: int
    off_oid: str
    off: int
    state_oid: str
    is_on: int
    is_off: int
    before: tuple[str, ...] = ()

    def index(self, outlet: int | str) -> str:
        """Return the index of an outlet: ``5``, or ``2.5`` for outlet 5 of unit 2, and so on from the right.

        Raises:
            ValueError: the unit does not count outlets so.
        """
        given = str(outlet).split(".")
        missing = 1 + len(self.before) - len(given)
        if missing < 0:
            raise ValueError(f"outlet {outlet!s}: this model counts outlets with {_count(1 + len(self.before))}")
        return ".".join((*self.before[:missing], *given))


def _count(numbers: int) -> str:
    return "one number" if numbers == 1 else f"at most {numbers} numbers"


def _same(oid: str, on: int, off: int, state_oid: str, is_on: int, is_off: int, *before: str) -> Outlets:
    return Outlets(oid, on, oid, off, state_oid, is_on, is_off, before)


def _gude(product: int) -> Outlets:
    oid = f"1.3.6.1.4.1.28507.{product}.1.3.1.2.1.3.*"
    return _same(oid, 1, 0, oid, 1, 0)


_APC = "1.3.6.1.4.1.318.1.1"
_EATON = "1.3.6.1.4.1.534.6.6.7.6.6.1"
_SENTRY = "1.3.6.1.4.1.1718"
_GEIST = "1.3.6.1.4.1.21239.5.2.3.5.1"
_POE = "1.3.6.1.2.1.105.1.1.1.3.*"

MODELS = {
    "apc": _same(f"{_APC}.4.4.2.1.3.*", 1, 2, f"{_APC}.4.4.2.1.3.*", 1, 2),
    "apc-rpdu": _same(f"{_APC}.12.3.3.1.1.4.*", 1, 2, f"{_APC}.12.3.5.1.1.4.*", 1, 2),
    "apc-rpdu2": _same(f"{_APC}.26.9.2.4.1.5.*", 1, 2, f"{_APC}.26.9.2.3.1.5.*", 2, 1),
    "cyberpower": _same("1.3.6.1.4.1.3808.1.1.3.3.3.1.1.4.*", 1, 2, "1.3.6.1.4.1.3808.1.1.3.3.5.1.1.4.*", 1, 2),
    "eaton": Outlets(f"{_EATON}.4.*", 0, f"{_EATON}.3.*", 0, f"{_EATON}.2.*", 1, 0, ("0",)),
    "geist": Outlets(f"{_GEIST}.6.*", 2, f"{_GEIST}.6.*", 4, f"{_GEIST}.4.*", 1, 2),
    "gude-8031": _gude(81),
    "gude-8041": _gude(85),
    "gude-8210": _gude(29),
    "gude-8226": _gude(58),
    "poe": _same(_POE, 1, 2, _POE, 1, 2, "1"),
    "raritan": _same("1.3.6.1.4.1.13742.6.4.1.2.1.2.*", 1, 0, "1.3.6.1.4.1.13742.6.4.1.2.1.3.*", 7, 8, "1"),
    "servertech": _same(f"{_SENTRY}.3.2.3.1.11.*", 1, 2, f"{_SENTRY}.3.2.3.1.5.*", 1, 0, "1", "1"),
    "servertech-pro": _same(f"{_SENTRY}.4.1.8.5.1.2.*", 1, 2, f"{_SENTRY}.4.1.8.3.1.1.*", 1, 0, "1", "1"),
}
"""Units by the name that lab data gives them."""
