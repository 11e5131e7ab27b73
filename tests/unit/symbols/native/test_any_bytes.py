"""Whatever a file holds, reading it gives facts: never a traceback, whatever the language."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bespeak_symbols import codec, name_index, syntax
from bespeak_symbols.errors import GrammarsMissingError
from bespeak_symbols.model import Facts
from bespeak_symbols.native import registry
from support import corpus

SUFFIXES = [reader.suffixes[0] for reader in registry.READERS if not reader.by_name] + [".tsx", ".h"]
BY_NAME = [reader.suffixes[0] for reader in registry.READERS if reader.by_name]
WORDS = [
    b"def ", b"class ", b"function ", b"fn ", b"func ", b"struct ", b"impl ", b"import ", b"from ", b"return ", b"if ", b"for ",
    b"x", b"y.z", b"(", b")", b"{", b"}", b"[", b"]", b":", b";", b",", b"=", b"=>", b"->", b".", b"::", b"<", b">", b"@", b"*",
    b"'", b'"', b"`", b"\n", b"\n    ", b"#", b"//", b"/*", b"*/", b"\x00", b"\xff\xfe", b"\\", b"${", b"async ", b"self.", b"lambda ",
]  # fmt: skip
DEEP = {
    "parentheses": b"(" * 100_000,
    "brackets": b"x = " + b"[" * 50_000 + b"]" * 50_000,
    "calls": b"f(" * 30_000 + b")" * 30_000,
    "attributes": b"a" + b".b" * 60_000,
    "blocks": b"{" * 50_000 + b"}" * 50_000,
    "indentation": b"".join(b" " * depth + b"if x:\n" for depth in range(600)),
    "sums": b"1" + b" + 1" * 60_000,
    "strings": b'"' * 99_999,
    "lines": b"x\n" * 60_000,
    "no text": bytes(range(256)) * 300,
    "nothing": b"",
    "a mark and no more": b"\xef\xbb\xbf",
}


def facts_of(source, suffix):
    reader = registry.load(registry.language_of("file" + suffix))
    facts = reader.extract(source, "file" + suffix)
    assert isinstance(facts, Facts)
    assert codec.unpack(codec.pack(facts)) == facts
    lines = source.count(b"\n") + 1
    assert len(facts.unread) <= 20
    assert all(1 <= line <= lines and why for line, why in facts.unread)
    assert all(1 <= symbol.first_line <= symbol.last_line <= lines for symbol in facts.symbols)
    assert all(symbol.name and symbol.kind for symbol in facts.symbols)
    assert all(isinstance(name, str) for name in name_index.mentions(facts))
    name_index.renames(facts)
    return facts


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=60, deadline=None)
@given(source=st.binary(max_size=300))
def test_any_bytes_are_read(suffix, source):
    facts_of(source, suffix)


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=120, deadline=None)
@given(parts=st.lists(st.sampled_from(WORDS), max_size=60))
def test_any_pieces_of_source_are_read(suffix, parts):
    facts_of(b"".join(parts), suffix)


@settings(max_examples=150, deadline=None)
@given(suffix=st.sampled_from(BY_NAME), parts=st.lists(st.sampled_from(WORDS), max_size=60))
def test_any_pieces_of_source_are_read_by_name(suffix, parts):
    facts_of(b"".join(parts), suffix)


@pytest.mark.parametrize("suffix", BY_NAME)
def test_deep_and_long_sources_are_read_by_name(suffix):
    for source in DEEP.values():
        facts_of(source[:15_000], suffix)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", DEEP)
def test_deep_and_long_sources_are_read_without_running_out_of_stack(suffix, kind):
    facts_of(DEEP[kind], suffix)


@pytest.mark.parametrize("language", corpus.languages())
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_real_sources_with_holes_are_read(language, data):
    sources = corpus.sources(language)
    path = data.draw(st.sampled_from(sorted(sources)))
    source = bytearray(sources[path])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(source)))
        source[start : start + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=6))
    facts_of(bytes(source), registry.suffix_of(path))


def test_a_missing_grammar_is_named(monkeypatch):
    def missing(name):
        raise ImportError(name)

    syntax._language.cache_clear()
    monkeypatch.setattr(syntax, "import_module", missing)
    with pytest.raises(GrammarsMissingError, match="the grammar of python is not installed: tree_sitter_python"):
        syntax.parse(b"", "python")
    syntax._language.cache_clear()


def test_what_a_statement_ends_counts_where_only_layout_says_so():
    def digest(text):
        root = syntax.parse(text, "python").root_node
        return syntax.Tokens(text, root).digest(root)

    assert digest(b"if a:\n  b\n  c\n") == digest(b"if a:\n\n    b  # why\n    c\n")
    assert digest(b"if a:\n  b\n  c\n") != digest(b"if a:\n  b\nc\n")
    assert digest(b"f\n(x)\n") != digest(b"f(x)\n")
    assert digest(b"x = 'a  b'\n") != digest(b"x = 'a b'\n")


@pytest.mark.parametrize(
    ("suffix", "source"),
    [
        (".cpp", b"template <typename First> int::\n(... rest)\n{ return 0; }\n"),
        (".cpp", b"double by)\n{\n}\n; side) const { return side < 0 ? 0 : side; }\n"),
        (".py", b"box = Box()\n    = 1\n: int = Box()\nfor in x:\n    pass\n"),
    ],
)
def test_what_has_no_name_is_no_symbol(suffix, source):
    assert all(symbol.name for symbol in facts_of(source, suffix).symbols)
