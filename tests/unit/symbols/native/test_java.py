"""Java: what a file says, and which definition a name means."""

from itertools import count

import pytest

from bespeak_symbols.native.java.types import Type, Written, library_result, read_type
from support.sources import Sources


def one(text, **others):
    return Sources({"A.java": text} | {name + ".java": other for name, other in others.items()})


# What a file says.


def test_kinds_of_symbols():
    world = one(
        """\
package a.b;
/** Documented. */
@Deprecated
public class A<T> extends B implements C, D<T> {
    static final int LEAST = 1;
    private int x, y = 2;
    A(int x) { }
    <R> R m(String s, int... n) { return null; }
    enum E { ONE, TWO { void f() { } }; void f() { } }
    record P(int left) { }
    interface I { void go(); }
    @interface Mark { int value() default 0; }
}
"""
    )
    assert world.facts("A.java").package == "a.b"
    assert [(symbol.name, symbol.kind) for symbol in world.facts("A.java").symbols] == [
        ("A", "class"),
        ("A.LEAST", "constant"),
        ("A.x", "variable"),
        ("A.y", "variable"),
        ("A.A", "method"),
        ("A.m", "method"),
        ("A.E", "enum"),
        ("A.E.ONE", "constant"),
        ("A.E.TWO", "constant"),
        ("A.E.TWO.f", "method"),
        ("A.E.f", "method"),
        ("A.P", "class"),
        ("A.P.left", "variable"),
        ("A.I", "interface"),
        ("A.I.go", "method"),
        ("A.Mark", "interface"),
        ("A.Mark.value", "method"),
    ]
    symbol = world.symbol("A.java::A")
    assert (symbol.first_line, symbol.last_line) == (2, 13)
    assert symbol.bases == ("B", "C", "D<T>")
    assert symbol.doc
    assert world.symbol("A.java::A.m").signature == "<R>R(String s, int...n)"


def test_layout_and_comments_change_no_digest_but_documentation_changes_its_own():
    before = one("class A { /** One. */ int f() { return 1; } }").symbol("A.java::A.f")
    moved = one("class A {\n\n  /** One. */\n  int f( ) {\n    return 1; // one\n  }\n}").symbol("A.java::A.f")
    told = one("class A { /** Two. */ int f() { return 1; } }").symbol("A.java::A.f")
    changed = one("class A { /** One. */ int f() { return 2; } }").symbol("A.java::A.f")
    assert (before.body, before.signature, before.doc) == (moved.body, moved.signature, moved.doc)
    assert (told.body, told.doc != before.doc) == (before.body, True)
    assert changed.body != before.body


def test_a_comment_that_is_no_documentation_belongs_to_nobody():
    symbol = one("class A {\n  // why\n  int f() { return 1; }\n}").symbol("A.java::A.f")
    assert (symbol.first_line, symbol.doc) == (3, "")


def test_what_cannot_be_read_is_said_and_the_rest_is_read():
    world = one("class A {\n  void f() { g(); }\n  void ( {\n  void g() { }\n}\n")
    assert "A.f" in world.names("A.java")
    assert world.facts("A.java").unread


def test_a_class_without_a_name_is_called_after_its_base():
    world = one("class A { void f() { new Runnable() { public void run() { } }; new Runnable() { int n; }; } }")
    assert world.names("A.java") == [
        "A",
        "A.f",
        "A.f.Runnable$1",
        "A.f.Runnable$1.run",
        "A.f.Runnable$2",
        "A.f.Runnable$2.n",
    ]


# Which class a name means.


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ("package a; import b.V;", "b/V.java::V"),
        ("package a; import b.*;", "a/V.java::V"),
        ("package a;", "a/V.java::V"),
        ("package c; import b.*;", "b/V.java::V"),
        ("package c;", None),
        ("package c; import b.O.V;", "b/O.java::O.V"),
        ("package c; import b.O.*;", "b/O.java::O.V"),
    ],
)
def test_imports_and_packages(head, found):
    world = Sources(
        {
            "x/M.java": head + "class M { Object f() { return new V(); } }",
            "a/V.java": "package a; public class V { }",
            "b/V.java": "package b; public class V { }",
            "b/O.java": "package b; public class O { public static class V { } }",
        }
    )
    assert world.out("x/M.java::M.f") == ([found] if found else [])


