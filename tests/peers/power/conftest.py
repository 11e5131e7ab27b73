"""What the tests against real devices' programs share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.programs import Start, programs


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a program; its output goes to a file, and it ends with the test."""
    with programs(tmp_path) as begin:
        yield begin
