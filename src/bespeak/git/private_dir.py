"""A git directory of our own over a repository's objects and references, so that no setting of the repository counts.

Settings of a repository name programs: file system monitors, hooks, merge drivers, filters, text converters, remote
helpers, signature checkers. There is no list of them that stays complete, and drivers have any name. So git is not
told to leave them out: it never reads them. It runs in a folder that has its own ``config``, borrows the object store,
and refers to the references, the index and the ignore rules of the repository. Whatever git writes there is thrown
away with it.
"""

from __future__ import annotations

import os

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UnavailableError
from bespeak.git.errors import GitError
from bespeak.git.files import is_endless, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.git.repository import Repository

_READ_BY_GIT = (
    "config",
    "packed-refs",
    "shallow",
    "info/attributes",
    "info/exclude",
    "info/grafts",
    "info/sparse-checkout",
    "objects/info/alternates",
    "objects/info/commit-graph",
)
_READ_BY_GIT_HERE = ("HEAD", "index", "config.worktree", "commondir", "logs/HEAD")
_SHARED = ("refs", "logs", "info", "packed-refs", "shallow", "reftable", "worktrees")
_COMMON = "common"
_LEFT_OUT = ("extensions.partialclone", "extensions.worktreeconfig")
"""Extensions that say where to fetch missing objects, and where more settings are."""
_LONGEST_CONFIG = 1024 * 1024
_CONFIG = """\
[core]
\trepositoryformatversion = 1
\tbare = false
\tfsmonitor = false
\thooksPath = /dev/null
[protocol]
\tallow = never
"""
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/._-")


def make(repository: Repository) -> str:
    """Make a private git directory for a repository; return its path.

    Raises:
        GitError: something that git would read is no regular file.
        UnavailableError: no temporary folder can be made.
    """
    for folder, names in ((repository.common_dir, _READ_BY_GIT), (repository.git_dir, _READ_BY_GIT_HERE)):
        for name in names:
            must_be_plain(os.path.join(folder, name))
    folder = os.path.join(os.environ.get("TMPDIR") or "/tmp", f"bespeak-git-{os.urandom(8).hex()}")  # noqa: S108 made for us alone
    try:
        os.mkdir(folder, 0o700)
        try:
            _fill(folder, repository)
        except BaseException:
            remove(folder)
            raise
    except OSError as error:
        raise UnavailableError(
            f"no temporary folder can be made: {escape_unprintable(folder)}: {error.strerror}"
        ) from None
    return folder


def must_be_plain(path: str) -> None:
    """Refuse a pipe, a socket or a device where git expects a file.

    Raises:
        GitError: it is one.
    """
    if is_endless(path):
        raise GitError(f"no regular file: {escape_unprintable(path)}")


def _fill(folder: str, repository: Repository) -> None:
    common, own = repository.common_dir, repository.git_dir
    os.mkdir(os.path.join(folder, "objects"))
    shared = folder
    if own != common:  # a linked work tree: git keeps apart what it has of its own
        shared = os.path.join(folder, _COMMON)
        os.mkdir(shared)
        _write(os.path.join(folder, "commondir"), _COMMON + "\n")
        _write(os.path.join(folder, "HEAD"), _head(own))
        _refer(folder, own, ["refs", "logs"])
    _write(os.path.join(shared, "config"), _config(common))
    _write(os.path.join(shared, "HEAD"), _head(common))
    _refer(shared, common, _SHARED)
    for name in os.listdir(own):
        if name.endswith("_HEAD"):
            _write(os.path.join(folder, name), read_text(os.path.join(own, name)))
        elif name.startswith("sharedindex."):
            must_be_plain(os.path.join(own, name))
            os.symlink(os.path.join(own, name), os.path.join(folder, name))


def _refer(folder: str, where: str, names: Iterable[str]) -> None:
    for name in names:
        if os.path.lexists(os.path.join(where, name)):
            os.symlink(os.path.join(where, name), os.path.join(folder, name))


def _head(git_dir: str) -> str:
    path = os.path.join(git_dir, "HEAD")
    if os.path.islink(path):  # as git wrote it long ago
        linked = os.readlink(path)
        return f"ref: {linked}\n" if linked.startswith("refs/") else read_text(path)
    return read_text(path)


def _config(common_dir: str) -> str:
    """Return our settings, and the format of the repository, without which git would misread it.

    An extension that git does not know makes it refuse, as it would in the repository.
    """
    given = _plain_settings(common_dir)
    version = given.get("core.repositoryformatversion", "0")
    text = _CONFIG.format(version=version if version.isdigit() else 0)
    extensions = {name: value for name, value in given.items() if name.startswith("extensions.")}
    if version in {"", "0"} or not extensions:
        return text
    lines = [f"\t{name.partition('.')[2]} = {value}\n" for name, value in extensions.items() if name not in _LEFT_OUT]
    return text + "[extensions]\n" + "".join(lines)


def _plain_settings(common_dir: str) -> dict[str, str]:
    """Return the settings of a repository that stand in its own file in plain form, outside of subsections.

    Those that say in which format it is are read by git from this file only, without what it includes.
    """
    found: dict[str, str] = {}
    section = ""
    for line in read_text(os.path.join(common_dir, "config"), _LONGEST_CONFIG).splitlines():
        text = line.strip()
        if text.startswith("["):
            header, _, text = text[1:].partition("]")
            section = "" if '"' in header else header.strip().lower()
        name, separator, said = text.partition("=")
        value = said.partition("#")[0].partition(";")[0].strip().strip('"') if separator else "true"
        key = name.strip().lower()
        if section and key.replace("-", "").isalnum() and _PLAIN.issuperset(key + value):
            found[f"{section}.{key}"] = value
    return found


def object_format(repository: Repository) -> str:
    """Return how ids are made: ``sha1`` or ``sha256``."""
    return _plain_settings(repository.common_dir).get("extensions.objectformat", "sha1").lower()


def add_settings(folder: str, settings: Iterable[tuple[str, str]]) -> None:
    """Let settings count in a private git directory.

    Args:
        folder: the directory.
        settings: names such as ``core.ignorecase`` or ``branch.main.remote``, and their values; harmless ones only.
    """
    lines = []
    for name, text in settings:
        section, _, rest = name.partition(".")
        subsection, _, key = rest.rpartition(".")
        header = f'{section} "{_escaped(subsection)}"' if subsection else section
        escaped = _escaped(text).replace("\n", "\\n").replace("\t", "\\t")
        lines.append(f'[{header}]\n\t{key} = "{escaped}"\n')
    linked = os.path.join(folder, _COMMON, "config")
    path = linked if os.path.exists(linked) else os.path.join(folder, "config")
    with open(path, "a", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(lines)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def remove(folder: str) -> None:
    """Remove a private git directory; what it refers to stays."""
    try:
        with os.scandir(folder) as entries:
            inside = list(entries)
        for entry in inside:
            if entry.is_dir(follow_symlinks=False):
                remove(entry.path)
            else:
                os.unlink(entry.path)
        os.rmdir(folder)
    except OSError:
        return  # a temporary folder that somebody else is removing too
