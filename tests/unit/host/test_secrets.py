"""Secrets in messages: whatever form a device or a library echoes them in."""

from __future__ import annotations

import base64
from urllib.parse import quote, quote_plus

import pytest

from bespeak.host.secrets import scrubbed

SECRET = "p@ss w\u00f6rd/+" + "&x"


@pytest.mark.parametrize(
    "echoed",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"admin:{SECRET}".encode()).decode(),
        base64.b64encode(f"root:{SECRET}".encode()).decode(),
        base64.b64encode(f"me2:{SECRET}".encode()).decode(),
        base64.urlsafe_b64encode(f"ab:{SECRET}".encode()).decode(),
    ],
)
def test_a_secret_is_not_repeated_in_any_form(echoed: str) -> None:
    said = scrubbed(f"refused: <{echoed}> is wrong", SECRET)
    assert said == "refused: <***> is wrong"


def test_other_texts_stay() -> None:
    assert scrubbed("no answer from 10.0.0.1:623", SECRET, None, "") == "no answer from 10.0.0.1:623"
