"""Go: what a file says, and which definition a name means."""

import pytest

from support.sources import Sources


def one(text, **others):
    return Sources(
        {"a.go": "package a\n" + text} | {path.replace("_go", ".go"): other for path, other in others.items()}
    )


# What a file says.


def test_kinds_of_symbols():
    world = one(
        """\
const A, B = 1, 2
var x, y = 1, 2
type S struct { n int }
type I interface { M(int) string }
type N []int
type L = S
func F() {}
func (s *S) P() {}
func (S) V() {}
func (l *G[T]) Push(t T) {}
func init() {}
func init() {}
"""
    )
    assert world.facts("a.go").package == "a"
    assert [(symbol.name, symbol.kind) for symbol in world.facts("a.go").symbols] == [
        ("A", "constant"),
        ("B", "constant"),
        ("x", "variable"),
        ("y", "variable"),
        ("S", "struct"),
        ("I", "interface"),
        ("I.M", "method"),
        ("N", "type"),
        ("L", "type"),
        ("F", "function"),
        ("S.P", "method"),
        ("S.V", "method"),
        ("G.Push", "method"),
        ("init", "function"),
        ("init", "function"),
    ]


def test_signatures_bases_and_comments():
    world = one(
        "// T is one.\n// It is.\ntype T struct {\n\t*Base\n\tpkg.Other\n\tn int\n}\n\n// F does.\nfunc (t *T) F(a, b int) (n int, err error) { return }\n"
    )
    assert world.symbol("a.go::T").bases == ("Base", "pkg.Other")
    assert (world.symbol("a.go::T").first_line, world.symbol("a.go::T").last_line) == (2, 8)
    assert world.symbol("a.go::T.F").signature == "func(t*T)(a, b int)(n int, err error)"
    assert world.symbol("a.go::T.F").doc
    assert (
        one("func f() {\n\tg() // so\n}\n").symbol("a.go::f").body == one("func f() { g() }\n").symbol("a.go::f").body
    )


# Packages.


def module(**files):
    return Sources({"go.mod": "module example.org/m\n"} | files)


def test_a_package_is_a_folder():
    world = module(
        **{
            "a.go": "package m\nfunc F() { g() }\n",
            "b.go": "package m\nfunc g() {}\n",
            "sub/c.go": "package m\nfunc g() {}\n",
        }
    )
    assert world.out("a.go::F", certain=True) == ["b.go::g"]


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ('import "example.org/m/lib/store"', "store.New()"),
        ('import st "example.org/m/lib/store"', "st.New()"),
        ('import . "example.org/m/lib/store"', "New()"),
        ('import "example.org/m/lib/go-other"', "other.New()"),
    ],
)
def test_ways_to_import(line, call):
    path = "lib/go-other/x.go" if "other" in line else "lib/store/x.go"
    world = module(
        **{
            path: f"package {'other' if 'other' in line else 'store'}\nfunc New() int {{ return 1 }}\n",
            "a.go": f"package main\n{line}\nfunc main() {{ {call} }}\n",
        }
    )
    assert world.out("a.go::main", certain=True) == [f"{path}::New"]
    assert world.out("a.go", "import") == [path]


def test_what_is_not_exported_or_for_its_effects_only_is_not_reached():
    world = module(
        **{
            "lib/x.go": "package lib\nfunc New() {}\nfunc own() {}\n",
            "a.go": 'package main\nimport _ "example.org/m/lib"\nfunc main() { lib.New() }\n',
            "b.go": 'package main\nimport "example.org/m/lib"\nfunc b() { lib.own() }\n',
        }
    )
    assert world.out("a.go::main", certain=True) == []
    assert world.out("b.go::b") == []


