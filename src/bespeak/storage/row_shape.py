"""What a row may look like: a file is data of somebody else, and SQLite keeps a value of any type in any column."""

from __future__ import annotations

from bespeak.base.errors import UnavailableError
from bespeak.base.json_text import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    from bespeak.storage.interface import Row

    T = TypeVar("T")

_KINDS: dict[str, type] = {"i": int, "t": str, "b": bytes}


class DamagedRowError(UnavailableError):
    """A row that bespeak cannot have written."""


def read_json(text: str) -> Any:
    """Return what a column holds as JSON.

    Raises:
        DamagedRowError: it is no JSON, or nested so deep that bespeak cannot have written it.
    """
    try:
        return loads(text)
    except (ValueError, TypeError, RecursionError):
        raise DamagedRowError(f"the book is damaged: a column holds {text!a:.60}, which is no JSON of ours") from None


class RowShape:
    """The columns of one kind of row, and how a value is made of it.

    Args:
        what: what a row is, for messages.
        columns: the columns in order, as a statement selects them.
        kinds: a letter a column: ``i`` a whole number, ``t`` a text, ``b`` bytes, in upper case where it may be null.
    """

    __slots__ = ("_columns", "_kinds", "_sound", "_what")

    def __init__(self, what: str, columns: str, kinds: str) -> None:
        self._what = what
        self._columns = [name.strip().rpartition(".")[2] for name in columns.split(",")]
        self._kinds = [
            (_KINDS[letter.lower()], type(None)) if letter.isupper() else (_KINDS[letter],) for letter in kinds
        ]
        self._sound: set[tuple[type, ...]] = set()
        """Combinations of types found right before: of thousands of rows, a few differ."""

    def read(self, row: Row, make: Callable[[Row], T]) -> T:
        """Return what ``make`` makes of a row.

        Raises:
            DamagedRowError: a column holds what it never holds, or ``make`` cannot read one.
        """
        self.check(row)
        try:
            return make(row)
        except (ValueError, TypeError, RecursionError) as error:
            raise DamagedRowError(f"{self._where(row)}: {str(error)!a:.200}") from None

    def check(self, row: Row) -> Row:
        """Return a row whose columns hold what they may hold.

        Raises:
            DamagedRowError: one does not.
        """
        found = tuple(map(type, row))
        if found not in self._sound:
            for name, kind, allowed in zip(self._columns, found, self._kinds, strict=True):
                if kind not in allowed:
                    raise DamagedRowError(f"{self._where(row)}: column {name} holds a {kind.__name__}")
            self._sound.add(found)
        return row

    def check_all(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return rows whose columns hold what they may hold; thousands of them at once.

        Raises:
            DamagedRowError: a column of one does not.
        """
        if not self._sound.issuperset({tuple(map(type, row)) for row in rows}):
            for row in rows:
                self.check(row)
        return rows

    def _where(self, row: Row) -> str:
        return f"the book is damaged: {self._what} {str(row[0])!a:.60}"
