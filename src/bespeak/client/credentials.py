"""Who we are to a server: the token of the environment, else the one that signing in has left for this server."""

from __future__ import annotations

import os

from bespeak.base.errors import UsageError
from bespeak.base.paths import user_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN_VARIABLE = "BESPEAK_TOKEN"  # noqa: S105 -- the name of a variable


class Credentials:
    """The credentials for one server.

    Args:
        origin: names the server.
        environ: the environment; by default the process's.
    """

    def __init__(self, origin: str, environ: Mapping[str, str] | None = None) -> None:
        self._origin = origin
        self._environ = os.environ if environ is None else environ

    def token(self) -> str:
        """Return the token to show; empty where there is none.

        Raises:
            UsageError: what is there cannot be sent.
        """
        token = self._environ.get(TOKEN_VARIABLE, "").strip() or self._saved()
        if token and not (token.isascii() and token.isprintable() and " " not in token):
            raise UsageError(f"{TOKEN_VARIABLE}: is no token: it has a character that no token has")
        return token

    def _saved(self) -> str:
        """Return the token that ``bespeak login`` has left; without any sign-in nothing is imported for it."""
        if TOKEN_VARIABLE in self._environ or not os.path.isdir(
            os.path.join(user_folder(self._environ, "state"), "logins")
        ):
            return ""
        from bespeak.client.saved_logins import SavedLogin

        return SavedLogin(self._origin, self._environ).token()
