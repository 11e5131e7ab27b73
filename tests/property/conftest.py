"""How hard the property tests try.

By default they try the same examples each time, in a bounded time, and tell a failure as it was found.
``BESPEAK_PROPERTY_EFFORT=20`` tries twenty times as many, chosen anew in each run, and shrinks what it finds.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings

EFFORT = float(os.environ.get("BESPEAK_PROPERTY_EFFORT", "1"))


@pytest.fixture(scope="session")
def effort() -> Callable[..., settings]:
    """Settings for so many examples (of so many steps each)."""

    def scaled(examples: int, steps: int = 50) -> settings:
        return settings(
            max_examples=max(1, int(examples * EFFORT)),
            stateful_step_count=steps,
            derandomize=EFFORT == 1,
            database=None,
            phases=[Phase.explicit, Phase.generate] + ([] if EFFORT == 1 else [Phase.shrink]),
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        )

    return scaled
