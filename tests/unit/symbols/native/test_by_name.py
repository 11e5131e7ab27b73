"""Languages that are read by name: what they define, and that no edge claims more than a name can tell."""

import pytest

from bespeak.coord.symbol_index import open_index
from bespeak.git import repository
from bespeak_symbols.call_graph import CallGraph
from bespeak_symbols.model import BY_NAME
from bespeak_symbols.native import registry
from support.repositories import git

SOURCES = {
    "shop.rb": "# Sums.\nmodule Shop\n  class Cart < Base\n    TAX = 3\n    def total(x)\n      price(x) + TAX\n    end\n"
    "    def self.build = new\n  end\nend\n\ndef price(x)\n  x\nend\n",
    "shop.kt": "interface Shape {\n    fun area(): Int\n}\n\nclass Cart : Base(), Shape {\n    val tax = 3\n"
    "    fun total(x: Int): Int { return price(x) + tax }\n}\n\nfun price(x: Int): Int = x\n",
    "shop.cs": "namespace Shop {\n  interface IShape { int Area(); }\n  class Cart : Base, IShape {\n    const int Tax = 3;\n"
    "    int Total(int x) { return Price(x) + Tax; }\n    static int Price(int x) => x;\n  }\n}\n",
    "shop.php": "<?php\nclass Cart extends Base {\n  const TAX = 3;\n  function total($x) { return price($x) + self::TAX; }\n}\n"
    "function price($x) { return $x; }\n",
    "shop.swift": "class Cart: Base {\n  let tax = 3\n  func total(x: Int) -> Int { return price(x: x) }\n}\n"
    "extension Cart { func more() {} }\nfunc price(x: Int) -> Int { return x }\n",
    "shop.scala": "class Cart(val x: Int) extends Base {\n  val tax = 3\n  def total(y: Int): Int = price(y) + tax\n}\n"
    "def price(x: Int): Int = x\n",
    "shop.sh": "TAX=3\nprice() { echo $1; }\ntotal() { price 1; echo $TAX; }\n",
    "shop.lua": "local function price(x) return x end\nfunction Cart.total(x) return price(x) end\n",
    "shop.sql": "CREATE TABLE cart (id INT, total INT);\nCREATE VIEW sums AS SELECT total FROM cart;\n",
}
SYMBOLS = {
    "shop.rb": "Shop:module Shop.Cart:class Shop.Cart.TAX:constant Shop.Cart.total:method Shop.Cart.build:method price:function",
    "shop.kt": "Shape:class Shape.area:method Cart:class Cart.tax:variable Cart.total:method price:function",
    "shop.cs": "IShape:interface IShape.Area:method Cart:class Cart.Tax:variable Cart.Total:method Cart.Price:method",
    "shop.php": "Cart:class Cart.TAX:constant Cart.total:method price:function",
    "shop.swift": "Cart:class Cart.tax:variable Cart.total:method Cart:namespace Cart.more:method price:function",
    "shop.scala": "Cart:class Cart.tax:variable Cart.total:method price:function",
    "shop.sh": "TAX:variable price:function total:function",
    "shop.lua": "price:function Cart.total:function",
    "shop.sql": "cart:struct cart.id:variable cart.total:variable sums:struct",
}
CALLS = {
    "shop.rb": ("Shop.Cart.total", "price"),
    "shop.kt": ("Cart.total", "price"),
    "shop.cs": ("Cart.Total", "Cart.Price"),
    "shop.php": ("Cart.total", "price"),
    "shop.swift": ("Cart.total", "price"),
    "shop.scala": ("Cart.total", "price"),
    "shop.sh": ("total", "price"),
    "shop.lua": ("Cart.total", "price"),
    "shop.sql": ("sums", "cart"),
}


def read(path, source):
    return registry.extract(registry.language_of(path), source.encode(), path)


