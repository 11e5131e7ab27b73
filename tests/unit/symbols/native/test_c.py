"""C: what a file says, and which definition a name means."""

import pytest

from support.sources import Sources


def one(text, path="a.c"):
    return Sources({path: text})


# What a file says.


def test_kinds_of_symbols():
    world = one(
        """\
        #define LIMIT 3
        #define TWICE(x) ((x) * 2)
        typedef struct { int x; } point_t;
        struct node { struct node *next; };
        union any { int i; float f; };
        enum color { RED, GREEN = 2 };
        typedef int (*handler)(int);
        static int count = 1, *where;
        extern int elsewhere;
        int proto(int);
        int work(void) { return 0; }
        """
    )
    assert [(symbol.name, symbol.kind) for symbol in world.facts("a.c").symbols] == [
        ("LIMIT", "macro"),
        ("TWICE", "macro"),
        ("point_t", "struct"),
        ("node", "struct"),
        ("any", "struct"),
        ("color", "enum"),
        ("RED", "constant"),
        ("GREEN", "constant"),
        ("handler", "type"),
        ("count", "variable"),
        ("where", "variable"),
        ("proto", "function"),
        ("work", "function"),
    ]


def test_declarations_with_pointers_and_brackets_are_told_from_variables():
    world = one(
        """\
        int *made(void);
        int (*held)(int);
        int (*table[2])(int);
        int (plain)(int n) { return n; }
        char *(*chosen(int n))(void);
        """
    )
    assert world.names("a.c", "function") == ["made", "plain", "chosen"]
    assert world.names("a.c", "variable") == ["held", "table"]


def test_a_declaration_is_left_out_where_the_body_is():
    world = one("static int f(int);\nint g(int n) { return f(n); }\nstatic int f(int n) { return n; }\n")
    assert world.names("a.c") == ["g", "f"]
    assert world.symbol("a.c::f").first_line == 3


def test_signature_leaves_out_name_and_layout_and_body_digest_leaves_out_comments():
    first = one("static  int\nf (int a,\n   char *b)  { return a; }\n").symbol("a.c::f")
    second = one("static int g(int a, char *b) {\n  /* why */ return a; // so\n}\n").symbol("a.c::g")
    assert first.signature == second.signature == "static int(int a, char*b)"
    assert first.body == second.body
    assert one("static int f(int a) { return a + 1; }").symbol("a.c::f").body != first.body


def test_own_digest_ignores_its_own_name():
    first = one("int f(int n) { return n ? f(n - 1) : 0; }").symbol("a.c::f")
    second = one("int g(int n) { return n ? g(n - 1) : 0; }").symbol("a.c::g")
    assert first.own == second.own
    assert first.body != second.body


def test_a_comment_right_above_belongs_to_a_symbol():
    world = one("int a; // of a\n\n// far\n\n/* near\n * by */\n// both\nint f(void) { return 0; }\n")
    symbol = world.symbol("a.c::f")
    assert (symbol.first_line, symbol.last_line) == (5, 8)
    assert symbol.doc
    assert one("int f(void) { return 0; }").symbol("a.c::f").doc == ""


def test_definitions_before_iso_c():
    world = one(
        """\
        int sum(a, b)
            int a;
            char *b;
        { return leaf(a); }
        static char *
        skip(text)
            register char *text;
        { return leaf(text) ? text : 0; }
        int leaf(n) { return n; }
        """
    )
    assert world.out("a.c::sum", certain=True) == ["a.c::leaf"]
    assert world.out("a.c::skip", certain=True) == ["a.c::leaf"]


def test_a_brace_lost_to_the_preprocessor_nests_no_function():
    world = one(
        """\
        int f(int n) {
        #ifdef A
            if (n) {
        #else
            if (!n) {
        #endif
                n++;
            }
            return n;
        }
        int g(void) { return f(1); }
        """
    )
    assert "g" in world.names("a.c", "function")
    assert [name for name in world.names("a.c") if "." in name] == []


# Calls.


