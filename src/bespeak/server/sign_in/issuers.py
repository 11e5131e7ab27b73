"""What issuers of tokens publish: their configuration and their keys, fetched when needed and kept for a while.

Only issuers that the settings or a rule of the book name are ever asked, never one that a token names by itself. A key
that is not known is looked for at most once in :data:`REFETCH_SECONDS`, so that tokens with made-up keys cannot make
this server hammer an issuer.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bespeak.base.display import short_repr
from bespeak.base.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from joserfc.jwk import Key

KEEP_SECONDS = 3600.0
REFETCH_SECONDS = 30.0
FAILED_SECONDS = 5.0
_TIMEOUT_SECONDS = 10.0
_MOST_BYTES = 512 * 1024
_MOST_KEYS = 100
_ASYMMETRIC = ("RSA", "EC", "OKP")


@dataclass(slots=True)
class _Known:
    configuration: dict[str, Any]
    keys: list[Key] = field(default_factory=list)
    fetched: float = 0.0
    tried: float = float("-inf")


class Issuers:
    """Issuers and what they publish; safe to be asked by several threads.

    Args:
        fetch: returns the JSON object at an address; by default over the network.
        monotonic: the time in seconds.
    """

    def __init__(
        self,
        fetch: Callable[[str], dict[str, Any]] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch or fetch_json
        self._monotonic = monotonic
        self._known: dict[str, _Known] = {}
        self._failed: dict[str, tuple[float, str]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def configuration(self, issuer: str) -> dict[str, Any]:
        """Return the configuration that an issuer publishes (OpenID Connect Discovery 1.0).

        Raises:
            UnavailableError: it cannot be asked, or says that it is another issuer.
        """
        return self._of(issuer).configuration

    def keys(self, issuer: str, key_id: str | None, *, again: bool = False) -> list[Key]:
        """Return the keys of an issuer that a token with this key id may be signed with.

        Args:
            issuer: whose keys.
            key_id: the ``kid`` of the token; None where it names none.
            again: no known key has fitted: ask the issuer anew, where that was not done right before.

        Raises:
            UnavailableError: the issuer cannot be asked, and was not before.
        """
        known = self._of(issuer)
        found = _fitting(known.keys, key_id)
        if found and not again:
            return found
        self._refetch(issuer, known)
        return _fitting(known.keys, key_id)

    @staticmethod
    def ask(address: str, token: str) -> dict[str, Any]:
        """Return what an issuer tells at an address to whoever shows a token.

        Raises:
            UnavailableError: it cannot be had.
        """
        return fetch_json(address, token)

    def _of(self, issuer: str) -> _Known:
        with self._lock_of(issuer):
            known = self._known.get(issuer)
            if known is None:
                known = self._known[issuer] = self._first(issuer)
            elif self._monotonic() - known.fetched > KEEP_SECONDS and self._may_try(known):
                with suppress(UnavailableError):  # the keys that are known go on counting while the issuer is away
                    self._known[issuer] = known = self._fetched(issuer)
            return known

    def _first(self, issuer: str) -> _Known:
        """Fetch what is not known at all; where that failed right before, say so again without asking."""
        failed, why = self._failed.get(issuer, (float("-inf"), ""))
        if self._monotonic() - failed < FAILED_SECONDS:
            raise UnavailableError(why)
        try:
            return self._fetched(issuer)
        except UnavailableError as error:
            self._failed[issuer] = (self._monotonic(), str(error))
            raise

    def _refetch(self, issuer: str, known: _Known) -> None:
        with self._lock_of(issuer):
            if not self._may_try(known):
                return
            try:
                fresh = self._fetched(issuer)
            except UnavailableError:
                return
            known.configuration, known.keys, known.fetched = fresh.configuration, fresh.keys, fresh.fetched

    def _may_try(self, known: _Known) -> bool:
        now = self._monotonic()
        if now - max(known.tried, known.fetched) < REFETCH_SECONDS:
            return False
        known.tried = now
        return True

    def _lock_of(self, issuer: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(issuer, threading.Lock())

    def _fetched(self, issuer: str) -> _Known:
        configuration = self._fetch(f"{issuer.removesuffix('/')}/.well-known/openid-configuration")
        if configuration.get("issuer") != issuer:
            raise UnavailableError(f"issuer {issuer}: says that it is {short_repr(configuration.get('issuer'))}")
        address = configuration.get("jwks_uri")
        if not isinstance(address, str) or not _same_kind(address, issuer):
            raise UnavailableError(f"issuer {issuer}: publishes no address of its keys")
        return _Known(configuration, _public_keys(self._fetch(address)), self._monotonic())


def _fitting(keys: list[Key], key_id: str | None) -> list[Key]:
    return [key for key in keys if key_id is None or key.kid == key_id]


def _same_kind(address: str, issuer: str) -> bool:
    """Tell whether an address is as safe as the issuer's: https, or http where the issuer is on this machine."""
    return address.startswith("https://") or (issuer.startswith("http://") and address.startswith("http://"))


def _public_keys(document: dict[str, Any]) -> list[Key]:
    """Return the keys for signatures; what is no public key, or of a kind that is not known, is left out."""
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    entries = document.get("keys")
    found: list[Key] = []
    for entry in entries[:_MOST_KEYS] if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or entry.get("kty") not in _ASYMMETRIC or entry.get("use", "sig") != "sig":
            continue
        try:
            found.append(import_key(entry))
        except (JoseError, ValueError, TypeError):
            continue
    return found


def fetch_json(address: str, token: str = "") -> dict[str, Any]:
    """Return the JSON object at an address; redirects are not followed.

    Args:
        address: where.
        token: shown there; empty for none.

    Raises:
        UnavailableError: it cannot be had.
    """
    import httpx

    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        with (
            httpx.Client(timeout=_TIMEOUT_SECONDS, follow_redirects=False) as client,
            client.stream("GET", address, headers=headers) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise UnavailableError(f"{address}: answers {answer.status_code}")
            body = b""
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > _MOST_BYTES:
                    raise UnavailableError(f"{address}: answers more than {_MOST_BYTES} bytes")
        document = json.loads(body)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
        raise UnavailableError(f"{address}: {type(error).__name__}: {str(error)!a:.200}") from None
    if not isinstance(document, dict):
        raise UnavailableError(f"{address}: answers no JSON object")
    return document
