"""JavaScript and TypeScript: what a file says, and which definition a name means."""

import sys

import json5
import pytest

from bespeak_symbols.errors import GrammarsMissingError
from bespeak_symbols.native.javascript import imports
from support.sources import Sources

MORE = "export const more = 1;\n"


def js(text, **others):
    return Sources({"a.js": text} | {name.replace("_", ".", 1): other for name, other in others.items()})


def ts(text, **others):
    return Sources({"a.ts": text} | {name.replace("_", ".", 1): other for name, other in others.items()})


def hows(world, caller, kind="call"):
    path = caller.partition("::")[0]
    return {
        edge.callee: (edge.how, edge.certain)
        for edge in world.edges(path)
        if edge.caller == caller and edge.kind == kind
    }


# What a file says.


def test_functions_classes_objects_and_variables_are_symbols():
    world = js(
        """\
        export const limit = 3;
        let count = 0;
        function plain() {
          function inner() {}
          const arrow = () => 1;
          const local = 2;
        }
        const arrow = async (x) => x;
        const api = { get() {}, post: function () {}, put: () => {}, deep: { down() {} }, 'a b'() {}, "quoted"() {} };
        class Store { #secret() {} static open() {} get size() { return 1; } field = 1; run = () => {}; [Symbol.iterator]() {} }
        const Named = class extends Store {};
        """
    )
    assert world.names("a.js") == [
        "limit", "count", "plain", "plain.inner", "plain.arrow", "arrow",
        "api", "api.get", "api.post", "api.put", "api.deep.down", "api.quoted",
        "Store", "Store.#secret", "Store.open", "Store.size", "Store.field", "Store.run", "Store.@@iterator", "Named",
    ]  # fmt: skip
    kinds = {symbol.name: symbol.kind for symbol in world.facts("a.js").symbols}
    assert kinds["limit"] == "constant"
    assert kinds["count"] == "variable"
    assert kinds["arrow"] == "function"
    assert kinds["api"] == "constant"
    assert kinds["Store.run"] == "method"
    assert kinds["Store.field"] == "variable"
    assert kinds["Named"] == "class"


def test_older_forms_are_symbols():
    world = js(
        """\
        function Queue() { this.size = function () {}; }
        Queue.prototype.push = function () {};
        Queue.create = () => new Queue();
        exports.make = function () {};
        module.exports.other = () => {};
        (function () { function hidden() {} })();
        """
    )
    assert world.names("a.js") == [
        "Queue", "Queue.size", "Queue.push", "Queue.create", "exports.make", "exports.other", "hidden",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("export default function () {}", "default"),
        ("export default () => 1;", "default"),
        ("export default class {}", "default"),
        ("export default class Named {}", "Named"),
        ("export default { run() {} };", "default.run"),
        ("export default define({});", "default"),
        ("module.exports = function () {};", "exports"),
        ("module.exports = function named() {};", "named"),
        ("module.exports = exports = class Big {};", "Big"),
        ("module.exports = { run() {} };", "exports.run"),
    ],
)
def test_what_a_module_gives_as_a_whole_has_a_name(text, name):
    world = js(
        text,
        b_js="import it from './a.js';\nexport function use() { it(); it.run(); new it(); }\n",
        c_js="const it = require('./a');\nfunction use() { it(); it.run(); new it(); }\n",
    )
    assert name in world.names("a.js")
    assert f"a.js::{name}" in world.out("b.js::use", certain=True)
    if "module" in text:
        assert f"a.js::{name}" in world.out("c.js::use", certain=True)


def test_declarations_of_typescript_are_symbols():
    world = ts(
        """\
        export interface Store<T> extends Base { save(item: T): void; readonly name: string; onSave?: () => void }
        type Pair = { left(): void };
        enum Level { Low, High }
        namespace Outer.Inner { export function deep() {} }
        abstract class Shape { abstract area(): number; constructor(private side: number, plain: string) {} }
        declare function outside(): void;
        declare module "other" { export function given(): void }
        function over(a: string): void;
        function over(a: number): void;
        function over(a: any) {}
        """
    )
    kinds = {symbol.name: symbol.kind for symbol in world.facts("a.ts").symbols}
    assert kinds == {
        "Store": "interface", "Store.save": "method", "Store.name": "variable", "Store.onSave": "method",
        "Pair": "type", "Pair.left": "method", "Level": "enum", "Level.Low": "constant",
        "Level.High": "constant", "Outer": "namespace", "Outer.Inner": "namespace",
        "Outer.Inner.deep": "function", "Shape": "class", "Shape.area": "method", "Shape.constructor": "method",
        "Shape.side": "variable", "outside": "function", "given": "function", "over": "function",
    }  # fmt: skip
    assert world.names("a.ts").count("over") == 1
    over = world.symbol("a.ts::over")
    assert (over.first_line, over.last_line) == (8, 10)
    assert over.signature == "(a:string):void; (a:number):void; (a:any)"


