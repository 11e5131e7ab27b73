"""HTML as a tree, read as strictly as templates should be written: every element is closed in order."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

_NEVER_CLOSED = {"meta", "link", "input", "br", "hr", "img"}


class Element:
    """An element with what is inside."""

    def __init__(self, tag: str, attributes: dict[str, str], parent: Element | None) -> None:
        self.tag = tag
        self.attributes = attributes
        self.parent = parent
        self.inside: list[Element | str] = []

    @property
    def text(self) -> str:
        """All text inside, with single blanks."""
        parts = (one if isinstance(one, str) else one.text for one in self.inside)
        return " ".join(" ".join(parts).split())

    def all(self, tag: str | None = None, **attributes: str) -> list[Element]:
        """Elements inside with this tag and these attributes; ``class_`` names one class among others."""
        wanted = attributes.pop("class_", None)
        found = []
        for one in self._walk():
            classes = one.attributes.get("class", "").split()
            fits = all(one.attributes.get(name.replace("_", "-")) == value for name, value in attributes.items())
            if tag in (None, one.tag) and fits and (wanted is None or wanted in classes):
                found.append(one)
        return found

    def one(self, tag: str | None = None, **attributes: str) -> Element:
        """The only such element."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, (tag, attributes, len(found))
        return found[0]

    def _walk(self) -> Iterator[Element]:
        for one in self.inside:
            if isinstance(one, Element):
                yield one
                yield from one._walk()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {}, None)
        self.here = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs}, self.here)
        assert len(made.attributes) == len(attrs), f"<{tag}> has an attribute twice: {attrs}"
        self.here.inside.append(made)
        if tag not in _NEVER_CLOSED:
            self.here = made

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _NEVER_CLOSED:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.here.tag == tag, f"</{tag}> closes <{self.here.tag}>"
        assert self.here.parent is not None
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        self.here.inside.append(data)


def read_html(text: str) -> Element:
    """Return the document as a tree.

    Raises:
        AssertionError: an element is closed out of order or not at all, or has an attribute twice.
    """
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.here is reader.root, f"<{reader.here.tag}> is not closed"
    return reader.root
