"""Who calls, by the first of these that applies: the peer of the Unix socket, a token, a session, a proxy's header."""

from __future__ import annotations

import hmac
import ipaddress
import os
import pwd
import threading
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

from bespeak.access import sessions, store, tokens
from bespeak.access.model import Caller, Role, Scope, kind_of
from bespeak.base.clock import DAY_US, SECOND_US
from bespeak.ledger.administer import log_sign_in
from bespeak.server.identity import METHOD, PATH, SAFE_METHODS, SCHEME, NotSignedInError
from bespeak.server.sign_in import people, signed_tokens, workloads
from bespeak.server.sign_in.issuers import Issuers
from bespeak.server.sign_in.signed_tokens import TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from bespeak.access.model import Session, Token
    from bespeak.ledger.service import Ledger
    from bespeak.server.identity import Authenticator, Peer
    from bespeak.server.sign_in.settings import SignInSettings
    from bespeak.storage.interface import Transaction

COOKIES = ("__Host-bespeak", "bespeak-session")
"""The name of the session's cookie over TLS, and over plain HTTP on this machine."""

CSRF_HEADER = "x-csrf-token"
API_PREFIX = "/api/"
_MOST_REMEMBERED = 10_000


class SignIn:
    """All that signing in needs to keep between requests; one for each server.

    Args:
        settings: the ways of signing in.
        issuers: what issuers publish.
    """

    def __init__(self, settings: SignInSettings, issuers: Issuers | None = None) -> None:
        self.settings = settings
        self.issuers = issuers or Issuers()
        self.verifier = TokenVerifier(self.issuers, settings.leeway_seconds)
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, book: Ledger) -> Authenticator:
        """Return what says who calls, by an open book."""
        return _BookAuthenticator(self, book)

    def is_new(self, token: str) -> bool:
        """Tell whether this process sees a signed token, or somebody on a day, first: so it goes into the log once."""
        digest = tokens.hashed(token)
        with self._lock:
            if digest in self._seen:
                self._seen.move_to_end(digest)
                return False
            self._seen[digest] = None
            if len(self._seen) > _MOST_REMEMBERED:
                self._seen.popitem(last=False)
            return True

    @staticmethod
    def token_of(book: Ledger, secret: str, *, again: bool = False) -> Token:
        """Return the token that a secret is, and note that it is used, if not ``again``.

        Raises:
            NotSignedInError: it does not count.
        """
        if not tokens.looks_like_token(secret):
            raise NotSignedInError("the token is none of bespeak's: it is mistyped or cut off")
        found, now_us = book.engine.read(lambda tx: (tokens.by_secret(tx, secret), tx.now_us))
        if found is None:
            raise NotSignedInError("the token is not known here")
        _check_counts(found, now_us)
        if not again and (found.used_us is None or now_us - found.used_us >= tokens.USED_EVERY_US):
            book.engine.transact([f"token:{found.id}"], lambda tx: tokens.note_use(tx, found.id))
        return found

    @staticmethod
    def caller_of_token(found: Token, method: str = "token") -> Caller:
        """Return who signs in with a token."""
        scopes = frozenset(found.scopes)
        unruled = Role.ADMIN if Scope.ADMIN in scopes else Role.MANAGER if Scope.MANAGE in scopes else Role.BOOKER
        kind = kind_of(found.holder)
        return Caller(found.holder, kind, method, scopes=scopes, selectors=found.selectors, unruled=unruled)


def _check_counts(found: Token, now_us: int) -> None:
    if found.revoked_us is not None:
        raise NotSignedInError(f"token {found.id} was revoked")
    if found.expires_us <= now_us:
        raise NotSignedInError(f"token {found.id} has expired")