def test_a_member_class_hides_others_and_is_inherited():
    world = Sources(
        {
            "V.java": "class V { }",
            "B.java": "class B { static class V { } }",
            "A.java": "class A extends B { Object f() { return new V(); } class V { } }",
            "C.java": "class C extends B { Object f() { return new V(); } Object g() { return new B.V(); } }",
            "D.java": "class D { Object f() { class V { } return new V(); } Object g() { return new V(); } }",
        }
    )
    assert world.out("A.java::A.f") == ["A.java::A.V"]
    assert world.out("C.java::C.f") == ["B.java::B.V"]
    assert world.out("C.java::C.g") == ["B.java::B.V"]
    assert world.out("D.java::D.f") == ["D.java::D.f.V"]
    assert world.out("D.java::D.g") == ["V.java::V"]


def test_of_two_classes_of_one_name_the_nearest_is_meant_and_none_if_none_is():
    files = {
        f"{part}/{kind}/p/V.java": "package p; public class V { public static void f() { } }"
        for part in ("one", "two")
        for kind in ("main",)
    }
    user = "package p; class T { void t() { V.f(); } }"
    world = Sources(files | {"one/test/p/T.java": user, "three/p/T.java": user})
    assert world.out("one/test/p/T.java::T.t") == ["one/main/p/V.java::V.f"]
    assert world.out("three/p/T.java::T.t") == []


def test_static_imports():
    world = Sources(
        {
            "u/U.java": "package u; public class U { public static int N = 1; public static void f() { } }",
            "A.java": "import static u.U.f; class A { void a() { f(); } }",
            "B.java": "import static u.U.*; class B { int a() { f(); return N; } }",
            "C.java": "import static u.U.*; class C { void a() { f(); } void f() { } }",
        }
    )
    assert world.out("A.java::A.a") == ["u/U.java::U.f"]
    assert world.out("A.java", "import") == ["u/U.java::U.f"]
    assert world.out("B.java::B.a") == ["u/U.java::U.f"]
    assert world.out("B.java::B.a", "use") == ["u/U.java::U.N"]
    assert world.out("C.java::C.a") == ["C.java::C.f"]


# Which method a call means.


def test_own_inherited_and_outer_methods():
    world = Sources(
        {
            "B.java": "class B { void base() { } void both() { } }",
            "A.java": """\
class A extends B {
    void own() { own(); this.own(); base(); this.both(); super.both(); }
    void both() { }
    class I { void go() { own(); base(); A.this.both(); hide(); } void hide() { } }
    void hide() { }
}
""",
        }
    )
    assert world.out("A.java::A.own", certain=True) == [
        "A.java::A.both",
        "A.java::A.own",
        "B.java::B.base",
        "B.java::B.both",
    ]
    assert world.out("A.java::A.I.go", certain=True) == [
        "A.java::A.I.hide",
        "A.java::A.both",
        "A.java::A.own",
        "B.java::B.base",
    ]


def test_overloads_are_one_address_and_the_number_of_arguments_counts_over_inheritance():
    world = Sources(
        {
            "B.java": "class B { void f(int one) { } void g(String one) { } }",
            "A.java": "class A extends B { void f() { } void g(int n) { } void a() { f(); f(1); } void b() { g(1); } }",
        }
    )
    assert world.out("A.java::A.a", certain=True) == ["A.java::A.f", "B.java::B.f"]
    assert world.out("A.java::A.b", certain=True) == []
    assert world.out("A.java::A.b", certain=False) == ["A.java::A.g"]


