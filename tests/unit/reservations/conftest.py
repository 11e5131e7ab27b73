"""Fixtures of the gate's tests."""

from __future__ import annotations

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from bespeak import configmodule
from bespeak.reservations import registry


@pytest.fixture(autouse=True)
def clean_globals(monkeypatch):
    """No registered backend, import path or active lab survives a test."""
    monkeypatch.setattr(registry._BACKENDS, "_things", {})
    monkeypatch.setattr(sys, "path", list(sys.path))
    configmodule.set_lab(None)
    yield
    configmodule.set_lab(None)
