"""C++: what a file says, and which definition a name means."""

import pytest

from support.sources import Sources


def one(text, path="a.cpp"):
    return Sources({path: text})


# What a file says.


def test_kinds_and_qualified_names():
    world = one(
        """\
        namespace a::b {
        enum class Color { Red };
        enum Plain { Green };
        class Shape {
        public:
            Shape();
            virtual ~Shape();
            static int count;
            operator bool() const { return true; }
            bool operator==(const Shape &other) const;
            struct Inner { int n; };
        };
        using Alias = Shape;
        template <typename T> T larger(T x, T y) { return x; }
        }
        """
    )
    assert [(symbol.name, symbol.kind) for symbol in world.facts("a.cpp").symbols] == [
        ("a", "namespace"),
        ("a.b", "namespace"),
        ("a.b.Color", "enum"),
        ("a.b.Color.Red", "constant"),
        ("a.b.Plain", "enum"),
        ("a.b.Green", "constant"),
        ("a.b.Shape", "class"),
        ("a.b.Shape.Shape", "method"),
        ("a.b.Shape.~Shape", "method"),
        ("a.b.Shape.count", "variable"),
        ("a.b.Shape.operator bool", "method"),
        ("a.b.Shape.operator==", "method"),
        ("a.b.Shape.Inner", "struct"),
        ("a.b.Alias", "type"),
        ("a.b.larger", "function"),
    ]


def test_bases_and_signature():
    world = one("class A : public B, private n::C<int> { int x; };\ntemplate <class T>\nT f(T a) { return a; }\n")
    assert world.symbol("a.cpp::A").bases == ("B", "n.C")
    assert world.symbol("a.cpp::f").signature == "template<class T>T(T a)"
    assert world.symbol("a.cpp::f").first_line == 2


def test_the_own_digest_of_a_class_leaves_its_methods_out():
    first = one("class A { int x; int f() { return 1; } };").symbol("a.cpp::A")
    second = one("class A { int x; int f() { return 2; } };").symbol("a.cpp::A")
    assert first.own == second.own
    assert first.body != second.body


def test_an_anonymous_namespace_is_for_one_file():
    world = Sources(
        {
            "a.cpp": "namespace { int f() { return 1; } }\nint a() { return f(); }\n",
            "b.cpp": "namespace { int f() { return 2; } }\nint b() { return f(); }\n",
            "c.cpp": "int c() { return f(); }\n",
        }
    )
    assert world.out("a.cpp::a", certain=True) == ["a.cpp::f"]
    assert world.out("b.cpp::b", certain=True) == ["b.cpp::f"]
    assert world.out("c.cpp::c") == []


# Namespaces.


def test_names_are_looked_for_from_the_inside_out():
    world = one(
        """\
        int f() { return 0; }
        int g() { return 0; }
        namespace n {
        int f() { return 1; }
        namespace m { int use() { return f() + g() + ::f(); } }
        }
        """
    )
    assert world.out("a.cpp::n.m.use", certain=True) == ["a.cpp::f", "a.cpp::g", "a.cpp::n.f"]


def test_directives_declarations_and_aliases():
    header = "namespace lib { namespace v1 { int f(); int g(); } int h(); }\n"
    body = '#include "lib.hpp"\nnamespace lib { namespace v1 { int f() { return 1; } int g() { return 1; } } int h() { return 1; } }\n'
    world = Sources(
        {
            "lib.hpp": header,
            "lib.cpp": body,
            "a.cpp": '#include "lib.hpp"\nusing namespace lib;\nusing lib::v1::f;\nnamespace l = lib::v1;\nint a() { return h() + f() + l::g() + v1::f(); }\n',
        }
    )
    assert world.out("a.cpp::a", certain=True) == ["lib.cpp::lib.h", "lib.cpp::lib.v1.f", "lib.cpp::lib.v1.g"]


def test_a_namespace_name_is_no_variable():
    world = one(
        """\
        namespace store { struct S { void go() {} }; S make() { return S(); } }
        int f() { auto store = store::make(); store.go(); return 0; }
        """
    )
    assert world.out("a.cpp::f", certain=True) == ["a.cpp::store.S.go", "a.cpp::store.make"]


# Classes.


