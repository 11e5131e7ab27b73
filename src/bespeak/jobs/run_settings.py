"""The table ``[jobs]`` of a user's own settings, else the machine's: what ``run`` keeps to where no option says so.

A repository cannot say whose jobs a dispatcher starts as its own account.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.jobs.concurrency import NO_LIMITS, TAG_FORM, Limits
from bespeak.settings.files import own_table
from bespeak.settings.repo import SettingsError, refuse_unknown_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEYS = ("accept_from", "max_jobs", "max_per_tag")
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What settings say about ``run``.

    Attributes:
        accept_from: the other accounts whose jobs are started in a book that several share; ``anyone`` for all.
        limits: how many jobs may run at once.
    """

    accept_from: tuple[str, ...] = ()
    limits: Limits = NO_LIMITS


def run_settings(environ: Mapping[str, str]) -> RunSettings:
    """Return what the settings say.

    Raises:
        SettingsError: a file cannot be read, a key is unknown, or a value cannot be.
    """
    table, path = own_table("jobs", environ)
    refuse_unknown_keys(table, f"{path}: [jobs]", _KEYS)
    where = f"{escape_unprintable(path)}: [jobs]"
    names, limits = table.get("accept_from", []), table.get("max_per_tag", {})
    if not isinstance(names, list) or not all(isinstance(name, str) and name.strip() for name in names):
        raise SettingsError(f"{where} accept_from must be a list of accounts, not {short_repr(names)}")
    if not isinstance(limits, dict) or not all(_is_limit(tag, most) for tag, most in limits.items()):
        raise SettingsError(f"{where} max_per_tag must be a table of tags with whole numbers from 1 to {_MOST}")
    jobs = table.get("max_jobs")
    if jobs is not None and not _is_number(jobs):
        raise SettingsError(f"{where} max_jobs must be a whole number from 1 to {_MOST}, not {short_repr(jobs)}")
    return RunSettings(tuple(names), Limits(jobs, dict(limits)))


def _is_limit(tag: str, most: Any) -> bool:
    return re.fullmatch(TAG_FORM, tag) is not None and _is_number(most)


def _is_number(most: Any) -> bool:
    return type(most) is int and 1 <= most <= _MOST
