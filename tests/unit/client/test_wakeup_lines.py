"""The lines of an answer without an end, however its pieces are cut."""

import pytest

from bespeak.client.wakeups import _Lines


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize(
    ("chunked", "raw"),
    [
        (False, b"alive\nwake\nalive\n"),
        (True, b"6\r\nalive\n\r\n5\r\nwake\n\r\n6\r\nalive\n\r\n"),
        (True, b"8;name=x\r\nalive\nwa\r\n9\r\nke\nalive\n\r\n"),
    ],
)
def test_lines_come_whole(chunked, raw, size):
    lines = _Lines(chunked=chunked)
    found = [line for at in range(0, len(raw), size) for line in lines.take(raw[at : at + size])]
    assert found == [b"alive", b"wake", b"alive"]


def test_the_end_of_the_answer_is_the_end_of_the_connection():
    with pytest.raises(OSError, match="ended"):
        _Lines(chunked=True).take(b"6\r\nalive\n\r\n0\r\n\r\n")


def test_what_is_no_chunk_is_no_answer():
    with pytest.raises(ValueError, match="invalid literal"):
        _Lines(chunked=True).take(b"zz\r\nalive\r\n")
