"""Which settings files count here, what they say, and where the book is.

A repository says how it is used in ``.bespeak/settings.toml``, or, if it has none, in the ``.otto/settings.toml``
that it may have already. The nearest directory upwards with one of them counts; ``BESPEAK_SUT_DIRS`` names several
repositories instead. Where two repositories answer the same question the first one wins, and who asks can see
which file decided. A file that is there but cannot be read or understood is an error, never an absence: the gate
would stand open.

This module is on the path of every command. It imports the TOML reader only when there is a file to read.
"""

from __future__ import annotations

import os

from bespeak.errors import NoContextError, UsageError
from bespeak.places import anchored, book_url, public_url, user_folder, working_directory
from bespeak.text import safe, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from bespeak.files import Signature

FOLDERS = (".bespeak", ".otto")
FILENAME = "settings.toml"
SUT_DIRS_VARIABLES = ("BESPEAK_SUT_DIRS", "OTTO_SUT_DIRS")
LEDGER_VARIABLE = "BESPEAK_LEDGER"
LEDGER_KEYS: dict[str, type] = {"url": str, "strict": bool, "default_for": str, "kickers": list}
_NOT_FOR_USERS = ("init", "labs", "libs", "reservations")


class SettingsError(UsageError, ValueError):
    """A settings file, or a value in it, cannot be used; the message names file, field and value."""


class Repo:
    """One repository with its settings, in the shape that code written for otto's repositories expects.

    Args:
        root: the directory that holds the settings folder; relative paths of the settings start here.
        path: the settings file.
        settings: its content, as parsed.
    """

    __slots__ = ("path", "root", "settings")

    def __init__(self, root: str, path: str, settings: dict[str, Any]) -> None:
        self.root = root
        self.path = path
        self.settings = settings

    def __repr__(self) -> str:
        return f"Repo({self.root!r})"

    @property
    def sut_dir(self) -> Path:
        """The root as a path object."""
        from pathlib import Path

        return Path(self.root)

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
        """The ``[reservations]`` table, ``${sut_dir}`` expanded; empty when there is none."""
        table = self.settings.get("reservations")
        if table is None:
            return {}
        if not isinstance(table, dict):
            raise SettingsError(
                f"Invalid [reservations] settings: {safe(self.path)}: must be a table, not {shown(table)}"
            )
        expanded = self._expand(table)
        return expanded if isinstance(expanded, dict) else {}

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
        """Directories that init modules are imported from, absolute."""
        from pathlib import Path

        return [Path(path) for path in self._paths(self.settings.get("libs"), "libs")]

    @property
    def init(self) -> list[str]:
        """Modules to import before a custom backend is looked up: ``init = [...]`` or ``[init] modules``."""
        value = self.settings.get("init")
        if isinstance(value, dict):
            self._only(value, "init", ("modules",))
            return self._texts(value.get("modules"), "[init] modules")
        return self._texts(value, "init")

    @property
    def ledger(self) -> dict[str, Any]:
        """The ``[ledger]`` table, checked, with ``url`` made absolute."""
        return _ledger_table(self._expand(self.settings.get("ledger")), self.path, self.root)

    def _paths(self, value: Any, field: str) -> list[str]:
        texts = (str(self._expand(text)) for text in self._texts(value, field))
        return [anchored(text, self.root) for text in texts]

    def _texts(self, value: Any, field: str) -> list[str]:
        if value is None:
            return []
        if not isinstance(value, list):
            raise SettingsError(f"{safe(self.path)}: {field} must be a list of texts, not {shown(value)}")
        for number, text in enumerate(value):
            if not isinstance(text, str) or not text or "\0" in text:
                raise SettingsError(f"{safe(self.path)}: {field}[{number}] must be a text, not {shown(text)}")
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