def test_replaced_vendored_and_workspace_modules():
    world = Sources(
        {
            "go.work": "go 1.22\nuse (\n\t./app\n\t./tool\n)\n",
            "app/go.mod": "module example.org/app\nreplace (\n\texample.org/lib v1.2.0 => ../lib\n)\n",
            "app/vendor/example.com/out/o.go": "package out\nfunc O() {}\n",
            "app/a.go": 'package main\nimport (\n"example.org/lib/x"\n"example.com/out"\n"example.org/tool"\n"example.net/far"\n)\n'
            "func main() { x.X(); out.O(); tool.T(); far.F() }\n",
            "lib/go.mod": "module example.org/lib\n",
            "lib/x/x.go": "package x\nfunc X() {}\n",
            "tool/go.mod": "module example.org/tool\n",
            "tool/t.go": "package tool\nfunc T() {}\n",
        }
    )
    assert world.out("app/a.go::main") == ["app/vendor/example.com/out/o.go::O", "lib/x/x.go::X", "tool/t.go::T"]


def test_tests_see_tests_and_others_do_not():
    world = module(
        **{
            "a.go": "package m\nfunc F() { helper() }\n",
            "a_test.go": "package m\nfunc helper() {}\nfunc TestF() { helper(); F() }\n",
            "b_test.go": 'package m_test\nimport "example.org/m"\nfunc helper() {}\nfunc TestG() { helper(); m.F() }\n',
        }
    )
    assert world.out("a.go::F") == []
    assert world.out("a_test.go::TestF", certain=True) == ["a.go::F", "a_test.go::helper"]
    assert world.out("b_test.go::TestG", certain=True) == ["a.go::F", "b_test.go::helper"]


def test_build_tags_choose_among_files():
    world = module(
        **{
            "a.go": "package m\nfunc F() { now() }\n",
            "x_linux.go": "package m\nfunc now() {}\n",
            "x_windows.go": "package m\nfunc now() {}\n",
        }
    )
    assert world.out("a.go::F", certain=True) == []
    assert world.out("a.go::F") == ["x_linux.go::now", "x_windows.go::now"]


# Types and values.

ROWS = """\
type Row struct { next *Row; rows []Row; by map[string]*Row; ch chan *Row; make func() *Row }
func (r *Row) Go() {}
func (r *Row) Next() *Row { return r.next }
func (r *Row) Both() (*Row, error) { return r, nil }
type Other struct{}
func (Other) Go() {}
type Rows []*Row
type Maker func() *Row
type Alias = Row
type Under Row
func New() *Row { return nil }
func Pair() (int, *Row) { return 0, nil }
var global = New()
var typed *Row
"""


@pytest.mark.parametrize(
    "line",
    [
        "r := New(); r.Go()",
        "r := &Row{}; r.Go()",
        "r := new(Row); r.Go()",
        "var r Row; r.Go()",
        "var r = New(); r.Go()",
        "_, r := Pair(); r.Go()",
        "r, err := New().Both(); _ = err; r.Go()",
        "New().Next().Next().Go()",
        "New().next.next.Go()",
        "New().rows[0].Go()",
        'New().by["a"].Go()',
        "(<-New().ch).Go()",
        "for r := New(); ; { r.Go() }",
        "for _, r := range New().rows { r.Go() }",
        "for _, r := range New().by { r.Go() }",
        "if r := New(); r != nil { r.Go() }",
        "r := any(1).(*Row); r.Go()",
        "if r, ok := any(1).(*Row); ok { r.Go() }",
        "switch r := any(1).(type) { case *Row: r.Go() }",
        "select { case r := <-New().ch: r.Go() }",
        "rs := []Row{{}}; rs[0].Go()",
        "rs := make(map[int]*Row); rs[0].Go()",
        "var rs Rows; rs[0].Go()",
        "for _, r := range (Rows{}) { r.Go() }",
        "r := New().make(); r.Go()",
        "var m Maker; m().Go()",
        "var r Alias; r.Go()",
        "global.Go()",
        "typed.Go()",
        "(*Row).Go(nil)",
        "defer New().Go()",
        "go func(r *Row) { r.Go() }(nil)",
        "f := func() *Row { return nil }; f().Go()",
        "r := New(); r, n := New(), 1; _ = n; r.Go()",
        "var r Under; r.next.Go()",
    ],
)
def test_the_type_of_a_value_is_known(line):
    world = one(ROWS + f"func f() {{ {line} }}\n")
    assert "a.go::Row.Go" in world.out("a.go::f", certain=True)
    assert "a.go::Other.Go" not in world.out("a.go::f")


