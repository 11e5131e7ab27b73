"""Addresses: one name for one file, and what overlaps what."""

import os

import pytest

from bespeak.coord import address_parser, validation
from bespeak.coord.address import beginnings, range_inside, stored
from bespeak.coord.errors import ClaimError
from bespeak.coord.globs import relation
from bespeak.git.repository import find
from support.repositories import git


@pytest.fixture
def name(repo):
    def name_(text, folder=None):
        address_parser.check([text])
        return address_parser.locate(text, find(str(repo)), str(folder or repo)).text

    return name_


def test_every_way_to_write_a_file_is_one_address(name, repo):
    os.symlink("a.py", repo / "src" / "link.py")
    os.symlink("src", repo / "linked")
    for text in ("src/a.py", "./src/a.py", "src//a.py", "src/sub/../a.py", str(repo / "src/a.py"), "src/link.py"):
        assert name(text) == "src/a.py"
    assert name("linked/a.py::f") == "src/a.py::f"
    assert name("a.py", repo / "src") == "src/a.py"
    assert name("../b.py", repo / "src") == "b.py"
    assert name(":/src/a.py", repo / "src" / "sub") == "src/a.py"


def test_folders_end_with_a_slash(name, repo):
    for text in ("src", "src/", "./src/.", str(repo / "src")):
        assert name(text) == "src/"
    assert name("new/") == "new/"
    assert name(".") == name(":/") == name("src/..") == "./"


def test_a_link_out_of_the_repository_is_itself(name, repo, tmp_path):
    (tmp_path / "shared.cfg").write_text("")
    os.symlink(tmp_path / "shared.cfg", repo / "local.cfg")
    assert name("local.cfg") == "local.cfg"


@pytest.mark.parametrize("text", ["..", "../x", "../*.py", "../[x", "/", "/etc/*.conf", "src/../../x"])
def test_nothing_outside_the_repository_is_an_address(name, text):
    with pytest.raises(ClaimError, match="is outside the repository"):
        name(text)


def test_a_file_of_another_work_tree_of_the_same_clone_is_the_same_file(name, repo, tmp_path):
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "one")
    git(repo, "worktree", "add", "-q", str(tmp_path / "wt"), "-b", "other")
    assert name(str(tmp_path / "wt" / "src" / "a.py")) == "src/a.py"
    assert name(str(tmp_path / "wt" / "src")) == "src/"


def test_a_work_tree_inside_the_repository_holds_the_same_files(name, repo):
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "one")
    git(repo, "worktree", "add", "-q", str(repo / ".trees" / "x"), "-b", "other")
    assert name(".trees/x/src/a.py::f") == "src/a.py::f"
    assert name("a.py", repo / ".trees" / "x" / "src") == "src/a.py"
    assert name(".trees/x/src/") == "src/"
    assert name(".trees/x/src/*.py") == "src/*.py"
    assert name(".trees/x") == "./"
    assert name(".trees/") == ".trees/"


def test_a_file_of_a_submodule_is_claimed_in_the_submodule(name, repo, tmp_path):
    git(tmp_path, "init", "-q", "inner")
    git(tmp_path / "inner", "commit", "-q", "--allow-empty", "-m", "one")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "inner"), "lib/sub")
    with pytest.raises(ClaimError, match=r"is in another repository \(lib/sub\); claim it from there"):
        name("lib/sub/x.py")
    with pytest.raises(ClaimError, match="is in another repository"):
        name("lib/sub/*.py")
    assert name("lib/sub") == "lib/sub/"
    assert name("lib/") == "lib/"


def test_a_broken_git_file_on_the_way_is_no_repository(name, repo):
    (repo / "src" / ".git").write_text("gitdir: /nowhere\n")
    assert name("src/a.py") == "src/a.py"


def test_braces_are_refused_unless_a_file_is_called_so(name, repo):
    for text in ("src/{a,b}.py", "src/*.{js,py}"):
        with pytest.raises(ClaimError, match="braces are not understood"):
            name(text)
    (repo / "{a,b}").write_text("")
    assert name("{a,b}") == "{a,b}"
    assert name("{a}.py") == "{a}.py"


def test_names_as_git_has_them_are_taken_as_they_are():
    for text in ("src/[id].tsx", "a::b.py", "*{a,b}", ":/x", "a b\n"):
        found = address_parser.literal(text)
        assert (found.text, found.path, found.symbol, found.glob, found.key) == (text, text, (), False, text)
        assert relation(found, read("src/")) == ("inside" if text.startswith("src/") else None)
    assert address_parser.literal("src/\udcff.py").key == "src/\ufffd.py"


def test_the_repository_of_a_file_on_disk(repo, tmp_path):
    os.symlink("src/a.py", repo / "link.py")
    os.symlink("/etc/passwd", repo / "out.cfg")
    os.symlink(repo / "src" / "a.py", tmp_path / "in.py")
    for text, expected in (
        ("src/a.py", "src/a.py"),
        ("link.py", "src/a.py"),
        ("../in.py", "src/a.py"),
        ("out.cfg", "out.cfg"),
        ("src/new [x].py", "src/new [x].py"),
        ("no/such/folder/x", "no/such/folder/x"),
    ):
        where, address = address_parser.file_at(str(repo / text))
        assert (where.root, address.text) == (str(repo), expected)
    for text in ("/etc/passwd", str(tmp_path / "x"), str(repo / "\ud800"), str(repo / "a\0b")):
        assert address_parser.file_at(text) is None