def test_lines_signature_and_documentation():
    world = ts(
        """\
        // nothing
        /**
         * Saves.
         */
        @logged
        export class Store extends Base<string> implements Api {
          /** One. */
          public async save(item: Item, times = 1): Promise<void> {}
          static get size(): number { return 1; }
        }
        """
    )
    store, save, size = world.facts("a.ts").symbols
    assert (store.first_line, store.last_line) == (2, 10)
    assert store.signature == "extends Base<string>implements Api"
    assert store.bases == ("Base", "Api")
    assert (save.first_line, save.last_line) == (7, 8)
    assert save.signature == "async (item:Item, times=1):Promise<void>"
    assert size.signature == "static get ():number"
    assert store.doc
    assert save.doc
    assert not size.doc


def test_bodies_are_the_same_whatever_the_layout_and_comments():
    one = js("function f(a) { return a + 1; }\n/** A. */\nconst g = (a) => a;\n")
    two = js("function f(a)\n{\n  // why\n  return a+1;\n}\n/** B. */\nconst g = (a) => a /* same */;\n")
    for name in ("f", "g"):
        assert one.symbol(f"a.js::{name}").body == two.symbol(f"a.js::{name}").body
        assert one.symbol(f"a.js::{name}").signature == two.symbol(f"a.js::{name}").signature
    assert one.symbol("a.js::g").doc != two.symbol("a.js::g").doc


def test_a_rename_alone_leaves_the_own_digest():
    one = js("function fact(n) { return n * fact(n - 1); }")
    two = js("function product(n) { return n * product(n - 1); }")
    assert one.symbol("a.js::fact").own == two.symbol("a.js::product").own
    assert one.symbol("a.js::fact").body != two.symbol("a.js::product").body


def test_own_digest_is_without_symbols_inside():
    one = js("class A { keep() { return 1; } change() { return 1; } }")
    two = js("class A { keep() { return 1; } change() { return 2; } }")
    assert one.symbol("a.js::A").own == two.symbol("a.js::A").own
    assert one.symbol("a.js::A").body != two.symbol("a.js::A").body


def test_what_others_can_take_is_listed():
    world = js(
        "export const a = 1, [b, { c: d }] = x;\nexport function f() {}\nconst g = 1;\nexport { g as h };\n"
        "export default g;\nexport * as n from './n';\nexport { i, default as j } from './o';\n"
    )
    assert set(world.facts("a.js").exports) == {"a", "b", "d", "f", "h", "default", "n", "i", "j"}
    assert js("const a = 1;").facts("a.js").exports is None


def test_errors_are_told_and_the_rest_is_read():
    world = js("function good() {}\nconst = ;\nfunction also() { good(); }\n")
    assert [line for line, _ in world.facts("a.js").unread] == [2]
    assert world.out("a.js::also") == ["a.js::good"]


# Names in one file.


def test_a_name_that_is_hidden_gives_no_edge():
    world = js(
        """\
        function run() {}
        function parameter(run) { run(); }
        function pattern({ run }, [a = 1]) { run(); }
        function renamed({ x: { y: run } }) { run(); }
        function rest(...run) { run(); }
        function local() { const run = make(); run(); }
        function hoisted() { run(); var run = make(); }
        function caught() { try {} catch (run) { run(); } }
        function loop() { for (const run of make()) run(); for (let run = 0; ; ) run(); }
        function arrow() { return (run) => run(); }
        function inner() { const run = () => 1; { run(); } }
        function expression() { return function run() { run(); }; }
        class Klass { method(run = 1) { run(); } }
        const f = run => run();
        """
    )
    for caller in (
        "parameter",
        "pattern",
        "renamed",
        "rest",
        "local",
        "hoisted",
        "caught",
        "loop",
        "arrow",
        "Klass.method",
        "f",
    ):
        assert "a.js::run" not in world.out(f"a.js::{caller}"), caller
        assert "a.js::run" not in world.out(f"a.js::{caller}", "use"), caller
    assert world.out("a.js::inner") == ["a.js::inner.run"]
    assert world.out("a.js::expression.run") == ["a.js::expression.run"]


