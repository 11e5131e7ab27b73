from store import Item, Owner, Shelf


def make() -> Shelf:
    return Shelf()


def first_of(shelf: Shelf):
    return next(iter(shelf.all()))


def show_all(items: list[Item], kind: type[Item]):
    kind("new").shown()
    for item in items:
        item.shown()


def main():
    shelf = make()
    shelf.put(Item("a")).put(Item("b"))
    owner = Owner(shelf)
    owner.show("a")
    owner.shelf.tidy()
    with Shelf() as other:
        other.put(first_of(shelf))
    for item in shelf.all():
        item.shown()
    show_all(shelf.items, Item)


main()