def test_an_unknown_base_makes_a_call_of_an_outer_method_uncertain():
    world = one("class A { void f() { } void g() { new Unknown() { void h() { f(); } }; } }")
    assert world.out("A.java::A.g.Unknown$1.h", certain=True) == []
    assert world.out("A.java::A.g.Unknown$1.h", certain=False) == ["A.java::A.f"]
    known = one("class A { void f() { } void g() { new Runnable() { public void run() { f(); } }; } }")
    assert known.out("A.java::A.g.Runnable$1.run", certain=True) == ["A.java::A.f"]


def test_what_every_object_has_is_not_looked_for_further_out():
    world = one("class A { public String toString() { return null; } static class I { void f() { toString(); } } }")
    assert world.out("A.java::A.I.f") == []


def test_constructors():
    world = one(
        """\
class A {
    A() { this(1); }
    A(int n) { super(); }
    static A make() { return new A(); }
    static Object other() { return new A(2) { }; }
    Object ref() { java.util.function.Supplier<A> s = A::new; return s; }
}
class Sub extends A { Sub() { } }
class Plain extends A { }
class Use { Object f() { return new Plain(); } }
"""
    )
    assert world.out("A.java::A.A") == ["A.java::A.A"]
    assert world.out("A.java::A.make") == ["A.java::A", "A.java::A.A"]
    assert world.out("A.java::A.other") == ["A.java::A", "A.java::A.A"]
    assert world.out("A.java::A.other.A$1", "inherit") == ["A.java::A"]
    assert {"A.java::A", "A.java::A.A"} <= set(world.out("A.java::A.ref", "use"))
    assert world.out("A.java::Sub.Sub") == ["A.java::A.A"]
    assert world.out("A.java::Use.f") == ["A.java::Plain"]


def test_interfaces_and_what_is_run_in_place_of_their_methods():
    world = one(
        """\
interface I { void f(); default void d() { f(); } }
abstract class B implements I { public void f() { } }
class C extends B { public void f() { super.f(); } }
final class F { void f() { } }
class Use { void a(I i) { i.f(); } void b(C c) { c.d(); c.f(); } void s(F f) { f.f(); } }
"""
    )
    assert world.out("A.java::I.d", certain=True) == ["A.java::I.f"]
    assert world.out("A.java::I.d", certain=False) == ["A.java::B.f", "A.java::C.f"]
    assert world.out("A.java::C.f") == ["A.java::B.f"]
    assert world.out("A.java::Use.a", certain=True) == ["A.java::I.f"]
    assert world.out("A.java::Use.b", certain=True) == ["A.java::C.f", "A.java::I.d"]
    assert world.out("A.java::Use.s") == ["A.java::F.f"]


def test_static_private_and_final_methods_are_not_overridden():
    world = one(
        "class A { static void s() { } private void p() { } final void f() { } void a() { s(); p(); f(); } }"
        "class B extends A { static void s() { } void p() { } }"
    )
    assert world.out("A.java::A.a", certain=False) == []