def test_a_name_is_hidden_in_its_block_only():
    world = js("function run() {}\nfunction f() { { const run = make(); run(); } run(); }\n")
    assert world.out("a.js::f") == ["a.js::run"]
    assert [edge.line for edge in world.edges("a.js") if edge.kind == "call"] == [2]


def test_two_variables_of_one_name_in_two_blocks_are_two():
    world = js(
        """\
        class A { go() {} }
        class B { go() {} }
        function f() {
          { const x = new A(); x.go(); }
          { const x = new B(); x.go(); }
        }
        function g() { { const x = new A(); } { const x = new B(); x.go(); } }
        """
    )
    assert world.out("a.js::f", certain=True) == ["a.js::A", "a.js::A.go", "a.js::B", "a.js::B.go"]
    assert world.out("a.js::g") == ["a.js::A", "a.js::B", "a.js::B.go"]


def test_functions_are_found_before_they_are_written_and_from_closures():
    world = js("function f() { later(); return () => inner(); function inner() { later(); } }\nfunction later() {}\n")
    assert world.out("a.js::f") == ["a.js::f.inner", "a.js::later"]
    assert world.out("a.js::f.inner") == ["a.js::later"]


def test_a_type_parameter_hides_a_type():
    world = ts("class Item { go() {} }\nfunction f<Item>(x: Item) { x.go(); }\nfunction g(x: Item) { x.go(); }\n")
    assert world.out("a.ts::f", certain=True) == []
    assert world.out("a.ts::g", certain=True) == ["a.ts::Item.go"]


def test_a_limit_of_a_type_parameter_says_what_it_is():
    world = ts("class Item { go() {} }\nfunction f<T extends Item>(x: T, y: T[]) { x.go(); y[0].go(); }\n")
    assert world.out("a.ts::f", certain=True) == ["a.ts::Item.go"]


def test_a_function_that_is_passed_on_is_used():
    world = js(
        "function f() {}\nfunction g(list) { list.map(f); return [f, { f }]; }\nconst h = f;\nfunction i() { h(); }\n"
    )
    assert world.out("a.js::g", "use") == ["a.js::f"]
    assert world.out("a.js::g") == []
    assert hows(world, "a.js::i") == {"a.js::f": ("alias", True)}


def test_a_variable_that_is_given_two_meanings_is_not_certain():
    world = js(
        "function a() {}\nfunction b() {}\nfunction f(x) { let g = a; if (x) g = b; g(); }\nlet h = () => 1;\nh = f;\nh();\n"
    )
    assert hows(world, "a.js::f") == {"a.js::a": ("alias", False), "a.js::b": ("alias", False)}
    assert world.out("a.js", certain=True) == []


@pytest.mark.parametrize(
    "text",
    [
        "({ go } = x); go();",
        "[go] = x; go();",
        "for (go of x) go();",
        "go = other(); go();",
        "go ||= other; go();",
        "const a = new A(); a.go = other(); a.go();",
        "x = new A(); x.go();",
        "let a = new A(); a = other(); a.go();",
        "A.prototype.go = other(); new A().go();",
    ],
)
def test_what_is_given_another_value_is_not_certain(text):
    world = js(f"class A {{ go() {{}} }}\nfunction go() {{}}\nfunction f(x) {{ {text} }}\n")
    assert [callee for callee in world.out("a.js::f", certain=True) if callee.endswith("go")] == []
    assert [callee for callee in world.out("a.js::f", certain=False) if callee.endswith("go")] != []


def test_a_member_given_to_something_from_elsewhere_is_not_certain():
    world = js("function patch(fs) { const old = fs.read; fs.read = read; function read() { return old(); } }\n")
    assert world.out("a.js::patch.read", certain=True) == []


# Classes and objects.


