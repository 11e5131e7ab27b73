"""Rust: what a file says, and which definition a name means."""

import pytest

from bespeak_symbols.native.rust.types import Type, Written, indexed, item_of, read_bounds, read_type, result_of
from support.sources import Sources


def one(text):
    return Sources({"src/lib.rs": text})


def crate(name="it", **manifest):
    tables = "".join(f"\n[{table}]\n{text}\n" for table, text in manifest.items())
    return f'[package]\nname = "{name}"\n{tables}'


def short(callees):
    return [callee.partition("::")[2] for callee in callees]


# What a file says.


def test_kinds_of_symbols():
    world = one(
        """\
//! The crate.
/// Documented.
#[derive(Clone)]
pub struct S<T: Show> { a: T }
struct U(u32);
union W { a: u32 }
enum E { A, B(u32), C { x: u32 } }
trait Tr: Base { const K: u32; type Out; fn f(&self); fn g(&self) { } }
impl<T: Show> S<T> { pub fn new(a: T) -> Self { S { a } } const N: u32 = 1; }
impl Tr for U { type Out = u32; fn f(&self) { fn inner() { } } }
impl Tr for [u8] { fn f(&self) { } }
impl Tr for &E { fn f(&self) { } }
static X: u32 = 1;
const C: u32 = 2;
type Al = S<u32>;
macro_rules! m { () => { } }
mod inside { fn f() { } struct S; impl S { fn new() { } } }
mod outside;
async unsafe fn go<T>(a: T) -> u32 where T: Show { 1 }
extern "C" { fn foreign(a: u32); }
"""
    )
    assert [(symbol.name, symbol.kind) for symbol in world.facts("src/lib.rs").symbols] == [
        ("S", "struct"),
        ("U", "struct"),
        ("W", "struct"),
        ("E", "enum"),
        ("E.A", "constant"),
        ("E.B", "constant"),
        ("E.C", "constant"),
        ("Tr", "trait"),
        ("Tr.K", "constant"),
        ("Tr.Out", "type"),
        ("Tr.f", "method"),
        ("Tr.g", "method"),
        ("S.new", "method"),
        ("S.N", "constant"),
        ("U.Out", "type"),
        ("U.f", "method"),
        ("U.f.inner", "function"),
        ("slice.f", "method"),
        ("E.f", "method"),
        ("X", "variable"),
        ("C", "constant"),
        ("Al", "type"),
        ("m", "macro"),
        ("inside", "module"),
        ("inside.f", "function"),
        ("inside.S", "struct"),
        ("inside.S.new", "method"),
        ("go", "function"),
        ("foreign", "function"),
    ]
    symbol = world.symbol("src/lib.rs::S")
    assert (symbol.first_line, symbol.last_line, bool(symbol.doc)) == (2, 4, True)
    assert world.symbol("src/lib.rs::Tr").bases == ("Base",)
    assert world.symbol("src/lib.rs::go").signature == "async unsafe<T>(a:T)u32 where T:Show"


def test_layout_and_comments_change_no_digest_but_documentation_changes_its_own():
    before = one("/// One.\nfn f() -> u32 { g(1) }").symbol("src/lib.rs::f")
    moved = one("/// One.\nfn f( ) -> u32 {\n    // why\n    g( 1 )\n}").symbol("src/lib.rs::f")
    told = one("/// Two.\nfn f() -> u32 { g(1) }").symbol("src/lib.rs::f")
    assert (before.body, before.signature, before.doc) == (moved.body, moved.signature, moved.doc)
    assert (told.body, told.doc != before.doc) == (before.body, True)
    assert one("fn f() -> u32 { g(2) }").symbol("src/lib.rs::f").body != before.body


def test_imports_are_taken_apart():
    world = one(
        "pub use crate::a::{self, b as c, d::*, e::{f, self as g}};\nuse ::std::io;\nuse super::*;\nextern crate x as y;\n"
        'mod m { use self::n::o; }\n#[path = "z.rs"]\npub mod q;\n'
    )  # fmt: skip
    found = [(one.local, one.module, one.name, one.within, one.exported) for one in world.facts("src/lib.rs").imports]
    assert found == [
        ("a", "crate", "a", "", True),
        ("c", "crate::a", "b", "", True),
        ("*", "crate::a::d", "", "", True),
        ("f", "crate::a::e", "f", "", True),
        ("g", "crate::a", "e", "", True),
        ("io", "std", "io", "", False),
        ("*", "super", "", "", False),
        ("y", "x", "", "", False),
        ("o", "self::n", "o", "m", False),
        ("q", "mod z.rs", "z", "", True),
    ]


