"""What one side changed in a base class or interface, and the other newly derives from it: both orders, with twins."""

import pytest

from bespeak.coord.merge.model import ItemKind, Verdict

GAP = "\n".join(f"# {number}" for number in range(8)) + "\n"
BASE = "class Base:\n    def run(self, a):\n        b = a\n        return b\n"
HEIR = "from a import Base\n\n\nclass Heir(Base):\n    x = 1\n"
OVERRIDE = "\n    def run(self, a):\n        return a\n"
JAVA = (
    "package p;\n\npublic class Base {\n    public int run(int a) {\n        int b = a;\n        return b;\n    }\n}\n"
)
JAVA_HEIR = "package p;\n\npublic class Heir extends Base {{\n    {0}public int run(int a) {{ return a; }}\n}}\n"
ASKS = "package p;\n\npublic interface Asks {\n    int run(int a);\n}\n"
ANSWERS = "package p;\n\npublic class Heir implements Asks {{\n    public int run(int a) {{ return a; }}\n{0}}}\n"
TRAIT = "pub trait Asks {\n    fn run(&self) -> u8;\n}\n"
CRATE = {
    "Cargo.toml": '[package]\nname = "p"\n',
    "src/lib.rs": "pub mod asks;\npub mod heir;\n",
    "src/heir.rs": "// nothing yet\n",
}
IMPL = "use crate::asks::Asks;\npub struct Heir;\nimpl Asks for Heir {{\n    fn run(&self) -> u8 {{ 1 }}\n{0}}}\n"
ABSTRACT = "from abc import ABC, abstractmethod\n\n\nclass Asks(ABC):\n    @abstractmethod\n    def run(self): ...\n"
MORE = "\n    @abstractmethod\n    def more(self): ...\n"
PURE = "class Asks {\npublic:\n  virtual int run(int a) = 0;\n};\n"
TYPED = "export interface Asks {\n  run(a: number): number;\n}\n"
TYPED_HEIR = (
    'import {{ Asks }} from "./asks";\n'
    "export class Heir implements Asks {{\n  run(a: number): number {{ return a; }}\n{0}}}\n"
)
HELPER = "class Helper:\n    def help(self):\n        b = 1\n        return b\n\n\nclass Mixed(Helper):\n    x = 1\n"


def cpp_heir(more=""):
    return {
        "heir.hpp": f'#include "asks.hpp"\nclass Heir : public Asks {{\npublic:\n  int run(int a) override;\n{more}}};\n'
    }


def more(text, new):
    """Return an interface with one more member at its end."""
    end = text.rindex("}")
    return text[:end] + new + text[end:]