class _BookAuthenticator:
    def __init__(self, sign_in: SignIn, book: Ledger) -> None:
        self._sign_in = sign_in
        self._settings = sign_in.settings
        self._book = book

    def authenticate(self, headers: Mapping[str, str], peer: Peer, *, again: bool = False) -> Caller | None:
        """Return who calls, or None where nothing says it; ``again`` uses nothing up and writes nothing down.

        Raises:
            NotSignedInError: a credential is wrong.
        """
        if peer.uid is not None:
            return self._noted(account_caller(peer.uid), f"the Unix socket, account {peer.uid}", again=again)
        bearer = headers.get("authorization", "")
        if bearer:
            return self._by_bearer(bearer, again=again)
        is_secure = secure(self._settings, headers.get(SCHEME, ""))
        if secret := session_secret(headers, is_secure=is_secure):
            return self._by_session(secret, headers, is_secure=is_secure)
        header = self._settings.proxy_user_header
        if header and header in headers:
            return self._noted(self._by_proxy(headers[header], peer), f"the proxy {peer.address}", again=again)
        return None

    def _noted(self, caller: Caller, where: str, *, again: bool) -> Caller:
        """Write down that somebody comes who needs no credential of ours: with the first request of each day."""
        day = self._book.now_us() // DAY_US
        if not again and self._sign_in.is_new(f"{caller.holder} {where} {day}"):
            log_sign_in(self._book, caller.holder, f"{caller.method}, {where}")
        return caller

    def _by_bearer(self, header: str, *, again: bool) -> Caller:
        scheme, _, credential = header.partition(" ")
        credential = credential.strip()
        if scheme.lower() != "bearer" or not credential:
            raise NotSignedInError("Authorization: only 'Bearer TOKEN' is accepted")
        if signed_tokens.looks_signed(credential):
            return self._by_signed_token(credential, again=again)
        return self._sign_in.caller_of_token(self._sign_in.token_of(self._book, credential, again=again))

    def _by_signed_token(self, text: str, *, again: bool) -> Caller:
        issuer = signed_tokens.issuer_in(text)
        oidc = self._settings.oidc
        if oidc is not None and issuer == oidc.issuer:
            claims = self._sign_in.verifier.verify(text, issuer, oidc.audiences)
            caller = people.caller_from_claims(claims, oidc, "oidc")
        else:
            caller = self._by_workload(text, issuer, again=again)
        if not again and self._sign_in.is_new(text):
            log_sign_in(self._book, caller.holder, f"{caller.method}, {issuer}")
        return caller

    def _by_workload(self, text: str, issuer: str, *, again: bool) -> Caller:
        known = [one for one in self._book.engine.read(store.mappings) if one.issuer == issuer]
        if not known:
            raise NotSignedInError("the token's issuer is not known here; see `rights map`")
        usual = self._settings.audience
        claims = self._sign_in.verifier.verify(text, issuer, {one.audience or usual for one in known})
        matching = [one for one in known if workloads.is_for(one, claims, usual) and workloads.means(one, claims)]
        caller = workloads.caller_of(matching, claims)
        if not again and any(one.once for one in matching):
            self._use_up(claims, issuer)
        return caller

    def _use_up(self, claims: Mapping[str, Any], issuer: str) -> None:
        identifier = claims.get("jti")
        if not isinstance(identifier, str) or not identifier:
            raise NotSignedInError("the token has no jti, so it cannot be told whether it was used before")
        end_us = (int(claims["exp"]) + self._settings.leeway_seconds + 1) * SECOND_US
        what = f"jti {issuer} {identifier}"

        def work(tx: Transaction) -> bool:
            return sessions.keep_once(tx, what, "used", max(end_us, tx.now_us + SECOND_US))

        if not self._book.engine.transact(["access:once"], work):
            raise NotSignedInError("the token was used before, and is accepted once")

    def _by_session(self, secret: str, headers: Mapping[str, str], *, is_secure: bool) -> Caller | None:
        found, token, now_us = self._book.engine.read(lambda tx: _session_and_token(tx, secret))
        if found is None:
            return None
        if headers.get(METHOD) not in SAFE_METHODS:
            _check_meant(headers, found.csrf, is_secure=is_secure)
        if found.token:
            if token is None:
                return None
            _check_counts(token, now_us)
            return self._sign_in.caller_of_token(token, "session")
        return Caller(found.holder, kind_of(found.holder), "session", groups=found.groups)

    def _by_proxy(self, name: str, peer: Peer) -> Caller:
        header = self._settings.proxy_user_header
        try:
            address = ipaddress.ip_address(peer.address or "")
        except ValueError:
            address = None
        if address is None or not any(address in network for network in self._settings.proxies):
            raise NotSignedInError(f"the header {header} is believed from the proxy only")
        return Caller(people.person(name, f"the header {header}"), "user", "proxy")


def _check_meant(headers: Mapping[str, str], csrf: str, *, is_secure: bool) -> None:
    """Refuse a change that a page of somebody else may have made a browser send with its cookie.

    Forms of our pages come from our own origin, which browsers say, and have words of their own; the API wants the
    word of the session.

    Raises:
        NotSignedInError: nothing shows that it was meant.
    """
    if hmac.compare_digest(headers.get(CSRF_HEADER, "").encode(), csrf.encode()):
        return
    if headers.get(PATH, API_PREFIX).startswith(API_PREFIX):
        raise NotSignedInError(f"a change from a browser needs the header {CSRF_HEADER} of its session")
    if not is_from_here(headers, is_secure=is_secure):
        raise NotSignedInError("a form of another site cannot change anything here")


def secure(settings: SignInSettings, scheme: str) -> bool:
    """Tell whether browsers reach this server over TLS: as the settings say, else as the request has come."""
    return (settings.url or f"{scheme}:").startswith("https:")


def is_from_here(headers: Mapping[str, str], *, is_secure: bool) -> bool:
    """Tell whether the browser says that a request comes from a page of this origin.

    Over TLS a page that came without it is none: somebody on the network can have put it under our name.
    """
    scheme, _, authority = headers.get("origin", "").partition("://")
    own = bool(authority) and authority == headers.get("host") and not (is_secure and scheme == "http")
    return own or headers.get("sec-fetch-site") == "same-origin"


def _session_and_token(tx: Transaction, secret: str) -> tuple[Session | None, Token | None, int]:
    found = sessions.find(tx, secret)
    token = tokens.by_id(tx, found.token) if found is not None and found.token else None
    return found, token, tx.now_us


def account_caller(uid: int) -> Caller:
    """Return who the account at the other end of a Unix socket is.

    Raises:
        NotSignedInError: it has no name on this machine.
    """
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        raise NotSignedInError(f"account {uid} has no name on this machine") from None
    unruled = Role.ADMIN if uid in (0, os.geteuid()) else Role.BOOKER
    return Caller(name, "user", "peer", unruled=unruled)


def session_secret(headers: Mapping[str, str], *, is_secure: bool) -> str:
    """Return the secret in the session's cookie; empty where there is none.

    Over TLS only the cookie counts that no other host of the domain can set: somebody could otherwise give a browser a
    session of his own.
    """
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return ""
    names = COOKIES[:1] if is_secure else COOKIES
    return next((jar[name].value for name in names if name in jar and jar[name].value), "")


def authenticators(settings: SignInSettings) -> Callable[[Ledger], Authenticator]:
    """Return what makes an authenticator of an open book; make it once, it keeps the keys of issuers."""
    return SignIn(settings)
