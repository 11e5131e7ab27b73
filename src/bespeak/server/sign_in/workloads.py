"""Jobs of CI systems: from the claims of a checked token, by the mappings of the book, to a caller."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bespeak.access.model import Caller, Grant, kind_of
from bespeak.access.selectors import filled
from bespeak.base.errors import UsageError
from bespeak.ledger.validation import check_new_user
from bespeak.server.identity import NotSignedInError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bespeak.access.model import Mapping as Workload


def claim_text(value: object) -> str | None:
    """Return the value of a claim as a mapping writes it; None for what no mapping can mean."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) else None


def means(workload: Workload, claims: Mapping[str, Any]) -> bool:
    """Tell whether a mapping means tokens with these claims; ``*`` stands for any text."""
    for key, pattern in workload.claims:
        text = claim_text(claims.get(key))
        if text is None or re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is None:
            return False
    return True


def is_for(workload: Workload, claims: Mapping[str, Any], usual: str) -> bool:
    """Tell whether a token is made for the audience of a mapping."""
    named = claims.get("aud")
    wanted = workload.audience or usual
    return wanted == named or (isinstance(named, list) and wanted in named)


def caller_of(matching: Sequence[Workload], claims: Mapping[str, Any]) -> Caller:
    """Return who signs in by mappings that all mean a token: the holder of the first, with what each of them gives it.

    Raises:
        NotSignedInError: no mapping means it, or the name is none.
    """
    if not matching:
        raise NotSignedInError(f"no mapping of the book means this token of {claims.get('iss')}; see `rights map`")
    holder = _holder(matching[0], claims)
    grants = tuple(
        Grant(one.role, one.selector, f"mapping {one.id}") for one in matching if _holder(one, claims) == holder
    )
    return Caller(holder, kind_of(holder), "workload", grants=grants, unruled=None)


def _holder(workload: Workload, claims: Mapping[str, Any]) -> str:
    texts = {key: claim_text(claims.get(key)) or "" for key, _ in workload.claims}
    try:
        return check_new_user(filled(workload.holder, texts))
    except UsageError as error:
        raise NotSignedInError(f"mapping {workload.id}: {error}") from None
