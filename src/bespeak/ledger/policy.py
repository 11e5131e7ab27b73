"""What a book itself decides, the same from every folder: its keys, their values, and how they are typed and shown.

:data:`KEYS` declares every key once: its name, the kind of its value, and a line of help. Whoever adds one adds a line
there and a property to :class:`Policy`. Values are stored as JSON, which is also what ``--json`` prints.

The settings of a folder count only for a key that the book says nothing about (:class:`PolicyDefaults`).
"""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US, HOUR_US
from bespeak.base.display import escape_unprintable, short_repr, suggest
from bespeak.base.errors import UnavailableError, UsageError
from bespeak.base.frozen import frozen
from bespeak.base.json_text import loads
from bespeak.ledger import validation
from bespeak.storage.row_shape import RowShape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bespeak.storage.interface import Row, Transaction

    Value = object

DEFAULT_FOR_US = 4 * HOUR_US
"""How long a hold lasts that names no end, where neither the book nor the settings say so."""

APPROVAL_WITHIN_US = 4 * HOUR_US
"""How long a request is kept that nobody has approved, where the book does not say so."""

MOST_PRIORITY = 1_000
EVERYBODY = "*"
"""Stands in a policy for whoever it does not name."""

_SYNCED = "(synced)"
POLICY_QUERY = (
    "SELECT name, value FROM ledger_policy"
    f" UNION ALL SELECT '{_SYNCED}', '' FROM ledger_inventory WHERE id = 1 AND synced_us IS NOT NULL"
)
"""What the book says, and a row of its own where the book has an inventory."""

_ROW = RowShape("row of the policy", "name, value", "tt")
_MOST_NAMES = 10_000
_MOST_COUNTED = 1_000_000
_DURATION_RULES = ("ahead", "longest")
_QUOTA_RULES = ("active", "hours", *_DURATION_RULES)


@frozen
class ValueKind:
    """A kind of value.

    Attributes:
        form: how it is typed, in words.
        parse: makes JSON of what was typed; complains with ValueError.
        check: returns JSON in its one form, or complains with ValueError.
        show: makes the text of a checked value that ``parse`` reads.
    """

    form: str
    parse: Callable[[str], Value]
    check: Callable[[Value], Value]
    show: Callable[[Value], str]


@frozen
class PolicyKey:
    """Something that a book can decide.

    Attributes:
        name: what it is called.
        kind: what its value is.
        text: one line of help.
    """

    name: str
    kind: ValueKind
    text: str


def _boolean(value: Value) -> Value:
    if value not in ("true", "false", True, False):
        raise ValueError("must be true or false")
    return value in ("true", True)


def _duration(value: Value) -> Value:
    from bespeak.base import timeparse
    from bespeak.base.clock import duration_text

    length_us = timeparse.duration(value) if isinstance(value, str) else 0
    if not 0 < length_us < FOREVER_US:
        raise ValueError("must be a duration such as 4h, and not for ever")
    return duration_text(length_us, units=4)


def _names(value: Value) -> Value:
    if not isinstance(value, (list, tuple)) or len(value) > _MOST_NAMES:
        raise ValueError("must be a list of names")
    return sorted({_name(name) for name in value})


def _name(value: Value) -> str:
    if isinstance(value, str):
        return validation.check_name("user", value)
    raise ValueError(f"{short_repr(value)} is no name")


def _limits(value: Value) -> Value:
    if not isinstance(value, dict) or len(value) > _MOST_NAMES:
        raise ValueError("must be a number for each name")
    for name, most in value.items():
        _name(name)
        if type(most) is not int or not 0 <= most <= MOST_PRIORITY:
            raise ValueError(f"{name!a}: {short_repr(most)} must be a whole number from 0 to {MOST_PRIORITY}")
    return dict(sorted(value.items()))


def _members(value: Value) -> Value:
    if not isinstance(value, dict) or len(value) > _MOST_NAMES:
        raise ValueError("must be a list of names for each team")
    return {_name(team): _names(names) for team, names in sorted(value.items())}


def _quotas(value: Value) -> Value:
    if not isinstance(value, dict) or len(value) > _MOST_NAMES:
        raise ValueError("must be rules for each name")
    return {_name(name): _quota(name, rules) for name, rules in sorted(value.items())}


