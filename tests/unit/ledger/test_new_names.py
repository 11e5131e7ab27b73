"""A new resource has a name that is what it looks like; names that are in a book already stay usable."""

import pytest

from bespeak.base.errors import UsageError
from bespeak.ledger.validation import check_name, check_new_resource


@pytest.mark.parametrize("char", "\u034f\u115f\u1160\u17b4\u17b5\u180b\u3164\uffa0\ufe0f\U000e0101")
def test_a_character_that_nobody_sees_is_refused(char):
    name = f"r\u00e4ck{char}1"
    with pytest.raises(UsageError, match=r"nobody sees|looks like|does not print"):
        check_new_resource(check_name("resource", name), declared=True)


@pytest.mark.parametrize("name", ["\uff52ack1", "rack\u2460", "\ufb01ne", "rack\u00b2", "board\u2122"])
def test_another_form_of_plain_characters_is_refused_with_the_plain_one(name):
    with pytest.raises(UsageError, match=r"looks like '[a-z0-9A-Z]+'; type that"):
        check_new_resource(name, declared=True)


@pytest.mark.parametrize(
    "name", ["rack1", "r\u00e4ck", "\u0441\u0442\u0435\u043d\u0434", "\u6e2c\u5b9a\u5668-2", "\u03b1\u03b2"]
)
def test_names_of_other_languages_stay_names(name):
    check_new_resource(name, declared=True)


@pytest.mark.parametrize("name", ["rack1/", "./rack1", "rack1/.", "rack1//", "/./rack1", "lab//rack1"])
@pytest.mark.parametrize("declared", [True, False])
def test_another_way_to_write_a_path_is_refused_with_the_plain_one(name, declared):
    with pytest.raises(UsageError, match=r"another way to write '(/|lab/)?rack1'; type that"):
        check_new_resource(name, declared=declared)


def test_a_part_that_is_the_folder_above_is_in_no_name():
    with pytest.raises(UsageError, match=r"has a part that is '\.\.'"):
        check_new_resource("rack2/../rack1", declared=True)


@pytest.mark.parametrize(
    "name", ["lab/rack1", "/dev/ttyUSB0", "exporter/group/class/name", "tcp://10.0.0.7:5025/", "."]
)
def test_a_name_with_slashes_is_one(name):
    check_new_resource(name, declared=False)
