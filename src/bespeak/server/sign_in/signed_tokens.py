"""Checking a token that an issuer has signed (JWT, RFC 7519 and RFC 8725). The cryptography is joserfc's."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, ExpiredTokenError, JoseError

from bespeak.base.display import short_repr
from bespeak.server.identity import NotSignedInError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from bespeak.server.sign_in.issuers import Issuers

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Signatures with a private key only: never ``none``, and never one for which a published key would be the secret."""

LONGEST = 16 * 1024
_TYPES = (None, "jwt", "at+jwt", "application/at+jwt")


def looks_signed(text: str) -> bool:
    """Tell whether a credential has the form of a signed token."""
    return text.count(".") == 2 and text.startswith("ey")  # noqa: PLR2004 header, claims, signature


def issuer_in(text: str) -> str:
    """Return the issuer that a token names; nothing is checked yet.

    Raises:
        NotSignedInError: it is no token.
    """
    found = _unchecked(text).claims().get("iss")
    return found if isinstance(found, str) else ""


class _Unchecked:
    def __init__(self, header: Mapping[str, Any], payload: bytes) -> None:
        self.header = header
        self._payload = payload

    def claims(self) -> dict[str, Any]:
        import json

        try:
            found = json.loads(self._payload)
        except (ValueError, RecursionError):
            raise NotSignedInError("the token cannot be read") from None
        if not isinstance(found, dict):
            raise NotSignedInError("the token cannot be read")
        return found


def _unchecked(text: str) -> _Unchecked:
    if len(text) > LONGEST:
        raise NotSignedInError(f"the token has more than {LONGEST} characters")
    try:
        parts = jws.extract_compact(text.encode())
    except (JoseError, ValueError, TypeError, RecursionError):
        raise NotSignedInError("the token cannot be read") from None
    return _Unchecked(parts.headers(), parts.payload)


class TokenVerifier:
    """Checks tokens against the keys of their issuers.

    Args:
        issuers: what issuers publish.
        leeway_seconds: how far the clock of an issuer may be from ours.
        now: seconds since 1970.
    """

    def __init__(self, issuers: Issuers, leeway_seconds: int, now: Callable[[], float] = time.time) -> None:
        self._issuers = issuers
        self._leeway = leeway_seconds
        self._now = now

    def verify(self, text: str, issuer: str, audiences: Collection[str]) -> dict[str, Any]:
        """Return the claims of a token that ``issuer`` has signed, for one of ``audiences``, and that counts now.

        Args:
            text: the token.
            issuer: who has to have signed it.
            audiences: for one of whom it has to be made.

        Raises:
            NotSignedInError: naming what is wrong, never the token.
            UnavailableError: the issuer's keys cannot be had.
        """
        header = _unchecked(text).header
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise NotSignedInError(f"the token is signed by {short_repr(algorithm)}, which is not accepted")
        kind = header.get("typ")
        if (kind.lower() if isinstance(kind, str) else kind) not in _TYPES:
            raise NotSignedInError(f"the token is of the type {short_repr(kind)}, which is not for signing in")
        claims = self._signed_claims(text, issuer, header, algorithm)
        self._check(claims, issuer, audiences)
        return claims

    def _signed_claims(self, text: str, issuer: str, header: Mapping[str, Any], algorithm: str) -> dict[str, Any]:
        key_id = header.get("kid")
        if key_id is not None and not isinstance(key_id, str):
            raise NotSignedInError("the token names its key by something that is no text")
        for again in (False, True):
            for key in self._issuers.keys(issuer, key_id, again=again):
                try:
                    return dict(jwt.decode(text, key, algorithms=[algorithm]).claims)
                except BadSignatureError:
                    continue
                except (JoseError, ValueError, TypeError):
                    continue  # a key of another kind
        raise NotSignedInError(f"the token is not signed with a key that {issuer} publishes")

    def _check(self, claims: dict[str, Any], issuer: str, audiences: Collection[str]) -> None:
        registry = jwt.JWTClaimsRegistry(
            now=int(self._now()),
            leeway=self._leeway,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "values": list(audiences)},
            exp={"essential": True},
        )
        try:
            registry.validate(claims)
        except ExpiredTokenError:
            raise NotSignedInError("the token has expired") from None
        except JoseError as error:
            claim = str(getattr(error, "claim", ""))
            if claim == "aud" and "aud" in claims:
                named = short_repr(claims.get("aud"))
                raise NotSignedInError(f"the token is made for {named}, not for {' or '.join(audiences)}") from None
            raise NotSignedInError(f"the token cannot be accepted: {error.description}") from None