def test_this_super_and_private_members():
    world = js(
        """\
        class Base { constructor() {} save() { this.check(); } check() {} }
        class Store extends Base {
          constructor() { super(); this.#hide(); }
          save() { super.save(); this.check(); [1].forEach(() => this.check()); }
          #hide() {}
          static make() { return new this(); }
          plain() { return function () { this.check(); }; }
        }
        """
    )
    assert hows(world, "a.js::Store.constructor") == {
        "a.js::Base": ("inherited", True),
        "a.js::Base.constructor": ("constructor", True),
        "a.js::Store.#hide": ("self", True),
    }
    assert hows(world, "a.js::Store.save") == {
        "a.js::Base.save": ("inherited", True),
        "a.js::Base.check": ("inherited", True),
    }
    assert world.out("a.js::Store.make", certain=True) == ["a.js::Store", "a.js::Store.constructor"]
    assert world.out("a.js::Store.plain", certain=True) == []
    assert world.out("a.js::Store", "inherit") == ["a.js::Base"]


def test_what_is_derived_may_be_called_instead():
    world = js(
        "import { Base } from './b.js';\nclass Store extends Base { check() {} }\nclass Other { check() {} }\n",
        b_js="export class Base { save() { this.check(); } check() {} }\nfunction f() { const b = new Base(); b.check(); }\n",
    )
    assert hows(world, "b.js::Base.save") == {
        "b.js::Base.check": ("self", True),
        "a.js::Store.check": ("override", False),
    }
    assert "a.js::Other.check" not in world.out("b.js::Base.save")


def test_new_is_a_call_of_the_class_and_its_constructor():
    world = js("class A { constructor() {} }\nclass B extends A {}\nfunction f() { new A(); new B(); }\n")
    assert hows(world, "a.js::f") == {
        "a.js::A": ("local", True),
        "a.js::A.constructor": ("inherited", True),
        "a.js::B": ("local", True),
    } or hows(world, "a.js::f")["a.js::A.constructor"] == ("constructor", True)


def test_getters_are_called_by_their_name():
    world = js(
        "class A { get size() { return this.items.length; } get items() { return []; } show() { return this.size; } }\n"
    )
    assert world.out("a.js::A.size") == ["a.js::A.items"]
    assert world.out("a.js::A.show") == ["a.js::A.size"]


def test_members_of_two_classes_of_one_name_are_not_certain():
    world = js(
        """\
        test('one', () => { class A { go() {} } new A().go(); });
        test('two', () => { class A { stop() {} } new A().stop(); });
        """
    )
    assert [edge.callee for edge in world.edges("a.js") if edge.certain and "." in edge.callee.partition("::")[2]] == []


def test_objects_and_what_functions_return():
    world = js(
        """\
        const api = { get() { return this.put(); }, put: () => 1, other: { down() {} } };
        function make() { const up = () => 1; return { up, down() { return api.get(); }, again: api.put }; }
        function f() { api.get(); api.other.down(); const made = make(); made.up(); made.down(); made.again(); make().up(); }
        """
    )
    assert world.out("a.js::api.get") == ["a.js::api.put"]
    assert world.out("a.js::make.down") == ["a.js::api.get"]
    assert world.out("a.js::f", certain=True) == [
        "a.js::api.get", "a.js::api.other.down", "a.js::api.put", "a.js::make", "a.js::make.down", "a.js::make.up",
    ]  # fmt: skip


def test_spread_objects_have_the_members_of_the_others():
    world = js(
        "const base = { go() {} };\nconst all = { ...base, stop() {} };\nfunction f() { all.go(); all.stop(); }\n"
    )
    assert world.out("a.js::f", certain=True) == ["a.js::all.stop", "a.js::base.go"]


def test_variables_inside_a_function_are_no_members_of_it():
    world = ts(
        """\
        class A { go() {} }
        interface Box { go(): A }
        const Box = wrap(() => { const go = new A(); const { stop } = new A(); });
        function make() { const go = new A(); }
        function f(box: Box) { box.go().go(); make().go(); Box.stop.go(); }
        """
    )
    assert world.out("a.ts::f", certain=True) == ["a.ts::A.go", "a.ts::Box.go", "a.ts::make"]