class Settings:
    """Everything the settings files say here.

    Args:
        repos: the repositories in order; the first that answers a question decides.
        user: the ``[ledger]`` table of the user's own settings, checked.
        user_path: where the user's own settings are, or would be.
        consulted: every file that was looked for, in order, with its signature, or None where there was none.
    """

    __slots__ = ("consulted", "repos", "user", "user_path")

    def __init__(
        self,
        repos: list[Repo],
        user: dict[str, Any],
        user_path: str,
        consulted: list[tuple[str, Signature | None]],
    ) -> None:
        self.repos = repos
        self.user = user
        self.user_path = user_path
        self.consulted = consulted

    @property
    def sources(self) -> list[str]:
        """The settings files that were read, in the order in which they count."""
        return [path for path, sign in self.consulted if sign is not None]

    def ledger_value(self, key: str) -> tuple[Any, str]:
        """Return a value of ``[ledger]`` and the file that decided it, or ``(None, "")``."""
        for repo in self.repos:
            table = repo.ledger
            if key in table:
                return table[key], repo.path
        if key in self.user:
            return self.user[key], self.user_path
        return None, ""


class LedgerPlace:
    """Where the book is and who said so.

    Args:
        url: an absolute path, or ``postgresql://...``.
        source: ``--ledger``, the variable, a settings file, or ``default``.
    """

    __slots__ = ("source", "url")

    def __init__(self, url: str, source: str) -> None:
        self.url = url
        self.source = source

    @property
    def shown(self) -> str:
        """The place without a password, for messages."""
        return public_url(self.url)


