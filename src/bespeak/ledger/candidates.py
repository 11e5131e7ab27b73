"""Asking by need: which resources of the book suit what is wanted, and the best of those that are free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base import label_expression
from bespeak.base.errors import Field, NotFoundError, UsageError
from bespeak.base.natural_order import natural_key
from bespeak.ledger.assignment import assign_alike
from bespeak.ledger.inventory.model import label_facts
from bespeak.storage.row_shape import RowShape, read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bespeak.ledger.model import Request, Selection
    from bespeak.storage.interface import Row, Transaction

    Labels = dict[str, object]

_COLUMNS = "name, labels, location, owner, group_names"
_SHAPE = RowShape("resource", _COLUMNS, "ttttt")
_MOST = 20_000
"""Resources to choose from in one request: a query names each."""


class Candidates:
    """What a request by need can be given.

    Args:
        tx: the transaction.
        request: what is wanted.
        permitted: returns those of some resources that whoever asks may reserve.

    Raises:
        NotFoundError: fewer resources suit than are wanted, whoever holds them.
        UsageError: too many suit to choose from.
    """

    def __init__(
        self, tx: Transaction, request: Request | Selection, permitted: Callable[[Iterable[str]], Iterable[str]] = tuple
    ) -> None:
        self._request = request
        self._counts = [need.count for need in request.needs]
        self._suits: dict[str, list[int]] = {}
        self._alike: dict[str, tuple[object, ...]] = {}
        known = _labels(tx)
        matchers = [label_expression.parse(need.label) if need.label else None for need in request.needs]
        for name in permitted(known.keys() - set(request.resources)):
            numbers = [n for n, matches in enumerate(matchers) if matches is None or matches(known[name])]
            if numbers:
                self._suits[name] = numbers
        if len(self._suits) > _MOST:
            matching = f": {len(self._suits)} resources match; at most {_MOST}, so ask more precisely"
            raise UsageError(Field("label"), matching)
        self._order = sorted(self._suits, key=natural_key)
        prefers = label_expression.parse(request.prefer, "prefer") if request.prefer else None
        self._preferred = frozenset(name for name in self._order if prefers and prefers(known[name]))
        self._compare(known)
        self.names = (*request.resources, *self._order)
        if self.choose(self.names) is None:
            raise NotFoundError(self._too_few(_unfit(tx, matchers)))

    def _compare(self, known: dict[str, Labels]) -> None:
        """Find out what has to be the same; what lacks it, or differs from what is named, is no candidate."""
        keys = self._request.same
        named = {tuple(known.get(name, {}).get(key) for key in keys) for name in self._request.resources}
        for name in self._order:
            values = tuple(known[name].get(key) for key in keys)
            if None not in values and named <= {values}:
                self._alike[name] = values

    def choose(self, free: Iterable[str]) -> tuple[str, ...] | None:
        """Return the best of what is free that fills all needs, with what is named; None if nothing does."""
        there = set(free)
        if not there.issuperset(self._request.resources):
            return None
        suitable = [name for name in self._order if name in there]
        found = assign_alike(self._counts, self._suits, suitable, self._preferred, self._alike)
        return None if found is None else (*self._request.resources, *(name for names in found for name in names))

    def _too_few(self, unfit: int) -> str:
        wanted = " and ".join(
            f"{need.count} of {need.label!a}" if need.label else f"{need.count} of any" for need in self._request.needs
        )
        same = f" with the same {' and '.join(self._request.same)}" if self._request.same else ""
        others = f", {unfit} more {'is' if unfit == 1 else 'are'} sick or offline" if unfit else ""
        return f"the book does not have {wanted}{same}, whoever holds them: {len(self._suits)} suit{others}"


def candidates_of(tx: Transaction, selection: Selection) -> Candidates | None:
    """Return what somebody in the queue can be given; None where the book no longer has enough."""
    try:
        return Candidates(tx, selection)
    except NotFoundError:
        return None


def _labels(tx: Transaction) -> dict[str, Labels]:
    """Return, for each declared resource that is fit for use and needs no approval, what expressions can ask for."""
    return _labels_of_all(tx, "health = 'ok'")


def _unfit(tx: Transaction, matchers: Sequence[label_expression.Matcher | None]) -> int:
    """Return how many would suit if they were not sick or offline."""
    ill = _labels_of_all(tx, "health <> 'ok'").values()
    return sum(any(matches is None or matches(labels) for matches in matchers) for labels in ill)


def _labels_of_all(tx: Transaction, health: str) -> dict[str, Labels]:
    sql = f"SELECT {_COLUMNS} FROM ledger_resources WHERE declared = 1 AND {health} AND approval = ''"
    return dict(_SHAPE.read(row, _facts) for row in tx.fetch_all(sql))


def _facts(row: Row) -> tuple[str, Labels]:
    name, labels, location, owner, groups = row
    said = {} if labels == "{}" else read_json(labels)
    return name, label_facts(name, said, location, owner, () if groups == "[]" else read_json(groups))
