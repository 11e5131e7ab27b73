"""What ``bespeak login`` leaves for the next commands: a file for each server, readable by its owner alone.

With ``--keyring`` the tokens are in the keyring and the file only says so.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bespeak.base.display import short_repr
from bespeak.base.errors import UnavailableError, UsageError, needs_extra
from bespeak.base.fileio import read_own, write_atomically
from bespeak.base.paths import user_folder
from bespeak.client import device_flow
from bespeak.client.device_flow import Provider, RefusedByProviderError, Tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_EARLY_SECONDS = 60
"""A token that ends so soon is not sent any more."""

_SERVICE = "bespeak"
_LONGEST = 64 * 1024


class SavedLogin:
    """The sign-in at one server.

    Args:
        origin: names the server.
        environ: the environment; by default the process's.
    """

    def __init__(self, origin: str, environ: Mapping[str, str] | None = None) -> None:
        self.origin = origin
        folder = os.path.join(user_folder(os.environ if environ is None else environ, "state"), "logins")
        self._folder = folder
        self._path = os.path.join(folder, f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.json")

    @property
    def is_there(self) -> bool:
        """Whether somebody has signed in at this server."""
        return os.path.lexists(self._path)

    def save(self, provider: Provider, tokens: Tokens, *, keyring: bool) -> None:
        """Keep what a provider gave.

        Raises:
            UnavailableError: it cannot be kept.
        """
        secrets = {"id_token": tokens.id_token, "refresh_token": tokens.refresh_token}
        document: dict[str, Any] = {
            "server": self.origin,
            "issuer": provider.issuer,
            "client_id": provider.client_id,
            "scopes": list(provider.scopes),
            "keyring": keyring,
        }
        if keyring:
            _keyring().set_password(_SERVICE, self.origin, json.dumps(secrets))
        else:
            document |= secrets
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            write_atomically(self._path, json.dumps(document).encode(), 0o600)
        except OSError as error:
            raise UnavailableError(
                f"the sign-in cannot be kept in {short_repr(self._path)}: {error.strerror}"
            ) from None

    def token(self) -> str:
        """Return a token that counts now, a new one where the old one ends; empty where nobody has signed in.

        Raises:
            UsageError: the file may be read by others, or one has to sign in again.
            UnavailableError: a new token cannot be had.
        """
        if not self.is_there:
            return ""
        _, tokens, _ = self._read()
        if _counts(tokens):
            return tokens.id_token
        with self._alone():
            provider, tokens, keyring = self._read()
            if _counts(tokens):
                return tokens.id_token  # somebody else has renewed it meanwhile
            if not tokens.refresh_token:
                raise UsageError(f"your sign-in at {self.origin} is over; sign in again with `bespeak login`")
            try:
                fresh = device_flow.refresh(provider, tokens.refresh_token)
            except RefusedByProviderError as error:
                raise UsageError(f"{error}; sign in again with `bespeak login`") from None
            self.save(provider, fresh, keyring=keyring)
            return fresh.id_token

    def forget(self) -> bool:
        """Remove what is kept, and tell the provider; False where there is nothing."""
        if not self.is_there:
            return False
        try:
            provider, tokens, keyring = self._read()
            if keyring:
                _keyring().delete_password(_SERVICE, self.origin)
            if tokens.refresh_token:
                device_flow.revoke(provider, tokens.refresh_token)
        finally:
            os.unlink(self._path)
        return True

    def _read(self) -> tuple[Provider, Tokens, bool]:
        try:
            content = read_own(self._path, _LONGEST)
        except OSError as error:
            raise UsageError(f"{short_repr(self._path)}: {error.strerror or error}") from None
        if content is None:
            raise UsageError(
                f"{short_repr(self._path)} has to be a file of yours that nobody else may read (chmod 600)"
            )
        try:
            found = json.loads(content)
            keyring = bool(found["keyring"])
            secrets = json.loads(_keyring().get_password(_SERVICE, self.origin) or "{}") if keyring else found
            provider = Provider(str(found["issuer"]), str(found["client_id"]), tuple(map(str, found["scopes"])))
            return provider, Tokens(str(secrets["id_token"]), str(secrets["refresh_token"])), keyring
        except (ValueError, KeyError, TypeError):
            raise UsageError(f"{short_repr(self._path)} cannot be read; sign in again with `bespeak login`") from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time renew a token: a provider takes each refresh token once."""
        descriptor = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _counts(tokens: Tokens) -> bool:
    return tokens.ends > time.time() + _EARLY_SECONDS


def _keyring() -> Any:
    try:
        import keyring
    except ImportError:
        raise UsageError(needs_extra("a sign-in in the keyring", "keyring")) from None
    return keyring