def test_what_cannot_be_read_is_said_and_the_rest_is_read():
    world = one("fn f() { g(); }\nfn ( {\nfn g() { }\n")
    assert "f" in world.names("src/lib.rs")
    assert world.facts("src/lib.rs").unread


# Which file is which module.


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/a.rs", "mod a;"),
        ("src/a/mod.rs", "mod a;"),
        ("src/odd.rs", '#[path = "odd.rs"] mod a;'),
        ("src/deep/odd.rs", '#[path = "deep/odd.rs"] mod a;'),
    ],
)
def test_files_of_modules(path, text):
    world = Sources(
        {
            "Cargo.toml": crate(),
            "src/lib.rs": text + " fn f() { a::g(); } fn up() { }",
            path: "pub fn g() { super::up(); crate::up(); }",
        }
    )
    assert world.out("src/lib.rs::f") == [f"{path}::g"]
    assert world.out(f"{path}::g") == ["src/lib.rs::up"]
    assert path in [edge.callee for edge in world.edges("src/lib.rs") if edge.kind == "import"]


def test_modules_in_modules():
    world = Sources(
        {
            "src/lib.rs": "mod a; mod i { pub mod k; pub fn up() { } } fn f() { a::b::g(); i::k::h(); }",
            "src/a.rs": "pub mod b;",
            "src/a/b.rs": "pub fn g() { super::super::f(); }",
            "src/i/k.rs": "pub fn h() { }",
        }
    )
    assert world.out("src/lib.rs::f") == ["src/a/b.rs::g", "src/i/k.rs::h"]
    assert world.out("src/a/b.rs::g") == ["src/lib.rs::f"]


def test_a_module_that_only_the_crate_knows_of_is_found_from_its_root():
    world = Sources(
        {
            "Cargo.toml": crate(),
            "src/lib.rs": "mod i { pub fn up() { } mod k; } ",
            "src/i/k.rs": "pub fn h() { super::up(); crate::i::up(); }",
        }
    )
    assert world.out("src/i/k.rs::h") == ["src/lib.rs::i.up"]


def test_crates_of_a_workspace_and_of_one_package():
    world = Sources(
        {
            "Cargo.toml": '[workspace]\nmembers = ["one", "two"]\n[workspace.dependencies]\none-lib = { path = "one" }\n',
            "one/Cargo.toml": crate("one-lib", lib='path = "source/root.rs"'),
            "one/source/root.rs": "pub fn f() { }",
            "two/Cargo.toml": crate(
                "two", dependencies="one-lib = { workspace = true }\nthree = { path = '../three' }\nfar = '1'"
            ),
            "two/src/lib.rs": "pub fn mine() { one_lib::f(); three::g(); far::f(); }",
            "two/src/main.rs": "use one_lib as o; fn main() { two::mine(); o::f(); }",
            "two/tests/t.rs": "#[test] fn t() { two::mine(); }",
            "three/Cargo.toml": crate("three", lib='name = "three"'),
            "three/src/lib.rs": "pub fn g() { one_lib::f(); }",
            "four/Cargo.toml": "= no toml",
            "four/src/lib.rs": "pub fn h() { crate::h(); one_lib::f(); }",
        }
    )
    assert world.out("two/src/lib.rs::mine") == ["one/source/root.rs::f", "three/src/lib.rs::g"]
    assert world.out("two/src/main.rs::main") == ["one/source/root.rs::f", "two/src/lib.rs::mine"]
    assert world.out("two/tests/t.rs::t") == ["two/src/lib.rs::mine"]
    assert world.out("three/src/lib.rs::g") == []
    assert world.out("four/src/lib.rs::h") == ["four/src/lib.rs::h"]


