"""Which settings files count here, what they say, and where the book is.

A repository says how it is used in ``.bespeak/settings.toml``, or, if it has none, in the ``.otto/settings.toml``
that it may have already. The nearest directory upwards with one of them counts; ``BESPEAK_SUT_DIRS`` names several
repositories instead. Where two repositories answer the same question the first one wins, and who asks can see
which file decided. A file that is there but cannot be read or understood is an error, never an absence: the gate
would stand open.

This module is on the path of every command. It imports the TOML reader only when there is a file to read.
"""

from __future__ import annotations

import errno
import os

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import Field, NoContextError
from bespeak.base.frozen import frozen
from bespeak.base.paths import book_url, public_url, user_folder, working_directory
from bespeak.settings.repo import (
    DEFAULT_BACKEND,
    OTTO_FOLDER,
    OWN_FOLDER,
    Repo,
    SettingsError,
    ledger_table,
    refuse_unknown_keys,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bespeak.base.fileio import Signature
    from bespeak.settings.repo import Consulted

FOLDERS = (OWN_FOLDER, OTTO_FOLDER)
FILENAME = "settings.toml"
SUT_DIRS_VARIABLES = ("BESPEAK_SUT_DIRS", "OTTO_SUT_DIRS")
LEDGER_VARIABLE = "BESPEAK_LEDGER"
SYSTEM_PATH = "/etc/bespeak/settings.toml"
_FOR_USERS = ("health", "jobs", "ledger", "server")
_NOT_FOR_USERS = ("init", "labs", "libs", "reservations")


@frozen
class Settings:
    """Everything the settings files say here.

    Args:
        repos: the repositories in order; the first that answers a question decides.
        user: the ``[ledger]`` table of the user's own settings, checked.
        user_path: where the user's own settings are, or would be.
        consulted: every file that was looked for, in order, with its signature, or None where there was none.
        system: the ``[ledger]`` table of the machine's settings, checked.
    """

    repos: list[Repo]
    user: dict[str, Any]
    user_path: str
    consulted: Consulted
    system: dict[str, Any]

    @property
    def sources(self) -> list[str]:
        """The settings files that were read, in the order in which they count."""
        return [path for path, sign in self.consulted if sign is not None]

    @property
    def default_backend(self) -> str:
        """Who is asked about reservations where no ``[reservations]`` table says so: the book.

        Settings made for otto keep what leaving it out means there: nobody is asked.
        """
        return "none" if self.repos and all(repo.for_otto for repo in self.repos) else DEFAULT_BACKEND

    def ledger_value(self, key: str) -> tuple[Any, str]:
        """Return a value of ``[ledger]`` and the file that decided it, or ``(None, "")``.

        Raises:
            UntrustedError: it is the ``url`` of a book that a folder names and that is not trusted to.
        """
        for repo in self.repos:
            table = repo.ledger_rules()
            if key in table:
                if key == "url":
                    repo.require_book(table[key])
                return table[key], repo.path
        return self.own_value(key)

    def own_value(self, key: str) -> tuple[Any, str]:
        """Return what the user's own settings, else the machine's, say in ``[ledger]``, and the file; else None."""
        for table, path in ((self.user, self.user_path), (self.system, SYSTEM_PATH)):
            if key in table:
                return table[key], path
        return None, ""

    def required_by(self) -> str:
        """Return the file that says that the book has to be named (``require = true``); empty if none does."""
        tables = [(repo.ledger_rules(), repo.path) for repo in self.repos]
        tables += [(self.user, self.user_path), (self.system, SYSTEM_PATH)]
        return next((path for table, path in tables if table.get("require")), "")


@frozen
class LedgerPlace:
    """Where the book is and who said so.

    Args:
        url: an absolute path, or ``postgresql://...``.
        source: ``--ledger``, the variable, a settings file, or ``default``.
    """

    url: str
    source: str

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
    consulted: Consulted = []
    variable, named = _named_roots(env)
    if named:
        repos = [_repo_at(root, variable, env, consulted) for root in named]
    else:
        found = _nearest_repo(working_directory() if cwd is None else os.path.abspath(cwd), env, consulted)
        repos = [] if found is None else [found]
    user_path = os.path.join(user_folder(env, "config"), FILENAME)
    user, system = _read_user(user_path, consulted), _read_user(SYSTEM_PATH, consulted)
    return Settings(repos, user, user_path, consulted, system)


def server_table(environ: Mapping[str, str] | None = None) -> tuple[dict[str, Any], str]:
    """Return the ``[server]`` table, and the file: a repository cannot say how a server signs people in.

    Raises:
        SettingsError: a file is there but cannot be read or understood.
    """
    return own_table("server", environ)


def own_table(name: str, environ: Mapping[str, str] | None = None) -> tuple[dict[str, Any], str]:
    """Return a table of the user's own settings, else the machine's, and the file; else empty.

    Args:
        name: of the table.
        environ: the environment; by default the process's.

    Raises:
        SettingsError: a file is there but cannot be read or understood.
    """
    env = os.environ if environ is None else environ
    for path in (os.path.join(user_folder(env, "config"), FILENAME), SYSTEM_PATH):
        read = _read_toml(path, [])
        if read is not None and name in read[0]:
            table = read[0][name]
            if not isinstance(table, dict):
                raise SettingsError(f"{escape_unprintable(path)}: {name} must be a table")
            return table, path
    return {}, ""


def find_repos(cwd: str | None = None, environ: Mapping[str, str] | None = None) -> list[Repo]:
    """Return the repositories whose settings count in ``cwd``, in order (see :func:`load_settings`)."""
    return load_settings(cwd, environ).repos


def ledger_place(
    flag: str | None = None,
    settings: Settings | None = None,
    *,
    cwd: str | None = None,
    environ: Mapping[str, str] | None = None,
    own: bool = False,
) -> LedgerPlace:
    """Decide where the book is: ``--ledger``, ``BESPEAK_LEDGER``, a repository, the user, the machine, else a file.

    Args:
        flag: the value of ``--ledger``, or None.
        settings: what :func:`load_settings` returned; read here when it is needed and not given.
        cwd: what relative paths of the flag and the variable start from; by default the working directory.
        environ: the environment; by default the process's.
        own: what repositories say does not count.

    Raises:
        UsageError: the place named is of no known kind.
        SettingsError: a settings file cannot be understood.
        UntrustedError: a repository names the book, and is not trusted to.
        NoContextError: nobody names a book, and settings require it.
    """
    env = os.environ if environ is None else environ
    if flag is not None:
        return LedgerPlace(book_url(flag, "--ledger", cwd), "--ledger")
    if env.get(LEDGER_VARIABLE):
        return LedgerPlace(book_url(env[LEDGER_VARIABLE], LEDGER_VARIABLE, cwd), LEDGER_VARIABLE)
    known = settings or load_settings(cwd, env)
    found, source = known.own_value("url") if own else known.ledger_value("url")
    if found is not None:
        return LedgerPlace(found, source)
    required_by = known.required_by()
    if required_by:
        raise NoContextError(
            f"no book is named here, and {escape_unprintable(required_by)} says [ledger] require = true; "
            "name one with ",
            Field("ledger"),
            f", {LEDGER_VARIABLE} or [ledger] url",
        )
    return LedgerPlace(os.path.join(user_folder(env, "data"), "book.sqlite3"), "default")


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


def _repo_at(root: str, variable: str, env: Mapping[str, str], consulted: Consulted) -> Repo:
    for folder in FOLDERS:
        repo = _repo_of(root, os.path.join(root, folder, FILENAME), env, consulted)
        if repo is not None:
            return repo
    wanted = " nor ".join(f"{folder}/{FILENAME}" for folder in FOLDERS)
    raise NoContextError(f"{variable} names {escape_unprintable(root)}, which has neither {wanted}")


def _repo_of(root: str, path: str, env: Mapping[str, str], consulted: Consulted) -> Repo | None:
    read = _read_toml(path, consulted)
    if read is None:
        return None
    table, raw = read
    repo = Repo(root, path, table, (raw, env, consulted))
    repo.refuse_unknown_keys()
    return repo


def _nearest_repo(start: str, env: Mapping[str, str], consulted: Consulted) -> Repo | None:
    root = start
    while True:
        for folder in FOLDERS:
            repo = _repo_of(root, os.path.join(root, folder, FILENAME), env, consulted)
            if repo is not None:
                _refuse_planted(root, repo.path)
                return repo
        parent = os.path.dirname(root)
        if parent == root:
            return None
        root = parent


def _refuse_planted(root: str, path: str) -> None:
    """Refuse settings that a stranger left where anybody may write: they can name code to import, or open the gate.

    A link belongs to whoever laid it; what it leads to may well be the user's own.
    """
    folder = os.path.dirname(path)
    if not (os.stat(root).st_mode | os.stat(folder).st_mode) & 0o002:
        return
    owners = {os.lstat(folder).st_uid, os.lstat(path).st_uid, os.stat(path).st_uid}
    if owners <= {0, os.getuid()}:
        return
    raise SettingsError(
        f"{escape_unprintable(path)} belongs to another user, in a directory that anybody may write to; "
        f"if you trust it, name it: {SUT_DIRS_VARIABLES[0]}={escape_unprintable(root)}"
    )


def _read_user(path: str, consulted: Consulted) -> dict[str, Any]:
    read = _read_toml(path, consulted)
    if read is None:
        return {}
    table, _ = read
    for key in _NOT_FOR_USERS:
        if key in table:
            raise SettingsError(f"{escape_unprintable(path)}: {key} belongs into the settings of a repository")
    refuse_unknown_keys(table, path, _FOR_USERS)
    return ledger_table(table.get("ledger"), path, os.path.dirname(path))


def _read_toml(path: str, consulted: Consulted) -> tuple[dict[str, Any], bytes] | None:
    """Return what a file says, and its bytes; None when there is none."""
    from bespeak.base.fileio import read_regular

    try:
        if _settings_signature(path) is None:
            consulted.append((path, None))
            return None
        raw, sign = read_regular(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"{escape_unprintable(path)}: cannot be read: {reason}") from error
    consulted.append((path, sign))
    import tomllib

    try:
        return tomllib.loads(raw.decode("utf-8-sig")), raw
    except UnicodeDecodeError as error:
        raise SettingsError(f"{escape_unprintable(path)}: is not UTF-8 (byte {error.start})") from error
    except (ValueError, RecursionError) as error:
        reason = escape_unprintable(str(error)) if isinstance(error, ValueError) else "nested too deeply"
        raise SettingsError(f"{escape_unprintable(path)}: is not TOML: {reason}") from error


def _settings_signature(path: str) -> Signature | None:
    """Return the signature of a settings file; None where neither it nor anything in its place is there.

    Raises:
        OSError: something is there that cannot be settings; passing it over would leave the gate open.
    """
    from bespeak.base.fileio import signature

    folder = os.path.dirname(path)
    try:
        os.lstat(folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    sign = signature(path)
    if sign is not None:
        return sign
    if not os.path.isdir(folder):
        raise NotADirectoryError(errno.ENOTDIR, f"{escape_unprintable(folder)} is not a folder")
    if os.path.islink(path):
        raise FileNotFoundError(errno.ENOENT, "a link to nothing")
    if os.path.basename(folder) == OWN_FOLDER:
        others = sorted(name for name in os.listdir(folder) if name.lower().endswith(".toml") and name != FILENAME)
        if others:
            raise FileNotFoundError(errno.ENOENT, f"there is only {escape_unprintable(others[0])} in its folder")
    return None
