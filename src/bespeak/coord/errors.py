"""What is wrong with a request for a claim."""

from __future__ import annotations

from bespeak.errors import BespeakError, BusyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.coord.model import Conflict


class ClaimError(BespeakError):
    """The request itself is wrong: nothing was written. Exits 1, as the documented contract has it."""


class ClaimRefusedError(BusyError):
    """What was to be claimed is claimed by another run, and the caller asked to be refused then.

    Args:
        conflicts: what is in the way.
        run_id: who asked.
        addresses: what was asked for, normalised.
    """

    def __init__(self, conflicts: list[Conflict], run_id: str, addresses: tuple[str, ...]) -> None:
        self.conflicts = conflicts
        self.run_id = run_id
        self.addresses = addresses
        super().__init__(f"not reserved: {len(conflicts)} conflict(s), and --on-conflict fail was given")