# What a path means.


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("use crate::a::g; fn f() { g(); }", "a.g"),
        ("use crate::a::g as h; fn f() { h(); }", "a.g"),
        ("use crate::a; fn f() { a::g(); }", "a.g"),
        ("use a::*; fn f() { g(); }", "a.g"),
        ("use a::*; fn g() { } fn f() { g(); }", "g"),
        ("fn f() { use a::g; g(); } fn g() { }", "a.g"),
        ("fn f() { fn g() { } g(); } fn g() { }", "f.g"),
        ("fn f() { self::a::g(); }", "a.g"),
        ("fn f() { again::g(); }", "a.g"),
        ("fn f() { again::renamed(); }", "a.g"),
        ("fn f() { hidden::g(); }", None),
        ("mod x { use super::*; pub fn f() { g(); } } use a::g; fn f() { x::f(); }", "x.f"),
        ("fn f() { let g = a::g; g(); }", "a.g"),
        ("fn f(g: fn()) { g(); }", None),
        ("fn f() { std::mem::g(); }", None),
    ],
)
def test_paths(text, found):
    world = one("mod a { pub fn g() { } } mod again { pub use crate::a::*; pub use super::a::g as renamed; }"
                " mod hidden { use crate::a::*; }" + text)  # fmt: skip
    assert short(world.out("src/lib.rs::f")) == ([found] if found else [])


def test_a_module_and_a_function_of_one_name():
    world = Sources(
        {
            "src/lib.rs": "mod parse; use parse::parse; fn f() { parse(); parse::other(); }",
            "src/parse.rs": "pub fn parse() { } pub fn other() { }",
        }
    )
    assert world.out("src/lib.rs::f") == ["src/parse.rs::other", "src/parse.rs::parse"]


def test_globs_and_aliases_that_go_round_end():
    world = one(
        "use self::a as b; use self::b as a; pub use a::*; mod m { pub use super::n::*; } mod n { pub use super::m::*; }"
        "type X = Y; type Y = X; fn f(x: X) { a(); x.m(); m::g(); b::c(); }"
        "trait A: B { fn q(&self) { self.z(); } } trait B: A { }"
    )
    assert [world.out(f"src/lib.rs::{name}") for name in ("f", "A.q")] == [[], []]


# Methods and functions of types.


def test_functions_of_types():
    world = Sources(
        {
            "src/lib.rs": """\
mod other;
pub struct S;
impl S {
    pub fn new() -> Self { Self::made() }
    fn made() -> S { S }
    fn go(&self) { self.far(); self.new_one(); self.missing(); }
    fn new_one(&self) -> Self { S::new() }
}
type Al = S;
fn f() { Al::new().go(); <S>::made(); self::S::new(); }
""",
            "src/other.rs": "use super::S; impl S { pub fn far(&self) { self.go(); } }",
        }
    )
    assert world.out("src/lib.rs::S.new", certain=True) == ["src/lib.rs::S.made"]
    assert world.out("src/lib.rs::S.go", certain=True) == ["src/lib.rs::S.new_one", "src/other.rs::S.far"]
    assert short(world.out("src/lib.rs::f", certain=True)) == ["S.go", "S.made", "S.new"]
    assert world.out("src/other.rs::S.far", certain=True) == ["src/lib.rs::S.go"]


def test_two_types_of_one_name():
    world = one(
        "mod a { pub struct S; impl S { pub fn f(&self) { } } } mod b { pub struct S; impl S { pub fn f(&self) { } } }"
        "fn one(s: a::S) { s.f(); } fn two(s: &b::S) { s.f(); }"
    )
    assert (short(world.out("src/lib.rs::one")), short(world.out("src/lib.rs::two"))) == (["a.S.f"], ["b.S.f"])


