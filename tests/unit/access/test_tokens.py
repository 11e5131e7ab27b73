"""A token is recognised by its form, and the book keeps a hash of it only."""

from __future__ import annotations

import re

import pytest

from bespeak.access import tokens


def test_a_token_has_a_prefix_and_256_random_bits_and_a_checksum():
    made = {tokens.new_token() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"bsp_[0-9A-Za-z]{49}", one) for one in made)
    assert all(map(tokens.looks_like_token, made))


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "0", lambda t: "ghp_" + t[4:], lambda t: t[:-1] + "é"]
)
def test_another_form_is_no_token(change):
    assert not tokens.looks_like_token(change(tokens.new_token()))


@pytest.mark.parametrize("at", [4, 20, 46, 52])
def test_a_mistyped_token_is_told_without_asking_the_book(at):
    token = tokens.new_token()
    other = "a" if token[at] != "a" else "b"
    assert not tokens.looks_like_token(token[:at] + other + token[at + 1 :])


def test_the_hash_is_of_the_whole_token():
    token = tokens.new_token()
    assert re.fullmatch(r"[0-9a-f]{64}", tokens.hashed(token))
    assert tokens.hashed(token) != tokens.hashed(token[:-1])