@pytest.mark.parametrize(
    "line",
    [
        "func f(r any) { r.Go() }",
        "func f[T any](r T) { r.Go() }",
        "func f(r out.Row) { r.Go() }",
        "func f() { r := out.New(); r.Go() }",
        "func f() { var r Under; r.Go() }",
        "func f() { r, ok := unknown(); _ = ok; r.Go() }",
        "func f() { type Row struct{}; var r Row; r.Go() }",
        "func f() { Go := func() {}; Go() }",
        "func f() { g := New().Go; g() }",
    ],
)
def test_what_is_not_known_is_never_certain(line):
    world = one('import "example.net/out"\n' + ROWS + line + "\n")
    assert [each for each in world.out("a.go::f", certain=True) if each.endswith("Go")] == []


def test_embedded_methods_the_nearest_first():
    world = one(
        """\
type Base struct{}
func (*Base) Log() {}
func (*Base) Len() int { return 0 }
type Mid struct { *Base }
func (Mid) Len() int { return 1 }
type Top struct { Mid; n int }
type Left struct{}
func (Left) Hit() {}
type Right struct{}
func (Right) Hit() {}
type Both struct { Left; Right }
func f(t Top, b Both) { t.Log(); t.Len(); t.Base.Len(); b.Hit() }
"""
    )
    assert world.out("a.go::f", certain=True) == ["a.go::Base.Len", "a.go::Base.Log", "a.go::Mid.Len"]
    assert world.out("a.go::Top", "inherit") == ["a.go::Mid"]


def test_a_call_through_an_interface():
    world = module(
        **{
            "shape/s.go": "package shape\ntype Named interface { Name() string }\ntype Shape interface { Named; Area() int }\n",
            "a.go": """\
                package main
                import "example.org/m/shape"
                type Square struct{}
                func (Square) Name() string { return "" }
                func (Square) Area() int { return 0 }
                type Label struct{}
                func (Label) Name() string { return "" }
                type Wide struct { *Square }
                func (Wide) Area() int { return 1 }
                func f(s shape.Shape) { s.Area(); s.Name() }
                func g(n shape.Named) { n.Name() }
                """,
        }
    )
    assert world.out("a.go::f", certain=True) == ["shape/s.go::Named.Name", "shape/s.go::Shape.Area"]
    assert world.out("a.go::f", certain=False) == [
        "a.go::Label.Name",
        "a.go::Square.Area",
        "a.go::Square.Name",
        "a.go::Wide.Area",
    ]
    assert world.out("a.go::g", certain=False) == ["a.go::Label.Name", "a.go::Square.Name"]


def test_generic_functions_and_types():
    world = one(
        """\
type Valued interface { Value() int }
type List[T any] struct { items []T }
func (l *List[T]) Push(t T) { l.items = append(l.items, t) }
func Of[T any]() *List[T] { return &List[T]{} }
func Map[T, U any](l *List[T]) *List[U] { return Of[U]() }
func Sum[V Valued](v V) int { return v.Value() }
func f() { l := Of[int](); l.Push(1); Map[int, string](l).Push("") }
"""
    )
    assert world.out("a.go::f", certain=True) == ["a.go::List.Push", "a.go::Map", "a.go::Of"]
    assert world.out("a.go::Sum", certain=True) == ["a.go::Valued.Value"]
    assert world.out("a.go::Map", certain=True) == ["a.go::Of"]