def test_traits_are_certain_only_where_the_type_is_known():
    world = one(
        """\
trait Base { fn base(&self) { } }
trait Tr: Base { fn f(&self); fn d(&self) { self.f(); } }
struct S; struct U;
impl Base for S { }
impl Tr for S { fn f(&self) { } }
impl Tr for U { fn f(&self) { } fn d(&self) { } }
fn known(s: &S, u: U) { s.f(); s.d(); u.d(); s.base(); }
fn object(t: &dyn Tr) { t.f(); }
fn boxed(t: Box<dyn Tr + Send>) { t.d(); }
fn bound<T: Tr>(t: T) { t.base(); }
fn clause<T>(t: &T) where T: Tr { t.f(); }
fn hidden(t: impl Tr) { t.f(); }
fn by_trait(s: S) { Tr::f(&s); <S as Tr>::f(&s); }
"""
    )
    assert short(world.out("src/lib.rs::known", certain=True)) == ["Base.base", "S.f", "Tr.d", "U.d"]
    for name in ("object", "clause", "hidden"):
        assert short(world.out(f"src/lib.rs::{name}")) == ["S.f", "Tr.f", "U.f"]
        assert world.out(f"src/lib.rs::{name}", certain=True) == []
    assert short(world.out("src/lib.rs::boxed")) == ["Tr.d", "U.d"]
    assert short(world.out("src/lib.rs::bound")) == ["Base.base"]
    assert short(world.out("src/lib.rs::Tr.d")) == ["S.f", "Tr.f", "U.f"]
    assert short(world.out("src/lib.rs::by_trait", certain=True)) == ["S.f"]
    assert sorted((edge.caller, edge.callee) for edge in world.edges("src/lib.rs") if edge.kind == "inherit") == [
        ("src/lib.rs::S", "src/lib.rs::Base"),
        ("src/lib.rs::S", "src/lib.rs::Tr"),
        ("src/lib.rs::Tr", "src/lib.rs::Base"),
        ("src/lib.rs::U", "src/lib.rs::Tr"),
    ]


def test_a_trait_of_ours_for_a_type_from_outside_never_hides_what_that_type_has():
    world = one("trait Tr { fn push(&self); fn odd(&self); } impl Tr for Vec<u8> { fn push(&self) { } fn odd(&self) { } }"
                " fn f(v: Vec<u8>) { v.push(1); v.odd(); }")  # fmt: skip
    assert world.out("src/lib.rs::f", certain=True) == []
    assert short(world.out("src/lib.rs::f")) == ["Vec.odd"]


def test_a_trait_for_whatever_has_another():
    world = one(
        "trait Shout { fn shout(&self); } impl<T: AsRef<str>> Shout for T { fn shout(&self) { } } fn f(s: &str) { s.shout(); }"
    )
    assert short(world.out("src/lib.rs::f", certain=False)) == ["T.shout"]


# What is known of values.

PRELUDE = """\
use std::collections::HashMap;
struct S { own: Box<S>, all: Vec<S>, known: HashMap<u32, S>, may: Option<S>, cell: Rc<RefCell<S>>, lock: Mutex<S>, pair: (u32, S) }
#[derive(Default)]
struct D;
struct W<T> { held: T }
struct P(S);
enum E { A(S), B { s: S }, C }
impl S {
    const ONE: S = S::new();
    fn new() -> Self { todo!() }
    fn me(&self) -> &Self { self }
    fn fall(&self) -> Result<S, String> { todo!() }
    fn next(&self) -> Option<&S> { None }
    fn hit(&self) -> u32 { 1 }
    fn clone(&self) -> S { S::new() }
}
impl D { fn hit(&self) { } }
impl<T> W<T> { fn get(&self) -> &T { &self.held } fn iter(&self) -> std::slice::Iter<T> { todo!() } }
impl Deref for P { type Target = S; fn deref(&self) -> &S { &self.0 } }
static STORE: S = S::new();
type Res<T> = Result<T, String>;
fn make() -> S { S::new() }
fn tried() -> Res<S> { todo!() }
fn pair() -> (u32, S) { todo!() }
"""


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("let x: S = make(); x.hit();", "S.hit"),
        ("let x = S::new(); x.hit();", "S.hit"),
        ("let x = make(); x.hit();", "S.hit"),
        ("let x = &mut make(); (*x).hit();", "S.hit"),
        ("make().me().me().hit();", "S.hit"),
        ("s.own.own.hit();", "S.hit"),
        ("s.all[0].hit();", "S.hit"),
        ("s.known[&1].hit();", "S.hit"),
        ("s.known.get(&1).unwrap().hit();", "S.hit"),
        ("for (_, x) in &s.known { x.hit(); }", "S.hit"),
        ("for x in s.all.iter() { x.hit(); }", "S.hit"),
        ("for (at, x) in s.all.iter().enumerate() { x.hit(); }", "S.hit"),
        ("s.all.iter().filter(|x| x.hit() > 1);", "S.hit"),
        ("s.may.as_ref().map(|x| x.hit());", "S.hit"),
        ("s.fall()?.hit();", "S.hit"),
        ("tried().unwrap().hit();", "S.hit"),
        ("if let Some(x) = s.next() { x.hit(); }", "S.hit"),
        ("let Some(x) = s.next() else { return; }; x.hit();", "S.hit"),
        ("while let Some(x) = s.next() { x.hit(); }", "S.hit"),
        ("match s.fall() { Ok(x) => x.hit(), Err(_) => 1 };", "S.hit"),
        ("match e { E::A(x) => x.hit(), E::B { s } => s.hit(), _ => 1 };", "S.hit"),
        ("match e { E::B { s: other } if other.hit() > 1 => 1, _ => 2 };", "S.hit"),
        ("s.cell.borrow_mut().hit();", "S.hit"),
        ("s.lock.lock().unwrap().hit();", "S.hit"),
        ("let (_, x) = pair(); x.hit();", "S.hit"),
        ("s.pair.1.hit();", "S.hit"),
        ("let w = W { held: 1 }; w.get();", "W.get"),
        ("fn g(w: W<S>) { } let w: W<S> = todo!(); w.get().hit();", "S.hit"),
        ("p.hit();", "S.hit"),
        ("P(make()).hit();", "S.hit"),
        ("D::default().hit();", "D.hit"),
        ("S { ..make() }.hit();", "S.hit"),
        ("STORE.hit();", "S.hit"),
        ("S::ONE.hit();", "S.hit"),
        ("let x = Box::new(make()); x.hit();", "S.hit"),
        ("make().clone().hit();", "S.clone"),
        ("let x = Rc::new(make()); x.clone();", None),
        ('println!("{}", s.me().hit());', "S.hit"),
        ("assert!(matches!(s.me().next(), Some(_)));", "S.next"),
        ("vec![make(), s.own.fall()?];", "S.fall"),
        ("async { s.me().hit() }.await;", "S.hit"),
        ("let f = |x: S| x.hit();", "S.hit"),
        ("e.hit();", None),
        ("s.unknown.hit();", None),
        ("outside::make().hit();", None),
    ],
)  # fmt: skip
def test_the_type_of_what_a_method_is_called_on(statement, found):
    world = one(PRELUDE + f"fn f(s: &S, e: E, p: P) {{ {statement} }}")
    certain = short(world.out("src/lib.rs::f", certain=True))
    assert (found in certain) if found else not any(name.endswith((".hit", ".clone")) for name in certain)


