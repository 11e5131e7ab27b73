"""Paths and URLs as people write them: made absolute, and shown without their secrets."""

from __future__ import annotations

import os

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.errors import NoContextError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

POSTGRES_PREFIXES = ("postgresql://", "postgres://")
HTTP_PREFIXES = ("https://", "http://", "unix://", "http+unix://")
"""How the URL of a book on a server begins; see :mod:`bespeak.base.http_url`."""
SHARED_PREFIXES = (*POSTGRES_PREFIXES, *HTTP_PREFIXES)
"""How the URL of a book begins that is no file of this machine."""
SETTINGS_PARAMETERS = frozenset(
    {
        *("schema", "host", "port", "dbname", "user", "password", "application_name", "connect_timeout"),
        *("sslmode", "sslnegotiation", "sslcert", "sslkey", "sslpassword", "sslrootcert", "sslcrl", "sslsni"),
        *("ssl_min_protocol_version", "ssl_max_protocol_version", "channel_binding", "require_auth", "gssencmode"),
        *("target_session_attrs", "load_balance_hosts", "client_encoding", "fallback_application_name"),
        *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"),
    }
)
"""What a ``postgresql://`` URL of a repository may say after its ``?``. Missing are the parameters that load code, read
files with other people's passwords, or lead elsewhere than the URL shows: ``service``, ``passfile``, ``hostaddr``,
``options`` and whatever libpq adds."""
_UNDER_HOME = {"cache": ".cache", "config": ".config", "data": ".local/share", "state": ".local/state"}
JOBS_FOLDER = "/var/lib/orchesjob"
"""Where jobs are kept on a machine, unless told otherwise."""


def public_url(url: str) -> str:
    """Return ``url`` without the password that it may carry."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return escape_unprintable(url)
    credentials, at, place = rest.rpartition("@")
    if at:  # whatever stands before the last @ may be part of a password, however it was typed
        place = f"{credentials.partition(':')[0]}@{place}"
    return escape_unprintable(f"{scheme}://{place.partition('?')[0]}")


def book_url(text: str, said_by: str, anchor: str | None) -> str:
    """Return the place of a book as an absolute path, a PostgreSQL URL or that of a server."""
    if text.startswith(POSTGRES_PREFIXES):
        return text
    if text.startswith(HTTP_PREFIXES):
        from bespeak.base.http_url import parse_http_url

        parse_http_url(text, said_by)
        return text
    scheme, separator, rest = text.partition("://")
    path = rest if separator and scheme == "sqlite" else text
    if separator and scheme != "sqlite":
        known = "known: https://..., unix:///PATH, postgresql://..., sqlite:///PATH, or a path"
        raise UsageError(f"{escape_unprintable(said_by)}: unsupported ledger URL scheme {short_repr(scheme)}; {known}")
    if not path or "\0" in path or path == ":memory:":
        raise UsageError(f"{escape_unprintable(said_by)}: {short_repr(text)} is not a path")
    return anchored(path, working_directory() if anchor is None else anchor)


def refuse_parameters(url: str, said_by: str) -> None:
    """Refuse a PostgreSQL URL of a repository that says more than :data:`SETTINGS_PARAMETERS`.

    Raises:
        UsageError: the message names the parameter.
    """
    _, separator, query = url.partition("?")
    if not url.startswith(POSTGRES_PREFIXES) or not separator:
        return
    from urllib.parse import unquote

    if "@" in query or "?" in query:  # libpq would look for the host behind it
        raise UsageError(
            f"{escape_unprintable(said_by)}: after the first ? of a URL, each @ and ? must be percent-encoded"
        )
    for option in filter(None, query.split("&")):
        key, _, value = option.partition("=")
        if unquote(key) not in SETTINGS_PARAMETERS:
            raise UsageError(
                f"{escape_unprintable(said_by)}: the URL parameter {short_repr(unquote(key))} is not accepted from"
                f" a repository; "
                "name such a book with --ledger or BESPEAK_LEDGER"
            )
        if unquote(key) == "sslkey" and ":" in unquote(value):
            raise UsageError(f"{escape_unprintable(said_by)}: sslkey must be a file: an engine would be loaded as code")


def anchored(path: str, root: str) -> str:
    """Return ``path`` absolute: ``~`` expanded, relative ones starting at ``root``."""
    absolute = os.path.normpath(os.path.join(root, os.path.expanduser(path)))
    return absolute[1:] if absolute.startswith("//") else absolute


def outside(path: str, root: str) -> bool:
    """Tell whether ``path`` leads out of the folder ``root``, links followed."""
    real, folder = os.path.realpath(path), os.path.realpath(root)
    return real != folder and not real.startswith(folder.rstrip(os.sep) + os.sep)


def in_git_folder(path: str, root: str) -> bool:
    """Tell whether ``path`` lies in a folder of git below ``root``, links followed."""
    inner = os.path.relpath(os.path.realpath(path), os.path.realpath(root))
    return ".git" in inner.lower().split(os.sep)


def user_folder(env: Mapping[str, str], kind: str, *, of: str = "bespeak") -> str:
    """Return this user's folder for a kind of files, by the XDG base directories.

    A relative value of a variable is ignored, as their rules demand.

    Args:
        env: the environment.
        kind: ``cache``, ``config``, ``data`` or ``state``.
        of: the program whose files they are.
    """
    named = env.get(f"XDG_{kind.upper()}_HOME", "")
    if not os.path.isabs(named):
        named = os.path.join(env.get("HOME") or os.path.expanduser("~"), _UNDER_HOME[kind])
    return os.path.join(named, of)


def jobs_folder(env: Mapping[str, str]) -> str:
    """Return where jobs are kept when nothing names a place: the system's folder, or the own one of a plain user."""
    nearest = JOBS_FOLDER if os.path.isdir(JOBS_FOLDER) else os.path.dirname(JOBS_FOLDER)
    if os.access(nearest, os.W_OK | os.X_OK):
        return JOBS_FOLDER
    return user_folder(env, "state")


def working_directory() -> str:
    """Return the working directory.

    Raises:
        NoContextError: it was removed, or may not be looked at.
    """
    try:
        return os.getcwd()
    except OSError as error:
        raise NoContextError(f"the working directory cannot be used: {error.strerror}") from error