def shapes(**extra):
    return Sources(
        {
            "shape.h": """\
                #pragma once
                class Base { public: virtual ~Base(); virtual int area() const = 0; int twice() const; static int made(); };
                class Square : public Base { public: Square(int side); int area() const override; void grow(); int side; };
                """,
            "shape.cpp": """\
                #include "shape.h"
                Base::~Base() {}
                int Base::twice() const { return area() * 2; }
                int Base::made() { return 0; }
                Square::Square(int side) : side(side) { grow(); }
                int Square::area() const { return this->side; }
                void Square::grow() { side += Base::twice(); }
                """,
        }
        | extra
    )


def test_a_method_is_found_at_its_body():
    world = shapes(**{"a.cpp": '#include "shape.h"\nint f(Square &s) { s.grow(); return s.twice() + Base::made(); }\n'})
    assert world.out("a.cpp::f", certain=True) == [
        "shape.cpp::Base.made",
        "shape.cpp::Base.twice",
        "shape.cpp::Square.grow",
    ]


def test_making_an_object_calls_its_class_and_its_constructor():
    world = shapes(
        **{
            "a.cpp": """\
                #include "shape.h"
                #include <memory>
                int local() { Square s(1); return 0; }
                int braces() { Square s{1}; return 0; }
                int made() { auto s = Square(1); return 0; }
                int fresh() { Base *s = new Square(1); return 0; }
                int smart() { auto s = std::make_unique<Square>(1); return s->twice(); }
                int none(Square &s, Square *p) { Square *q = p; Square &r = s; return 0; }
                """
        }
    )
    both = ["shape.cpp::Square.Square", "shape.h::Square"]
    for name in ("local", "braces", "made", "fresh"):
        assert world.out(f"a.cpp::{name}", certain=True) == both
    assert world.out("a.cpp::smart", certain=True) == ["shape.cpp::Base.twice", *both]
    assert world.out("a.cpp::none") == []


def test_a_virtual_call_goes_to_the_type_and_perhaps_to_an_override():
    world = shapes()
    assert world.out("shape.cpp::Base.twice", certain=True) == ["shape.h::Base.area"]
    assert world.out("shape.cpp::Base.twice", certain=False) == ["shape.cpp::Square.area"]


def test_a_class_named_before_a_method_leaves_no_override():
    world = one(
        """\
        struct A { virtual int f() { return 0; } };
        struct B : A { int f() override { return A::f(); } };
        """
    )
    assert world.out("a.cpp::B.f") == ["a.cpp::A.f"]


def test_members_bases_and_delete():
    world = one(
        """\
        struct Log { void put() {} };
        struct Base { Log log; };
        struct Mid : Base { };
        struct Top : Mid {
            ~Top() { log.put(); }
            Log *other;
            void f() { other->put(); this->log.put(); g(); }
            void g() {}
        };
        void h(Top *top) { delete top; }
        """
    )
    assert world.out("a.cpp::Top.~Top", certain=True) == ["a.cpp::Log.put"]
    assert world.out("a.cpp::Top.f", certain=True) == ["a.cpp::Log.put", "a.cpp::Top.g"]
    assert world.out("a.cpp::h", certain=True) == ["a.cpp::Top.~Top"]
    assert world.out("a.cpp::Top", "inherit") == ["a.cpp::Mid"]


def test_bases_and_members_before_the_body_of_a_constructor():
    world = one(
        """\
        struct Part { Part(int n) {} };
        struct Base { Base(int n) {} };
        int next(int n) { return n; }
        struct Top : Base { Part part; Top() : Base(next(1)), part(2) {} };
        """
    )
    assert world.out("a.cpp::Top.Top", certain=True) == [
        "a.cpp::Base",
        "a.cpp::Base.Base",
        "a.cpp::Part",
        "a.cpp::Part.Part",
        "a.cpp::next",
    ]


def test_a_method_hides_a_function_and_a_colon_finds_it():
    world = one(
        """\
        int run() { return 0; }
        struct A { int run() { return 1; } int f() { return run(); } int g() { return ::run(); } };
        """
    )
    assert world.out("a.cpp::A.f", certain=True) == ["a.cpp::A.run"]
    assert world.out("a.cpp::A.g", certain=True) == ["a.cpp::run"]


def test_overloads_share_an_address_and_their_number_of_arguments_tells_files_apart():
    world = Sources(
        {
            "m.h": "struct M { M(int n) {} M(int a, int b); void set(int n = 1); void set(int a, int b, int c) {} };\n",
            "m.cpp": '#include "m.h"\nM::M(int a, int b) {}\nvoid M::set(int n) {}\n',
            "a.cpp": '#include "m.h"\nvoid f() { M m(1); m.set(); }\nvoid g() { M m(1, 2); m.set(1, 2, 3); }\n',
        }
    )
    assert world.out("a.cpp::f", certain=True) == ["m.cpp::M.set", "m.h::M", "m.h::M.M"]
    assert world.out("a.cpp::g", certain=True) == ["m.cpp::M.M", "m.h::M", "m.h::M.set"]


