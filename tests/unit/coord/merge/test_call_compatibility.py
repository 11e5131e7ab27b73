"""Whether a call fits a signature, as each language writes it."""

import pytest

from bespeak.coord.merge import call_compatibility
from bespeak.coord.merge.call_compatibility import breaks, keywords


def read(signature, language="python", *, method=False):
    return call_compatibility.parameters(signature, language, method=method)


@pytest.mark.parametrize(
    ("language", "method", "signature", "required", "most", "names"),
    [
        ("python", False, '@route("/x", methods=["GET"]) async def(a, b:int=1, *, d)', 2, 3, ("a", "b")),
        ("python", True, "def(self, a=lambda x:(x, 1), **kw)", 0, None, ("a",)),
        ("python", False, "def(a, /, b, *args)", 2, None, ("a", "b")),
        ("python", False, "()", 0, 0, ()),
        ("javascript", False, "(a, b=1, {c, d}, ...e)", 0, None, ("a", "b", "{c, d}", "...e")),
        ("typescript", True, "<T>(x:T, f:(a:T)=>void, y?:T):T", 2, 3, ("x", "f", "y")),
        ("java", True, '@Foo("x") @Bar public<T>int(int a, Map<String, T>b)', 2, 2, ("a", "b")),
        ("java", True, "public void(int a, String...rest)", 1, None, ("a", "rest")),
        ("c", False, "int(void)", 0, 0, ()),
        ("c", False, "static int(int a, char*b, ...)", 2, None, ("a", "b", "")),
        ("cpp", True, "template<class T>int(const T&a, int b=2)const", 1, 2, ("a", "b")),
        ("rust", True, "pub<T:Fn(u32)>(&mut self, a:u32)->Result<(), E>", 1, 1, ("a",)),
        ("go", True, "func(s *S)(x, y int)(error, int)", 2, 2, ("x", "y")),
        ("go", False, "(x int)(error, int)", 1, 1, ("x",)),
    ],
)
def test_parameters_are_read_as_the_language_writes_them(language, method, signature, required, most, names):
    found = read(signature, language, method=method)
    assert (found.required, found.most, found.names) == (required, most, names)


@pytest.mark.parametrize("text", ["", "extends B", ")(", "(((", "def", "@", "@a(", "<(>", "((a)", "->("])
@pytest.mark.parametrize("language", ["python", "java", "rust", "go", "c"])
def test_what_cannot_be_read_is_not_guessed(language, text):
    assert read(text, language) is None or read(text, language).required >= 0


def test_a_call_that_no_longer_fits_is_all_but_certain():
    assert breaks(read("(a)"), read("(a, b)"), 1) == call_compatibility.FITS_NO_MORE
    assert breaks(read("(a, b)"), read("(a)"), 2) == call_compatibility.FITS_NO_MORE


def test_an_argument_that_may_be_left_out_is_no_conflict():
    assert breaks(read("(a)"), read("(a, b=1)"), 1) == call_compatibility.COMPATIBLE
    assert breaks(read("(a)"), read("(a, b=1)"), -1) == call_compatibility.COMPATIBLE


def test_the_same_count_with_another_order_means_something_else():
    assert breaks(read("(a, b)"), read("(b, a)"), 2) == call_compatibility.OTHER_MEANING
    assert breaks(read("(a)", "javascript"), read("(needed, a)", "javascript"), 1) == call_compatibility.OTHER_MEANING


def test_a_new_name_for_a_parameter_is_worth_a_look_only():
    assert breaks(read("(a)"), read("(b)"), 1) == call_compatibility.OTHER_TYPES
    assert breaks(read("(int a)", "java"), read("(long a)", "java"), 1) == call_compatibility.OTHER_TYPES


def test_a_function_that_has_become_asynchronous_is_called_otherwise():
    assert breaks(read("def(a)"), read("async def(a)"), 1) == call_compatibility.CALLED_OTHERWISE
    assert (
        breaks(read("def(self)", method=True), read("@property def(self)", method=True), 0)
        == call_compatibility.CALLED_OTHERWISE
    )


def test_nothing_is_said_of_what_cannot_be_read():
    assert breaks(None, read("(a)"), 1) == call_compatibility.OTHER_TYPES


@pytest.mark.parametrize(
    ("old", "new", "arguments", "given", "likely"),
    [
        ("def(a)", "def(amount)", 1, {"a"}, 0.9),
        ("def(a)", "def(amount, **rest)", 1, {"a"}, 0),
        ("def(a, b)", "def(b, a)", 2, {"a", "b"}, 0),
        ("def(a, b)", "def(b, a)", 2, {"b"}, 0.5),
        ("def(a, *, b=1)", "def(a, *, b=1, c=2)", 2, {"b"}, 0),
        ("def(a, b)", "def(a, b, /)", 2, {"b"}, 0.9),
    ],
)
def test_arguments_given_by_name_need_the_name_and_no_place(old, new, arguments, given, likely):
    assert breaks(read(old), read(new), arguments, frozenset(given)) == likely


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("x = f(1, a=2)", {"a"}),
        ("x = f(1, g(b=2), a = 3, c={d: 1})", {"a", "c"}),
        ("x = f(a == 2, b=(1,\n 'k, q=1)'), c=3)  # f(z=1)", {"b", "c"}),
        ("x = m.f(\n    a=1,  # why, z=2\n    b=2,\n)", {"a", "b"}),
        ("x = f(a=1) + f(b=1)", set()),
        ("x = f(a=1", set()),
        ("x = g(a=1)", set()),
        ("x = f", set()),
    ],
)
def test_names_of_arguments_are_read_from_the_call(text, given):
    assert keywords(text.encode().split(b"\n"), 1, "f") == given
