"""All lab data that can be found here, and labs put together from it.

A mistake in one host must not lock everybody out of every lab, so mistakes are collected, each with the labs that it
may concern, and only asking for one of those labs is refused.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bespeak.base.display import escape_unprintable, short_repr, suggest
from bespeak.base.errors import NoContextError
from bespeak.base.fileio import Signature, read_regular, signature
from bespeak.base.paths import working_directory
from bespeak.labs.host_parsing import claimed_id, claimed_labs, host_from
from bespeak.labs.model import HostSpec, Lab
from bespeak.labs.parsing import DeclaredLab, Document, LabDataError, is_lab_file, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bespeak.settings import Settings
    from bespeak.settings.trust import Folder

FILENAMES = ("lab.toml", "hosts.json")
LAB_VARIABLE = "BESPEAK_LAB"


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in the lab data.

    Attributes:
        text: one line that names file, host, field and value.
        labs: the labs that it may concern; None for every lab, empty for none.
        host: the id of the host it is about, if it is about one that has an id.
    """

    text: str
    labs: frozenset[str] | None = None
    host: str | None = None

    def concerns(self, names: Iterable[str]) -> bool:
        """Tell whether one of the labs named may be affected."""
        return self.labs is None or not self.labs.isdisjoint(names)


class LabStore:
    """The lab data of a list of directories and files.

    Args:
        search: absolute paths; of a directory, ``lab.toml`` and ``hosts.json`` are read.
        cautions: mistakes known beforehand.
        folders: the folder that named each entry of ``search``, which has to be trusted before hosts are acted on; an
            entry without one is trusted.

    Attributes:
        problems: every mistake found, in the order of the files.
        consulted: every file looked for, with its signature, or None where there was none.
    """

    def __init__(
        self,
        search: Iterable[str],
        cautions: Iterable[Problem] = (),
        folders: Mapping[str, Folder | None] | None = None,
    ) -> None:
        self.search = tuple(dict.fromkeys(search))
        self.problems: list[Problem] = list(cautions)
        self.consulted: list[tuple[str, Signature | None]] = []
        self._hosts: list[HostSpec] = []
        self._by_id: dict[str, list[HostSpec]] = {}
        self._declared: dict[str, list[DeclaredLab]] = {}
        self._contents: dict[str, bytes] = {}
        self._folder_of: dict[str, Folder] = {}
        for path in self.search:
            self._look_at(path, None if folders is None else folders.get(path))

    @property
    def files(self) -> list[str]:
        """The files that were found."""
        return [path for path, sign in self.consulted if sign is not None]

    @property
    def hosts(self) -> list[HostSpec]:
        """Every host that could be understood, in the order of the files."""
        return list(self._hosts)

    def names(self) -> list[str]:
        """Return the names of all labs, sorted."""
        return sorted(self._declared.keys() | {lab for host in self._hosts for lab in host.labs})

    def load(self, names: Iterable[str]) -> Lab:
        """Return the lab of that name; of several names, all of them as one.

        Raises:
            NoContextError: there is no such lab, or no lab data at all.
            LabDataError: a mistake in the data may concern one of them.
        """
        wanted = tuple(dict.fromkeys(names))
        if not wanted:
            raise NoContextError("no lab is named")
        concerning = [problem.text for problem in self.problems if problem.concerns(wanted)]
        if concerning:
            more = f" (and {len(concerning) - 1} more; see `bespeak lab check`)" if len(concerning) > 1 else ""
            raise LabDataError(concerning[0] + more)
        known = self.names()
        for name in wanted:
            if name not in known:
                raise self._unknown(name, known)
        declared = [lab for name in wanted for lab in self._declared.get(name, ())]
        return Lab(
            name="_".join(wanted),
            resources={resource for lab in declared for resource in lab.resources},
            hosts=self._hosts_of(wanted),
            description="; ".join(lab.description for lab in declared if lab.description),
            names=wanted,
        )

    def contents(self, folder: Folder) -> dict[str, bytes]:
        """Return the content of the files that ``folder`` named and that were read."""
        return {path: self._contents[path] for path, origin in self._folder_of.items() if origin.root == folder.root}

    def acting(self, folder: Folder) -> list[str]:
        """Return, in words, each host that ``folder`` says how to reach or switch."""
        found = []
        for host in self._hosts:
            origin = self._folder_of.get(host.file)
            if origin is not None and origin.root == folder.root and host.acts:
                found.append(
                    f"host {escape_unprintable(host.id)}: {', '.join(host.acts)} ({escape_unprintable(host.file)})"
                )
        return found

    def require_trust(self, lab: Lab) -> None:
        """Refuse to act on the hosts of ``lab`` unless the folders that name their commands and secrets are trusted.

        Raises:
            UntrustedError: a folder is not trusted; the message names the file and the first such host.
        """
        asked: set[str] = set()
        for host in lab.hosts.values():
            folder = self._folder_of.get(host.file)
            if folder is None or host.file in asked or not host.acts:
                continue
            asked.add(host.file)
            says = f"says how host {escape_unprintable(host.id)} is reached or switched ({', '.join(host.acts)})"
            folder.require(host.file, says, {host.file: self._contents[host.file]})

    def _hosts_of(self, names: tuple[str, ...]) -> dict[str, HostSpec]:
        hosts: dict[str, HostSpec] = {}
        for host in self._hosts:
            if not set(host.labs).isdisjoint(names):
                if host.id in hosts:
                    raise LabDataError(
                        f"{host.source}: the host {short_repr(host.id)} is also in {hosts[host.id].source}"
                    )
                hosts[host.id] = host
        return dict(sorted(hosts.items()))

    def _unknown(self, name: str, known: list[str]) -> NoContextError:
        if not self.files:
            places = ", ".join(escape_unprintable(path) for path in self.search) or "nowhere"
            return NoContextError(
                f"no lab data for {short_repr(name)}: no {' and no '.join(FILENAMES)} in {places}; "
                "name directories in [labs] search",
                lab=name,
                known=[],
            )
        near = suggest(name, known)
        hint = f"did you mean {', '.join(map(escape_unprintable, near))}? " if near else ""
        listed = ", ".join(map(escape_unprintable, known)) or "none"
        return NoContextError(f"there is no lab {short_repr(name)}; {hint}known: {listed}", lab=name, known=known)

    def _look_at(self, path: str, folder: Folder | None) -> None:
        if is_lab_file(path):
            if not self._read(path, folder):
                self.problems.append(
                    Problem(f"{escape_unprintable(path)}: named in [labs] search, but there is no such file")
                )
            return
        for name in FILENAMES:
            self._read(os.path.join(path, name), folder)

    def _read(self, path: str, folder: Folder | None) -> bool:
        """Read one file; False when it is not there."""
        try:
            if signature(path) is None:
                self.consulted.append((path, None))
                return False
            raw, sign = read_regular(path)
            self.consulted.append((path, sign))
            self._contents[path] = raw
            if folder is not None:
                self._folder_of[path] = folder
            self._add(parse(path, raw))
        except LabDataError as error:
            self.problems.append(Problem(str(error)))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            self.problems.append(
                Problem(f"{escape_unprintable(path)}: cannot be read: {escape_unprintable(str(reason))}")
            )
        return True

    def _add(self, document: Document) -> None:
        for lab in document.labs:
            self._declared.setdefault(lab.name, []).append(lab)
        for raw in document.hosts:
            try:
                host = host_from(raw, document.only_lab, document.path, document.devices)
            except LabDataError as error:
                claimed = claimed_labs(raw, document.only_lab)
                self.problems.append(Problem(str(error), claimed, claimed_id(raw)))
                for name in claimed or ():
                    self._declared.setdefault(name, [])
                continue
            for other in self._by_id.setdefault(host.id, []):
                both = frozenset(other.labs) & frozenset(host.labs)
                if both:
                    text = f"{host.source}: the host {short_repr(host.id)} is also in {other.source}"
                    self.problems.append(Problem(text, both, host.id))
            self._by_id[host.id].append(host)
            self._hosts.append(host)


