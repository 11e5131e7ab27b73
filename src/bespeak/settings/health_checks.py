"""The tables ``[health.NAME]``: commands that tell whether resources are well.

A command runs as whoever types ``bespeak resource check``, so it is taken from what this user has agreed to: the
settings of a trusted repository, the user's own, or the machine's. A book has no place for one, so nobody who can write
a book, or who serves one, can have a command run elsewhere.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bespeak.base import label_expression, timeparse
from bespeak.base.clock import FOREVER_US, SECOND_US
from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.errors import UsageError
from bespeak.settings.files import own_table
from bespeak.settings.repo import SettingsError, refuse_unknown_keys
from bespeak.settings.trust import read_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.settings.files import Settings
    from bespeak.settings.repo import Repo

TABLE = "health"
KEYS = ("command", "every", "fall", "flaps", "label", "mark", "pause", "resources", "rise", "timeout", "while_held")
MARKS = ("sick", "offline")
PLACEHOLDER = re.compile(r"\{(resource|label\.[^{}]+)\}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_MOST = 100
_SHORTEST_US = SECOND_US
_FLAPS = re.compile(r"(\d+) in (.+)")


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One check.

    Attributes:
        name: what it is called.
        command: the program and its arguments; no shell reads them. ``{resource}`` and ``{label.KEY}`` are filled in.
        folder: where it runs; None for the working folder.
        resources: names, ranges or patterns of the resources; empty where only ``label`` chooses.
        label: an expression that they have to match; empty for none.
        every_us: how long ``--watch`` leaves them alone between two rounds, µs.
        timeout_us: after so long the command is killed, and has failed, µs.
        pause_us: between two attempts that have to agree, µs.
        fall: so many failures in a row take a resource out.
        rise: so many successes in a row give it back.
        flaps: taken out so often within ``within_us``, it stays out until a person marks it ok; 0 for never.
        within_us: see ``flaps``, µs.
        mark: ``sick`` or ``offline``.
        while_held: whether resources that somebody holds are checked.
    """

    name: str
    command: tuple[str, ...]
    folder: str | None
    resources: tuple[str, ...] = ()
    label: str = ""
    every_us: int = 60 * SECOND_US
    timeout_us: int = 10 * SECOND_US
    pause_us: int = SECOND_US
    fall: int = 3
    rise: int = 2
    flaps: int = 3
    within_us: int = 3600 * SECOND_US
    mark: str = "sick"
    while_held: bool = False


def health_checks(settings: Settings, environ: Mapping[str, str]) -> tuple[list[HealthCheck], str]:
    """Return the checks that count here, and the file that says them: a repository's, the user's own, or the machine's.

    Args:
        settings: the settings that count here.
        environ: where the user's folders are found.

    Raises:
        UntrustedError: a repository names them, and is not trusted as it is now.
        SettingsError: a key is unknown, or a value cannot be.
    """
    for repo in settings.repos:
        if has_checks(repo):
            found = _checks(repo.settings[TABLE], repo.path, repo.root)
            if repo.folder is not None:
                contents = read_all(_files_of(found, repo.root))
                repo.folder.require(repo.path, "names commands that check resources", contents)
            return found, repo.path
    table, path = own_table(TABLE, environ)
    return _checks(table, path, None), path


def has_checks(repo: Repo) -> bool:
    """Tell whether a repository names checks; a table of that name in settings made for otto is another program's."""
    return TABLE in repo.settings and not repo.for_otto


def named(repo: Repo) -> list[str]:
    """Return what the checks of a repository run, in words, for who has to trust it."""
    checks = _checks(repo.settings[TABLE], repo.path, repo.root) if has_checks(repo) else []
    return [
        f"a command to run: {' '.join(map(escape_unprintable, one.command))} ([{TABLE}.{one.name}])" for one in checks
    ]


def files(repo: Repo) -> list[str]:
    """Return the files of a repository that its checks name: trust is bound to their content."""
    return _files_of(_checks(repo.settings[TABLE], repo.path, repo.root), repo.root) if has_checks(repo) else []


def _files_of(checks: list[HealthCheck], root: str) -> list[str]:
    paths = (os.path.join(root, word) for one in checks for word in one.command if word and not os.path.isabs(word))
    return sorted({path for path in paths if os.path.isfile(path)})


