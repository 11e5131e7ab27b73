"""Writes src/bespeak/server/openapi.json, the description of the HTTP API: ``python tests/support/openapipage.py``."""

from __future__ import annotations

import json

from bespeak.server.app import described
from bespeak.server.description import PLACE


def page() -> str:
    """Return the description as it is committed."""
    return json.dumps(described(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    PLACE.write_text(page(), encoding="utf-8")
