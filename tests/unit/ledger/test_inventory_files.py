"""Inventory files: the same content in three formats, exact both ways; mistakes are told in one line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.clock import SECOND_US
from bespeak.base.errors import UsageError
from bespeak.ledger.inventory.files import FORMATS, read, write
from bespeak.ledger.inventory.model import Entry, Properties
from bespeak.ledger.inventory.name_ranges import expand
from bespeak.ledger.model import Resource

EXACT = [form for form in FORMATS if form != "dibs"]
"""call-dibs has a place for the description and the groups only."""
SAMPLE = """
[resources.b1]
description = "evaluation board"
labels = {arch = "arm64", ram = 8}
owner = "bring-up"
contact = "lab@example.org"
link = "https://example.org/b1"
location = "rack 3"
seats = ["left", "right"]
parts = ["b1.gpu"]
groups = ["boards"]
cooldown = "10m"
hours = "mon-fri 08:00-18:00 Europe/Berlin"
check_in = "15m"
approval = ["carol", "team:leads"]

[resources."b1.gpu"]
labels = ["usb3"]

[resources."rack{9..11}"]
seats = 4
"""
texts = st.text(max_size=12).filter(lambda t: "\0" not in t and not any("\ud800" <= c <= "\udfff" for c in t))
names = (
    st.text(alphabet='ab01.-_ ;="\\é{},', min_size=1, max_size=8)
    .filter(lambda name: name.strip() == name and expand(name) == [name])
    .filter(str.isprintable)
)
values = st.one_of(
    texts,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["8", "true", "2.5", "a;b", '"', "x=y", "", " "]),
)
lengths = st.integers(1, 10**8).map(lambda seconds: seconds * SECOND_US)
seats = st.one_of(st.integers(1, 1_000_000), st.lists(names, min_size=1, max_size=3, unique=True))
hours = st.sampled_from(["", "mon-fri 08:00-18:00 Europe/Berlin", "daily 22:00-06:00, sat 0:00-24:00 UTC"])
some = st.lists(names, max_size=3, unique=True).map(sorted).map(tuple)


@st.composite
def entries(draw):
    found = []
    for name in draw(st.lists(names, max_size=4, unique=True)):
        room = draw(seats)
        resource = Resource(
            name,
            capacity=room if isinstance(room, int) else len(room),
            declared=True,
            description=draw(texts),
            cooldown_us=draw(st.one_of(st.just(0), lengths)),
            hours=draw(hours),
            check_in_us=draw(st.one_of(st.none(), lengths)),
            approval=draw(st.one_of(st.none(), some, st.just(("true",)))),
        )
        labels = draw(st.dictionaries(names, values, max_size=3))
        found.append(
            Entry(
                resource,
                Properties(
                    labels=tuple(sorted(labels.items(), key=lambda pair: pair[0])),
                    owner=draw(texts),
                    contact=draw(texts),
                    link=draw(texts),
                    location=draw(texts),
                    seats=() if isinstance(room, int) else tuple(room),
                    groups=draw(some),
                    parts=(found[-1].name,) if found and draw(st.booleans()) else (),
                ),
            )
        )
    return found


def same(left, right):
    """Equal, and of equal types: 1, 1.0 and True are one in Python."""
    return left == right and repr(left) == repr(right)


@given(entries(), st.sampled_from(EXACT))
def test_what_is_written_is_read_again_exactly(found, format_):
    text = write(found, format_)
    back = read("x", text.encode(), format_)
    assert same({entry.name: entry for entry in found}, {entry.name: back[entry.name] for entry in found})
    assert len(back) == len(found)
    assert write(back.values(), format_) == text


def test_the_formats_have_the_same_keys():
    found = read("inventory.toml", SAMPLE.encode(), "toml")
    assert list(found) == ["b1", "b1.gpu", "rack9", "rack10", "rack11"]
    board = found["b1"]
    assert board.resource.capacity == 2
    assert board.resource.cooldown_us == 600 * SECOND_US
    assert board.resource.check_in_us == 900 * SECOND_US
    assert board.properties.labels == (("arch", "arm64"), ("ram", 8))
    assert found["b1.gpu"].properties.labels == (("usb3", True),)
    assert found["rack10"].resource.capacity == 4
    for format_ in EXACT:
        assert read("x", write(found.values(), format_).encode(), format_) == found


def test_a_spreadsheet_may_be_typed():
    text = (
        "name,labels,seats,groups,parts\n"
        'b1,"arch=arm64; ram=8;usb3; code=""007""",2,boards;arm,b1.gpu\n'
        "b1.gpu,,left; right,,\n"
    )
    found = read("x.csv", text.encode(), "csv")
    assert dict(found["b1"].properties.labels) == {"arch": "arm64", "ram": 8, "usb3": True, "code": "007"}
    assert found["b1"].properties.groups == ("arm", "boards")
    assert found["b1.gpu"].properties.seats == ("left", "right")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[resources.b1]\nlable = {}\n", "x: [resources.b1]: there is no key 'lable'; did you mean labels?"),
        ("[resources.b1]\nlabels = 3\n", "x: [resources.b1]: labels: must be a table, not 3"),
        ("[resources.b1]\nlabels = {a = [1]}\n", "x: [resources.b1]: labels: a: must be a text, a number"),
        ("[resources.b1]\nlabels = {a = nan}\n", "labels: a: must be"),
        ("[resources.b1]\nseats = 0\n", "x: [resources.b1]: seats: must be a number from 1"),
        ("[resources.b1]\nseats = true\n", "seats: must be a number from 1"),
        ("[resources.b1]\nseats = []\n", "seats: no seat is named"),
        ("[resources.b1]\nseats = ['a', 'a']\n", "seats: 'a' stands there twice"),
        ("[resources.b1]\nowner = 1\n", "x: [resources.b1]: owner: must be a text, not 1"),
        ("[resources.b1]\ncooldown = 10\n", "cooldown: must be a text, not 10"),
        ("[resources.b1]\ncooldown = '10 minuts'\n", "x: [resources.b1]: cooldown: "),
        ("[resources.b1]\ncheck_in = 'forever'\n", "check_in: must be a length of whole seconds"),
        ("[resources.b1]\nhours = 'mon 8-9'\n", "x: [resources.b1]: hours: "),
        ("[resources.b1]\nparts = ['b2']\n", "x: [resources.b1]: parts: there is no resource 'b2' here"),
        ("[resources.b1]\nparts = ['b1']\n", "parts: 'b1' cannot be a part of itself"),
        (
            "[resources.a]\nparts = ['b']\n[resources.b]\nparts = ['a']\n",
            "x: [resources.a]: parts: a resource is a part",
        ),
        ("[resources.b1]\nparts = 'b2'\n", "parts: must be a list of texts, not 'b2'"),
        ("[resources]\nb1 = 3\n", "x: [resources.b1]: must be a table, not 3"),
        ("resources = 3\n", "x: resources must be a table"),
        ("[resource.b1]\n", "x: there is no key 'resource'; did you mean resources?"),
        ("[resources.' b']\n", "begins or ends with a blank"),
        ("[resources.'b{1,2}']\n[resources.b2]\n", "x: [resources.b2]: the resource 'b2' is described twice"),
        ("[resources.'b{1..99999}']\n", "stands for more than 10000 names"),
        ("[resources.b1\n", "x: is not TOML: "),
    ],
)
def test_a_mistake_is_one_line_with_file_table_key_and_value(text, told):
    with pytest.raises(UsageError) as refused:
        read("x", text.encode(), "toml")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "format_", "told"),
    [
        ("[]", "json", "x: must be a table with resources in it, not []"),
        ('{"resources": {"a": {}, "a": {}}}', "json", "x: is not JSON: the key 'a' stands twice"),
        ("", "csv", "x: has no header"),
        ("nam\n", "csv", "x: the column 'nam' is unknown; did you mean name?"),
        ("name,name\n", "csv", "x: the column 'name' stands there twice"),
        ("seats\n1\n", "csv", "x: there is no column 'name'"),
        ("name,seats\nb1\n", "csv", "x: line 2: 1 cells, and the header has 2"),
        ("name,seats\nb1,0\n", "csv", "x: line 2 (b1): seats: must be a number"),
        ("name,labels\nb1,a=b=c\n", "csv", "x: line 2: labels: the label 'a' has several values"),
        ("name,labels\nb1,a; a\n", "csv", "x: line 2: labels: 'a' stands there twice"),
        ('name,parts\nb1,"""a"\n', "csv", "has no closing quote"),
        ("name\n\xff\n", "latin", "x: is not UTF-8 (byte 5)"),
    ],
)
def test_mistakes_of_the_other_formats(text, format_, told):
    with pytest.raises(UsageError) as refused:
        read("x", text.encode("latin-1"), "csv" if format_ == "latin" else format_)
    assert told in str(refused.value)


def test_json_is_exported_for_people_too():
    found = read("x", SAMPLE.encode(), "toml")
    shown = json.loads(write(found.values(), "json"))["resources"]["b1"]
    assert shown["seats"] == ["left", "right"]
    assert shown["cooldown"] == "10m"


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("b", ["b"]),
        ("b{1..3}", ["b1", "b2", "b3"]),
        ("b{08..10}", ["b08", "b09", "b10"]),
        ("b{3..1}", ["b3", "b2", "b1"]),
        ("{a,b}{1..2}", ["a1", "a2", "b1", "b2"]),
        ("b{}", ["b{}"]),
        ("b{x}", ["b{x}"]),
    ],
)
def test_ranges_of_names(word, found):
    assert expand(word) == found