def test_super_is_what_a_class_extends_and_not_what_it_implements():
    world = ts(
        """\
        class Base { constructor() {} go() {} }
        class Other { constructor() {} go() {} }
        class Both extends Base implements Other { constructor() { super(); super.go(); } }
        """
    )
    assert world.out("a.ts::Both.constructor") == ["a.ts::Base", "a.ts::Base.constructor", "a.ts::Base.go"]
    assert world.out("a.ts::Both", "inherit") == ["a.ts::Base", "a.ts::Other"]


def test_call_apply_and_bind():
    world = js("function f() {}\nfunction g() { f.call(null); f.apply(null, []); const h = f.bind(null); h(); }\n")
    assert hows(world, "a.js::g") == {"a.js::f": ("local", True)} or world.out("a.js::g", certain=True) == ["a.js::f"]


def test_results_awaited_and_chained():
    world = js(
        """\
        class A { async next() { return new B(); } me() { return this; } }
        class B { go() {} }
        async function f() { (await new A().next()).go(); const b = await new A().me().next(); b.go(); }
        function g() { return new A().next().then((b) => b.go()); }
        """
    )
    for caller in ("f", "g"):
        assert "a.js::B.go" in world.out(f"a.js::{caller}", certain=True)


def test_something_unknown_gives_a_guess_and_common_names_give_none():
    world = js("class A { reindex() {} push() {} }\nfunction f(x) { x.reindex(); x.push(1); x.missing(); }\n")
    assert hows(world, "a.js::f") == {"a.js::A.reindex": ("name", False)}
    many = js("".join(f"class A{n} {{ reindex() {{}} }}\n" for n in range(9)) + "function f(x) { x.reindex(); }\n")
    assert many.out("a.js::f") == []


def test_something_from_outside_gives_no_guess():
    world = js(
        "import fs from 'node:fs';\nclass A { reindex() {} }\nfunction f() { fs.reindex(); console.reindex(); fs.a().reindex(); }\n"
    )
    assert world.out("a.js::f") == []


# Modules.


@pytest.mark.parametrize(
    ("line", "called"),
    [
        ("import { f } from './b.js'; f();", "f"),
        ("import { f as g } from './b'; g();", "f"),
        ("import * as b from './b.js'; b.f();", "f"),
        ("import d from './b.js'; d();", "d"),
        ("import d, { f } from './b.js'; f(d);", "f"),
        ("const b = require('./b'); b.f();", "f"),
        ("const { f } = require('./b'); f();", "f"),
        ("const { f: g = 1 } = require('./b'); g();", "f"),
        ("const f = require('./b').f; f();", "f"),
        ("require('./b').f();", "f"),
        ("(0, require('./b').f)();", "f"),
        ("import('./b.js').then((b) => b.f());", "f"),
        ("import('./b.js').then(({ f }) => f());", "f"),
        ("const { f } = await import('./b.js'); f();", "f"),
        ("const b = await import('./b.js'); b.default();", "d"),
    ],
)
def test_ways_to_take_a_function_from_a_module(line, called):
    world = js(line, b_js="export function f() {}\nfunction d() {}\nexport { d as default };\n")
    certain = "= 1" not in line
    assert f"b.js::{called}" in world.out("a.js", certain=certain)
    assert [edge.callee.partition("::")[0] for edge in world.edges("a.js") if edge.kind == "import"]


@pytest.mark.parametrize(
    ("index", "name"),
    [
        ("export * from './b.js';", "f"),
        ("export { f } from './b.js';", "f"),
        ("export { f as g } from './b.js';", "g"),
        ("import { f } from './b.js'; export { f };", "f"),
        ("import { f } from './b.js'; export default f;", "default"),
        ("export { default as g } from './b.js';", "g"),
        ("import * as b from './b.js'; export const g = b.f;", "g"),
        ("export * from './none.js'; export * from './lib'; export * from './b.js';", "f"),
        ("module.exports = { g: require('./b').f };", "g"),
        ("exports.g = require('./b').f;", "g"),
        ("module.exports = { ...require('./b') };", "f"),
        ("__exportStar(require('./b.js'), exports);", "f"),
    ],
)
def test_what_is_given_on(index, name):
    world = Sources(
        {
            "lib/index.js": index,
            "lib/b.js": "export function f() {}\nexport default f;\n",
            "main.js": f"import {{ {name} as it }} from './lib';\nit();\n",
        }
    )
    assert world.out("main.js", certain=True) == ["lib/b.js::f"]