# What is known of values.


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("V v = null; v.f();", "V.f"),
        ("var v = new V(); v.f();", "V.f"),
        ("var v = make(); v.f();", "V.f"),
        ("new V().self().self().f();", "V.f"),
        ("this.field.f();", "V.f"),
        ("field.self().f();", "V.f"),
        ("((V) o).f();", "V.f"),
        ("if (o instanceof V v && v.ok()) { }", "V.ok"),
        ("if (!(o instanceof V v)) { return; } v.f();", "V.f"),
        ("switch (o) { case V v -> v.f(); default -> { } }", "V.f"),
        ("for (V v : list) { v.f(); }", "V.f"),
        ("for (var v : list) { v.f(); }", "V.f"),
        ("for (V v = null; ; ) { v.f(); }", "V.f"),
        ("V[] all = null; all[0].f();", "V.f"),
        ("list.get(0).f();", "V.f"),
        ("map.get(1).f();", "V.f"),
        ("map.values().stream().findFirst().get().f();", "V.f"),
        ("for (var e : map.entrySet()) { e.getValue().f(); }", "V.f"),
        ("list.forEach(v -> v.f());", "V.f"),
        ("list.stream().filter(v -> v.ok()).toList();", "V.ok"),
        ("java.util.function.Consumer<V> c = (V v) -> v.f();", "V.f"),
        ("try (V v = make()) { v.f(); }", "V.f"),
        ("box.get().f();", "V.f"),
        ("sub.get().f();", "V.f"),
        ("V.st();", "V.st"),
        ("V.ONE.f();", "V.f"),
        ("V.In.go();", "V.In.go"),
        ("Kind.A.k();", "Kind.k"),
        ('Kind.valueOf("A").k();', "Kind.k"),
        ("for (Kind k : Kind.values()) { k.k(); }", "Kind.k"),
        ("bound(new V()).f();", None),
        ("same(new V()).f();", "V.f"),
    ],
)  # fmt: skip
def test_the_type_of_what_a_method_is_called_on(statement, found):
    world = one(
        f"""\
import java.util.*;
class A {{
    V field; List<V> list; Map<Integer, V> map; Box<V> box; Sub sub; Object o;
    static V make() {{ return null; }}
    static <T> T bound(T one) {{ return one; }}
    static <T extends V> T same(T one) {{ return one; }}
    void a() {{ {statement} }}
}}
""",
        V="class V implements AutoCloseable { static V ONE; V self() { return this; } void f() { } boolean ok() { return true; }"
        " static void st() { } static class In { static void go() { } } public void close() { } }",
        Box="class Box<T> { T get() { return null; } }",
        Sub="class Sub extends Box<V> { }",
        Kind="enum Kind { A; void k() { } }",
    )
    certain = [callee.partition("::")[2] for callee in world.out("A.java::A.a", certain=True)]
    assert (found in certain) if found else not any(name.startswith("V.") for name in certain)


def test_the_innermost_declaration_counts():
    world = one(
        """\
class A {
    V x;
    void a() { x.v(); { W x = null; x.v(); } x.v(); }
    void b(W x) { x.v(); this.x.v(); Runnable r = () -> x.v(); }
    void c() { W x = null; class L { V x; void l() { x.v(); } } }
    void d() { Object x = null; x.v(); }
}
class V { void v() { } }
class W { void v() { } }
"""
    )
    assert world.out("A.java::A.a", certain=True) == ["A.java::V.v", "A.java::W.v"]
    assert world.out("A.java::A.b", certain=True) == ["A.java::V.v", "A.java::W.v"]
    assert world.out("A.java::A.c.L.l", certain=True) == ["A.java::V.v"]
    assert world.out("A.java::A.d", certain=True) == []


def test_what_is_called_on_something_unknown_is_never_certain():
    world = one("class A { void a(Object o) { o.only(); unknown.only(); lib().only(); } } class V { void only() { } }")
    assert world.out("A.java::A.a", certain=True) == []
    many = "".join(f"class V{number} {{ void only() {{ }} }}" for number in range(9))
    assert one("class A { void a() { x().only(); } }" + many).out("A.java::A.a") == []


def test_a_class_outside_has_no_methods_of_ours():
    world = one(
        "import other.Lib; class A { void a(Lib l, String s) { l.only(); s.only(); } } class V { void only() { } }"
    )
    assert world.out("A.java::A.a") == []


def test_uses():
    world = one(
        """\
@interface Mark { }
class A {
    static final int N = 1;
    @Mark V v;
    @Mark int f(V given) { return N + A.N + v.n; }
    void r(java.util.List<V> l) { l.forEach(this::take); l.forEach(A::st); l.forEach(V::go); }
    void take(V one) { }
    static void st(V one) { }
}
class V { int n; void go() { } }
"""
    )
    assert world.out("A.java::A.f", "use") == [
        "A.java::A",
        "A.java::A.N",
        "A.java::A.v",
        "A.java::Mark",
        "A.java::V",
        "A.java::V.n",
    ]
    assert {"A.java::A.take", "A.java::A.st", "A.java::V.go"} <= set(world.out("A.java::A.r", "use"))


def test_inheritance_that_closes_a_circle_ends():
    world = one("class A extends B { void a() { f(); x.f(); super.g(); } B x; } class B extends A { void f() { } }")
    assert world.out("A.java::A.a") == ["A.java::B.f"]


