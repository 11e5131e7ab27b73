"""Real counterparts, each in an environment of its own (see ``support/peervenv.py``).

``make peers`` runs these. What the package index does not give is said plainly, and its tests fail: a peer that is
left out without a word would look like a peer that agreed.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support import peervenv

Peer = Callable[..., peervenv.Environment]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is marked ``peers``."""
    for item in items:
        if "peers" in item.nodeid:
            item.add_marker(pytest.mark.peers)


@pytest.fixture(scope="session")
def peer() -> Peer:
    """A function that returns the environment of a counterpart: ``peer("otto", ["otto-sh==0.5.2"])``."""

    def get(name: str, requirements: list[str], *, bespeak: str | None = None) -> peervenv.Environment:
        try:
            return peervenv.environment(name, requirements, bespeak=bespeak)
        except peervenv.UnobtainableError as error:
            pytest.fail(str(error), pytrace=False)

    return get