def test_names_given_on_in_a_circle_end():
    world = Sources(
        {
            "a.js": "export * from './b.js';\nexport { x } from './b.js';\nimport { y } from './b.js';\nexport { y };\n",
            "b.js": "export * from './a.js';\nexport { x } from './a.js';\nimport { y } from './a.js';\nexport { y };\nexport function z() {}\n",
            "c.js": "import { x, y, z } from './a.js';\nx(); y(); z(); let p = q, q = p; p(); p[0](); p.a.b();\n",
        }
    )
    assert "b.js::z" in world.out("c.js", certain=True)


def test_endings_and_folders():
    world = Sources(
        {
            "src/a.ts": "import { f } from './b.js';\nimport { g } from './c';\nimport { h } from '..';\nimport { i } from '../pkg';\nf(); g(); h(); i();\n",
            "src/b.ts": "export function f() {}\n",
            "src/c/index.tsx": "export function g() {}\n",
            "index.mjs": "export function h() {}\n",
            "pkg/package.json": '{"main": "./lib/start.js"}',
            "pkg/lib/start.js": "exports.i = function () {};\n",
        }
    )
    assert world.out("src/a.ts", certain=True) == [
        "index.mjs::h", "pkg/lib/start.js::exports.i", "src/b.ts::f", "src/c/index.tsx::g",
    ]  # fmt: skip


def test_paths_of_a_project():
    files = {
        "web/tsconfig.json": '{ /* x */ "extends": "../base.json", "compilerOptions": {}, }',
        "base.json": '{"compilerOptions": {"baseUrl": "web/src", "paths": {"@/*": ["./*"], "exact": ["one.ts"], "bad": 3}}}',
        "web/src/one.ts": "export function f() {}\n",
        "web/src/deep/two.ts": "import { f } from '@/one';\nimport { f as g } from 'exact';\nimport { f as h } from 'one';\nf();\ng();\nh();\n",
        "other/three.ts": "import { f } from '@/one';\nf();\n",
    }
    world = Sources(files)
    assert [edge.line for edge in world.edges("web/src/deep/two.ts") if edge.kind == "call" and edge.certain] == [
        4,
        5,
        6,
    ]
    assert world.out("other/three.ts") == []


@pytest.mark.parametrize(
    "config",
    [
        "",
        "{",
        "[]",
        '{"extends": "./tsconfig.json"}',
        '{"compilerOptions": {"paths": [1], "baseUrl": 2}}',
        "[" * 100_000,
    ],
)
def test_project_files_of_any_content(config):
    world = Sources(
        {
            "tsconfig.json": config,
            "package.json": config,
            "a.ts": "import { f } from 'x';\nimport g from '.';\nf(); g();\n",
        }
    )
    assert world.out("a.ts") == []


@pytest.mark.parametrize(
    "config",
    [
        '{"compilerOptions": {"paths": {"@/*": ["src/*"]}}}',
        '\ufeff{"compilerOptions": {"paths": {"@/*": ["src/*"],},},}',
        """{
            // "compilerOptions": {"paths": {"@/*": ["other/*"]}},
            "compilerOptions": {"paths": {"@/*": /* here */ ["src/*"]}}, "url": "http://x//y"
        }""",
        "{compilerOptions: {'paths': {'@/*': ['src/*']}}}",
    ],
)
def test_tsconfig_as_people_write_it(config):
    files = {"tsconfig.json": config, "src/one.ts": "export function f() {}\n"}
    world = Sources({**files, "a.ts": "import { f } from '@/one';\nf();\n"})
    assert world.out("a.ts", certain=True) == ["src/one.ts::f"]


def test_a_project_file_is_read_once_however_many_folders_it_is_for(monkeypatch):
    read = []

    def reading(text):
        read.append(text)
        return original(text)

    original = imports.read_json
    monkeypatch.setattr(imports, "read_json", reading)
    folders = [f"src/{number}/a.ts" for number in range(20)]
    world = Sources({"tsconfig.json": "{/* all */}", **dict.fromkeys(folders, "import { f } from 'x';\nf();\n")})
    for path in folders:
        world.edges(path)
    assert [text for text in read if text is not None] == [b"{/* all */}"]


