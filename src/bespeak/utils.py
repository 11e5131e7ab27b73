"""The names that power controllers written for otto import from ``otto.utils``; they are those of ``bespeak.host``."""

from __future__ import annotations

from bespeak.host.status import CommandStatus, Status

__all__ = ["CommandStatus", "Status"]
