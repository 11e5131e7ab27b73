"""What bespeak wrote comes back as it was, in every form; what is no file of reservations is refused."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import UsageError
from bespeak.ledger.model import Mode
from bespeak.operations.exchange import Item, dump, load, requests

NAMES = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=12)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs",)), max_size=30)
START = 1_800_000_000_000_000
ITEMS = st.builds(
    Item,
    st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple),
    NAMES,
    st.integers(START, START * 2),
    st.one_of(st.just(FOREVER_US), st.integers(START * 2 + 1, START * 3)),
    st.sampled_from(Mode),
    TEXTS,
    st.dictionaries(NAMES, TEXTS, max_size=2).map(lambda tags: tuple(tags.items())),
)


@pytest.mark.parametrize("form", ["json", "csv", "ical"])
@settings(max_examples=60)
@given(items=st.lists(ITEMS, max_size=4))
@example(
    items=[
        Item(("a",), "b", START, FOREVER_US, purpose="\r"),
        Item(("a\x85",), "b", START, START + 1, purpose="\n\r\n"),
    ]
)
def test_what_was_written_comes_back(form, items):
    text = dump(form, items, START)
    assert load(form, text) == items
    assert dump(form, load(form, text), START) == text


@settings(max_examples=60)
@given(st.lists(ITEMS, max_size=4))
def test_otto_knows_who_holds_what_until_when(items):
    held = [Item(one.resources, one.holder, START, one.ends_us) for one in items]
    text = dump("otto", held, START)
    assert load("otto", text) == [Item(one.resources, one.holder, None, one.ends_us) for one in items]
    assert dump("otto", items, START - 1) == dump("otto", [], START)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        *(("json", ""), ("json", "[]"), ("json", '{"version": 2, "reservations": []}'), ("json", '{"version": 1}')),
        ("json", '{"version": 1, "reservations": [{"resources": "a", "ends": null}]}'),
        ("json", '{"version": 1, "reservations": [{"resources": ["a"], "colour": "red"}]}'),
        *(
            ("csv", "a,b\n1,2\n"),
            ("csv", "resources,ends\na,never\n"),
            ("otto", '{"version": 1, "reservations": [{}]}'),
        ),
        ("ical", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR\n"),
    ],
)
def test_what_is_no_file_of_reservations(form, text):
    with pytest.raises(UsageError):
        load(form, text)


EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//other//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20400501T080000Z
DTSTART:20400501T090000Z
DTEND:20400501T110000Z
SUMMARY:Thermal run
{more}END:VEVENT
END:VCALENDAR
"""


def test_an_event_of_another_program():
    (found,) = load("ical", EVENT.format(more="LOCATION:rack3, rack4\n"))
    assert (found.resources, found.holder, found.purpose) == (("rack3", "rack4"), None, "Thermal run")
    assert found.ends_us - (found.starts_us or 0) == 7_200_000_000
    (named,) = load("ical", EVENT.format(more=""), ("rack9",))
    assert named.resources == ("rack9",)
    with pytest.raises(UsageError, match="names no resource"):
        load("ical", EVENT.format(more=""))
    with pytest.raises(UsageError, match="as a series, with every"):
        load("ical", EVENT.format(more="RRULE:FREQ=DAILY\n"), ("rack9",))


def test_what_is_over_is_left_out_and_what_has_begun_begins_now():
    items = [Item(("a",), "bob", 1, 2), Item(("b",), None, 1, START + 5), Item(("c",), "me", START + 1, START + 5)]
    over, begun, ahead = [*requests(items, "me", START), None][-1], *requests(items, "me", START)
    assert over is None
    assert (begun.starts_us, begun.holder.user, begun.holder.requested_by) == (None, "me", None)
    assert (ahead.starts_us, ahead.ends_us) == (START + 1, START + 5)
