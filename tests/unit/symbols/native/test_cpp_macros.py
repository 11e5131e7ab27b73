"""C++: macros that expand to attributes or to nothing do not hide what is defined behind them."""

import pytest

from support.sources import Sources


def names(text, path="a.cpp"):
    return [(symbol.name, symbol.kind) for symbol in Sources({path: text}).facts(path).symbols]


@pytest.mark.parametrize(
    "head",
    [
        "class API Plain",
        "class GTEST_API_ Plain final",
        "class GTEST_API_ [[nodiscard]] Plain",
        "class API(1) DEPRECATED_API Plain : public Base",
        "class API Plain : public ns::Base<int(int)>, private Other",
        "class my_export Plain",
        "struct EXPORT Plain final : Base",
    ],
)
def test_a_class_behind_a_macro_has_its_name_and_its_methods(head):
    text = f"{head} {{\n public:\n  int size() const {{ return 1; }}\n  void grow();\n}};\n"
    facts = Sources({"a.cpp": text}).facts("a.cpp")
    found = {(symbol.name, symbol.kind) for symbol in facts.symbols}
    assert found == {("Plain", head.partition(" ")[0]), ("Plain.size", "method"), ("Plain.grow", "method")}
    assert facts.unread == ()


def test_an_enumeration_behind_a_macro():
    assert names("enum class API Color { Red };\n") == [("Color", "enum"), ("Color.Red", "constant")]


def test_a_class_that_is_only_announced_is_no_variable():
    assert names("class API Plain;\n") == []


def test_a_macro_of_this_file_that_is_empty_or_an_attribute():
    text = (
        "#ifdef _WIN32\n#define api_ __declspec(dllexport)\n#else\n#define api_\n#endif\n"
        "struct api_ Plain { void grow(); };\napi_ int size(int of) { return of; }\n"
    )
    facts = Sources({"a.cpp": text}).facts("a.cpp")
    assert {"Plain", "Plain.grow", "size"} <= {symbol.name for symbol in facts.symbols}
    assert facts.unread == ()


def test_macros_on_lines_of_their_own_and_behind_parameters():
    text = (
        "LIB_BEGIN_NAMESPACE\nclass Shape {\n  Q_OBJECT\n public:\n  int size() const LIB_NOEXCEPT { return 1; }\n};\n"
        "LIB_END_NAMESPACE\nint main() { return 0; }\n"
    )
    assert names(text) == [("Shape", "class"), ("Shape.size", "method"), ("main", "function")]


def test_a_macro_that_is_blank_for_the_parser_is_still_used():
    world = Sources({"api.h": "#define API\n", "a.cpp": '#include "api.h"\nclass API Plain { void grow(); };\n'})
    facts = world.facts("a.cpp")
    assert ("API", "use", 2, "Plain") in {(ref.text, ref.kind, ref.line, ref.within) for ref in facts.references}


@pytest.mark.parametrize(
    "text",
    [
        "struct POINT corner = {1, 2};\n",
        "struct POINT corner;\n",
        "struct POINT origin(int x) { return make(x); }\n",
        "struct Packed { enum MODE mode : 2; };\nstruct Next { int x; };\n",
        "enum { FIRST_ONE\n};\n",
        "int f() { return (int) FILE_LIMIT; }\n",
        "#define DECLARE(n) \\\n  class API n { \\\n  };\n",
    ],
)
def test_capitals_that_are_no_macro_stay(text):
    from bespeak_symbols.native.block_extractor import Lexemes
    from bespeak_symbols.native.c_family import macros

    source = text.encode()
    assert macros.without(source, macros.find(source, Lexemes(source))) == source


def test_a_name_that_a_macro_still_hides_is_said():
    facts = Sources({"a.cpp": "int x;\nstruct my_export Plain { int size() { return 1; } };\n"}).facts("a.cpp")
    assert (2, "a macro hides the name of what is defined here") in facts.unread