def test_two_static_functions_of_one_name():
    world = Sources(
        {
            "a.c": "static int check(void) { return 1; }\nint a(void) { return check(); }\n",
            "b.c": "static int check(void) { return 2; }\nint b(void) { return check(); }\n",
            "c.c": "int c(void) { return check(); }\n",
        }
    )
    assert world.out("a.c::a", certain=True) == ["a.c::check"]
    assert world.out("b.c::b", certain=True) == ["b.c::check"]
    assert world.out("c.c::c") == []


def test_a_call_goes_to_the_body_behind_the_header():
    world = Sources(
        {
            "lib/store.h": "int put(int n);\nint only_declared(void);\n",
            "lib/store.c": '#include "store.h"\nint put(int n) { return n; }\n',
            "main.c": '#include "lib/store.h"\nint main(void) { return put(1) + only_declared(); }\n',
        }
    )
    assert world.out("main.c::main", certain=True) == ["lib/store.c::put", "lib/store.h::only_declared"]
    assert world.out("lib/store.c::put", "use") == ["lib/store.h::put"]
    assert world.out("main.c", "import") == ["lib/store.h"]


def test_two_bodies_that_could_be_linked_are_not_certain():
    world = Sources(
        {
            "clock.h": "int now(void);\n",
            "posix.c": '#include "clock.h"\nint now(void) { return 1; }\n',
            "windows.c": '#include "clock.h"\nint now(void) { return 2; }\n',
            "main.c": '#include "clock.h"\nint main(void) { return now(); }\n',
        }
    )
    assert world.out("main.c::main", certain=True) == []
    assert world.out("main.c::main") == ["posix.c::now", "windows.c::now"]


def test_the_body_that_sees_the_same_header_is_meant():
    world = Sources(
        {
            "a/util.h": "int size(int n);\n",
            "a/util.c": '#include "util.h"\nint size(int n) { return n; }\n',
            "a/main.c": '#include "util.h"\nint main(void) { return size(1); }\n',
            "b/util.h": "int size(int n);\n",
            "b/util.c": '#include "util.h"\nint size(int n) { return -n; }\n',
        }
    )
    assert world.out("a/main.c::main", certain=True) == ["a/util.c::size"]


def test_what_nothing_declares_is_only_likely():
    world = Sources({"a.c": "int f(void) { return g(); }\n", "b.c": "int g(void) { return 1; }\n"})
    assert world.out("a.c::f", certain=True) == []
    assert world.out("a.c::f") == ["b.c::g"]


def test_static_inline_functions_and_macros_of_a_header():
    world = Sources(
        {
            "u.h": "#ifndef U_H\n#define U_H\n#define LOG(x) put(x, 1)\nstatic inline int clip(int n) { return n; }\n#endif\n",
            "m.h": '#pragma once\n#include "u.h"\n',
            "a.c": '#include "m.h"\nstatic void put(int a, int b) {}\nint f(void) { LOG(clip(1)); return 0; }\n',
        }
    )
    assert world.out("a.c::f", certain=True) == ["u.h::LOG", "u.h::clip"]


def test_a_macro_calls_what_its_text_calls_but_not_its_parameters():
    world = one("void put(int n) {}\n#define DO(put_it, n) do { put_it(n); put(n); /* x(1) */ } while (0)\n")
    assert world.out("a.c::DO") == ["a.c::put"]


def test_a_macro_that_is_another_name_for_a_function():
    world = one("void pool_put(void *p) {}\n#define drop pool_put\nvoid f(void) { drop(0); }\n")
    assert world.out("a.c::f", certain=True) == ["a.c::drop", "a.c::pool_put"]


def test_a_macro_on_one_side_of_a_condition_is_not_certain():
    world = one(
        """\
        static int my_open(const char *path) { return 0; }
        #ifdef _WIN32
        #define open(path) my_open(path)
        #endif
        #ifdef TRACE
        #define STEP(x) trace(x)
        #else
        #define STEP(x)
        #endif
        #ifndef MIN
        #define MIN(a, b) ((a) < (b) ? (a) : (b))
        #endif
        int f(void) { STEP(1); return MIN(open("x"), 2); }
        """
    )
    assert world.out("a.c::f", certain=True) == ["a.c::MIN", "a.c::STEP"]
    assert "a.c::open" in world.out("a.c::f")


