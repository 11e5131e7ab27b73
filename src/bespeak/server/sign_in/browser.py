"""Signing in with a browser: OpenID Connect (code with PKCE, state and nonce), or a token pasted into a form.

A sign-in that was begun is kept in the book under its ``state``, counts once and for ten minutes, and belongs to the
browser that began it (a cookie has the state too). Whoever signs in gets a new session, whatever cookie it came with.
"""

from __future__ import annotations

import asyncio
import hmac
import html
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from bespeak.access import sessions
from bespeak.base.clock import MINUTE_US, SECOND_US
from bespeak.base.errors import BespeakError, NotFoundError
from bespeak.ledger.administer import log_sign_in
from bespeak.server.identity import NotSignedInError
from bespeak.server.rate_limit import guessed
from bespeak.server.sign_in import people
from bespeak.server.sign_in.authenticator import COOKIES, SignIn, is_from_here, secure, session_secret
from bespeak.server.sign_in.code_flow import CodeFlow

if TYPE_CHECKING:
    from bespeak.access.model import Caller, Session
    from bespeak.ledger.service import Ledger
    from bespeak.server.book import ServedBook
    from bespeak.storage.interface import Transaction

router = APIRouter(prefix="/auth")
LOGIN_COOKIES = {True: ("__Host-bespeak-login", "/"), False: ("bespeak-login", "/auth")}
"""The cookie of a sign-in that was begun, and its path: over TLS (True), where no other host of the domain can set it;
and over plain HTTP on this machine."""
_LOGIN_US = 10 * MINUTE_US
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · bespeak</title></head>
<body><main><h1>{title}</h1>{body}</main></body></html>
"""
_TOKEN_FORM = """<p>{said}</p><form method="post" action="/auth/token">
<p><label>Token (<code>bespeak token create --user YOU</code>)<br>
<input type="password" name="token" required autocomplete="off" spellcheck="false"></label></p>
<input type="hidden" name="next" value="{next}"><p><button>Sign in</button></p></form>"""  # noqa: S105 a page
_LOGOUT_FORM = """<form method="post" action="/auth/logout"><p><button>Sign out</button></p></form>"""


@router.get("/methods")
async def methods(request: Request) -> Response:
    """Tell how one signs in here, for the command line."""
    oidc = _sign_in(request).settings.oidc
    facts = None
    if oidc is not None:
        facts = {
            "issuer": oidc.issuer,
            "client_id": oidc.device_client_id or oidc.client_id,
            "scopes": list(oidc.scopes),
        }
    return JSONResponse({"token": True, "oidc": facts})


@router.get("/login")
async def login(request: Request, next: str = "/") -> Response:  # noqa: A002 the name in the address
    """Begin to sign in."""
    sign_in = _sign_in(request)
    if sign_in.settings.oidc is None:
        return HTMLResponse(_token_page("", local_path(next)))
    if wait := guessed(request):
        return _too_often(wait)
    flow = CodeFlow(sign_in.settings.oidc, sign_in.issuers, f"{base_url(request)}/auth/callback")
    began = await asyncio.to_thread(flow.begin)
    kept = json.dumps({"nonce": began.nonce, "verifier": began.verifier, "next": local_path(next)})

    def keep(tx: Transaction) -> bool:
        return sessions.keep_once(tx, f"login {began.state}", kept, tx.now_us + _LOGIN_US)

    await _book(request).write(lambda ledger: ledger.engine.transact(["access:once"], keep))
    answer = RedirectResponse(began.address, HTTPStatus.SEE_OTHER)
    is_secure = _is_secure(request)
    name, path = LOGIN_COOKIES[is_secure]
    answer.set_cookie(
        name,
        began.state,
        max_age=_LOGIN_US // SECOND_US,
        path=path,
        secure=is_secure,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get("/callback")
async def callback(request: Request) -> Response:
    """Take what the provider has sent the browser back with."""
    try:
        caller, next_path = await _returned(request)
    except BespeakError as error:
        return _refused(str(error))
    answer = RedirectResponse(next_path, HTTPStatus.SEE_OTHER)
    is_secure = _is_secure(request)
    name, path = LOGIN_COOKIES[is_secure]
    answer.delete_cookie(name, path=path, secure=is_secure, httponly=True, samesite="lax")
    oidc = _sign_in(request).settings.oidc
    seconds = oidc.session_seconds if oidc is not None else 0
    return await _signed_in(request, answer, caller, seconds, "", "oidc, browser")


async def _returned(request: Request) -> tuple[Caller, str]:
    sign_in, asked = _sign_in(request), request.query_params
    oidc = sign_in.settings.oidc
    if oidc is None:
        raise NotFoundError("this server has no provider to sign in at")
    state = asked.get("state", "")
    if not state or not hmac.compare_digest(state.encode(), _login_cookie(request).encode()):
        raise NotSignedInError("this sign-in was not begun in this browser")

    def take(ledger: Ledger) -> str | None:
        return ledger.engine.transact(["access:once"], lambda tx: sessions.take_once(tx, f"login {state}"))

    kept = await _book(request).write(take)
    if kept is None:
        raise NotSignedInError("this sign-in took too long, or is over; begin again")
    if "error" in asked:
        raise NotSignedInError(f"the provider says: {asked['error'][:100]!a}")
    if asked.get("iss", oidc.issuer) != oidc.issuer:
        raise NotSignedInError("the answer comes from another provider")
    began: dict[str, str] = json.loads(kept)
    flow = CodeFlow(oidc, sign_in.issuers, f"{base_url(request)}/auth/callback")
    id_token, access_token = await asyncio.to_thread(flow.finish, asked.get("code", ""), began["verifier"])
    claims = await asyncio.to_thread(sign_in.verifier.verify, id_token, oidc.issuer, (oidc.client_id,))
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), began["nonce"].encode()):
        raise NotSignedInError("the token was not made for this sign-in")
    if claims.get("azp", oidc.client_id) != oidc.client_id:
        raise NotSignedInError("the token was made for another program")
    claims = await asyncio.to_thread(flow.complete, claims, access_token)
    return people.caller_from_claims(claims, oidc, "session"), local_path(began["next"])


@router.get("/token")
async def token_form(request: Request, next: str = "/") -> Response:  # noqa: A002
    """Show the form for a token."""
    del request
    return HTMLResponse(_token_page("", local_path(next)))


@router.post("/token")
async def with_token(
    request: Request,
    token: Annotated[str, Form(max_length=200)],
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Sign in with a token: the session ends with it, and may do no more than it."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    if not is_from_here(headers, is_secure=_is_secure(request)):
        return _refused("a form of another site cannot sign anybody in here")
    sign_in = _sign_in(request)
    try:
        found = await _book(request).read(lambda ledger: sign_in.token_of(ledger, token.strip()))
    except NotSignedInError as error:
        if wait := guessed(request):
            return _too_often(wait)
        return HTMLResponse(_token_page(str(error), local_path(next)), HTTPStatus.UNAUTHORIZED)
    answer = RedirectResponse(local_path(next), HTTPStatus.SEE_OTHER)
    seconds = sign_in.settings.session_seconds
    return await _signed_in(request, answer, sign_in.caller_of_token(found), seconds, found.id, f"token {found.id}")


@router.get("/session")
async def session(request: Request) -> Response:
    """Tell a page who is signed in, and the word that its changes have to bring in ``X-CSRF-Token``."""
    found = await _book(request).read(lambda ledger: _session(ledger, request))
    if found is None:
        return JSONResponse({"user": None}, headers={"cache-control": "no-store"})
    return JSONResponse({"user": found.holder, "csrf": found.csrf}, headers={"cache-control": "no-store"})


@router.get("/logout")
async def logout_form(request: Request) -> Response:
    """Show the button that ends the session: an address alone must not."""
    del request
    return HTMLResponse(_PAGE.format(title="Sign out", body=_LOGOUT_FORM))


@router.post("/logout")
async def logout(request: Request) -> Response:
    """End the session."""
    secret = _secret(request)

    def end(ledger: Ledger) -> None:
        found = _session(ledger, request)
        ledger.engine.transact(["access:sessions"], lambda tx: sessions.end(tx, secret))
        if found is not None:
            log_sign_in(ledger, found.holder, "browser", out=True)

    if secret:
        await _book(request).write(end)
    answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    for name in COOKIES:
        answer.delete_cookie(name, path="/", secure=name.startswith("__Host-"), httponly=True, samesite="lax")
    return answer


async def _signed_in(
    request: Request, answer: Response, caller: Caller, seconds: int, token: str, how: str
) -> Response:
    """Begin a session, end the one that the browser had, and give it the cookie of the new one."""
    secret, old = sessions.new_secret(), _secret(request)

    def begin(ledger: Ledger) -> None:
        def work(tx: Transaction) -> None:
            if old:
                sessions.end(tx, old)
            expires_us = tx.now_us + seconds * SECOND_US
            sessions.begin(tx, secret, caller.holder, caller.groups, expires_us, token=token)

        ledger.engine.transact(["access:sessions"], work)
        log_sign_in(ledger, caller.holder, how)

    await _book(request).write(begin)
    is_secure = _is_secure(request)
    answer.set_cookie(
        COOKIES[0] if is_secure else COOKIES[1],
        secret,
        max_age=seconds,
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="lax",
    )
    answer.headers["cache-control"] = "no-store"
    return answer


def _session(ledger: Ledger, request: Request) -> Session | None:
    secret = _secret(request)
    return ledger.engine.read(lambda tx: sessions.find(tx, secret)) if secret else None


def local_path(text: str) -> str:
    """Return a path of this server; whatever leads elsewhere becomes ``/``."""
    odd = not text.startswith("/") or text.startswith("//") or "\\" in text or not text.isprintable()
    return "/" if odd else text


def base_url(request: Request) -> str:
    """Return how browsers reach this server: as the settings say, else as they do now."""
    said: str = _sign_in(request).settings.url
    return said.rstrip("/") or f"{request.url.scheme}://{request.headers.get('host', '')}"


def _is_secure(request: Request) -> bool:
    return secure(_sign_in(request).settings, request.url.scheme)


def _secret(request: Request) -> str:
    return session_secret({"cookie": request.headers.get("cookie", "")}, is_secure=_is_secure(request))


def _login_cookie(request: Request) -> str:
    return request.cookies.get(LOGIN_COOKIES[_is_secure(request)][0], "")


def _book(request: Request) -> ServedBook:
    book: ServedBook = request.app.state.book
    return book


def _sign_in(request: Request) -> SignIn:
    found: Any = getattr(request.app.state, "sign_in", None)
    if not isinstance(found, SignIn):
        raise NotFoundError("nobody signs in with a browser here")
    return found


def _token_page(said: str, next_path: str) -> str:
    body = _TOKEN_FORM.format(said=html.escape(said), next=html.escape(next_path))
    return _PAGE.format(title="Sign in", body=body)


def _too_often(wait: int) -> Response:
    body = _PAGE.format(
        title="Too many sign-ins", body="<p>Too many were begun from this address; come back later.</p>"
    )
    return HTMLResponse(body, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(wait)})


def _refused(why: str) -> Response:
    body = f'<p>{html.escape(why)}</p><p><a href="/auth/login">Sign in</a></p>'
    return HTMLResponse(_PAGE.format(title="Not signed in", body=body), HTTPStatus.UNAUTHORIZED)