BROKEN = {
    "python override of a renamed method": (
        {"a.py": BASE, "b.py": HEIR},
        {"a.py": BASE.replace("run", "go")},
        {"b.py": HEIR + OVERRIDE},
        (ItemKind.RENAME_EDIT, "a.py::Base.run", "b.py::Heir.run"),
    ),
    "python new class overrides a renamed method": (
        {"a.py": BASE},
        {"a.py": BASE.replace("run", "go")},
        {"b.py": HEIR + OVERRIDE},
        (ItemKind.RENAME_EDIT, "a.py::Base.run", "b.py::Heir.run"),
    ),
    "python override with too few parameters": (
        {"a.py": BASE},
        {"a.py": BASE.replace("self, a", "self, a, c")},
        {"b.py": HEIR + OVERRIDE},
        (ItemKind.DEPENDENCY, "a.py::Base.run", "b.py::Heir.run"),
    ),
    "python abstract method": (
        {"a.py": ABSTRACT},
        {"a.py": ABSTRACT + MORE},
        {"b.py": "from a import Asks\n\n\nclass Heir(Asks):\n    def run(self):\n        return 1\n"},
        (ItemKind.DEPENDENCY, "a.py::Asks.more", "b.py::Heir"),
    ),
    "python base class gone, used beside it": (
        {"a.py": HELPER + GAP + "    y = 2\n"},
        {"a.py": HELPER.replace("(Helper)", "") + GAP + "    y = 2\n"},
        {"a.py": HELPER + GAP + "    y = 2\n\n    def new(self):\n        return self.help()\n"},
        (ItemKind.DEPENDENCY, "a.py::Mixed", "a.py::Mixed.new"),
    ),
    "python base class gone, used elsewhere": (
        {"a.py": HELPER},
        {"a.py": HELPER.replace("(Helper)", "")},
        {"b.py": "from a import Mixed\n\n\ndef new():\n    return Mixed().help()\n"},
        (ItemKind.DEPENDENCY, "a.py::Mixed", "b.py::new"),
    ),
    "java override of a renamed method": (
        {"p/Base.java": JAVA},
        {"p/Base.java": JAVA.replace("run", "go")},
        {"p/Heir.java": JAVA_HEIR.format("@Override ")},
        (ItemKind.RENAME_EDIT, "p/Base.java::Base.run", "p/Heir.java::Heir.run"),
    ),
    "java override of a deleted method": (
        {"p/Base.java": JAVA},
        {"p/Base.java": "package p;\n\npublic class Base {\n    int other;\n}\n"},
        {"p/Heir.java": JAVA_HEIR.format("@Override ")},
        (ItemKind.DELETE_USE, "p/Base.java::Base.run", "p/Heir.java::Heir.run"),
    ),
    "java interface asks for more": (
        {"p/Asks.java": ASKS},
        {"p/Asks.java": more(ASKS, "    int more();\n")},
        {"p/Heir.java": ANSWERS.format("")},
        (ItemKind.DEPENDENCY, "p/Asks.java::Asks.more", "p/Heir.java::Heir"),
    ),
    "rust trait asks for more": (
        {**CRATE, "src/asks.rs": TRAIT},
        {"src/asks.rs": more(TRAIT, "    fn more(&self) -> u8;\n")},
        {"src/heir.rs": IMPL.format("")},
        (ItemKind.DEPENDENCY, "src/asks.rs::Asks.more", "src/heir.rs::Heir"),
    ),
    "typescript interface asks for more": (
        {"asks.ts": TYPED},
        {"asks.ts": more(TYPED, "  more(): number;\n")},
        {"heir.ts": TYPED_HEIR.format("")},
        (ItemKind.DEPENDENCY, "asks.ts::Asks.more", "heir.ts::Heir"),
    ),
    "c++ class asks for more": (
        {"asks.hpp": PURE},
        {"asks.hpp": more(PURE, "  virtual int more() = 0;\n")},
        cpp_heir(),
        (ItemKind.DEPENDENCY, "asks.hpp::Asks.more", "heir.hpp::Heir"),
    ),
}


def fork(forked, base, one, two, *, turned):
    forked.fork(base, *((two, one) if turned else (one, two)))
    assert forked.conflicted() == (set(), True)
    return forked.plan()


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("case", BROKEN)
def test_what_is_derived_from_what_the_other_side_changed(forked, case, turned):
    *files, expected = BROKEN[case]
    plan = fork(forked, *files, turned=turned)
    assert [(item.kind, item.address, item.user) for item in plan.items] == [expected]
    assert plan.verdict == Verdict.SEMANTIC