def test_the_innermost_declaration_counts():
    world = one(
        """\
struct A; struct B;
impl A { fn a(&self) -> B { B } fn x(&self) { } }
impl B { fn b(&self) { } fn x(&self) { } }
fn again() { let v = A; let v = v.a(); v.x(); }
fn block(v: &A) { { let v = B; v.b(); } v.x(); }
fn other(v: &A) { if let Some(v) = may() { v.x(); } else { v.x(); } }
fn may() -> Option<B> { None }
fn item(v: A) { fn inner() { v.x(); } let g = |v: B| v.x(); }
fn arm(v: A) { match may() { Some(v) => v.x(), None => v.x() } }
"""
    )
    assert short(world.out("src/lib.rs::again", certain=True)) == ["A.a", "B.x"]
    assert short(world.out("src/lib.rs::block", certain=True)) == ["A.x", "B.b"]
    assert short(world.out("src/lib.rs::other", certain=True)) == ["A.x", "B.x", "may"]
    assert short(world.out("src/lib.rs::item", certain=True)) == ["B.x"]
    assert world.out("src/lib.rs::item.inner", certain=True) == []
    assert short(world.out("src/lib.rs::arm", certain=True)) == ["A.x", "B.x", "may"]


def test_a_nested_function_has_no_self():
    world = one("struct S; impl S { fn f(&self) { fn g() { h(); } g(); } fn h(&self) { } } fn h() { }")
    assert short(world.out("src/lib.rs::S.f.g")) == ["h"]
    assert short(world.out("src/lib.rs::S.f")) == ["S.f.g"]


def test_what_is_called_on_something_unknown_is_never_certain():
    world = one("struct S; impl S { fn only(&self) { } fn len(&self) { } } fn f() { lib().only(); lib().len(); }")
    assert world.out("src/lib.rs::f", certain=True) == []
    assert short(world.out("src/lib.rs::f")) == ["S.only"]
    many = "".join(f"struct S{number}; impl S{number} {{ fn only(&self) {{ }} }}" for number in range(9))
    assert one(many + "fn f() { lib().only(); }").out("src/lib.rs::f") == []