def test_one_name_on_both_sides_of_a_condition_is_one_address():
    world = one(
        "#ifdef A\nstatic int f(void) { return 1; }\n#else\nstatic int f(void) { return 2; }\n#endif\nint g(void) { return f(); }\n"
    )
    assert world.out("a.c::g", certain=True) == ["a.c::f"]


def test_what_is_called_through_a_pointer_is_never_certain_and_an_address_taken_is_a_use():
    world = one(
        """\
        struct ops { int (*open)(int); };
        static int open(int n) { return n; }
        static struct ops ops = { .open = open };
        static int by_member(struct ops *o) { return o->open(1) + ops.open(2) + (*o).open(3); }
        static int by_local(void) { int (*call)(int) = open; return call(4) + (*call)(5); }
        static int by_parameter(int (*open)(int)) { return open(6); }
        static int main_(void) { return by_parameter(open) + by_parameter(&open); }
        """
    )
    assert world.out("a.c", "use") == ["a.c::open", "a.c::ops"]
    assert world.out("a.c::by_member") == []
    assert world.out("a.c::by_local", certain=True) == []
    assert world.out("a.c::by_local") == ["a.c::open"]
    assert world.out("a.c::by_parameter") == []
    assert world.out("a.c::main_", "use") == ["a.c::open"]


def test_local_names_hide_functions_only_in_their_block():
    world = one(
        """\
        static int size(int n) { return n; }
        static int f(int n) {
            for (int size = 0; size < n; size++) n--;
            { int (*size)(int) = 0; size(1); }
            return n;
        }
        static int g(int n) { { int size = n; n = size; } return size(n); }
        static int h(int size) { return size; }
        """
    )
    assert world.out("a.c::f") == []
    assert world.out("a.c::g", certain=True) == ["a.c::size"]
    assert world.out("a.c::h", "use") == []


def test_a_type_and_a_variable_may_share_a_name():
    world = one("struct node { int n; };\nint f(struct node *node) { return sizeof(struct node) + node->n; }\n")
    assert world.out("a.c::f", "use") == ["a.c::node"]


def test_types_constants_and_variables_are_used():
    world = Sources(
        {
            "t.h": "typedef struct item item_t;\nenum { LIMIT = 3 };\nextern int total;\n",
            "t.c": '#include "t.h"\nint total = LIMIT;\nstruct item { int n; };\n',
            "a.c": '#include "t.h"\nint f(item_t *item) { total += LIMIT; return (item_t *)item != 0; }\n',
        }
    )
    assert world.out("a.c::f", "use") == ["t.c::total", "t.h::LIMIT", "t.h::item_t"]


def test_a_cast_is_a_use():
    world = one("typedef unsigned long word;\nword f(int n) { return (word)(n); }\n")
    assert world.out("a.c::f") == []
    assert world.out("a.c::f", "use") == ["a.c::word"]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ('"near.h"', "src/net/near.h"),
        ('"../top.h"', "src/top.h"),
        ('"top.h"', "src/top.h"),
        ("<net/public.h>", "include/net/public.h"),
        ('"deep/only.h"', "third/party/deep/only.h"),
        ('"twice.h"', None),
        ("<string.h>", None),
        ('"/etc/passwd"', None),
        ('"missing.h"', None),
    ],
)
def test_where_an_include_leads(written, found):
    headers = ["src/net/near.h", "src/top.h", "include/net/public.h", "third/party/deep/only.h"]
    headers += ["x/one/twice.h", "x/two/twice.h", "compat/string.h"]
    world = Sources(dict.fromkeys(headers, "") | {"src/net/a.c": f"#include {written}\n"})
    assert world.out("src/net/a.c", "import") == ([found] if found else [])


def test_includes_that_go_round_end():
    world = Sources(
        {
            "a.h": '#include "b.h"\nint f(void);\n',
            "b.h": '#include "a.h"\n',
            "a.c": '#include "b.h"\nint f(void) { return f(); }\n',
        }
    )
    assert world.out("a.c::f", certain=True) == ["a.c::f"]