HARMLESS = {
    "python rename that leaves the old name": (
        {"a.py": BASE},
        {"a.py": BASE.replace("run", "go") + "\n    run = go\n"},
        {"b.py": HEIR + OVERRIDE},
    ),
    "python override that takes more": (
        {"a.py": BASE},
        {"a.py": BASE.replace("self, a", "self, a, c")},
        {"b.py": HEIR + OVERRIDE.replace("self, a", "self, a, *more")},
    ),
    "python override that never fitted": (
        {"a.py": BASE},
        {"a.py": BASE.replace("self, a", "self, a, c")},
        {"b.py": HEIR + OVERRIDE.replace("self, a", "self")},
    ),
    "python constructors": (
        {"a.py": BASE.replace("run", "__init__")},
        {"a.py": BASE.replace("run", "__init__").replace("self, a", "self, a, c")},
        {"b.py": HEIR + OVERRIDE.replace("run", "__init__")},
    ),
    "python method with a body": (
        {"a.py": ABSTRACT},
        {"a.py": ABSTRACT + MORE.replace("    @abstractmethod\n", "")},
        {"b.py": "from a import Asks\n\n\nclass Heir(Asks):\n    def run(self):\n        return 1\n"},
    ),
    "python abstract heir": (
        {"a.py": ABSTRACT},
        {"a.py": ABSTRACT + MORE},
        {"b.py": "from a import Asks\n\n\nclass Heir(Asks):\n    def run(self):\n        return 1\n" + MORE},
    ),
    "python base class moved up": (
        {"a.py": HELPER},
        {"a.py": HELPER.replace("class Mixed(Helper)", "class Middle(Helper):\n    y = 1\n\n\nclass Mixed(Middle)")},
        {"b.py": "from a import Mixed\n\n\ndef new():\n    return Mixed().help()\n"},
    ),
    "java deleted method without a mark": (
        {"p/Base.java": JAVA},
        {"p/Base.java": "package p;\n\npublic class Base {\n    int other;\n}\n"},
        {"p/Heir.java": JAVA_HEIR.format("")},
    ),
    "java default method": (
        {"p/Asks.java": ASKS},
        {"p/Asks.java": more(ASKS, "    default int more() { return 1; }\n")},
        {"p/Heir.java": ANSWERS.format("")},
    ),
    "java heir has it": (
        {"p/Asks.java": ASKS},
        {"p/Asks.java": more(ASKS, "    int more();\n")},
        {"p/Heir.java": ANSWERS.format("    public int more() { return 2; }\n")},
    ),
    "java abstract heir": (
        {"p/Asks.java": ASKS},
        {"p/Asks.java": more(ASKS, "    int more();\n")},
        {"p/Heir.java": ANSWERS.format("").replace("public class", "public abstract class")},
    ),
    "java another base may have it": (
        {"p/Asks.java": ASKS},
        {"p/Asks.java": more(ASKS, "    int more();\n")},
        {"p/Heir.java": ANSWERS.format("").replace("implements", "extends far.Base implements")},
    ),
    "rust provided method": (
        {**CRATE, "src/asks.rs": TRAIT},
        {"src/asks.rs": more(TRAIT, "    fn more(&self) -> u8 {\n        1\n    }\n")},
        {"src/heir.rs": IMPL.format("")},
    ),
    "rust heir has it": (
        {**CRATE, "src/asks.rs": TRAIT},
        {"src/asks.rs": more(TRAIT, "    fn more(&self) -> u8;\n")},
        {"src/heir.rs": IMPL.format("    fn more(&self) -> u8 { 2 }\n")},
    ),
    "typescript method that may be left out": (
        {"asks.ts": TYPED},
        {"asks.ts": more(TYPED, "  more?(): number;\n")},
        {"heir.ts": TYPED_HEIR.format("")},
    ),
    "typescript heir has it": (
        {"asks.ts": TYPED},
        {"asks.ts": more(TYPED, "  more(): number;\n")},
        {"heir.ts": TYPED_HEIR.format("  more(): number { return 2; }\n")},
    ),
    "c++ virtual method with a body": (
        {"asks.hpp": PURE},
        {"asks.hpp": more(PURE, "  virtual int more() { return 1; }\n")},
        cpp_heir(),
    ),
}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("case", HARMLESS)
def test_what_goes_with_the_changed_base_is_no_conflict(forked, case, turned):
    plan = fork(forked, *HARMLESS[case], turned=turned)
    assert (plan.items, plan.verdict) == ((), Verdict.CLEAN)


def test_the_same_change_with_its_override_on_both_sides(forked):
    both = {"a.py": BASE.replace("self, a", "self, a, c"), "b.py": HEIR + OVERRIDE.replace("self, a", "self, a, c")}
    plan = fork(forked, {"a.py": BASE, "b.py": HEIR}, {**both, "x.py": "x = 1\n"}, {**both, "y.py": ""}, turned=False)
    assert plan.items == ()


def test_what_the_items_say(forked):
    *files, _ = BROKEN["java interface asks for more"]
    [item] = fork(forked, *files, turned=False).items
    assert (item.how, item.line) == ("inherited from what the other side changed", 3)
    assert item.recommendation == (
        "main added p/Asks.java::Asks.more: after the merge, let p/Heir.java::Heir (feature) define it too."
    )
