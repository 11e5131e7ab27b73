"""Whether a name that the environment gives may stand for the user who runs the process.

Apart from :mod:`bespeak.reservations.identity`, so that a hook can ask without loading more.
"""

from __future__ import annotations

import os
import pwd

VARIABLES = ("LOGNAME", "USER", "LNAME", "USERNAME")
"""What the standard library looks at, in this order, before it asks the account database."""


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
        return said[1] if account_instead_of(said[1]) is None else None
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return None