def open_labs(settings: Settings, cwd: str | None = None) -> LabStore:
    """Return the lab data that the settings name.

    Without ``labs`` in the settings of a repository, its root and its settings folder are looked at; without any
    repository, the working directory.

    Args:
        settings: what :func:`bespeak.settings.load_settings` returned.
        cwd: the directory to look at when there is no repository; by default the working directory.

    Raises:
        SettingsError: the settings cannot be understood.
    """
    if not settings.repos:
        from bespeak.settings.trust import Folder

        here = cwd or working_directory()
        return LabStore([here], folders={here: Folder(here, None, None, os.environ)})
    search: list[str] = []
    folders: dict[str, Folder | None] = {}
    cautions: list[Problem] = []
    for repo in settings.repos:
        _refuse_other_sources(repo.settings.get("lab"), repo.path)
        named = repo.lab_search
        cautions.extend(
            Problem(
                f"{escape_unprintable(repo.path)}: labs names {escape_unprintable(path)}, which does not exist",
                frozenset(),
            )
            for path in named
            if not is_lab_file(path) and not os.path.isdir(path)
        )
        named = named or [os.path.dirname(repo.path), repo.root]
        search.extend(named)
        folder = repo.folder
        for path in named:
            folders.setdefault(path, folder)
    return LabStore(search, cautions, folders)


def lab_names(values: Iterable[str] = (), environ: Mapping[str, str] | None = None) -> list[str]:
    """Return the labs asked for: ``-l a,b -l c``, else ``BESPEAK_LAB``; each once, in order.

    Args:
        values: the values of the option.
        environ: the environment; by default the process's.
    """
    given = list(values) or [(os.environ if environ is None else environ).get(LAB_VARIABLE, "")]
    parts = (part.strip() for value in given for part in value.split(","))
    return list(dict.fromkeys(part for part in parts if part))


def _refuse_other_sources(table: Any, path: str) -> None:
    if table is None:
        return
    backend = table.get("backend", "json") if isinstance(table, dict) else table
    if backend != "json":
        raise LabDataError(
            f"{escape_unprintable(path)}: [lab] backend {short_repr(backend)} is not known here; known: json"
        )