@pytest.mark.parametrize("path", SOURCES)
def test_definitions_are_named_by_what_holds_them(path):
    facts = read(path, SOURCES[path])
    assert facts.unread == ()
    assert " ".join(f"{one.name}:{one.kind}" for one in facts.symbols) == SYMBOLS[path]


@pytest.mark.parametrize("path", SOURCES)
def test_layout_and_comments_change_no_definition(path):
    marks = {"rb": "# more", "sh": "# more", "lua": "-- more", "sql": "-- more"}.get(path.rpartition(".")[2], "// more")
    head = "<?php\n" if path.endswith(".php") else ""
    spaced = head + f"{marks}\n\n" + SOURCES[path].removeprefix(head)
    before, after = (
        {one.name: (one.signature, one.body, one.own) for one in read(path, each).symbols}
        for each in (SOURCES[path], spaced)
    )
    assert before == after


def test_the_name_of_a_definition_is_no_part_of_what_it_does():
    one, two = (read("a.rb", f"def {name}\n  go {name}\nend\n").symbols[0] for name in ("first", "second"))
    assert one.own == two.own
    assert one.body != two.body


@pytest.fixture
def graph_of(tmp_path):
    opened = []

    def graph(files):
        root = tmp_path / "repo"
        root.mkdir()
        git(root, "init", "-q")
        for name, text in files.items():
            (root / name).write_text(text)
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "all")
        index = open_index(repository.find(str(root)))
        opened.append(index)
        return CallGraph(index.snapshot("HEAD"))

    yield graph
    for index in opened:
        index.close()


def test_uses_lead_to_what_is_called_so_and_never_for_certain(graph_of):
    graph = graph_of(SOURCES)
    for path, (caller, callee) in CALLS.items():
        edges = graph.edges_of(path)
        assert any((edge.caller, edge.callee) == (f"{path}::{caller}", f"{path}::{callee}") for edge in edges), path
        assert {edge.how for edge in edges} == {BY_NAME}
        assert not any(edge.certain for edge in edges)
        assert {edge.callee.partition("::")[0] for edge in edges} == {path}, "no language means a name of another"


def test_a_local_name_is_no_use_of_a_definition(graph_of):
    graph = graph_of({"a.rb": "def size\n  1\nend\n", "b.rb": "def f(size)\n  size\nend\n\ndef g\n  size\nend\n"})
    assert [edge.caller for edge in graph.into("a.rb::size")] == ["b.rb::g"]


def test_a_type_before_the_dot_says_which_member_is_meant(graph_of):
    classes = "class A\n  def self.go\n  end\nend\n\nclass B\n  def self.go\n  end\nend\n"
    graph = graph_of({"a.rb": classes, "b.rb": "def f\n  A.go\nend\n\ndef g(x)\n  x.go\nend\n"})
    told = {
        (edge.caller, edge.callee, edge.confidence) for edge in graph.edges_of("b.rb") if edge.callee.endswith("go")
    }
    assert told == {
        ("b.rb::f", "a.rb::A.go", 0.7),
        ("b.rb::g", "a.rb::A.go", 0.3),
        ("b.rb::g", "a.rb::B.go", 0.3),
    }


def test_a_name_that_many_have_leads_nowhere(graph_of):
    many = "".join(f"class C{number}\n  def go\n  end\nend\n" for number in range(5))
    graph = graph_of({"a.rb": many, "b.rb": "def f(x)\n  x.go\nend\n"})
    assert graph.edges_of("b.rb") == ()


def test_a_language_whose_grammar_is_not_installed_is_not_read(monkeypatch):
    monkeypatch.setattr(registry, "_installed", lambda grammar: grammar != "ruby")
    assert (registry.language_of("a.rb"), registry.language_by_name("a.rb")) == (None, None)
    assert (registry.language_of("a.kt"), registry.language_of("a.py")) == ("kotlin", "python")
    assert (registry.language_by_name("a.kt"), registry.language_by_name("a.py")) == ("kotlin", None)
