"""Addresses that name nothing: told with the nearest that is there; what is yet to be written is left alone."""

import pytest

from bespeak.coord.address_parser import locate_all
from bespeak.coord.missing_addresses import absent_of
from bespeak.git.repository import find


@pytest.fixture
def files(repo):
    (repo / "src" / "billing.py").write_text("class Bill:\n    def compute_total(self):\n        return 1\n")
    (repo / "src" / "billing.sh").write_text("compute_total\n")
    (repo / "src" / "big.py").write_bytes(b"\xff" * (4 * 1024 * 1024 + 1))
    return find(str(repo))


def told(files, address):
    return [(each.address, each.nearest) for each in absent_of(files, locate_all([address], files, files.root))]


@pytest.mark.parametrize(
    ("address", "nearest"),
    [
        ("src/billing.py::Bill.compute_totl", "src/billing.py::Bill.compute_total"),
        ("src/billing.py::Nothing.like_it", None),
        ("src/biling.py", "src/billing.py"),
        ("src/biling.py::Bill", "src/billing.py::Bill"),
        ("src/billing.sh::other", None),
    ],
)
def test_an_address_that_names_nothing_is_told_with_the_nearest(files, address, nearest):
    assert told(files, address) == [(address, nearest)]


@pytest.mark.parametrize(
    "address",
    [
        "src/billing.py",
        "src/billing.py::Bill",
        "src/billing.py::Bill.compute_total",
        "src/",
        "src/*.pi",
        "src/yet_to_be_written.py",
        "src/yet_to_be_written.py::f",
        "new/folder/a.py",
        "elsewhere/",
        "src/big.py::anything",
        "./",
    ],
)
def test_what_is_there_or_yet_to_be_written_is_not_told(files, address):
    assert told(files, address) == []


def test_the_commands_say_it_and_claim_all_the_same(files, run):
    made = run("reserve", "src/billing.py::Bill.compute_totl", "--run-id", "a")
    line = (
        "src/billing.py::Bill.compute_totl is not in the work tree; the nearest is src/billing.py::Bill.compute_total"
    )
    assert (made.code, f"note: {line}" in made.err, "Reserved 1 address" in made.out) == (0, True, True)
    asked = run("check", "src/biling.py", "--json", "--run-id", "a")
    assert asked.json["absent"] == {"src/biling.py": "src/billing.py"}
