from __future__ import annotations

from collections.abc import Iterator
from typing import Optional, Self


class Item:
    def __init__(self, name: str):
        self.name = name

    def shown(self) -> str:
        return self.name


class Shelf:
    items: list[Item]
    first: Item | None = None

    def __init__(self) -> None:
        self.items = []
        self.by_name: dict[str, Item] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *why: object) -> None:
        self.tidy()

    def put(self, item: Item) -> Shelf:
        self.items.append(item)
        self.by_name[item.name] = item
        return self

    def tidy(self):
        for item in self.items:
            item.shown()
        for number, item in enumerate(self.items):
            print(number, item.shown())
        return [each.shown() for each in self.by_name.values()]

    def find(self, name: str) -> Optional[Item]:
        return self.by_name.get(name)

    def all(self) -> Iterator[Item]:
        yield from self.items


class Owner:
    def __init__(self, shelf: "Shelf"):
        self.shelf = shelf

    def show(self, name):
        found = self.shelf.find(name)
        if found is not None:
            return found.shown()
        return self.shelf.by_name[name].shown()