def _checks(table: Any, path: str, root: str | None) -> list[HealthCheck]:
    if not isinstance(table, dict):
        raise SettingsError(f"{escape_unprintable(path)}: {TABLE} must be a table of checks, not {short_repr(table)}")
    return [_check(name, said, path, root) for name, said in table.items()]


def _check(name: str, said: Any, path: str, root: str | None) -> HealthCheck:
    where = f"{escape_unprintable(path)}: [{TABLE}.{escape_unprintable(name)}]"
    if not _NAME.fullmatch(name):
        raise SettingsError(f"{where}: a check is called by 1 to 40 letters, digits, and . _ - after the first")
    if not isinstance(said, dict):
        raise SettingsError(f"{where} must be a table, not {short_repr(said)}")
    refuse_unknown_keys(said, where, KEYS)
    value = _Values(where, said)
    resources, label = value.texts("resources"), value.label()
    command = value.texts("command")
    if not command:
        raise SettingsError(f"{where} command is missing: a list of the program and its arguments")
    if not resources and not label:
        raise SettingsError(f"{where} says of no resource: name them with resources, or label")
    flaps, within_us = value.flaps()
    return HealthCheck(
        name=name,
        command=command,
        folder=root,
        resources=resources,
        label=label,
        every_us=value.duration("every", 60 * SECOND_US, _SHORTEST_US),
        timeout_us=value.duration("timeout", 10 * SECOND_US, _SHORTEST_US),
        pause_us=value.duration("pause", SECOND_US, 0),
        fall=value.number("fall", 3),
        rise=value.number("rise", 2),
        flaps=flaps,
        within_us=within_us,
        mark=value.mark(),
        while_held=value.truth("while_held"),
    )


@dataclass(frozen=True, slots=True)
class _Values:
    """Reads the values of one table.

    Args:
        where: names it, for messages.
        said: the table.
    """

    where: str
    said: dict[str, Any]

    def wrong(self, key: str, wanted: str) -> SettingsError:
        """Return the error that says what a key has to be."""
        return SettingsError(f"{self.where} {key} must be {wanted}, not {short_repr(self.said[key])}")

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self.said.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one and "\0" not in one for one in value):
            raise self.wrong(key, "a list of texts")
        return tuple(value)

    def number(self, key: str, usual: int) -> int:
        """Return a small number."""
        value = self.said.get(key, usual)
        if type(value) is not int or not 1 <= value <= _MOST:
            raise self.wrong(key, f"a whole number from 1 to {_MOST}")
        return value

    def truth(self, key: str) -> bool:
        """Return true or false."""
        value = self.said.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def mark(self) -> str:
        """Return what a resource is that fails."""
        value = self.said.get("mark", MARKS[0])
        if value not in MARKS:
            raise self.wrong("mark", " or ".join(MARKS))
        return str(value)

    def label(self) -> str:
        """Return the expression that chooses resources."""
        value = self.said.get("label", "")
        if not isinstance(value, str):
            raise self.wrong("label", "a text")
        if value:
            try:
                label_expression.parse(value)
            except UsageError as error:
                raise SettingsError(f"{self.where} label: {error}") from error
        return value

    def duration(self, key: str, usual_us: int, least_us: int) -> int:
        """Return a duration, µs."""
        value = self.said.get(key)
        return usual_us if value is None else self._duration(key, value, least_us)

    def _duration(self, key: str, text: Any, least_us: int) -> int:
        try:
            found_us = timeparse.duration(text, may_be_zero=not least_us) if isinstance(text, str) else -1
        except UsageError as error:
            raise SettingsError(f"{self.where} {key}: {error}") from error
        if not least_us <= found_us < FOREVER_US:
            raise self.wrong(key, "a duration such as '30s'" + (", at least '1s'" if least_us else ""))
        return found_us

    def flaps(self) -> tuple[int, int]:
        """Return how often within which time, µs; 0 for no limit."""
        value = self.said.get("flaps", "3 in 1h")
        if value is False:
            return 0, 0
        match = _FLAPS.fullmatch(value) if isinstance(value, str) else None
        if match is None or not 1 <= int(match[1]) <= _MOST:
            raise self.wrong("flaps", "like '3 in 1h', or false")
        return int(match[1]), self._duration("flaps", match[2], _SHORTEST_US)
