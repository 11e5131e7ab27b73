"""What may stand in a rule: principals, roles, selectors of resources, scopes, issuers."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from bespeak.access.model import EVERYONE, GROUP, LABEL, USUAL_SCOPES, Right, Role, Scope, principal_of
from bespeak.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

Named = TypeVar("Named", bound=Enum)

LONGEST = 255
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_COMMANDS = {
    Right.LOOK: ("list", "who", "show", "free", "log", "watch"),
    Right.RESERVE: ("run", "book", "extend", "shorten", "release", "wait"),
    Right.RESOURCE: ("resource", "declare"),
    Right.ADMINISTER: ("rights", "token", "admin"),
}
"""Commands that ask for a right of another name."""


def principal(text: str) -> str:
    """Return who is meant, with a kind in front.

    Raises:
        UsageError: it can be nobody.
    """
    _printable("principal", text)
    if text == EVERYONE:
        return text
    if text.startswith(GROUP):
        if not text.removeprefix(GROUP):
            raise UsageError("principal 'group:': name the group")
        return text
    kind, _, name = principal_of(text).partition(":")
    if not name or ("*" in name and name != "*"):
        raise UsageError(f"principal {text!a}: a name, {kind}:NAME, {kind}:*, group:NAME, or * for everybody")
    return f"{kind}:{name}"


def role(text: str) -> Role:
    """Return the role with this name.

    Raises:
        UsageError: there is none.
    """
    return _named(Role, "role", text)


def right(text: str) -> Right:
    """Return the right with this name, or that a command of this name asks for.

    Raises:
        UsageError: there is none.
    """
    for found, commands in _COMMANDS.items():
        if text in commands:
            return found
    return _named(Right, "action", text)


def scopes(given: Iterable[str]) -> tuple[Scope, ...]:
    """Return the scopes with these names, each once; the usual ones where none is named.

    Raises:
        UsageError: there is no such scope.
    """
    found = tuple(dict.fromkeys(_named(Scope, "scope", text) for text in given))
    return found or USUAL_SCOPES


def _named(kind: type[Named], what: str, text: str) -> Named:
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(str(one.value) for one in kind)
        raise UsageError(f"there is no {what} {text!a}; known: {known}") from None


def selector(text: str) -> str:
    """Return a selector of resources.

    Raises:
        UsageError: it selects nothing.
    """
    _printable("resources", text)
    if text.startswith(LABEL) and not text.removeprefix(LABEL).partition("=")[0]:
        raise UsageError(f"resources {text!a}: a label has a name: label:KEY or label:KEY=VALUE")
    return text


def issuer(text: str) -> str:
    """Return the address of an issuer of tokens.

    Raises:
        UsageError: it is no ``https`` address, nor ``http`` on this machine.
    """
    from urllib.parse import urlsplit

    _printable("issuer", text)
    parts = urlsplit(text)
    local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    odd = not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc
    if odd or not (parts.scheme == "https" or local):
        raise UsageError(f"issuer {text!a}: an https:// address without a query (http:// only on this machine)")
    return text


def workload_holder(text: str, claims: Iterable[tuple[str, str]]) -> str:
    """Return whom workloads act as; it must not be a person, and takes only claims that the mapping checks.

    Raises:
        UsageError: it is a person, or its placeholders name claims that the mapping does not name.
    """
    _printable("holder", text)
    kind, colon, name = text.partition(":")
    if not colon or kind not in ("ci", "agent") or not name:
        raise UsageError(f"holder {text!a}: a workload acts as ci:NAME or agent:NAME, never as a person")
    known = {key for key, _ in claims}
    for claim in _PLACEHOLDER.findall(text):
        if claim not in known:
            raise UsageError(f"holder {text!a}: {{{claim}}} has to be one of the claims that the mapping names")
    return text


def filled(text: str, claims: dict[str, str]) -> str:
    """Return a workload's holder with the values of claims in place of ``{claim}``."""
    return _PLACEHOLDER.sub(lambda found: claims[found[1]], text)


def _printable(what: str, text: str) -> None:
    if not text or text != text.strip() or not text.isprintable() or len(text) > LONGEST or "\\" in text:
        raise UsageError(f"{what} {text[:40]!a}: empty, too long, or has characters that do not print")