def load_settings(cwd: str | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Find and read the settings files that count in ``cwd``.

    Args:
        cwd: where to start looking upwards; by default the working directory.
        environ: the environment; by default the process's.

    Raises:
        SettingsError: a file is there but cannot be read or understood.
        NoContextError: ``BESPEAK_SUT_DIRS`` names a directory without settings.
    """
    env = os.environ if environ is None else environ
    consulted: list[tuple[str, Signature | None]] = []
    variable, named = _named_roots(env)
    if named:
        repos = [_repo_at(root, variable, consulted) for root in named]
    else:
        found = _nearest_repo(working_directory() if cwd is None else os.path.abspath(cwd), consulted)
        repos = [] if found is None else [found]
    user_path = os.path.join(user_folder(env, "XDG_CONFIG_HOME", ".config"), "bespeak", FILENAME)
    return Settings(repos, _read_user(user_path, consulted), user_path, consulted)


def find_repos(cwd: str | None = None, environ: Mapping[str, str] | None = None) -> list[Repo]:
    """Return the repositories whose settings count in ``cwd``, in order (see :func:`load_settings`)."""
    return load_settings(cwd, environ).repos


def ledger_place(
    flag: str | None = None,
    settings: Settings | None = None,
    *,
    cwd: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> LedgerPlace:
    """Decide where the book is: ``--ledger``, ``BESPEAK_LEDGER``, a repository, the user, else a per-user file.

    Args:
        flag: the value of ``--ledger``, or None.
        settings: what :func:`load_settings` returned; read here when it is needed and not given.
        cwd: what relative paths of the flag and the variable start from; by default the working directory.
        environ: the environment; by default the process's.

    Raises:
        UsageError: the place named is of no known kind.
        SettingsError: a settings file cannot be understood.
    """
    env = os.environ if environ is None else environ
    if flag is not None:
        return LedgerPlace(book_url(flag, "--ledger", cwd), "--ledger")
    if env.get(LEDGER_VARIABLE):
        return LedgerPlace(book_url(env[LEDGER_VARIABLE], LEDGER_VARIABLE, cwd), LEDGER_VARIABLE)
    found, source = (settings or load_settings(cwd, env)).ledger_value("url")
    if found is not None:
        return LedgerPlace(found, source)
    folder = user_folder(env, "XDG_DATA_HOME", os.path.join(".local", "share"))
    return LedgerPlace(os.path.join(folder, "bespeak", "book.sqlite3"), "default")


def ledger_url(
    flag: str | None = None,
    settings: Settings | None = None,
    *,
    cwd: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> str:
    """Return the URL or absolute path of the book; see :func:`ledger_place`."""
    return ledger_place(flag, settings, cwd=cwd, environ=environ).url


def _named_roots(env: Mapping[str, str]) -> tuple[str, list[str]]:
    for variable in SUT_DIRS_VARIABLES:
        parts = [part for part in env.get(variable, "").replace(",", os.pathsep).split(os.pathsep) if part]
        if parts:
            return variable, list(dict.fromkeys(os.path.abspath(os.path.expanduser(part)) for part in parts))
    return "", []


def _repo_at(root: str, variable: str, consulted: list[tuple[str, Signature | None]]) -> Repo:
    for folder in FOLDERS:
        path = os.path.join(root, folder, FILENAME)
        table = _read_toml(path, consulted)
        if table is not None:
            return Repo(root, path, table)
    wanted = " nor ".join(f"{folder}/{FILENAME}" for folder in FOLDERS)
    raise NoContextError(f"{variable} names {safe(root)}, which has neither {wanted}")


def _nearest_repo(start: str, consulted: list[tuple[str, Signature | None]]) -> Repo | None:
    root = start
    while True:
        for folder in FOLDERS:
            path = os.path.join(root, folder, FILENAME)
            table = _read_toml(path, consulted)
            if table is not None:
                _refuse_planted(root, path)
                return Repo(root, path, table)
        parent = os.path.dirname(root)
        if parent == root:
            return None
        root = parent


def _refuse_planted(root: str, path: str) -> None:
    """Refuse settings that a stranger left where anybody may write: they can name code to import."""
    if not os.stat(root).st_mode & 0o002 or os.stat(path).st_uid in (0, os.getuid()):
        return
    raise SettingsError(
        f"{safe(path)} belongs to another user, in a directory that anybody may write to; "
        f"if you trust it, name it: {SUT_DIRS_VARIABLES[0]}={safe(root)}"
    )


def _read_user(path: str, consulted: list[tuple[str, Signature | None]]) -> dict[str, Any]:
    table = _read_toml(path, consulted)
    if table is None:
        return {}
    for key in _NOT_FOR_USERS:
        if key in table:
            raise SettingsError(f"{safe(path)}: {key} belongs into the settings of a repository")
    return _ledger_table(table.get("ledger"), path, os.path.dirname(path))


def _read_toml(path: str, consulted: list[tuple[str, Signature | None]]) -> dict[str, Any] | None:
    from bespeak.files import read_regular, signature

    try:
        if signature(path) is None:
            consulted.append((path, None))
            return None
        raw, sign = read_regular(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"{safe(path)}: cannot be read: {reason}") from error
    consulted.append((path, sign))
    import tomllib

    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SettingsError(f"{safe(path)}: is not UTF-8 (byte {error.start})") from error
    except (ValueError, RecursionError) as error:
        reason = safe(str(error)) if isinstance(error, ValueError) else "nested too deeply"
        raise SettingsError(f"{safe(path)}: is not TOML: {reason}") from error


def _ledger_table(value: Any, path: str, root: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SettingsError(f"{safe(path)}: ledger must be a table, not {shown(value)}")
    table = dict(value)
    for key, item in table.items():
        kind = LEDGER_KEYS.get(key)
        if kind is None:
            raise _unknown_key(path, "ledger", key, tuple(LEDGER_KEYS))
        if not isinstance(item, kind) or item == "" or (isinstance(item, list) and not _all_texts(item)):
            wanted = {bool: "true or false", list: "a list of texts"}.get(kind, "a text")
            raise SettingsError(f"{safe(path)}: [ledger] {key} must be {wanted}, not {shown(item)}")
    if "url" in table:
        table["url"] = book_url(table["url"], f"{path}: [ledger] url", root)
    return table


def _all_texts(items: list[Any]) -> bool:
    return all(isinstance(item, str) and item for item in items)


def _unknown_key(path: str, table: str, key: str, known: tuple[str, ...]) -> SettingsError:
    return SettingsError(f"{safe(path)}: [{table}] has no setting {shown(key)}; known: {', '.join(sorted(known))}")