def test_a_header_is_c_or_cpp_by_what_is_in_it():
    files = {
        "plain.h": "int f(void);\n",
        "both.h": '#ifdef __cplusplus\nextern "C" {\nnamespace x {}\n#endif\nint g(void);\n#ifdef __cplusplus\n}\n#endif\n',
        "words.h": "/* a class of things, std::string */\nstruct class_t { int n; };\n",
        "plus.h": "class Shape { public: int n; };\n",
        "space.h": "namespace a { int f(); }\n",
    }
    world = Sources(files)
    assert {path: world.facts(path).language for path in files} == {
        "plain.h": "c",
        "both.h": "c",
        "words.h": "c",
        "plus.h": "cpp",
        "space.h": "cpp",
    }
    assert world.names("both.h") == ["g"]
    assert world.facts("both.h").unread == ()


# Any bytes.


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\0" * 1000,
        bytes(range(256)) * 40,
        b"int f(void) { return \xff\xfe; } /* never ends",
        b"(" * 60_000,
        b"{" * 60_000,
        b"int f(void) { return " + b"(" * 20_000 + b"1" + b")" * 20_000 + b"; }",
        b"int f(void) { " + b"a." * 15_000 + b"b(); }",
        b"int f(void) { " + b"g(" * 15_000 + b")" * 15_000 + b"; }",
        b"struct a { " * 20_000,
        b"#if A\n" * 20_000,
        b'"' * 30_001,
        b"/*" * 30_000,
        b"int " + b"*" * 20_000 + b"p;",
        b"#define A(" + b"x," * 20_000,
    ],
    ids=lambda source: repr(source[:12]),
)
def test_any_bytes_are_taken(source):
    for path in ("a.c", "a.cpp", "a.h"):
        world = Sources({path: source})
        facts = world.facts(path)
        assert facts.symbols or facts.unread or not source.strip(b"\0\n")
        assert {edge.caller.partition("::")[0] for edge in world.edges(path)} <= {path}


def test_what_cannot_be_read_is_told_and_the_rest_is_read():
    world = one("int before(void) { return 0; }\nint broken( { ;;; ] \n\nint after(void) { return before(); }\n")
    assert world.facts("a.c").unread
    assert "before" in world.names("a.c")


@pytest.mark.parametrize("path", ["a.c", "a.cpp", "a.h", "a.go"])
def test_brackets_nested_deeper_than_anybody_writes_are_told_not_parsed(path):
    facts = Sources({path: b"int f() { return " + b"(" * 1200 + b"1" + b")" * 1200 + b"; }"}).facts(path)
    assert facts.symbols == ()
    assert facts.unread == ((1, "brackets nested more than 1,000 deep"),)


def test_many_names_of_one_declaration_each_have_their_own_place():
    world = one("int a = 1,\n    *b,\n    c[3];\n")
    assert [(each.name, each.first_line, each.last_line) for each in world.facts("a.c").symbols] == [
        ("a", 1, 1),
        ("b", 2, 2),
        ("c", 3, 3),
    ]
    assert [each.signature for each in world.facts("a.c").symbols] == ["int=", "int*", "int[3]"]
    assert len(one("int " + ", ".join(f"x{number}" for number in range(20_000)) + ";").names("a.c")) == 20_000


def test_a_type_that_is_declared_in_sight_is_the_one_that_one_file_defines():
    files = {
        "a.h": "struct store;\ntypedef struct list list_t;\nstruct store *make(void);\n",
        "a.c": '#include "a.h"\nstruct store { int x; };\nstruct list { int y; };\n',
        "b.c": '#include "a.h"\nvoid use(void)\n{\n\tstruct store *s = make();\n\tlist_t *l;\n}\n',
        "c.c": "void other(void)\n{\n\tstore *s;\n}\n",
    }
    assert Sources(files).out("b.c::use", "use", certain=True) == ["a.c::store", "a.h::list_t"]
    assert Sources(files).out("a.h", "use") == ["a.c::list", "a.c::store"]
    assert Sources(files).out("c.c::other", "use") == []
    twice = files | {"d.c": "struct store { int z; };\n"}
    assert Sources(twice).out("b.c::use", "use") == ["a.h::list_t"]


def test_a_macro_where_a_semicolon_is_missing_is_called():
    world = one("#define LIST(X) X(1)\nint f(void) {\n#define X(n) n;\n\tLIST(X)\n#undef X\n\treturn 0;\n}\n")
    assert "a.c::LIST" in world.out("a.c::f")