@pytest.mark.parametrize(
    "text", [b"[" + b"1," * 600_000 + b"]", b"{" + b"a:1," * 20_000 + b"}", b" " * (1 << 20) + b"{}"]
)
def test_a_project_file_that_would_take_long_is_not_read(text, monkeypatch):
    monkeypatch.setattr(json5, "loads", None)
    assert imports.read_json(text) is None


def test_a_missing_reader_of_json5_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "json5", None)
    assert imports.read_json(b'{"plain": true}') == {"plain": True}
    with pytest.raises(GrammarsMissingError, match="the reader of JSON5 is not installed"):
        imports.read_json(b"{/* commented */}")


def test_packages_of_a_workspace():
    world = Sources(
        {
            "package.json": '{"workspaces": {"packages": ["libs/*"]}}',
            "libs/money/package.json": '{"name": "@shop/money", "exports": {".": {"import": "./dist/main.js"}, "./*": "./src/*.ts"}}',
            "libs/money/src/main.ts": "export const f = () => 1;\n",
            "libs/money/src/round.ts": "export const g = () => 1;\n",
            "app/a.ts": "import { f } from '@shop/money';\nimport { g } from '@shop/money/round';\nimport { h } from '@shop/none';\nf(); g(); h();\n",
        }
    )
    assert world.out("app/a.ts", certain=True) == ["libs/money/src/main.ts::f", "libs/money/src/round.ts::g"]


def test_packages_that_are_kept_in_the_repository():
    world = Sources(
        {
            "node_modules/near/package.json": '{"main": "lib/near"}',
            "node_modules/near/lib/near.js": "exports.f = () => 1;\nexports.g = () => exports.f() + module.exports.f();\n",
            "src/deep/a.js": "const near = require('near');\nnear.g();\n",
        }
    )
    assert world.out("src/deep/a.js", certain=True) == ["node_modules/near/lib/near.js::exports.g"]
    assert world.out("node_modules/near/lib/near.js::exports.g", certain=True) == [
        "node_modules/near/lib/near.js::exports.f"
    ]


def test_scripts_see_what_other_scripts_declare_but_modules_do_not():
    world = Sources(
        {
            "a.js": "function shared() {}\nfunction twice() {}\n",
            "b.js": "shared();\ntwice();\n",
            "c.js": "export {};\nfunction twice() {}\nfunction own() {}\n",
            "d.js": "own();\n",
        }
    )
    assert hows(world, "b.js") == {"a.js::shared": ("global", False), "a.js::twice": ("global", False)}
    assert world.out("d.js") == []


# TypeScript and JSX.


def test_declared_types_say_what_is_called():
    world = ts(
        """\
        import type { Store } from './b';
        class Service {
          private other: Store | null = null;
          constructor(private store: Store, readonly stores: Store[], map: Map<string, Store>) { map.get('a')!.save(); }
          one() { this.store.save(); }
          two() { this.other?.save(); }
          three() { for (const each of this.stores) each.save(); }
          four() { this.stores.map((each) => each.save()); }
          five() { const { store } = this; store.save(); }
          six(given: Promise<Readonly<Store>>) { return given.then((store) => store.save()); }
          seven(x: unknown) { (x as Store).save(); }
          eight({ store }: { store: Store }, [first]: Store[]) { first.save(); }
          nine(make: () => Store): Store { return this.store; }
          ten() { this.nine(() => this.store).save(); }
        }
        """,
        b_ts="export interface Store { save(): void }\n",
    )
    for name in ("constructor", "one", "two", "three", "four", "five", "six", "seven", "eight", "ten"):
        assert "b.ts::Store.save" in world.out(f"a.ts::Service.{name}", certain=True), name


def test_an_interface_leads_to_what_implements_it():
    world = ts(
        "import { Store } from './b';\nclass Memory implements Store { save() {} }\nfunction f(s: Store) { s.save(); }\n",
        b_ts="export interface Store { save(): void }\n",
    )
    assert hows(world, "a.ts::f") == {"b.ts::Store.save": ("typed", True), "a.ts::Memory.save": ("override", False)}
    assert world.out("a.ts::Memory", "inherit") == ["b.ts::Store"]


def test_each_part_of_a_union_may_be_meant():
    world = ts(
        "class A { go() {} }\nclass B { go() {} }\ntype C = A | B;\nfunction f(x: C) { x.go(); }\nfunction g(x: A | undefined) { x.go(); }\n"
    )
    assert hows(world, "a.ts::f") == {"a.ts::A.go": ("typed", False), "a.ts::B.go": ("typed", False)}
    assert world.out("a.ts::g", certain=True) == ["a.ts::A.go"]


