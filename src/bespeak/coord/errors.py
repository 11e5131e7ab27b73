"""What is wrong with a request for a claim."""

from __future__ import annotations

from bespeak.base.errors import BespeakError, BusyError, Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.coord.model import Conflict


class ClaimError(BespeakError):
    """The request itself is wrong: nothing was written. Exits 1, as muse's `coord` has it.

    Args:
        message: the line, in parts; not given where ``field`` and ``reason`` say it all.
        field: what is wrong, the name of the field of the request; ``field`` in the details too.
        reason: what is wrong with it.
        details: machine-readable facts.
    """

    def __init__(self, *message: str, field: str = "", reason: str = "", **details: object) -> None:
        parts = message or ("Invalid ", Field(field), ": ", reason)
        named = next((str(part) for part in parts if isinstance(part, Field)), None)
        super().__init__(*parts, **({} if named is None else {"field": named}), **details)


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
        super().__init__(f"not reserved: {len(conflicts)} conflict(s), and ", Field("on_conflict"), " fail was given")
