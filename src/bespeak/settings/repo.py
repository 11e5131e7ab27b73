"""One repository with its settings: what each key may be, and what is given out only of a trusted folder.

What a repository names beyond itself (code to import, a book or reservation file elsewhere, a custom backend) is given
out only when the user trusts the folder (:mod:`bespeak.settings.trust`). This module is on the path of every command.
"""

from __future__ import annotations

import os

from bespeak.base.display import escape_unprintable, short_repr, suggest
from bespeak.base.errors import UsageError
from bespeak.base.paths import anchored, book_url, public_url, refuse_parameters
from bespeak.settings.trusted_places import BUILT_IN_BACKENDS, beyond, needs_trust, places_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from bespeak.base.fileio import Signature
    from bespeak.settings.trust import Contents, Folder

    Consulted = list[tuple[str, Signature | None]]

OWN_FOLDER, OTTO_FOLDER = ".bespeak", ".otto"
"""Where settings are: in a folder of ours they are read strictly; those made for otto say more than we know of."""

TOP_KEYS = ("health", "init", "lab", "labs", "ledger", "libs", "name", "reservations", "version")
RESERVATION_KEYS = ("backend", "url")
DEFAULT_BACKEND = "ledger"
"""Who is asked where settings name no backend."""
_ALIKE = 0.75
LEDGER_KEYS: dict[str, type] = {"url": str, "strict": bool, "default_for": str, "kickers": list, "require": bool}


class SettingsError(UsageError, ValueError):
    """A settings file, or a value in it, cannot be used; the message names file, field and value."""