def test_patterns(name, repo):
    assert name("src/*.py") == "src/*.py"
    assert name("./src/sub/../**/x?.py") == "src/**/x?.py"
    assert name("*.py", repo / "src") == "src/*.py"
    assert name("src/*/") == "src/*/**"
    (repo / "app").mkdir()
    (repo / "app" / "[id].tsx").write_text("")
    assert not address_parser.locate("app/[id].tsx", find(str(repo)), str(repo)).glob
    with pytest.raises(ClaimError, match="at most 500"):
        name("a" * 501 + "*")


def test_symbols(name):
    assert name("src/a.py::C.m") == "src/a.py::C.m"
    assert stored("a.cpp::ns::C::f", glob=False).symbol == ("ns", "C", "f")
    assert name("src/a.py::*") == "src/a.py"
    assert name("src/a.py::C.*") == name("src/a.py::C::*") == "src/a.py::C"
    assert name("src/*.py::C.*") == "src/*.py::C"
    assert name("src/a.cpp::C::operator*") == "src/a.cpp::C::operator*"


PAIRS = [
    ("src/a.py", "src/a.py", "same"),
    ("src/a.py", "src/a.py::f", "contains"),
    ("src/a.py::C.m", "src/a.py::C", "inside"),
    ("src/a.py::C.m", "src/a.py::C.n", None),
    ("src/a.py::C", "src/a.py::CC", None),
    ("src/a.py::ns::f", "src/a.py::ns.f", "same"),
    ("src/", "src/a.py::f", "contains"),
    ("src/", "src2/a.py", None),
    ("src/a", "src/a.py", None),
    ("./", "x/y.py::f", "contains"),
    ("src/*.py", "src/a.py::f", "contains"),
    ("src/*.py", "src/sub/c.py", None),
    ("src/**/*.py", "src/a.py", "contains"),
    ("src/**/*.py", "src/x/y/z.py", "contains"),
    ("src/**", "src/x/y.py", "contains"),
    ("src/**", "src/x/", "contains"),
    ("src/**", "src", None),
    ("src/", "src/**/*.py", "contains"),
    ("src/sub/", "src/**/*.py", "overlaps"),
    ("lib/", "src/**/*.py", None),
    ("src/*.py", "src/a*", "overlaps"),
    ("src/*.py", "src/*.js", None),
    ("src/a*.py", "src/*b.py", "overlaps"),
    ("src/[ab].py", "src/[bc].py", "overlaps"),
    ("src/[ab].py", "src/[!ab].py", None),
    ("src/?.py", "src/ab.py", None),
    ("**/test_*.py", "src/**/*.py", "overlaps"),
    ("**/x.py::main", "src/x.py", "overlaps"),
    ("**/x.py::main", "src/x.py::main.inner", "contains"),
    ("**/x.py::main", "src/x.py::other", None),
    ("src/*/b.py", "src/a.py", None),
    ("src/[!]a].py", "src/].py", None),
    ("src/[!]a].py", "src/b.py", "contains"),
    ("src/[]a].py", "src/].py", "contains"),
    ("src/[z-a]", "src/*", None),
    ("src/[!a-zb-c]", "src/d", None),
    ("a.cpp::operator/x", "a.cpp::operator", None),
]
TURNED = {"contains": "inside", "inside": "contains"}


def read(text):
    return stored(text, glob=any(char in text for char in "*?["))


@pytest.mark.parametrize(("one", "two", "expected"), PAIRS)
def test_relations(one, two, expected):
    assert relation(read(one), read(two)) == expected
    assert relation(read(two), read(one)) == TURNED.get(expected, expected)


def test_a_pattern_and_a_file_that_is_called_so_are_the_same():
    assert relation(read("app/[id].tsx"), address_parser.literal("app/[id].tsx")) == "same"
    assert relation(address_parser.literal("app/[id].tsx"), read("app/[id].tsx::f")) == "contains"


def test_keys_find_what_overlaps():
    assert beginnings("a/b.py/::/C") == ["", "a", "a/b.py", "a/b.py/::", "a/b.py/::/C"]
    low, high = range_inside(read("src/a.py"))
    assert low <= read("src/a.py::f").key < high
    assert not low <= read("src/a.pyx").key < high
    low, high = range_inside(read("src/"))
    assert low <= read("src/ü.py").key < high
    assert not low <= read("src0").key < high
    low, high = range_inside(read("src/te\ud7ff*"))
    assert high == "src/te\ue000"


def test_a_pattern_that_is_long_is_decided_in_time():
    import time

    began = time.process_time()
    one = read("/".join(["*a" * 6] * 38) + "/*")
    two = read("/".join(["**", "*b*"] * 60))
    relation(one, two)
    assert time.process_time() - began < 20  # an exponential search would not end


def test_ids_and_numbers():
    assert validation.seconds("60", "ttl") == 60
    for text in ("1.5", "٣", "1e3", " 5", "0x10", ""):
        with pytest.raises(ClaimError):
            validation.seconds(text, "ttl")
    for text in ("sha256:" + "A" * 64, "sha256:" + "0" * 63, "md5:" + "0" * 64, "x"):
        with pytest.raises(ClaimError):
            validation.needs([text])