# Types.


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("int", Written("int")),
        ("a.b.C<D>", Written("a.b.C", (Written("D"),))),
        ("Map<String, List<V>>[]", Written("Map", (Written("String"), Written("List", (Written("V"),))), 1)),
        ("List<? extends V>", Written("List", (Written("V"),))),
        ("List<?>", Written("List", (Written("?"),))),
        ("@A V", Written("V")),
        ("V & W", Written("V")),
        ("<<<>>", Written("")),
        ("", Written("")),
    ],
)
def test_written_types(text, read):
    assert read_type(text) == read


def test_what_collections_give_back():
    item = Type("a::V")
    assert library_result(Type("List", (item,)), "get") == item
    assert library_result(Type("Stream", (item,)), "peek") == Type("Stream", (item,))
    assert library_result(Type("Deque", (item,)), "peek") == item
    assert library_result(Type("Map", (Type("K"), item)), "keySet") == Type("Set", (Type("K"),))
    assert library_result(Type("List"), "get") is None
    assert library_result(Type("Map", (Type("K"), item)), "size") is None
    assert library_result(Type("Entry", (Type("K"), item)), "setValue") is None


# Sources that would take the parser gigabytes.


@pytest.mark.parametrize("tangled", [b"x.f(|y|" * 20_000, b"Vec<" * 20_000, b"(" * 601 + b")" * 601])
def test_what_is_nested_beyond_all_measure_is_said_to_be_unread(tangled):
    facts = Sources({"A.java": b"class A { void f() { } }" + tangled}).facts("A.java")
    assert (facts.unread, facts.symbols) == (((1, "syntax error"),), ())


def test_what_is_nested_deep_is_read():
    text = "class A { int f() { return " + "(" * 300 + "g()" + ")" * 300 + "; } int g() { return 1; } }"
    assert one(text).out("A.java::A.f") == ["A.java::A.g"]
    assert (
        one(f"class A {{ int[] all = {{ {'1<<2, ' * 500} }}; int g() {{ return 1; }} }}").names("A.java")[-1] == "A.g"
    )


def test_what_is_private_in_a_base_is_not_inherited():
    world = Sources(
        {
            "B.java": "class B { private int n; private void f() { } private void g() { } void g(int n) { } }",
            "A.java": "class A { static int n; static void f() { } class I extends B { int i() { f(); g(1); return n; } } }",
        }
    )
    assert world.out("A.java::A.I.i", certain=True) == ["A.java::A.f", "B.java::B.g"]
    assert "A.java::A.n" in world.out("A.java::A.I.i", "use")
    assert "B.java::B.n" not in world.out("A.java::A.I.i", "use")


def test_a_nameless_class_for_an_interface_calls_no_constructor():
    world = one("interface I { } class A { Object f() { return new I() { }; } }")
    assert world.out("A.java::A.f") == []
    assert world.out("A.java::A.f.I$1", "inherit") == ["A.java::I"]


def test_super_is_never_an_interface_unless_it_is_named():
    world = one(
        "interface I { default void f() { } } class A implements I { void a() { super.f(); } void b() { I.super.f(); }"
        " Object c() { return new I() { void d() { super.f(); } }; } }"
    )
    assert [world.out(f"A.java::A.{name}") for name in ("a", "b", "c.I$1.d")] == [[], ["A.java::I.f"], []]


def test_what_is_tangled_is_unread_however_fast_the_machine_is_and_what_is_not_is_read_however_slow(monkeypatch):
    monkeypatch.setattr("bespeak_symbols.syntax.thread_time", lambda: 0.0)
    assert Sources({"A.java": b"class A { void f() { } }" + b"x.f(|y|" * 3_000}).facts("A.java").unread
    times = count(step=1.0)
    monkeypatch.setattr("bespeak_symbols.syntax.thread_time", lambda: next(times))
    facts = Sources({"A.java": b"class A { void f() { } }\n" * 20}).facts("A.java")
    assert not facts.unread
