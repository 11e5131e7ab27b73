"""``login`` and ``logout``: who you are at the server of a book."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base import timeparse
from bespeak.base.clock import SECOND_US, iso
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import NotFoundError, UnavailableError, UsageError
from bespeak.base.json_text import one_line
from bespeak.cli import output

if TYPE_CHECKING:
    from bespeak.base.http_url import HttpAddress
    from bespeak.cli.context import Context, Values
    from bespeak.client.device_flow import PendingLogin, Provider

_URL = Argument("URL", required=False)
_OK = 200


@command(
    "login",
    text="Shows an address and a code: type the code into a browser on any machine. Commands then send a token of the "
    "provider, and renew it. What is kept is readable for you alone. A program signs in with BESPEAK_TOKEN instead.",
    examples=(
        ("login https://book.example.com", "at the provider of that server"),
        ("login --keyring", "at the server of the book that is used here; keep the token in the keyring"),
    ),
    arguments=(_URL,),
    options=(Option(("--keyring",), "Keep the tokens in the keyring (extra: keyring)."),),
)
def login(context: Context, values: Values) -> int:
    """Sign in at the server of a book."""
    from bespeak.client import device_flow
    from bespeak.client.saved_logins import SavedLogin

    address = _address(context, values["url"])
    provider = _provider(address)
    tokens = device_flow.sign_in(provider, lambda begun: _show(context, begun))
    user = _user(address, tokens.id_token)
    SavedLogin(address.origin).save(provider, tokens, keyring=values["keyring"])
    context.done = f"you are signed in at {address.name}"
    ends_us = int(tokens.ends) * SECOND_US or None
    lasts = bool(tokens.refresh_token)
    document = {"server": address.name, "user": user, "expires": iso(ends_us), "expires_us": ends_us, "renewed": lasts}
    ends = timeparse.show(ends_us or 0)
    until = "" if lasts else f" until {ends}, and not longer: the provider gave no refresh token"
    context.answer(document, escape_unprintable(f"signed in at {address.name} as {user}{until}"))
    return 0


@command(
    "logout",
    examples=(("logout", "from the server of the book that is used here"),),
    arguments=(_URL,),
)
def logout(context: Context, values: Values) -> int:
    """Forget the sign-in at the server of a book."""
    from bespeak.client.saved_logins import SavedLogin

    address = _address(context, values["url"])
    if not SavedLogin(address.origin).forget():
        raise NotFoundError(f"nobody is signed in at {address.name} here")
    context.answer({"server": address.name}, f"signed out from {escape_unprintable(address.name)}")
    return 0


def _address(context: Context, url: str | None) -> HttpAddress:
    from bespeak.base.http_url import parse_http_url
    from bespeak.settings import ledger_url

    found = ledger_url(context.ledger_flag) if url is None else url
    if "://" not in found or found.partition("://")[0] not in ("http", "https"):
        raise UsageError("login, logout: name the server, https://..., or use a book on one (BESPEAK_LEDGER)")
    return parse_http_url(found, "login")


def _provider(address: HttpAddress) -> Provider:
    from bespeak.client.device_flow import Provider

    facts = _ask(address, "/auth/methods", "")
    oidc = facts.get("oidc")
    if not isinstance(oidc, dict):
        raise UsageError(
            f"{address.name} has no provider to sign in at; put a token of its book into BESPEAK_TOKEN (bespeak token"
            " create)"
        )
    try:
        return Provider(str(oidc["issuer"]), str(oidc["client_id"]), tuple(map(str, oidc["scopes"])))
    except (KeyError, TypeError):
        raise UnavailableError(f"{address.name}: its answer makes no sense") from None


def _user(address: HttpAddress, token: str) -> str:
    """Return who the server says that the token is.

    Raises:
        UsageError: the server does not accept the token.
    """
    return str(_ask(address, "/api/v1/me", token).get("user", ""))


def _ask(address: HttpAddress, path: str, token: str) -> dict[str, Any]:
    from bespeak.client.credentials import Credentials
    from bespeak.client.requests import Requests

    requests = Requests(address, Credentials(address.origin, {"BESPEAK_TOKEN": token}))
    try:
        answer = requests.ask("GET", path)
    finally:
        requests.close()
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    if answer.status == _OK and isinstance(found, dict):
        return found
    why = found.get("detail") if isinstance(found, dict) else None
    raise UsageError(f"{address.name} refuses: {escape_unprintable(str(why or f'status {answer.status}'))}")


def _show(context: Context, begun: PendingLogin) -> None:
    if context.json:
        facts = {"event": "login", "address": begun.address, "full_address": begun.full_address, "code": begun.code}
        output.to_stderr(one_line(facts))
        return
    context.warn(f"open {begun.full_address or begun.address} and check or type the code {begun.code}", "bold")
