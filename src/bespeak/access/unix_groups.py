"""The Unix groups of an account of this machine."""

from __future__ import annotations

import grp
import os
import pwd


def unix_groups(account: str) -> tuple[str, ...]:
    """Return the names of the groups of an account; none where the machine has no such account."""
    try:
        found = pwd.getpwnam(account)
    except (KeyError, ValueError):
        return ()
    names = []
    for number in os.getgrouplist(account, found.pw_gid):
        try:
            names.append(grp.getgrgid(number).gr_name)
        except KeyError:
            continue  # a group without a name cannot stand in a rule
    return tuple(names)
