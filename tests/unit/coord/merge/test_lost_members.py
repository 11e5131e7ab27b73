"""Members of types that one side renames and the other newly reads in another file, each with a harmless twin."""

import pytest

from bespeak.coord.merge.model import ItemKind, Verdict

GONE = {ItemKind.RENAME_EDIT, ItemKind.DELETE_USE}
CASES = {
    "python": (
        {"a.py": "class Store:\n    def __init__(self):\n        self.items = 1\n        self.other = 2\n"},
        {"b.py": "from a import Store\n\n\ndef new(s: Store):\n    return s.items\n"},
        {"b.py": "from c import Other\n\n\ndef new(s: Other):\n    return s.items\n"},
    ),
    "go": (
        {"go.mod": "module m\n", "a.go": "package m\n\ntype Store struct {\n\titems int\n\tother int\n}\n"},
        {"b.go": "package m\n\nfunc New(s *Store) int {\n\treturn s.items\n}\n"},
        {"b.go": "package m\n\nfunc New(s *Other) int {\n\treturn s.items\n}\n"},
    ),
    "go by name": (
        {"go.mod": "module m\n", "a.go": "package m\n\ntype Store struct {\n\titems int\n\tother int\n}\n"},
        {"b.go": "package m\n\nfunc New() *Store {\n\treturn &Store{\n\t\titems: 1,\n\t}\n}\n"},
        {"b.go": "package m\n\nfunc New() *Other {\n\treturn &Other{\n\t\titems: 1,\n\t}\n}\n"},
    ),
    "rust": (
        {"src/lib.rs": "mod b;\npub struct Store {\n    pub items: u8,\n    pub other: u8,\n}\n"},
        {"src/b.rs": "use crate::Store;\n\npub fn new(s: &Store) -> u8 {\n    s.items\n}\n"},
        {"src/b.rs": "use crate::Other;\n\npub fn new(s: &Other) -> u8 {\n    s.items\n}\n"},
    ),
    "c": (
        {"a.h": "struct store {\n\tint items;\n\tint other;\n};\n"},
        {"b.c": '#include "a.h"\n\nint fresh(struct store *s)\n{\n\treturn s->items;\n}\n'},
        {"b.c": '#include "a.h"\n\nint fresh(struct list *s)\n{\n\treturn s->items;\n}\n'},
    ),
    "c by another name of the type": (
        {
            "a.h": "typedef struct store store_t;\ntypedef struct list list_t;\n",
            "a.c": '#include "a.h"\n\nstruct store {\n\tint items;\n\tint other;\n};\n',
        },
        {"b.c": '#include "a.h"\n\nint fresh(store_t *s)\n{\n\treturn s->items;\n}\n'},
        {"b.c": '#include "a.h"\n\nint fresh(list_t *s)\n{\n\treturn s->items;\n}\n'},
    ),
    "typescript by another name of the type": (
        {"a.ts": "export interface Store {\n  items: number;\n  other: number;\n}\nexport type Kept = Store;\n"},
        {"b.ts": 'import { Kept } from "./a";\n\nexport function fresh(s: Kept) {\n  return s.items;\n}\n'},
        {"b.ts": 'import { Other } from "./c";\n\nexport function fresh(s: Other) {\n  return s.items;\n}\n'},
    ),
    "cpp": (
        {"a.hpp": "struct Store {\n  int items;\n  int other;\n};\n"},
        {"b.cpp": '#include "a.hpp"\n\nint fresh(const Store& s) {\n  return s.items;\n}\n'},
        {"b.cpp": '#include "a.hpp"\n\nint fresh(const List& s) {\n  return s.items;\n}\n'},
    ),
    "typescript enum": (
        {"a.ts": "export enum Color {\n  items,\n  other,\n}\n"},
        {"b.ts": 'import { Color } from "./a";\n\nexport function fresh() {\n  return Color.items;\n}\n'},
        {"b.ts": 'import { Shape } from "./c";\n\nexport function fresh() {\n  return Shape.items;\n}\n'},
    ),
    "javascript": (
        {"a.js": "export class Store {\n  constructor() {\n    this.items = 1;\n    this.other = 2;\n  }\n}\n"},
        {"b.js": 'import { Store } from "./a.js";\n\nexport function fresh() {\n  return new Store().items;\n}\n'},
        {"b.js": 'import { items } from "./c.js";\n\nexport function fresh() {\n  return items;\n}\n'},
    ),
}


def renamed(base):
    return {path: text.replace("items", "entries") for path, text in base.items() if "items" in text}


def fork(forked, base, user, *, turned):
    sides = (user, renamed(base)) if turned else (renamed(base), user)
    forked.fork(base, *sides)
    return forked.plan()


@pytest.mark.parametrize("case", CASES)
def test_a_new_read_of_a_renamed_member_is_told(forked, case):
    base, user, _ = CASES[case]
    plan = fork(forked, base, user, turned=len(case) % 2)
    [path] = user
    assert [(item.kind in GONE, item.path, item.confidence >= 0.7) for item in plan.items] == [(True, path, True)]
    assert plan.verdict == Verdict.SEMANTIC
    assert plan.items[0].address.endswith(".items")


@pytest.mark.parametrize("case", CASES)
def test_a_member_of_another_type_is_none(forked, case):
    base, _, user = CASES[case]
    plan = fork(forked, base, user, turned=len(case) % 2 == 0)
    assert (plan.items, plan.verdict) == ((), Verdict.CLEAN)


def test_what_the_item_says(forked):
    base, user, _ = CASES["go"]
    [item] = fork(forked, base, user, turned=False).items
    assert (item.user, item.line, item.how) == (
        "b.go::New",
        4,
        "member Store.items is gone, and its type is known",
    )
    assert item.recommendation == (
        "main renamed a.go::Store.items to a.go::Store.entries: after the merge, let b.go::New (feature) use it there."
    )


def test_a_name_that_other_types_have_is_told_only_where_the_type_is_known(forked):
    base, _, _ = CASES["python"]
    other = "class Other:\n    def __init__(self):\n        self.items = 1\n"
    user = {"b.py": "def new(s):\n    return s.items\n"}
    forked.fork(base | {"c.py": other + "\n\nOther().items\n"}, renamed(base), user)
    assert forked.plan().items == ()
