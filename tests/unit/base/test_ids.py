"""Identifiers are UUIDv7, sort by creation, and never meet."""

import uuid

from bespeak.base.ids import ID_LENGTH, SHORT_LENGTH, new_id, short_id, tail


def test_an_id_is_a_uuid_of_version_7():
    made = new_id()
    parsed = uuid.UUID(made)
    assert str(parsed) == made
    assert len(made) == ID_LENGTH
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122


def test_ids_sort_by_creation():
    made = [new_id() for _ in range(2000)]
    stamps = [identifier[:18] for identifier in made]
    assert stamps == sorted(stamps)


def test_ids_and_their_short_forms_do_not_meet():
    made = [new_id() for _ in range(5000)]
    assert len(set(made)) == 5000
    assert len({tail(identifier) for identifier in made}) == 5000


def test_the_short_form_is_the_start_of_the_random_tail():
    assert tail("01a20145-0216-776b-af4b-a006899416a0") == "a006899416a0"
    assert short_id("01a20145-0216-776b-af4b-a006899416a0") == "a0068994"
    assert len(short_id(new_id())) == SHORT_LENGTH
