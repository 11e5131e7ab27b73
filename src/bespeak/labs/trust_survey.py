"""What a folder names that needs trust, from its settings and its lab data together."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import NoContextError
from bespeak.labs.store import open_labs
from bespeak.settings import SUT_DIRS_VARIABLES, health_checks, load_settings
from bespeak.settings.trust import Folder, read_all, read_record, record_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.settings.trust import Record


@dataclass(frozen=True, slots=True)
class Survey:
    """A folder and what it names.

    Attributes:
        folder: the folder.
        names: what it names that needs trust, in words.
        contents: the files besides the settings that trust is bound to; None for one that is not there.
        record: what was trusted before, if anything was.
        acting: those of ``names`` that are from lab data, not from the settings.
    """

    folder: Folder
    names: tuple[str, ...]
    contents: dict[str, bytes | None]
    record: Record | None
    acting: tuple[str, ...]

    @property
    def state(self) -> str:
        """``trusted``, ``changed`` (since it was trusted) or ``untrusted``."""
        if self.record is None:
            return "untrusted"
        return "trusted" if self.folder.covered_by(self.record, self.contents) else "changed"

    @property
    def files(self) -> list[str]:
        """The files that were looked at and are there."""
        settings = [] if self.folder.settings is None else [self.folder.settings]
        return [*settings, *(path for path, raw in self.contents.items() if raw is not None)]

    def trusted(self) -> Survey:
        """Trust the folder as it is; return it with its new record."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return replace(self, record=self.folder.trust(self.contents, now))


def survey(start: str | None, environ: Mapping[str, str]) -> list[Survey]:
    """Look at the folder whose settings count, or at each that the environment names.

    Args:
        start: where to look for settings, upwards; None for the working directory and the environment.
        environ: the environment.

    Raises:
        NoContextError: there are neither settings nor lab data.
        SettingsError: the settings cannot be understood.
        UsageError: they name a book in a way that is not accepted from a repository.
    """
    if start is not None:
        environ = {name: value for name, value in environ.items() if name not in SUT_DIRS_VARIABLES}
    settings = load_settings(start, environ)
    store = open_labs(settings, start)
    found = []
    for repo in settings.repos:
        folder = repo.folder
        if folder is not None:
            named = [*repo.code_files(), *health_checks.files(repo)]
            contents = {**read_all(named), **store.contents(folder)}
            found.append(
                _survey(folder, [*repo.names(), *health_checks.named(repo)], store.acting(folder), contents, environ)
            )
    if not settings.repos:
        root = start or os.getcwd()
        if not store.files:
            raise NoContextError(f"there are no settings and no lab data in {escape_unprintable(root)}")
        folder = Folder(root, None, None, environ)
        found.append(_survey(folder, [], store.acting(folder), dict(store.contents(folder)), environ))
    return found


def _survey(
    folder: Folder, names: list[str], acting: list[str], contents: dict[str, bytes | None], environ: Mapping[str, str]
) -> Survey:
    canonical = os.path.realpath(folder.root)
    record = read_record(record_path(canonical, environ), canonical)
    return Survey(folder, (*names, *acting), contents, record, tuple(acting))
