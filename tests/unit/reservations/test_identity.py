"""Who is asked for: the flag, else the account; never a variable that says otherwise."""

from __future__ import annotations

import getpass
import logging
import os
import pwd

import pytest

from bespeak.base.errors import UsageError
from bespeak.reservations import ResolvedIdentity, identity, resolve_username
from bespeak.reservations.identity import VARIABLES

ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture(autouse=True)
def no_names(monkeypatch):
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def test_the_flag_counts_first(monkeypatch):
    monkeypatch.setenv("LOGNAME", "eve")
    assert resolve_username("bob") == ResolvedIdentity("bob", "--as-user")


@pytest.mark.parametrize("flag", [None, ""])
def test_without_the_flag_it_is_who_runs_the_process(flag):
    assert resolve_username(flag) == ResolvedIdentity(ME, "$USER")


@pytest.mark.parametrize(
    "said", [{}, {"USERNAME": ME}, {"LOGNAME": "", "LNAME": "carol"}, {"USER": "u", "LOGNAME": "l"}]
)
def test_it_is_what_getuser_says(monkeypatch, said):
    monkeypatch.setattr(identity, "account_instead_of", lambda _: None)
    for variable, value in said.items():
        monkeypatch.setenv(variable, value)
    assert resolve_username(None) == ResolvedIdentity(getpass.getuser(), "$USER")


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_that_contradicts_the_account_is_ignored_with_one_line(monkeypatch, caplog, variable):
    monkeypatch.setenv(variable, "ali\x1bce")
    assert resolve_username(None) == ResolvedIdentity(ME, "$USER")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        f"{variable} says 'ali\\x1bce', but this process runs as {ME!r}; {variable} is ignored (use --as-user)"
    )


def test_a_variable_that_agrees_is_no_news(monkeypatch, caplog):
    monkeypatch.setenv("LOGNAME", ME)
    monkeypatch.setenv("USER", "somebody-else")
    assert resolve_username(None).username == ME
    assert caplog.records == []


def test_where_the_database_has_no_entry_the_environment_counts(monkeypatch, caplog):
    monkeypatch.setattr(os, "getuid", lambda: 4_123_456)
    monkeypatch.setenv("USER", "container-user")
    assert resolve_username(None).username == "container-user"
    (told,) = caplog.records
    assert told.getMessage() == "user id 4123456 has no account here; USER says 'container-user', and that is believed"


def test_another_account_of_the_same_user_id_may_stand(monkeypatch):
    entry = pwd.getpwuid(os.getuid())
    real = pwd.getpwnam
    monkeypatch.setattr(pwd, "getpwnam", lambda name: entry if name == "alias" else real(name))
    monkeypatch.setenv("LOGNAME", "alias")
    assert resolve_username(None).username == "alias"


def test_nobody_at_all_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 4_123_456)
    with pytest.raises(UsageError, match="cannot tell who you are: user id 4123456 has no account"):
        resolve_username(None)