def test_types_are_used_where_they_are_written():
    world = ts("interface A {}\nenum E { X }\ntype B = A[];\nfunction f(a: A, b: Map<string, B>): E { return E.X; }\n")
    assert world.out("a.ts::f", "use") == ["a.ts::A", "a.ts::B", "a.ts::E", "a.ts::E.X"]
    assert world.out("a.ts::B", "use") == ["a.ts::A"]


def test_decorators_belong_to_what_they_decorate():
    world = ts(
        """\
        function plain(x: any) {}
        function made(x: any) { return plain; }
        @plain class A { @made(1) field = 1; @plain method(@made(2) x: number) {} }
        @made(3) export class B {}
        """
    )
    assert world.out("a.ts::A", "use") == ["a.ts::plain"]
    assert world.out("a.ts::A.field") == ["a.ts::made"]
    assert world.out("a.ts::A.method", "use") == ["a.ts::plain"]
    assert world.out("a.ts::A.method") == ["a.ts::made"]
    assert world.out("a.ts::B") == ["a.ts::made"]


def test_components_are_called_by_their_tags():
    world = Sources(
        {
            "a.tsx": """\
                import { Row } from './b';
                import * as parts from './b';
                const App = ({ Row: Hidden }) => <div><Row x={f()} /><parts.Row /><Hidden /><b.c /></div>;
                function Other({ Row }) { return <Row />; }
                const f = <T,>(x?: T) => <></>;
                """,
            "b.jsx": "export const Row = React.memo(() => <Cell />);\nfunction Cell() { return <td />; }\nclass td {}\n",
        }
    )
    assert world.out("a.tsx::App", certain=True) == ["a.tsx::f", "b.jsx::Row"]
    assert world.out("a.tsx::Other") == []
    assert world.out("b.jsx::Row") == ["b.jsx::Cell"]


def test_arguments_are_counted():
    facts = js("f(); f(1, /* two */ 2); f(...x); new f; new f(1); f`x`;\n").facts("a.js")
    assert [reference.arguments for reference in facts.references if reference.text == "f"] == [0, 2, -1, 0, 1, -1]


def test_names_are_unique_and_edges_come_in_the_same_order():
    text = "class A { go() {} }\n" + "function f(x) { { let x = new A(); x.go(); } { let x = 1; } }\n" * 3
    first, second = js(text), js(text)
    assert first.edges("a.js") == second.edges("a.js")
    assert first.facts("a.js") == second.facts("a.js")


# Sources made to hurt.


@pytest.mark.parametrize(
    "source",
    [
        b"const a = () => { " * 1000 + b"};" * 1000,
        b"class A { m() { return class { " * 600,
        b"x = " + b"{ a: " * 4_000 + b"1" + b"}" * 4_000,
        b"a = " * 4_000 + b"function () {}",
        b"exports = module.exports = " * 2_000 + b"{}",
        b"a" + b".b()" * 4_000,
        b"const { " + b"a: { " * 2_000 + b"b" + b"} " * 2_000 + b"} = x",
        b"{ let a = f(); " * 2_000,
        b"const a = (" + b"x as " * 4_000 + b"any);",
        b"<A>" * 4_000,
        b"`${" * 2_000,
        b"if (a) {} else " * 4_000,
        b"\x00\xff" * 2_000 + b"function f() { g(); }",
        b"function " + b"a" * 20_000 + b"() {}",
    ],
    ids=range(14),
)
@pytest.mark.parametrize("path", ["a.js", "a.ts", "a.tsx"])
def test_sources_made_to_hurt_are_read(source, path):
    world = Sources({path: source})
    world.edges(path)
    assert all(len(symbol.name) < 4000 for symbol in world.facts(path).symbols)


def test_names_bound_in_circles_end():
    world = js(
        "const a = b, b = c, c = a;\nclass A extends B {}\nclass B extends A { f() { super.f(); this.g(); a(); a.b(); a[0](); } }\nlet x = x.y().z;\nx.w();\n"
    )
    assert world.out("a.js::B.f", certain=True) in ([], ["a.js::B.f"])