def test_structs_and_variants_are_made():
    world = one(
        "struct U(u32); enum E { A(u32), B } fn f() { U(1); E::A(1); } fn g() { let b = E::B; use E::*; A(2); }"
    )
    assert short(world.out("src/lib.rs::f")) == ["E.A", "U"]
    assert short(world.out("src/lib.rs::g")) == ["E.A"]
    assert short(world.out("src/lib.rs::g", "use")) == ["E.B"]


def test_macros():
    world = Sources(
        {
            "src/lib.rs": "#[macro_use] mod m; fn h() { } fn f() { say!(h()); m::other(); } const C: u32 = twice!(2);",
            "src/m.rs": "macro_rules! say { ($x:expr) => { $crate::m::other(); $x } } pub fn other() { }"
            " #[macro_export] macro_rules! twice { () => { say!(1) } }",
        }
    )
    assert world.out("src/lib.rs::f", certain=True) == ["src/m.rs::other", "src/m.rs::say"]
    assert world.out("src/lib.rs::f", "use") == ["src/lib.rs::h"]
    assert world.out("src/m.rs::say", certain=False) == ["src/m.rs::other"]
    assert world.out("src/lib.rs::C") == ["src/m.rs::twice"]
    assert world.out("src/m.rs::twice") == ["src/m.rs::say"]


def test_uses():
    world = one(
        "const N: u32 = 1; struct S; impl S { fn go(&self) { } } trait Tr { } fn g() { }"
        "fn f(s: Vec<S>) -> Box<dyn Tr> { run(g); s.iter().for_each(S::go); let n = N; todo!() }"
    )
    assert short(world.out("src/lib.rs::f", "use")) == ["N", "S", "S.go", "Tr", "g"]
    assert world.out("src/lib.rs::f") == []


# Types.


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("u32", Written("u32")),
        ("&'a mut a::B<C>", Written("a::B", (Written("C"),))),
        ("Vec<Option<Box<S>>>", Written("Vec", (Written("Option", (Written("Box", (Written("S"),)),)),))),
        ("[S; 4]", Written("[]", (Written("S"),))),
        ("&[S]", Written("[]", (Written("S"),))),
        ("(A, B)", Written("()", (Written("A"), Written("B")))),
        ("Box<dyn A + Send + 'a>", Written("Box", (Written("dyn", (Written("A"), Written("Send"))),))),
        ("impl Iterator<Item = S>", Written("dyn", (Written("Iterator", (Written("=Item", (Written("S"),)),)),))),
        ("fn(A) -> B", Written("fn")),
        ("<S as T>::Out", Written("S::Out")),
        ("", Written("")),
        ("<", Written("")),
        ("&" * 200, Written("")),
    ],
)
def test_written_types(text, read):
    assert read_type(text) == read


@pytest.mark.parametrize(("opening", "closing", "name"), [("A<", "", "A"), ("A<", ">", "A"), ("(", ")", "()")])
def test_types_nested_deeper_than_anybody_writes_are_cut(opening, closing, name):
    found, depth = read_type(opening * 90 + "B" + closing * 90), 0
    while found.arguments:
        assert found.name == name
        depth, found = depth + 1, found.arguments[0]
    assert (depth, found) == (13, Written(""))


def test_written_bounds():
    assert read_bounds("A + 'static + ?Sized + b::C<D>") == (
        Written("A"),
        Written("Sized"),
        Written("b::C", (Written("D"),)),
    )


def test_what_the_library_gives_back():
    item = Type("a::S")
    boxed = Type("Box", (Type("Vec", (item,)),))
    assert (item_of(boxed), indexed(boxed)) == (item, item)
    assert item_of(Type("HashMap", (Type("K"), item))) == Type("()", (Type("K"), item))
    assert indexed(Type("HashMap", (Type("K"), item))) == item
    assert result_of(Type("HashMap", (Type("K"), item)), "entry") == Type("Entry", (Type("K"), item))
    assert result_of(Type("Vec", (item,)), "len") is None
    assert result_of(Type("Weak", (item,)), "upgrade") == Type("Option", (Type("Rc", (item,)),))
    assert result_of(Type("Result", (item,)), "ok") == Type("Option", (item,))
    assert result_of(Type("u32"), "clone") == Type("u32")
