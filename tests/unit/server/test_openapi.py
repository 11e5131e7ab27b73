"""The description of the API is frozen: what clients were told stays true."""

from __future__ import annotations

import json

import httpx

from support.openapipage import PLACE, page


def test_the_description_is_the_committed_one():
    message = "docs/reference/openapi.json is out of date: python tests/support/openapipage.py; additions only"
    assert PLACE.read_text(encoding="utf-8") == page(), message


def test_it_is_served_and_says_what_the_server_does(server):
    found = httpx.get(f"{server.url}/openapi.json").json()
    assert found == json.loads(page())
    assert found["openapi"].startswith("3.1")
    assert found["components"]["securitySchemes"]


def test_every_operation_says_how_it_fails_and_has_a_name_of_its_own():
    names = []
    for path, methods in json.loads(page())["paths"].items():
        assert path.startswith("/api/v1/")
        for operation in methods.values():
            names.append(operation["operationId"])
            assert operation["summary"]
            assert "application/problem+json" in operation["responses"]["4XX"]["content"]
    assert len(names) == len(set(names))
