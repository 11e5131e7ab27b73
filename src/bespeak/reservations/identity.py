"""Whose reservations count: ``--as-user``, else the user who runs the command.

No setting and no variable can make somebody else of you, because what cannot be seen on the command line would go
unnoticed for weeks. The standard library's answer reads ``LOGNAME`` and its kin first, so where one of them
contradicts the account that the process runs under, the account counts, and a line says so.
"""

from __future__ import annotations

import os
import pwd

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import Field, UsageError
from bespeak.base.frozen import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    IdentitySource = Literal["--as-user", "$USER", "server"]


VARIABLES = ("LOGNAME", "USER", "LNAME", "USERNAME")
"""What the standard library looks at, in this order, before it asks the account database."""


@frozen
class ResolvedIdentity:
    """The identity that reservations are checked for.

    Attributes:
        username: passed to the backend as it is.
        source: where it came from.
    """

    username: str
    source: IdentitySource


def resolve_username(as_user: str | None) -> ResolvedIdentity:
    """Decide whose reservations count.

    Args:
        as_user: the value of ``--as-user``; None or an empty text if it was not given.

    Raises:
        UsageError: nobody can be found: no account for this user id, and no variable.
    """
    if as_user:
        return ResolvedIdentity(as_user, "--as-user")
    said = said_by_environment()
    try:
        username = pwd.getpwuid(os.getuid()).pw_name if said is None else said[1]
    except KeyError as error:
        raise UsageError(
            f"cannot tell who you are: user id {os.getuid()} has no account, and {', '.join(VARIABLES)} are not set; "
            "say it with ",
            Field("as_user"),
        ) from error
    if said is not None:
        account = account_instead_of(username)
        if account is not None:
            _warn(said[0], username, account)
            username = account
        elif not _has_account():
            _warn_of_no_account(said[0], username)
    return ResolvedIdentity(username, "$USER")


def _has_account() -> bool:
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return True


def _warn_of_no_account(variable: str, username: str) -> None:
    import logging

    logging.getLogger(__name__).warning(
        "user id %s has no account here; %s says %s, and that is believed",
        os.getuid(),
        variable,
        escape_unprintable(repr(username)),
    )


def _warn(variable: str, username: str, account: str) -> None:
    import logging

    logging.getLogger(__name__).warning(
        "%s says %s, but this process runs as %s; %s is ignored (use --as-user)",
        variable,
        escape_unprintable(repr(username)),
        escape_unprintable(repr(account)),
        variable,
    )


def account_instead_of(username: str) -> str | None:
    """Return the account name that counts in place of ``username``, or None when ``username`` may stand.

    It may stand when it is an account of the real user id, or when that id has no account at all.
    """
    uid = os.getuid()
    try:
        account = pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
    if username == account:
        return None
    try:
        return None if pwd.getpwnam(username).pw_uid == uid else account
    except (KeyError, ValueError):
        return account


def said_by_environment() -> tuple[str, str] | None:
    """Return the variable that the standard library would believe, and what it says; None if none is set."""
    for variable in VARIABLES:
        value = os.environ.get(variable)
        if value:
            return variable, value
    return None


def plain_username() -> str | None:
    """Return who runs the process where nothing needs to be said about it, else None."""
    said = said_by_environment()
    if said is not None:
        return said[1] if account_instead_of(said[1]) is None and _has_account() else None
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return None