def _quota(name: str, rules: Value) -> Value:
    if not isinstance(rules, dict) or not rules:
        raise ValueError(f"{name!a}: must be one rule or more: {', '.join(_QUOTA_RULES)}")
    found: dict[str, Value] = {}
    for rule in _QUOTA_RULES:
        if rule in rules:
            found[rule] = _duration(rules[rule]) if rule in _DURATION_RULES else _count(name, rule, rules[rule])
    unknown = [rule for rule in rules if rule not in _QUOTA_RULES]
    if unknown:
        raise ValueError(f"{name!a}: there is no rule {short_repr(unknown[0])}; there are {', '.join(_QUOTA_RULES)}")
    return found


def _count(name: str, rule: str, value: Value) -> Value:
    if type(value) is not int or not 0 <= value <= _MOST_COUNTED:
        raise ValueError(f"{name!a}: {rule} must be a whole number from 0 to {_MOST_COUNTED}, not {short_repr(value)}")
    return value


def _rules(text: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for word in text.split():
        rule, colon, most = word.partition(":")
        if not colon or rule in found:
            raise ValueError(f"{word!a} must be rule:most, each rule once")
        found[rule] = int(most) if most.isascii() and most.isdigit() and len(most) <= len(str(_MOST_COUNTED)) else most
    return found


def _show_quotas(value: Value) -> str:
    if not isinstance(value, dict):
        return ""
    return ";".join(
        f"{name}={' '.join(f'{rule}:{most}' for rule, most in rules.items())}" for name, rules in value.items()
    )


def _split(text: str, between: str = ",") -> list[str]:
    return [part for word in text.split(between) if (part := word.strip())]


def _pairs(text: str, between: str) -> dict[str, str]:
    found = {}
    for part in _split(text, between):
        name, equals, value = part.partition("=")
        if not equals or name.strip() in found:
            raise ValueError(f"{part!a} must be NAME=VALUE, each name once")
        found[name.strip()] = value.strip()
    return found


def _parse_limits(text: str) -> Value:
    return {name: int(most) if most.isascii() and most.isdigit() else most for name, most in _pairs(text, ",").items()}


def _show_names(value: Value) -> str:
    return ",".join(value) if isinstance(value, list) else ""


def _show_limits(value: Value) -> str:
    return ",".join(f"{name}={most}" for name, most in value.items()) if isinstance(value, dict) else ""


def _show_members(value: Value) -> str:
    return ";".join(f"{team}={_show_names(names)}" for team, names in value.items()) if isinstance(value, dict) else ""


BOOLEAN = ValueKind("true or false", str, _boolean, lambda value: "true" if value else "false")
DURATION = ValueKind("a duration", str, _duration, str)
NAMES = ValueKind("names with commas between, '' for nobody", _split, _names, _show_names)
LIMITS = ValueKind("name=number with commas between, * for everybody else", _parse_limits, _limits, _show_limits)
MEMBERS = ValueKind(
    "team=name,name with semicolons between",
    lambda text: {team: _split(names) for team, names in _pairs(text, ";").items()},
    _members,
    _show_members,
)

QUOTAS = ValueKind(
    "name=rule:most with blanks between rules and semicolons between names, * for everybody else; the rules are"
    " active:2 hours:20 ahead:14d longest:8h",
    lambda text: {name: _rules(said) for name, said in _pairs(text, ";").items()},
    _quotas,
    _show_quotas,
)

KEYS = (
    PolicyKey("admins", NAMES, "Who may change the policy, beside the owner of the book."),
    PolicyKey("approval_within", DURATION, "How long a request is kept that nobody has approved; default 4h."),
    PolicyKey("default_for", DURATION, "How long a reservation lasts that names no end."),
    PolicyKey("kickers", NAMES, "Who may take reservations away from others; without it, whoever can write the book."),
    PolicyKey("priority", LIMITS, "Who may wait with a priority, and up to which number; without it, anybody."),
    PolicyKey("quotas", QUOTAS, "How much a holder may have: at once, in a week, how far ahead, how long."),
    PolicyKey("strict", BOOLEAN, "Refuse resources that nobody declared; without it, where an inventory was synced."),
    PolicyKey("teams", MEMBERS, "Who may act for a team: holder."),
)
_BY_NAME = {key.name: key for key in KEYS}


def policy_key(name: str) -> PolicyKey:
    """Return the key of this name.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    found = _BY_NAME.get(name)
    if found is None:
        near = suggest(name, _BY_NAME, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"the policy has no key {name!a}; known: {', '.join(_BY_NAME)}{hint}")
    return found


def parse_value(name: str, text: str) -> Value:
    """Read what was typed as the value of a key: in its own form, or as JSON.

    Raises:
        UsageError: there is no such key, or the text is no value of it.
    """
    key = policy_key(name)
    try:
        value = loads(text) if text[:1] in ("{", "[") else key.kind.parse(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"policy {name}: {text!a:.200}: {error}; it is {key.kind.form}") from None
    return checked_value(name, value)


def checked_value(name: str, value: Value) -> Value:
    """Return a value of a key, as JSON in its one form.

    Raises:
        UsageError: there is no such key, or it is no value of it.
    """
    key = policy_key(name)
    try:
        return key.kind.check(value)
    except (UsageError, ValueError) as error:
        raise UsageError(f"policy {name}: {error}") from None


@frozen
class PolicyDefaults:
    """What counts where the book says nothing: what the settings of a folder say.

    Attributes:
        strict: refuse resources that nobody declared.
        default_for_us: how long a hold lasts that names no end, µs.
        kickers: who may take holds away from others; None for everybody who can write the book.
    """

    strict: bool = False
    default_for_us: int = DEFAULT_FOR_US
    kickers: frozenset[str] | None = None


@frozen
class Policy:
    """What counts in a book now.

    Attributes:
        stored: what the book says, as JSON, by key.
        defaults: what counts where it says nothing.
        synced: the book has an inventory, and is strict if nothing else is said.
    """

    stored: Mapping[str, Value]
    defaults: PolicyDefaults
    synced: bool = False

    @property
    def strict(self) -> bool:
        """Whether resources that nobody declared are refused."""
        return bool(self.stored.get("strict", self.defaults.strict or self.synced))

    @property
    def default_for_us(self) -> int:
        """How long a hold lasts that names no end, µs."""
        text = self.stored.get("default_for")
        if text is None:
            return self.defaults.default_for_us
        from bespeak.base import timeparse

        return timeparse.duration(str(text))

    @property
    def approval_within_us(self) -> int:
        """How long a request is kept at least that nobody has approved, µs."""
        text = self.stored.get("approval_within")
        if text is None:
            return APPROVAL_WITHIN_US
        from bespeak.base import timeparse

        return timeparse.duration(str(text))

    @property
    def kickers(self) -> frozenset[str] | None:
        """Who may take reservations away from others; None for everybody."""
        return _set(self.stored.get("kickers")) if "kickers" in self.stored else self.defaults.kickers

    @property
    def admins(self) -> frozenset[str]:
        """Who may change the policy, beside the owner of the book."""
        return _set(self.stored.get("admins"))

    def most_priority(self, name: str) -> int:
        """Return the greatest priority that somebody may wait with."""
        limits = self.stored.get("priority")
        if not isinstance(limits, dict):
            return MOST_PRIORITY
        most = limits.get(name, limits.get(EVERYBODY))
        return most if isinstance(most, int) else 0

    def quota(self, holder: str) -> dict[str, int]:
        """Return the rules for a holder, by name; durations in µs. Empty where there is no limit."""
        quotas = self.stored.get("quotas")
        if not isinstance(quotas, dict):
            return {}
        from bespeak.base import timeparse

        rules: dict[str, int | str] = quotas.get(holder) or quotas.get(EVERYBODY) or {}
        return {rule: most if isinstance(most, int) else timeparse.duration(most) for rule, most in rules.items()}

    def team_members(self, team: str) -> frozenset[str]:
        """Return who may act for a team, by its name without ``team:``."""
        teams = self.stored.get("teams")
        return _set(teams.get(team)) if isinstance(teams, dict) else frozenset()

    def says(self, name: str) -> bool:
        """Tell whether the book itself decides this."""
        return name in self.stored


def _set(names: object) -> frozenset[str]:
    return frozenset(names) if isinstance(names, (list, tuple)) else frozenset()


def read_policy(tx: Transaction, defaults: PolicyDefaults) -> Policy:
    """Return what counts in the book.

    Raises:
        UnavailableError: the book decides something that this bespeak does not know, or is damaged.
    """
    return policy_of(tx.fetch_all(POLICY_QUERY), defaults)


def policy_of(rows: Sequence[Row], defaults: PolicyDefaults) -> Policy:
    """Return what counts, of the rows of :data:`POLICY_QUERY`; as :func:`read_policy`."""
    said = [row for row in rows if row[0] != _SYNCED]
    return Policy(dict(_ROW.read(row, _stored) for row in said), defaults, synced=len(said) < len(rows))


def _stored(row: Row) -> tuple[str, Value]:
    name, text = row
    if name not in _BY_NAME:
        raise UnavailableError(
            f"the policy of the book has a key that this bespeak does not know, {escape_unprintable(name)!a:.60};"
            " upgrade bespeak"
        )
    try:
        return name, checked_value(name, loads(text))
    except (UsageError, RecursionError) as error:
        raise ValueError(str(error)) from None