def test_function_values_are_uses_and_calls_of_them_not_certain():
    world = one(
        """\
func double(n int) int { return n }
var chosen = double
type S struct { f func(int) int }
func apply(f func(int) int) int { return f(1) }
func g(s S) { apply(double); chosen(1); s.f(2); S{f: double}.f(3); local := double; local(4) }
"""
    )
    assert world.out("a.go::apply") == []
    assert world.out("a.go::g", certain=True) == ["a.go::apply"]
    assert world.out("a.go::g") == ["a.go::apply", "a.go::double"]
    assert world.out("a.go::g", "use") == ["a.go::S", "a.go::chosen", "a.go::double"]
    assert world.out("a.go", "use") == ["a.go::double"]


def test_names_of_blocks_hide_functions_and_packages():
    world = module(
        **{
            "lib/x.go": "package lib\ntype T struct{}\nfunc (T) New() {}\nfunc New() T { return T{} }\n",
            "a.go": """\
                package main
                import "example.org/m/lib"
                func size() int { return 1 }
                func before() { lib := lib.New(); lib.New() }
                func parameter(lib int, size func() int) { lib.New(); size() }
                func inside() { if size := 1; size > 0 { }; { size := func() int { return 2 }; size() } }
                func after() { { size := 1; _ = size }; size() }
                func label() { size: for { break size } }
                """,
        }
    )
    assert world.out("a.go::before", certain=True) == ["lib/x.go::New", "lib/x.go::T.New"]
    assert world.out("a.go::parameter") == []
    assert world.out("a.go::inside") == []
    assert world.out("a.go::after", certain=True) == ["a.go::size"]
    assert world.out("a.go::label", "use") == []


def test_a_function_of_the_package_hides_a_builtin():
    world = one('func len(s string) int { return 1 }\nfunc f() { len(""); cap(nil) }\n')
    assert world.out("a.go::f", certain=True) == ["a.go::len"]


def test_conversions_and_literals_are_uses_and_keys_are_fields():
    world = one("type ID int\ntype T struct { Name ID }\nfunc Name() {}\nfunc f() { _ = T{Name: ID(3)} }\n")
    assert world.out("a.go::f") == []
    assert world.out("a.go::f", "use") == ["a.go::ID", "a.go::T"]


def test_closures_belong_to_the_function_they_are_in():
    world = one(
        "func g() {}\nfunc f() func() { return func() { defer func() { g() }() } }\nvar v = func() int { g(); return 1 }()\n"
    )
    assert world.out("a.go::f", certain=True) == ["a.go::g"]
    assert world.out("a.go", certain=True) == ["a.go::g"]


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\0" * 1000,
        bytes(range(256)) * 40,
        b"package a\nfunc f() { g(\xff) } /* never ends",
        b"(" * 60_000,
        b"package a\nfunc f() {" * 20_000,
        b"package a\nfunc f() { x := " + b"(" * 20_000 + b"1" + b")" * 20_000 + b" }",
        b"package a\nfunc f() { " + b"a." * 15_000 + b"b() }",
        b"package a\nfunc f() { " + b"g(" * 15_000 + b")" * 15_000 + b" }",
        b"package a\nvar x " + b"[]" * 20_000 + b"int",
        b"package a\nvar x " + b"*" * 20_000 + b"int",
        b"package a\nfunc f() { a := b; b := a; a, b = b, a; a.x(); x := x.y() }",
        b"package a\ntype A B\ntype B A\ntype C struct { D }\ntype D struct { C }\nfunc f(a A, c C) { a.x(); c.x(); a[0].y() }",
        b"`" * 30_001,
    ],
    ids=lambda source: repr(source[:20]),
)
def test_any_bytes_are_taken(source):
    world = Sources({"a.go": source})
    facts = world.facts("a.go")
    assert facts.symbols or facts.unread or not source.strip(b"\0\n")
    assert {edge.caller.partition("::")[0] for edge in world.edges("a.go")} <= {"a.go"}


def test_what_cannot_be_read_is_told_and_the_rest_is_read():
    world = Sources({"a.go": "package a\nfunc before() {}\nfunc broken( { ]]\n\nfunc after() { before() }\n"})
    assert world.facts("a.go").unread[0][0] == 3
    assert "before" in world.names("a.go")
