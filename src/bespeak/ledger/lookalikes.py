"""Names that people cannot tell apart: by case, by width, or by letters of other alphabets that look alike."""

from __future__ import annotations

from bespeak.base.display import short_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_UPPER = str.maketrans(
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"  # Greek
    "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u04ae\u050c\u051a\u051c",
    "ABEZHIKMNOPTYXABESIJKMHOPCTYXYGQW",
)  # fmt: skip
_LOWER = str.maketrans(
    "\u03b1\u03b3\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7"  # Greek
    "\u0430\u0435\u0451\u0455\u0456\u0457\u0458\u043e\u0440\u0441\u0443\u0445\u04bb\u04af\u0501\u051b\u051d"
    "\u0131\u0261\u2010\u2011\u2012\u2013\u2014\u2212\u02bc\u2019\u2018",
    "ayikvoptyxaeësiïjopcyxhydqwig------'''",
)  # fmt: skip
"""The letters of other alphabets that look like a Latin one in most fonts (Unicode's UTS 39 lists many more that hardly
anybody types), and dashes and quotes of all kinds."""


def skeleton(name: str) -> str:
    """Return what is left of a name without case, width and alphabet; names with one skeleton look alike."""
    if name.isascii():
        return name.lower()
    import unicodedata

    plain = unicodedata.normalize("NFKC", name).translate(_UPPER).casefold().translate(_LOWER)
    return unicodedata.normalize("NFC", plain)


def refusal(kind: str, name: str, other: str) -> str:
    """Return the message that a new name looks like one that is there."""
    return f"{kind} {short_repr(name)}: looks like {short_repr(other)}, which is another one; use that, or another name"


class LookalikeIndex:
    """Names by their skeletons.

    Args:
        names: what is there.
    """

    __slots__ = ("_names",)

    def __init__(self, names: Iterable[str]) -> None:
        self._names: dict[str, str] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Add a name."""
        self._names.setdefault(skeleton(name), name)

    def like(self, name: str) -> str | None:
        """Return the other name that looks like ``name``, or None."""
        other = self._names.get(skeleton(name))
        return None if other == name else other
