"""``trust`` and ``init``: folders whose settings and lab data may name code, books, secrets and commands."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError, NotFoundError, UsageError, WrongStateError
from bespeak.base.paths import book_url, outside, refuse_parameters
from bespeak.labs.trust_survey import Survey, survey
from bespeak.ledger import open_ledger
from bespeak.settings import FILENAME, FOLDERS, ledger_place
from bespeak.settings.trust import records, revoke

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.settings.trust import Record

_FOLDER = Argument("DIR", required=False)
_STATES = {
    "trusted": "trusted",
    "changed": "not trusted any more: it has changed since",
    "untrusted": "not trusted",
    "gone": "trusted, but the folder is gone",
}


@command(
    "trust",
    text="Until then they are refused, with exit code 6. Trust is for you alone and kept outside the folder. "
    "It is bound to the folder's path and owner, and to the content of its settings, lab files and init modules: "
    "when they change, read them and trust them again. A folder that names none of this needs no trust.",
    examples=(
        ("trust --show", "what the folder you are in names, before you trust it"),
        ("trust", "trust it"),
        ("trust --list", "what you have trusted, and what has changed since"),
        ("trust --revoke", "trust it no longer"),
    ),
    arguments=(_FOLDER,),
    options=(
        Option(("--show",), "Only show what it names and whether it is trusted."),
        Option(("--list",), "List the folders that you have trusted."),
        Option(("--revoke",), "Trust it no longer."),
    ),
)
def trust(context: Context, values: Values) -> int:
    """Trust a folder as it is now; or show, list or revoke."""
    if values["list"] + values["show"] + values["revoke"] > 1:
        raise UsageError("--list, --show and --revoke exclude each other")
    if values["list"] and values["dir"] is not None:
        raise UsageError("--list takes no folder")
    if values["list"]:
        return _list(context)
    if values["revoke"]:
        return _revoke(context, values["dir"])
    found = survey(_folder(values["dir"]), os.environ)
    if not values["show"]:
        found = [one.trusted() for one in found]
    _answer(context, [_facts(one) for one in found], names=True)
    return 0


def _folder(named: str | None) -> str | None:
    if named is None:
        return None
    path = os.path.abspath(os.path.expanduser(named))
    if not os.path.isdir(path):
        raise NotFoundError(f"there is no folder {escape_unprintable(path)}")
    return path


def _list(context: Context) -> int:
    facts = [_of_record(record) for record in records(os.environ)]
    if not facts and not context.json:
        context.print("no folder is trusted")
        return 0
    _answer(context, facts, names=False)
    return 0


def _of_record(record: Record) -> dict[str, Any]:
    """Return how things stand with what was trusted once."""
    state, names, files = "gone", [], []
    if os.path.isdir(record.folder):
        state = "changed"
        try:
            found = [one for one in survey(record.folder, os.environ) if _is(one, record.folder)]
        except BespeakError:
            found = []  # settings that cannot be understood are not those that were trusted
        for one in found:
            state, names, files = one.state, list(one.names), one.files
    return _fact(record.folder, state, record.trusted_at, names, files)


def _is(one: Survey, folder: str) -> bool:
    return os.path.realpath(one.folder.root) == folder


def _revoke(context: Context, named: str | None) -> int:
    if named is not None and not os.path.isdir(os.path.expanduser(named)):
        roots = [os.path.abspath(os.path.expanduser(named))]  # it can have been removed since
    else:
        roots = [one.folder.root for one in survey(_folder(named), os.environ)]
    for root in roots:
        if not revoke(os.path.realpath(root), os.environ):
            raise NotFoundError(f"{escape_unprintable(root)} is not trusted")
    _answer(context, [_fact(root, "untrusted", None, [], []) for root in roots], names=False)
    return 0


def _facts(one: Survey) -> dict[str, Any]:
    at = None if one.record is None else one.record.trusted_at
    return _fact(one.folder.root, one.state, at, list(one.names), one.files)


def _fact(folder: str, state: str, trusted_at: str | None, names: list[str], files: list[str]) -> dict[str, Any]:
    return {"folder": folder, "state": state, "trusted_at": trusted_at, "names": names, "files": files}


def _answer(context: Context, facts: list[dict[str, Any]], *, names: bool) -> None:
    lines = []
    for fact in facts:
        lines.append(f"{escape_unprintable(fact['folder'])}: {_STATES[fact['state']]}")
        if names:
            lines += [f"  {name}" for name in fact["names"]] or ["  it names nothing that needs trust"]
    context.answer({"folders": facts}, "\n".join(lines))


_TEMPLATE = """# How bespeak is used in this repository. Whoever clones it says once: bespeak trust

