"""The two conversations of the authorization code flow with PKCE (RFC 6749, 7636), held by Authlib."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bespeak.access.sessions import new_secret
from bespeak.base.errors import UnavailableError
from bespeak.server.identity import NotSignedInError

if TYPE_CHECKING:
    from bespeak.server.sign_in.issuers import Issuers
    from bespeak.server.sign_in.settings import OidcSettings

_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A sign-in that was begun.

    Attributes:
        address: where the browser has to go.
        state: comes back with it.
        nonce: comes back in the token.
        verifier: proves that who asks for the token is who began.
    """

    address: str
    state: str
    nonce: str
    verifier: str


class CodeFlow:
    """Signs people in at a provider.

    Args:
        settings: the provider.
        issuers: what it publishes.
        redirect_uri: where it sends browsers back to.
    """

    def __init__(self, settings: OidcSettings, issuers: Issuers, redirect_uri: str) -> None:
        self._settings = settings
        self._issuers = issuers
        self._redirect_uri = redirect_uri

    def begin(self) -> PendingSignIn:
        """Return where a browser has to go to sign in.

        Raises:
            UnavailableError: the provider cannot be asked.
        """
        state, nonce, verifier = new_secret(), new_secret(), new_secret()
        with self._client() as client:
            address, _ = client.create_authorization_url(
                self._endpoint("authorization_endpoint"), state=state, nonce=nonce, code_verifier=verifier
            )
        return PendingSignIn(str(address), state, nonce, verifier)

    def finish(self, code: str, verifier: str) -> tuple[str, str]:
        """Return the ID token and the access token that the provider gives for a code; nothing is checked yet.

        Raises:
            NotSignedInError: the provider gives none.
            UnavailableError: it cannot be asked.
        """
        import httpx
        from authlib.common.errors import AuthlibBaseError

        if not code:
            raise NotSignedInError("the provider sent no code")
        try:
            with self._client() as client:
                found: dict[str, Any] = client.fetch_token(
                    self._endpoint("token_endpoint"),
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                )
        except AuthlibBaseError as error:
            raise NotSignedInError(f"the provider refuses: {str(error.error)!a:.100}") from None
        except (httpx.HTTPError, ValueError) as error:
            kind = type(error).__name__
            raise UnavailableError(f"the provider {self._settings.issuer} cannot be asked: {kind}") from None
        token = found.get("id_token")
        if not isinstance(token, str):
            raise NotSignedInError("the provider gives no ID token")
        access = found.get("access_token")
        return token, access if isinstance(access, str) else ""

    def complete(self, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        """Return the claims of an ID token, with those that the provider tells elsewhere (OpenID Connect Core, 5.3).

        Many providers put little into an ID token. They are asked only where the name or the groups are missing.

        Args:
            claims: of the ID token, checked.
            access_token: given with it.

        Raises:
            NotSignedInError: what is told is about somebody else.
            UnavailableError: the provider cannot be asked.
        """
        wanted = {self._settings.user_claim, self._settings.groups_claim} - {"", *claims}
        if not wanted or not access_token:
            return claims
        if "userinfo_endpoint" not in self._issuers.configuration(self._settings.issuer):
            return claims
        told = self._issuers.ask(self._endpoint("userinfo_endpoint"), access_token)
        if told.get("sub") != claims.get("sub"):
            raise NotSignedInError("the provider tells of somebody else than it has signed in")
        return {**claims, **{name: told[name] for name in wanted if name in told}}

    def _client(self) -> Any:
        from authlib.integrations.httpx_client import OAuth2Client

        secret = self._settings.client_secret
        return OAuth2Client(
            self._settings.client_id,
            None if secret is None else secret.reveal(),
            token_endpoint_auth_method=self._auth_method(),
            scope=" ".join(self._settings.scopes),
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            timeout=_TIMEOUT_SECONDS,
        )

    def _auth_method(self) -> str:
        if self._settings.client_secret is None:
            return "none"
        known = self._issuers.configuration(self._settings.issuer).get("token_endpoint_auth_methods_supported")
        posts = isinstance(known, list) and "client_secret_basic" not in known and "client_secret_post" in known
        return "client_secret_post" if posts else "client_secret_basic"

    def _endpoint(self, name: str) -> str:
        issuer = self._settings.issuer
        found = self._issuers.configuration(issuer).get(name)
        if not isinstance(found, str) or not found.startswith("https://" if issuer.startswith("https://") else "http"):
            raise UnavailableError(f"the provider {issuer} publishes no {name}")
        return found
