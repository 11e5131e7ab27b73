"""From settings to a backend, and to the state of one invocation.

The first repository with a non-empty ``[reservations]`` table decides, and its root anchors relative paths. Which file
that was is kept, because otherwise ``backend = "none"`` in one repository would open another one's lab unnoticed.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from bespeak.base.display import escape_unprintable, short_repr, suggest
from bespeak.base.errors import UsageError
from bespeak.base.paths import HTTP_PREFIXES, book_url, user_folder
from bespeak.reservations.errors import ReservationBackendError, as_backend_error
from bespeak.reservations.evaluation import ReservationState
from bespeak.reservations.identity import ResolvedIdentity, resolve_username
from bespeak.reservations.null_backend import NullReservationBackend
from bespeak.reservations.registry import get_reservation_backend_class, is_registered
from bespeak.settings import SettingsError
from bespeak.settings.repo import Repo
from bespeak.settings.trust import UntrustedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.reservations.ledger_backend import LedgerReservationBackend
    from bespeak.reservations.protocol import ReservationBackend

_OWN_KEYS = ("backend", "url")
_ALIKE = 0.75


def build_backend(settings: dict[str, Any], repo_dir: Path | str, *, ledger: str | None = None) -> ReservationBackend:
    """Build the backend that a ``[reservations]`` table selects.

    Args:
        settings: the table: ``backend`` (default ``none``), ``url``, and a sub-table named like the backend.
        repo_dir: where relative paths start.
        ledger: the book that the ``ledger`` backend reads unless the table names one; a path or URL.

    Raises:
        ValueError: the table is malformed, or names no known backend.
        ReservationBackendError: the backend's constructor failed.
    """
    name, url, table = _selected(settings)
    if name == "none":
        return NullReservationBackend()
    if name == "json":
        from bespeak.reservations.json_backend import JsonReservationBackend

        path = table.get("path")
        if not isinstance(path, str) or not path:
            raise SettingsError("[reservations.json] requires a 'path' string pointing at the reservation file")
        return JsonReservationBackend(url=url, path=Path(repo_dir, os.path.expanduser(path)))
    if name == "ledger":
        return _ledger_backend(url, table, str(repo_dir), ledger)
    cls = get_reservation_backend_class(name)
    arguments = table if url is None else {"url": url, **table}
    if not all(isinstance(key, str) for key in arguments):
        raise _invalid(f"{short_repr(name)} has a key that is not a text")
    return _construct(name, cls, arguments)


def _construct(name: str, cls: Any, arguments: dict[str, Any]) -> ReservationBackend:
    try:
        backend: ReservationBackend = cls(**arguments)
    except TypeError as error:
        reason = escape_unprintable(str(error).splitlines()[0]) if str(error) else "TypeError"
        raise ReservationBackendError(f"the {name!r} backend cannot be built: {reason}") from error
    except (Exception, SystemExit) as error:
        raise as_backend_error(error, f"the {name!r} backend cannot be built") from error
    return backend


def _selected(settings: Any) -> tuple[str, str | None, dict[str, Any]]:
    """Return the backend's name, the url and the backend's own table."""
    if not isinstance(settings, dict):
        raise _invalid(f"must be a table, not {short_repr(settings)}")
    name = settings.get("backend", "none")
    if not isinstance(name, str) or not name:
        raise _invalid(f"backend must be a text, not {short_repr(name)}")
    url = settings.get("url")
    if url is not None and not isinstance(url, str):
        raise _invalid(f"url must be a text, not {short_repr(url)}")
    for key, value in settings.items():
        near = [] if key in _OWN_KEYS or isinstance(value, dict) else suggest(str(key), _OWN_KEYS, 1, _ALIKE)
        if near and near[0] not in settings:  # a slip here would leave the gate open
            raise _invalid(f"there is no setting {short_repr(key)}; did you mean {near[0]}?")
    table = settings.get(name) or {}
    if not isinstance(table, dict):
        raise _invalid(f"[reservations.{escape_unprintable(name)}] must be a table, not {short_repr(table)}")
    return name, url, table


def _ledger_backend(url: str | None, table: dict[str, Any], repo_dir: str, ledger: str | None) -> ReservationBackend:
    from bespeak.reservations.ledger_backend import LedgerReservationBackend
    from bespeak.settings import ledger_url

    for key, value in table.items():
        if key not in {"path", "url"}:
            raise _invalid(f"[reservations.ledger] has no setting {short_repr(key)}; known: path, url")
        if not isinstance(value, str) or not value:
            raise _invalid(f"[reservations.ledger] {key} must be a text, not {short_repr(value)}")
    named = table.get("url") or table.get("path") or url
    if named is None:
        return LedgerReservationBackend(ledger_url(ledger))
    return LedgerReservationBackend(book_url(named, "[reservations.ledger]", repo_dir))


def _invalid(reason: str) -> SettingsError:
    return SettingsError(f"Invalid [reservations] settings: {reason}")


class BackendFactory:
    """Builds the backend that the repositories select, when it is called and not before.

    Attributes:
        backend: the name of the backend that settings select.
        decided_by: the settings file that selected it, or None.
    """

    def __init__(
        self, repos: list[Any], cwd_fallback: Path, ledger: str | None = None, *, default: str = "none"
    ) -> None:
        self._repos = repos
        self._ledger = ledger
        self._settings: Any = {}
        self._error: Exception | None = None
        self._root = repos[0].sut_dir if repos else cwd_fallback
        self.backend = default
        self.decided_by: str | None = None
        try:
            self._decide()
        except (ValueError, UntrustedError) as error:  # -R must work whatever settings say: wait until somebody builds
            self._error = error

    def _decide(self) -> None:
        for repo in self._repos:
            settings = repo.reservation_settings
            if settings:
                self._settings = settings
                self._root = repo.sut_dir
                self.decided_by = str(getattr(repo, "path", repo.sut_dir))
                self.backend = _selected(settings)[0]
                return

    def __call__(self) -> ReservationBackend:
        """Build the backend; modules of the repositories are imported only if the name is not known yet."""
        if self._error is not None:
            raise self._error
        if not is_registered(self.backend):
            load_init_modules(self._repos)
        return build_backend(self._settings or {"backend": self.backend}, self._root, ledger=self._ledger)


def build_reservation_state(
    repos: list[Any],
    *,
    as_user: str | None,
    skip_reservation_check: bool,
    cwd_fallback: Path,
    ledger: str | None = None,
    default_backend: str = "none",
) -> ReservationState:
    """Return the state of one invocation.

    Args:
        repos: the active repositories, in order; objects with ``sut_dir`` and ``reservation_settings``.
        as_user: the value of ``--as-user``.
        skip_reservation_check: ``-R``: nothing is built, so that no scheduler can keep anybody out.
        cwd_fallback: where relative paths start when there is no repository.
        ledger: the value of ``--ledger``, for the ``ledger`` backend.
        default_backend: who is asked where no repository has a ``[reservations]`` table; the documented contract of
            otto's ``reservations`` makes it nobody, and bespeak's own commands the book.

    Raises:
        ReservationBackendError: the backend cannot be built, and the check is not skipped.
        ValueError: the settings are malformed, and the check is not skipped.
        UsageError: nobody can be found to check for, and the check is not skipped.
    """
    factory = BackendFactory(repos, cwd_fallback, ledger, default=default_backend)
    backend = None if skip_reservation_check else factory()
    return ReservationState(
        backend=backend,
        identity=_told_by(backend) if not as_user and is_on_a_server(backend) else _identity(as_user, backend is None),
        skip_check=skip_reservation_check,
        backend_factory=factory,
    )


def is_on_a_server(backend: object) -> TypeGuard[LedgerReservationBackend]:
    """Tell whether a backend asks a book on a server, which says who we are."""
    url = getattr(backend, "url", None)
    return isinstance(url, str) and url.startswith(HTTP_PREFIXES) and hasattr(backend, "own_username")


def _told_by(backend: LedgerReservationBackend) -> ResolvedIdentity:
    return ResolvedIdentity(backend.own_username() or "", "server")


def _identity(as_user: str | None, may_fail: bool) -> ResolvedIdentity | None:
    try:
        return resolve_username(as_user)
    except UsageError:
        if may_fail:
            return None
        raise


def load_init_modules(repos: list[Any]) -> None:
    """Put ``libs`` of each repository on the import path and import its ``init`` modules.

    Args:
        repos: objects with ``libs`` (directories) and ``init`` (dotted names).

    Raises:
        ReservationBackendError: a module cannot be imported; the message names it and the settings.
    """
    with _own_bytecode():
        _load_all(repos)


def _load_all(repos: list[Any]) -> None:
    from bespeak.settings.verified_import import importing

    for repo in repos:
        for lib in getattr(repo, "libs", ()):
            if str(lib) not in sys.path:
                sys.path.append(str(lib))
        modules = getattr(repo, "init", ())
        if not modules:
            continue
        with importing(repo.verified_code() if isinstance(repo, Repo) else {}):
            for module in modules:
                _load(module, str(getattr(repo, "path", getattr(repo, "sut_dir", "?"))))


@contextmanager
def _own_bytecode() -> Iterator[None]:
    """Import from sources, never from ``__pycache__`` folders of a repository: trust is bound to the sources."""
    before = sys.pycache_prefix
    if before is None:
        sys.pycache_prefix = os.path.join(user_folder(os.environ, "cache"), "bytecode")
    try:
        yield
    finally:
        sys.pycache_prefix = before


def _load(module: str, settings: str) -> None:
    try:
        import_module(module)
    except (Exception, SystemExit) as error:
        told = isinstance(error, ImportError | SyntaxError) and str(error)
        reason = f"{type(error).__name__}: {escape_unprintable(str(error))}" if told else type(error).__name__
        raise ReservationBackendError(
            f"the init module {module!r} of {escape_unprintable(settings)} failed: {reason} (details with --debug)"
        ) from error