def test_operators_of_objects():
    world = one(
        """\
        struct M { M operator+(const M &o) const { return o; } M &operator+=(const M &o) { return *this; } int operator()(int n) { return n; } };
        int f(M a, M b) { a += b; M c = a + b; return c(1); }
        int g(int a, int b) { a += b; return a + b; }
        """
    )
    assert world.out("a.cpp::f", certain=True) == ["a.cpp::M.operator()", "a.cpp::M.operator+", "a.cpp::M.operator+="]
    assert world.out("a.cpp::g") == []


@pytest.mark.parametrize(
    "line",
    [
        "Row row; row.id();",
        "Row *row = nullptr; row->id();",
        "std::unique_ptr<Row> row; row->id();",
        "std::vector<std::shared_ptr<Row>> rows; rows[0]->id();",
        "std::map<int, Row> rows; rows[0].id();",
        "std::vector<Row> rows; for (auto &row : rows) row.id();",
        "std::vector<Row> rows; for (const Row &row : rows) row.id();",
        "auto row = make(); row.id();",
        "make().id();",
        "make().next()->id();",
        "auto *row = static_cast<Row *>(any); row->id();",
        "static_cast<Row *>(any)->id();",
        "((Row *)any)->id();",
        "Row{}.id();",
        "Rows rows; rows[0].id();",
        "if (auto row = make(); row.id()) return;",
        "Holder h; h.row.id();",
        "Holder h; h.get().id();",
        "auto go = [&](Row &row) { row.id(); };",
        "Row row; auto go = [row] { row.id(); };",
        "Row row; auto go = [other = row] { other.id(); };",
        "try {} catch (const Row &row) { row.id(); }",
        "using R = Row; R row; row.id();",
    ],
)
def test_the_type_of_a_value_is_known(line):
    world = one(
        "#include <map>\n#include <memory>\n#include <vector>\n"
        "struct Row { int id() const { return 1; } Row *next() { return this; } };\n"
        "using Rows = std::vector<Row>;\nstruct Holder { Row row; auto get() -> Row { return row; } };\n"
        "Row make() { return Row(); }\nstruct Other { int id() { return 2; } };\n"
        f"void f(void *any) {{ {line} }}\n"
    )
    assert "a.cpp::Row.id" in world.out("a.cpp::f", certain=True)
    assert "a.cpp::Other.id" not in world.out("a.cpp::f")


@pytest.mark.parametrize(
    "line",
    [
        "template <class T> void f(T &row) { row.id(); }",
        "void f() { auto row = unknown(); row.id(); }",
        "void f() { auto [row, other] = unknown(); row.id(); }",
        "void f(outside::Row &row) { row.id(); }",
        "void f() { std::unique_ptr<Row> row; row.reset(); }",
        "void f() { auto id = [] { return 1; }; id(); }",
    ],
)
def test_what_is_not_known_is_never_certain(line):
    world = one(f"struct Row {{ int id() {{ return 1; }} void reset() {{}} }};\nint id() {{ return 1; }}\n{line}\n")
    assert world.out("a.cpp::f", certain=True) == []


def test_blocks_with_one_name_of_two_types():
    world = one(
        """\
        struct A { void go() {} };
        struct B { void go() {} };
        void f() { A x; { B x; x.go(); } }
        void g() { A x; { B x; } x.go(); }
        """
    )
    assert world.out("a.cpp::f", certain=True) == ["a.cpp::A", "a.cpp::B", "a.cpp::B.go"]
    assert world.out("a.cpp::g", certain=True) == ["a.cpp::A", "a.cpp::A.go", "a.cpp::B"]


def test_templates_keep_their_methods_together():
    world = Sources(
        {
            "box.hpp": """\
                template <typename T> class Box { public: bool put(const T &t); bool full() const { return false; } };
                template <typename T> bool Box<T>::put(const T &t) { return full(); }
                template <typename T> class Counted : public Box<T> { public: bool put(const T &t) { return Box<T>::put(t); } };
                """,
            "a.cpp": '#include "box.hpp"\nvoid f() { Box<int> box; box.put(1); Counted<int> counted; counted.full(); }\n',
        }
    )
    assert world.out("box.hpp::Box.put", certain=True) == ["box.hpp::Box.full"]
    assert world.out("box.hpp::Counted.put", certain=True) == ["box.hpp::Box.put"]
    assert world.out("a.cpp::f", certain=True) == [
        "box.hpp::Box",
        "box.hpp::Box.full",
        "box.hpp::Box.put",
        "box.hpp::Counted",
    ]


