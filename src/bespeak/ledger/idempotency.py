"""Changes that are asked for several times and made once.

Who asks over a network may lose the answer, and asks again under the same key. What came of a change is written down
in the transaction that makes it, so whoever asks again is answered from there: also after the server was killed, and
also where two of the same request arrive at the same time.
"""

from __future__ import annotations

import json
from hashlib import sha256

from bespeak.base.clock import DAY_US
from bespeak.base.codec import Codec, encode
from bespeak.base.errors import BespeakError, UsageError
from bespeak.ledger.operations import VALUES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypeVar

    from bespeak.ledger.context import LedgerContext
    from bespeak.storage.interface import Dialect, Engine, Listener, T, Transaction

    L = TypeVar("L", bound=LedgerContext)

KEPT_US = 7 * DAY_US
"""For so long a request is known."""

LONGEST_KEY = 255
_ASKED = "SELECT digest, answer FROM ledger_requests WHERE who = :who AND key = :key AND step = :step"
_WRITE = """
INSERT INTO ledger_requests (who, key, step, digest, answer, at_us) VALUES (:who, :key, :step, :digest, :answer, :at)"""
_FORGET = "DELETE FROM ledger_requests WHERE at_us < :before"
_KIND, _FIELDS, _ITEMS = "kind", "fields", "tuple"


_values = dict(VALUES)


def know_values(values: Mapping[str, str]) -> None:
    """Write down results of these classes, too; see :data:`bespeak.ledger.operations.VALUES`."""
    _values.update(values)


class IdempotencyMismatchError(UsageError):
    """A key that was used for another request."""


def once(book: L, who: str, key: str, request: bytes) -> L:
    """Return a view of an open book in which what ``key`` names is done once.

    Args:
        book: the open book; it alone closes the database.
        who: who asks; keys of others are others.
        key: the caller's name for the request.
        request: all that was asked: under the same key it has to be the same.

    Raises:
        UsageError: the key cannot be one.
    """
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(f"Idempotency-Key: 1 to {LONGEST_KEY} visible ASCII characters")
    view = object.__new__(type(book))
    view.__dict__.update(book.__dict__)
    view.engine = IdempotentEngine(book.engine, who, key, sha256(request).hexdigest())
    return view


def is_repeated(book: LedgerContext) -> bool:
    """Tell whether a view of :func:`once` has answered from what was written down."""
    return isinstance(book.engine, IdempotentEngine) and book.engine.repeated


def forget_requests(book: LedgerContext) -> int:
    """Forget the requests that are older than :data:`KEPT_US`; return how many."""
    return book.engine.transact([], lambda tx: tx.execute(_FORGET, {"before": tx.now_us - KEPT_US}))


class IdempotentEngine:
    """An engine whose write transactions are those of one request; see :class:`bespeak.storage.interface.Engine`.

    Args:
        engine: the database.
        who: who asks.
        key: the name of the request.
        digest: stands for all that was asked.
    """

    def __init__(self, engine: Engine, who: str, key: str, digest: str) -> None:
        self._engine = engine
        self._who = who
        self._key = key
        self._digest = digest
        self._steps = 0
        self.repeated = False
        self.dialect: Dialect = engine.dialect
        self.name = engine.name
        self.made = engine.made
        self.moved_to = engine.moved_to

    def transact(self, keys: Iterable[str], work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in one write transaction, unless it was run for this request before: then return what it did."""
        where = {"who": self._who, "key": self._key, "step": self._steps}
        self._steps += 1

        def inside(tx: Transaction) -> T:
            found = tx.fetch_one(_ASKED, where)
            if found is not None:
                self.repeated = True
                recalled: T = self._recalled(found[0], found[1])
                return recalled
            result = work(tx)
            written = {"digest": self._digest, "answer": _written(result), "at": tx.now_us}
            tx.execute_deferred(_WRITE, [where | written])
            return result

        return self._engine.transact([*keys, f"request:{self._who}:{self._key}"], inside)

    def _recalled(self, digest: str, answer: str | None) -> Any:
        if digest != self._digest:
            raise IdempotencyMismatchError(f"Idempotency-Key {self._key}: it was used for another request")
        if answer is None:
            raise BespeakError(f"request {self._key} was done before, and its answer was not kept")
        return _read(json.loads(answer))

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in one transaction that changes nothing."""
        return self._engine.read(work)

    def listen(self, topics: Iterable[str]) -> Listener:
        """Start listening."""
        return self._engine.listen(topics)

    def close(self) -> None:
        """Leave the database open: it is the book's."""


def _written(value: object) -> str | None:
    """Return a result with the names of its classes, so that it can be made again; None where it cannot."""
    try:
        return json.dumps(_named(value))
    except (TypeError, LookupError):
        return None


def _named(value: object) -> object:
    if type(value) is list:
        return [_named(each) for each in value]
    if type(value) is tuple:
        return {_ITEMS: [_named(each) for each in value]}
    if value is None or type(value) in (str, int, bool, float):
        return value
    name = type(value).__name__
    if name not in _values:
        raise LookupError(name)
    return {_KIND: name, _FIELDS: encode(value)}


def _read(found: Any) -> Any:
    if type(found) is list:
        return [_read(each) for each in found]
    if type(found) is not dict:
        return found
    if _ITEMS in found:
        return tuple(_read(each) for each in found[_ITEMS])
    return Codec(_values, lenient=True).decode(found[_KIND], found[_FIELDS], "answer")