[reservations]
backend = "ledger"           # the gate asks bespeak's book

[ledger]
{url}
# strict = true              # refuse resources that nobody declared
# default_for = "4h"         # how long a reservation lasts that names no end

[labs]
# search = ["labs"]          # files and directories with lab data; without it, this folder's lab.toml
"""
_NO_URL = '# url = "postgresql://bespeak@db.example.com/lab"   # where the book is; without it, a file of each user'


@command(
    "init",
    text="The file explains the settings that most need. With --ledger it names that book. "
    "An existing file is never changed. "
    "Lab data that is there already and needs trust is shown, and not trusted.",
    examples=(
        ("init fresh", "settings for a new folder"),
        ("init team --ledger postgresql://bespeak@db.example.com/lab", "settings that name the team's book"),
    ),
    arguments=(_FOLDER,),
)
def init(context: Context, values: Values) -> int:
    """Write the settings of a repository, and trust them; lab data that is there already is for the user to read."""
    root = Path(os.path.abspath(os.path.expanduser(values["dir"] or ".")))
    if (root / FOLDERS[0]).is_symlink():
        raise WrongStateError(f"{escape_unprintable(str(root / FOLDERS[0]))} is a link; settings are not written there")
    for folder in FOLDERS:
        there = root / folder / FILENAME
        if os.path.lexists(there):
            raise WrongStateError(f"{escape_unprintable(str(there))} exists already; to trust it: bespeak trust")
    text = _TEMPLATE.format(url=_url_line(context, str(root)))
    path = root / FOLDERS[0] / FILENAME
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise BespeakError(f"{escape_unprintable(str(path))}: cannot be written: {error.strerror}") from error
    names = _trust_own(str(root))
    book = _make_book(context, str(root))
    said = f"wrote {escape_unprintable(str(path))}, and {'do not ' if names else ''}trust it; the book: {book}"
    if names:
        step = f"this folder also names (read it, then: bespeak trust {escape_unprintable(quote(str(root)))}):"
        said = "\n".join((said, step, *(f"  {name}" for name in names)))
    context.answer({"folder": str(root), "settings": str(path), "book": book, "trusted": not names}, said)
    return 0


def _trust_own(root: str) -> list[str]:
    """Trust a folder unless it names more than the settings just written; return what more it names.

    Lab data that was there before can be somebody else's, and the user did not read it by asking for settings.
    """
    found = survey(root, os.environ)
    others = [name for one in found for name in one.acting]
    if not others:
        for one in found:
            one.trusted()
    return others


def _make_book(context: Context, root: str) -> str:
    """Make the book that is used in a folder, and return where it is.

    A server is not asked: it can be out of reach, or its role not be ours; the first reservation makes its tables.
    """
    place = ledger_place(context.ledger_flag, cwd=root)
    if "://" not in place.url:
        open_ledger(place.url).close()
    return place.shown


def _url_line(context: Context, root: str) -> str:
    flag = context.ledger_flag
    if flag is None:
        return _NO_URL
    if flag not in context.spoken():
        raise UsageError("--ledger has a password in it, which the settings would show to others; use a password file")
    url = book_url(flag, "--ledger", None)
    refuse_parameters(url, "--ledger")
    if "://" not in url and not outside(url, root):
        url = os.path.relpath(url, root)
    from json import dumps

    return f"url = {dumps(url, ensure_ascii=False)}"