def test_a_friend_with_a_body_is_a_function_of_the_namespace():
    world = one(
        "namespace n { class A { friend int peek(const A &a) { return 1; } friend int other(); }; int f(A &a) { return peek(a); } }"
    )
    assert world.names("a.cpp", "function") == ["n.peek", "n.f"]
    assert world.out("a.cpp::n.f", certain=True) == ["a.cpp::n.peek"]


def test_an_object_made_with_a_variable_is_no_function():
    world = one("struct A { A(int n) {} void go() {} };\nvoid f(int n) { A a(n); a.go(); }\nvoid g() { A a(); }\n")
    assert world.out("a.cpp::f", certain=True) == ["a.cpp::A", "a.cpp::A.A", "a.cpp::A.go"]
    assert world.out("a.cpp::g") == []


def test_a_class_of_a_function_is_its_own():
    world = one("struct T { void go() {} };\nvoid f() { struct T { void go() {} }; T t; t.go(); }\n")
    assert world.out("a.cpp::f", certain=True) == ["a.cpp::f.T", "a.cpp::f.T.go"]


def test_c_functions_seen_through_a_header_for_both():
    world = Sources(
        {
            "e.h": '#ifdef __cplusplus\nextern "C" {\n#endif\nint run(int n);\n#ifdef __cplusplus\n}\n#endif\n',
            "e.c": '#include "e.h"\nint run(int n) { return n; }\n',
            "a.cpp": '#include "e.h"\nnamespace n { int f() { return run(1) + ::run(2); } }\n',
        }
    )
    assert world.out("a.cpp::n.f", certain=True) == ["e.c::run"]


def test_names_nested_without_end_are_taken():
    world = one("namespace a { " * 900 + "int f() { return 1; }" + " }" * 900)
    assert all(len(name) < 1000 for name in world.names("a.cpp"))


def test_types_that_go_round_end():
    world = one(
        "using A = B;\nusing B = A;\nstruct C : D {};\nstruct D : C {};\nvoid f(A a, C c) { a.go(); c.go(); auto x = x.y(); }\n"
    )
    assert world.out("a.cpp::f") == []


def test_a_pointer_is_not_the_object_it_points_to():
    world = one(
        """\
        struct A { A(int n) {} A &operator=(const A &o) { return *this; } int operator[](int n) { return n; } A *next; };
        struct Holder { A *a; A b; Holder(A *p) : a(p), b(1) {} };
        void f(A *p, A &r) { p = p->next; p[0].next = p; (*p)[1]; }
        void g(A &r, A &o) { r = o; r[1]; }
        """
    )
    assert world.out("a.cpp::f", certain=True) == ["a.cpp::A.operator[]"]
    assert world.out("a.cpp::g", certain=True) == ["a.cpp::A.operator=", "a.cpp::A.operator[]"]
    edges = [edge for edge in world.edges("a.cpp") if edge.callee == "a.cpp::A.A"]
    assert [(edge.caller, edge.how) for edge in edges] == [("a.cpp::Holder.Holder", "constructor")]


def test_an_arrow_may_be_an_operator():
    world = one(
        """\
        struct Inner { void go() {} void both() {} };
        struct Handle { Inner *operator->() { return nullptr; } void both() {} };
        void f(Handle h) { h->go(); h->both(); }
        void g(Handle h) { h.both(); }
        void k(Handle *h) { h->both(); }
        """
    )
    assert world.out("a.cpp::f", certain=True) == ["a.cpp::Handle.operator->", "a.cpp::Inner.both", "a.cpp::Inner.go"]
    assert world.out("a.cpp::g", certain=True) == ["a.cpp::Handle.both"]
    assert world.out("a.cpp::k", certain=True) == ["a.cpp::Handle.both"]


def test_a_parameter_of_a_template_is_not_the_class_of_that_name():
    world = one(
        """\
        #include <vector>
        struct Node { void go() {} };
        template <class Node> struct List {
            std::vector<Node> items;
            Node *head;
            void f() { items[0].go(); head->go(); Node n; n.go(); }
        };
        """
    )
    assert world.out("a.cpp::List.f", certain=True) == []
