"""People whom a provider of OpenID Connect has signed in: from the claims of a checked token to a caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bespeak.access.model import Caller
from bespeak.base.display import short_repr
from bespeak.base.errors import UsageError
from bespeak.ledger.validation import check_new_user
from bespeak.server.identity import NotSignedInError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.server.sign_in.settings import OidcSettings

_MOST_GROUPS = 500


def person(name: object, said_by: str) -> str:
    """Return the holder that is called ``name``.

    Raises:
        NotSignedInError: it is no name; or a holder of another kind (``ci:x``), which no person can sign in as.
    """
    try:
        found = check_new_user(name if isinstance(name, str) else "")
    except UsageError as error:
        raise NotSignedInError(f"{said_by}: {error}") from None
    if ":" in found:
        raise NotSignedInError(f"{said_by}: {short_repr(found)} has a colon in it, and is no name of a person")
    return found


def caller_from_claims(claims: Mapping[str, Any], settings: OidcSettings, method: str) -> Caller:
    """Return who signs in with the claims of a token that was checked.

    Raises:
        NotSignedInError: the claims do not say who it is.
    """
    name = person(claims.get(settings.user_claim), f"the claim {settings.user_claim} of the token")
    return Caller(name, "user", method, groups=groups_in(claims, settings))


def groups_in(claims: Mapping[str, Any], settings: OidcSettings) -> tuple[str, ...]:
    """Return the groups that the claims list; what is no name of a group is left out."""
    found = claims.get(settings.groups_claim) if settings.groups_claim else None
    names = [found] if isinstance(found, str) else found
    if not isinstance(names, list):
        return ()
    return tuple(name for name in names[:_MOST_GROUPS] if isinstance(name, str) and name and name.isprintable())
