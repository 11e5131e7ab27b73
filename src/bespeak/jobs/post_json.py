"""``python -m bespeak.jobs.post_json URL``: send the JSON of standard input to an address; exit 0 if it was taken."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request

_SECONDS = 20.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow nothing: what was named is where it goes."""


def main() -> int:
    """Send it; 0 for an answer of 200 to 299, else 1."""
    request = urllib.request.Request(  # noqa: S310 whoever runs the dispatcher names the address
        sys.argv[1], data=sys.stdin.buffer.read(), headers={"Content-Type": "application/json"}, method="POST"
    )
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=_SECONDS):
            return 0
    except (urllib.error.URLError, OSError, ValueError):
        return 1


if __name__ == "__main__":
    sys.exit(main())
