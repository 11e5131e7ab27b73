"""An index of a compiler outranks our own edges, only where it is of these very files, and is never more than data."""

import os
from types import SimpleNamespace

import pytest

from bespeak.coord import symbol_index
from bespeak_symbols import scip_index
from bespeak_symbols.call_graph import CallGraph

STORE = "class Store:\n    def stow(self):\n        pass\n\n\nclass Other:\n    def stow(self):\n        pass\n"
USER = "def run(x):\n    x.stow()\n    print(x)\n"
SAVE = "scip-python python app 1 store/Store#stow()."
OUTSIDE = "scip-python python python-stdlib 3 builtins/print()."
DEFINES = 1


def number(value):
    """Return a number as protobuf writes it."""
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(key, value):
    if isinstance(value, int):
        return number(key << 3) + number(value)
    value = value.encode() if isinstance(value, str) else value
    return number(key << 3 | 2) + number(len(value)) + value


def occurrence(line, first, beyond, symbol, roles=0):
    place = b"".join(map(number, (line - 1, first, beyond)))
    return field(2, field(1, place) + field(2, symbol) + (field(3, roles) if roles else b""))


def index(**documents):
    """Return an index: the occurrences of each file, by its name."""
    packed = (field(1, f"{name}.py") + b"".join(of) + field(4, "python") for name, of in documents.items())
    return field(1, field(3, "file:///somewhere")) + b"".join(field(2, one) for one in packed)


DEFINITION = occurrence(2, 8, 12, SAVE, DEFINES)
USES = (occurrence(2, 6, 10, SAVE), occurrence(3, 4, 9, OUTSIDE))
INDEX = index(store=[DEFINITION], user=USES)


@pytest.fixture
def app(project):
    """A repository in which nothing but a compiler knows whose ``stow`` is called."""
    project.write("store.py", STORE)
    project.write("user.py", USER)
    commit = project.commit()

    def graph(**options):
        with symbol_index.open_index(project.repository) as opened:
            made = CallGraph(opened.snapshot("HEAD", **options))
            edges = [(edge.callee, edge.how, edge.confidence) for edge in made.edges_of("user.py")]
            return SimpleNamespace(edges=edges, unread=[(part.path, part.why) for part in made.unread])

    def beside(content, of=commit):
        path = project.root / ".git" / "bespeak" / "scip" / f"{of}.scip"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return SimpleNamespace(project=project, graph=graph, beside=beside)


KNOWN = [("store.py::Store.stow", "scip", 1.0)]


def guessed(edges):
    return {callee for callee, how, _ in edges if how == "name"}


def test_without_an_index_the_call_is_guessed(app):
    assert guessed(app.graph().edges) == {"store.py::Store.stow", "store.py::Other.stow"}


def test_an_index_beside_the_cache_outranks_what_is_guessed(app):
    before = app.graph().edges
    path = app.beside(INDEX)
    assert (app.graph().edges, app.graph().unread) == (KNOWN, [])
    path.unlink()
    assert app.graph().edges == before


def test_an_index_in_the_tree_counts_for_the_files_that_are_as_it_says(app):
    app.project.write("index.scip", INDEX)
    app.project.commit()
    assert app.graph().edges == KNOWN
    app.project.write("user.py", "import os\n\n" + USER)
    app.project.commit()
    found = app.graph()
    assert guessed(found.edges) == {"store.py::Store.stow", "store.py::Other.stow"}
    assert found.unread == [
        ("index.scip", "not as it says in 1 file(s), whose names are resolved without it: user.py"),
    ]


def test_an_index_of_another_commit_is_none(app):
    app.beside(INDEX, of="0" * 40)
    assert guessed(app.graph().edges)


def test_a_name_that_the_index_does_not_know_is_resolved_by_us(app):
    app.project.write("user.py", USER + "\n\ndef more():\n    run(1)\n")
    app.beside(INDEX, of=app.project.commit())
    found = {(callee, how) for callee, how, _ in app.graph().edges}
    assert found == {("store.py::Store.stow", "scip"), ("user.py::run", "local")}


def test_plans_resolve_without_it(app):
    app.beside(INDEX)
    assert guessed(app.graph(compiled=False).edges)
    assert app.graph().edges == KNOWN, "the edges that are kept are not those of the other"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xff\xff\xff",
        b"not an index at all, words only",
        INDEX[:-3],
        index(store=[DEFINITION], user=[field(2, b"\xff")]),
        index(store=[DEFINITION], user=[field(2, field(1, b"\x80" * 20))]),
    ],
)
def test_a_damaged_index_is_told_and_ours_stand(app, content):
    path = app.beside(content)
    found = app.graph()
    assert guessed(found.edges) == {"store.py::Store.stow", "store.py::Other.stow"}
    assert [where for where, _ in found.unread] == [str(path)]


def test_a_place_that_is_none_is_skipped(app):
    app.beside(index(store=[DEFINITION], user=[*USES, field(2, field(1, b"\x01") + field(2, SAVE))]))
    assert (app.graph().edges, app.graph().unread) == (KNOWN, [])


@pytest.mark.parametrize("place", [(10_000, 0, 4), (2, 90, 94), (2, 0, 4)])
def test_a_place_where_the_name_does_not_stand_is_of_another_file(app, place):
    app.beside(index(store=[DEFINITION], user=[*USES, occurrence(*place, SAVE)]))
    assert "not as it says" in app.graph().unread[0][1]


def test_files_outside_the_tree_are_not_looked_at(app):
    content = field(2, field(1, "../../etc/passwd") + DEFINITION) + INDEX
    app.beside(content)
    assert app.graph().edges == KNOWN


def test_an_index_that_is_too_large_is_not_read(app, monkeypatch):
    monkeypatch.setattr(scip_index, "MOST_BYTES", 20)
    path = app.beside(INDEX)
    found = app.graph()
    assert guessed(found.edges)
    assert found.unread == [(str(path), "larger than 0 MB")]


def test_a_link_is_not_followed(app):
    path = app.beside(INDEX)
    other = path.with_name("elsewhere")
    os.rename(path, other)
    path.symlink_to(other)
    assert guessed(app.graph().edges)


def test_without_protobuf_the_extra_is_named(app, monkeypatch):
    def missing(name):
        raise ImportError(name)

    scip_index._classes.cache_clear()
    monkeypatch.setattr(scip_index, "import_module", missing)
    path = app.beside(INDEX)
    found = app.graph()
    scip_index._classes.cache_clear()
    assert guessed(found.edges)
    assert found.unread == [(str(path), "reading it needs the extra 'scip'")]


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        (SAVE, "stow"),
        ("s m p v src/`a-b.ts`/Store#", "Store"),
        ("s m p v src/`a.ts`/`my ``odd`` name`.", "my `odd` name"),
        ("s m p v a/Store#stow(+1).", "stow"),
        ("s m p v a/Store#stow().(x)", ""),
        ("local 3", ""),
    ],
)
def test_the_last_name_of_a_symbol(symbol, name):
    assert scip_index.name_of(symbol) == name
