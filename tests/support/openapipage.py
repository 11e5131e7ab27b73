"""Writes docs/reference/openapi.json, the description of the HTTP API: ``python tests/support/openapipage.py``."""

from __future__ import annotations

import json
from pathlib import Path

from bespeak.server.app import described

PLACE = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"


def page() -> str:
    """Return the description as it is committed."""
    return json.dumps(described(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    PLACE.write_text(page(), encoding="utf-8")