class Repo:
    """One repository with its settings, in the shape that code written for otto's repositories expects.

    Args:
        root: the directory that holds the settings folder; relative paths of the settings start here.
        path: the settings file.
        settings: its content, as parsed.
        origin: the bytes of the file, the environment, and what receives the files that decisions rest on. Without it
            the settings are trusted: code made them itself.
    """

    __slots__ = ("_origin", "path", "root", "settings")

    def __init__(
        self,
        root: str,
        path: str,
        settings: dict[str, Any],
        origin: tuple[bytes, Mapping[str, str], Consulted] | None = None,
    ) -> None:
        self.root = root
        self.path = path
        self.settings = settings
        self._origin = origin

    def __repr__(self) -> str:
        return f"Repo({self.root!r})"

    @property
    def sut_dir(self) -> Path:
        """The root as a path object."""
        from pathlib import Path

        return Path(self.root)

    @property
    def for_otto(self) -> bool:
        """Whether the settings were made for otto; what they leave out then means what it means there."""
        return os.path.basename(os.path.dirname(self.path)) == OTTO_FOLDER

    def refuse_unknown_keys(self) -> None:
        """Refuse keys and tables that mean nothing, in settings of our own folder.

        Raises:
            SettingsError: the message names the file, the key and the nearest known one.
        """
        if not self.for_otto:
            refuse_unknown_keys(self.settings, self.path, TOP_KEYS)
            ledger = self.settings.get("ledger")
            self._only(ledger if isinstance(ledger, dict) else {}, "ledger", tuple(LEDGER_KEYS))

    @property
    def folder(self) -> Folder | None:
        """What decides whether the repository is trusted; None where it needs no decision."""
        if self._origin is None:
            return None
        from bespeak.settings.trust import Folder

        return Folder(self.root, self.path, *self._origin)

    @property
    def name(self) -> str:
        """The name the settings give, else the name of the directory."""
        name = self.settings.get("name")
        return name if isinstance(name, str) and name else os.path.basename(self.root)

    @property
    def version(self) -> str:
        """The version the settings give, or an empty text."""
        return str(self.settings.get("version", ""))

    @property
    def reservation_settings(self) -> dict[str, Any]:
        """The ``[reservations]`` table, ``${sut_dir}`` expanded; empty when there is none.

        Raises:
            UntrustedError: it names code, or a place outside the folder, and the folder is not trusted.
        """
        table = self._reservations()
        if self._origin is not None:
            named = beyond(table, self.root)
            if named:
                self._require(named)
            for url in places_of(table, self.root):
                refuse_parameters(url, f"{self.path}: [reservations]")
        return table

    def _reservations(self) -> dict[str, Any]:
        table = self.settings.get("reservations")
        if table is None:
            return {}
        if not isinstance(table, dict):
            raise SettingsError(
                f"Invalid [reservations] settings: {escape_unprintable(self.path)}: must be a table, not"
                f" {short_repr(table)}"
            )
        expanded = self._expand(table)
        if not isinstance(expanded, dict) or not expanded or self.for_otto:
            return expanded if isinstance(expanded, dict) else {}
        chosen = {"backend": DEFAULT_BACKEND, **expanded}
        _refuse_unknown_reservation_keys(chosen, self.path)
        return chosen

    @property
    def lab_search(self) -> list[str]:
        """Directories and files with lab data, absolute; empty when the settings name none."""
        value = self.settings.get("labs")
        if isinstance(value, dict):
            self._only(value, "labs", ("search",))
            return self._paths(value.get("search"), "[labs] search")
        return self._paths(value, "labs")

    @property
    def labs(self) -> list[Path]:
        """:attr:`lab_search` as path objects."""
        from pathlib import Path

        return [Path(path) for path in self.lab_search]

    @property
    def libs(self) -> list[Path]:
        """Directories that init modules are imported from, absolute.

        Raises:
            UntrustedError: there are some, and the folder is not trusted.
        """
        from pathlib import Path

        return [Path(path) for path in self._trusted_code(self._libs())]

    def _libs(self) -> list[str]:
        return self._paths(self.settings.get("libs"), "libs")

    @property
    def init(self) -> list[str]:
        """Modules to import before a custom backend is looked up: ``init = [...]`` or ``[init] modules``.

        Raises:
            UntrustedError: there are some, and the folder is not trusted.
        """
        return self._trusted_code(self._init())

    def _init(self) -> list[str]:
        value = self.settings.get("init")
        if isinstance(value, dict):
            self._only(value, "init", ("modules",))
            return self._texts(value.get("modules"), "[init] modules")
        return self._texts(value, "init")

    @property
    def ledger(self) -> dict[str, Any]:
        """The ``[ledger]`` table, checked, with ``url`` made absolute.

        Raises:
            UntrustedError: it names a book outside the folder, and the folder is not trusted.
        """
        table = self.ledger_rules()
        if "url" in table:
            self.require_book(table["url"])
        return table

    def ledger_rules(self) -> dict[str, Any]:
        """Return the ``[ledger]`` table for what is in it besides ``url``, which needs trust."""
        return ledger_table(self._expand(self.settings.get("ledger")), self.path, self.root)

    def require_book(self, url: str) -> None:
        """Refuse a book outside the folder unless the folder is trusted, and parameters that no repository may give.

        Raises:
            UntrustedError: the folder is not trusted.
            UsageError: the URL has a parameter that is not accepted from a repository.
        """
        if self._origin is not None:
            if needs_trust(url, self.root):
                self._require(f"a book ({public_url(url)})")
            refuse_parameters(url, f"{self.path}: [ledger] url")

    def names(self) -> list[str]:
        """Return what the settings name that needs trust, in words.

        Raises:
            SettingsError: a value cannot be used.
            UsageError: a URL has a parameter that is not accepted from a repository.
        """
        found = [f"code to run: module {escape_unprintable(module)}" for module in self._init()]
        found += [f"code to run: modules in {escape_unprintable(lib)}" for lib in self._libs()]
        url = self.ledger_rules().get("url")
        reservations = self._reservations()
        places = [(each, "[reservations]") for each in places_of(reservations, self.root)]
        for place, key in [(url, "[ledger] url"), *places]:
            if place is not None:
                refuse_parameters(place, f"{self.path}: {key}")
        if url is not None and needs_trust(url, self.root):
            found.append(f"a book ({public_url(url)})")
        named = beyond(reservations, self.root)
        return [*found, named] if named else found

    def code_files(self) -> list[str]:
        """Return the files that importing the init modules may run, as far as they are under ``libs``."""
        from bespeak.settings.trust import module_files, refuse_archives

        libs = self._libs()
        refuse_archives(libs, self.path)
        return module_files(libs, self._init())

    def verified_code(self) -> Contents:
        """Return the files that importing the init modules may run, as they are trusted; none where all is trusted.

        Raises:
            UntrustedError: the folder is not trusted, or not with these contents.
            UsageError: an entry of ``libs`` is no directory.
        """
        folder = self.folder
        if folder is None:
            return {}
        from bespeak.settings.trust import read_all

        contents = read_all(self.code_files())
        folder.require(self.path, "names code to run (init, libs)", contents)
        return contents

    def _trusted_code(self, named: list[str]) -> list[str]:
        if named and self._origin is not None:
            self.verified_code()
        return named

    def _require(self, what: str) -> None:
        folder = self.folder
        if folder is not None:
            folder.require(self.path, f"names {what}")

    def _paths(self, value: Any, field: str) -> list[str]:
        texts = (str(self._expand(text)) for text in self._texts(value, field))
        return [anchored(text, self.root) for text in texts]

    def _texts(self, value: Any, field: str) -> list[str]:
        if value is None:
            return []
        if not isinstance(value, list):
            raise SettingsError(
                f"{escape_unprintable(self.path)}: {field} must be a list of texts, not {short_repr(value)}"
            )
        for number, text in enumerate(value):
            if not isinstance(text, str) or not text or "\0" in text:
                raise SettingsError(
                    f"{escape_unprintable(self.path)}: {field}[{number}] must be a text, not {short_repr(text)}"
                )
        return list(value)

    def _only(self, table: dict[str, Any], name: str, known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                raise _unknown_key(self.path, name, key, known)

    def _expand(self, value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("${sut_dir}", self.root)
        if isinstance(value, dict):
            return {key: self._expand(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._expand(item) for item in value]
        return value


def ledger_table(value: Any, path: str, root: str) -> dict[str, Any]:
    """Check a ``[ledger]`` table.

    Args:
        value: what stands there; None for no table.
        path: the settings file, for messages.
        root: what relative paths start from.

    Raises:
        SettingsError: a key or value cannot be used.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SettingsError(f"{escape_unprintable(path)}: ledger must be a table, not {short_repr(value)}")
    table = dict(value)
    for key, item in table.items():
        kind = LEDGER_KEYS.get(key)
        if kind is None:
            raise _unknown_key(path, "ledger", key, tuple(LEDGER_KEYS))
        if not isinstance(item, kind) or item == "" or (isinstance(item, list) and not _all_texts(item)):
            wanted = {bool: "true or false", list: "a list of texts"}.get(kind, "a text")
            raise SettingsError(f"{escape_unprintable(path)}: [ledger] {key} must be {wanted}, not {short_repr(item)}")
    if "url" in table:
        table["url"] = book_url(table["url"], f"{path}: [ledger] url", root)
    return table


def _all_texts(items: list[Any]) -> bool:
    return all(isinstance(item, str) and item for item in items)


def refuse_unknown_keys(table: dict[str, Any], path: str, known: tuple[str, ...]) -> None:
    """Refuse keys at the top of a settings file that are not among ``known``.

    Raises:
        SettingsError: the message names the file, the key and the nearest known one.
    """
    for key, value in table.items():
        if key not in known:
            what = f"table [{escape_unprintable(key)}]" if isinstance(value, dict) else f"setting {short_repr(key)}"
            raise SettingsError(f"{escape_unprintable(path)}: there is no {what}; {_nearest(key, known)}")


def _refuse_unknown_reservation_keys(table: dict[str, Any], path: str) -> None:
    """Refuse what no backend reads; a table for a backend that is not chosen now may stay."""
    backends = (*BUILT_IN_BACKENDS, str(table["backend"]))
    for key, value in table.items():
        if not isinstance(value, dict):
            if key not in RESERVATION_KEYS:
                raise _unknown_key(path, "reservations", key, RESERVATION_KEYS)
        elif key not in backends and (near := suggest(key, backends, 1, _ALIKE)):
            raise SettingsError(
                f"Invalid [reservations] settings: {escape_unprintable(path)}: no backend is called {short_repr(key)};"
                f" did you mean [reservations.{escape_unprintable(near[0])}]?"
            )


def _unknown_key(path: str, table: str, key: str, known: tuple[str, ...]) -> SettingsError:
    return SettingsError(
        f"{escape_unprintable(path)}: [{table}] has no setting {short_repr(key)}; {_nearest(key, known)}"
    )


def _nearest(key: str, known: tuple[str, ...]) -> str:
    near = suggest(key, known, 1)
    return f"known: {', '.join(sorted(known))}{f'; did you mean {near[0]}?' if near else ''}"
