"""What the settings may say of signing in."""

from __future__ import annotations

import pytest

from bespeak.base.errors import UsageError
from bespeak.server.sign_in.settings import LEEWAY_SECONDS, SignInSettings, load, read_table
from bespeak.settings.repo import SettingsError

OIDC = {"issuer": "https://login.example.com", "client_id": "book"}


def test_all_of_it(tmp_path):
    folder = tmp_path / "bespeak"
    folder.mkdir()
    (folder / "settings.toml").write_text(
        '[server]\naudience = "https://book.example.com"\nleeway_seconds = 5\nproxy_user_header = "X-User"\n'
        '[server.oidc]\nissuer = "https://login.example.com"\nclient_id = "book"\nclient_secret = "env:BOOK_SECRET"\n'
        'user_claim = "email"\ngroups_claim = "groups"\nscopes = ["openid"]\nsession_for = "1h"\ndevice_client_id = "cli"\n'
    )
    found = load({"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)})
    assert (found.audience, found.leeway_seconds, found.proxy_user_header) == ("https://book.example.com", 5, "x-user")
    oidc = found.oidc
    assert (oidc.issuer, oidc.client_id, repr(oidc.client_secret)) == (*OIDC.values(), "Secret(env:BOOK_SECRET)")
    assert (oidc.audiences, oidc.user_claim, oidc.groups_claim) == (("book",), "email", "groups")
    assert (oidc.scopes, oidc.session_seconds, oidc.device_client_id) == (("openid",), 3600, "cli")


def test_a_header_needs_a_proxy_that_is_known(tmp_path):
    nowhere = {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    assert load(nowhere, proxy_user_header="X-User").proxy_user_header == "x-user"
    with pytest.raises(UsageError, match="the header x-user says who calls, but nobody is believed"):
        load(nowhere, proxy_user_header="X-User", behind_proxy=False)


def test_without_settings_there_is_no_provider(tmp_path):
    assert load({"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}) == SignInSettings()
    assert SignInSettings().leeway_seconds == LEEWAY_SECONDS == 60


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"odic": {}}, "known: audience, leeway_seconds, oidc, proxy_user_header, url; did you mean oidc?"),
        ({"leeway_seconds": 301}, "from 0 to 300"),
        ({"leeway_seconds": True}, "from 0 to 300"),
        ({"audience": 7}, "audience must be a text"),
        ({"url": "book.example.com"}, "url must be an address"),
        ({"oidc": "x"}, "oidc must be a table"),
        ({"oidc": {"client_id": "x"}}, "issuer must be a text"),
        ({"oidc": {**OIDC, "issuer": "http://login.example.com"}}, "https://"),
        ({"oidc": {**OIDC, "client_secret": "hunter2"}}, "must say where the secret is"),
        ({"oidc": {**OIDC, "audience": []}}, "audience must be a list of texts"),
        ({"oidc": {**OIDC, "session_for": "31d"}}, "at most 30d"),
        ({"oidc": {**OIDC, "session_for": "soon"}}, "session_for"),
        ({"oidc": {**OIDC, "secret": "hunter2"}}, "did you mean"),
    ],
)
def test_what_cannot_be_is_refused_and_no_secret_is_shown(table, message):
    with pytest.raises(SettingsError) as refused:
        read_table(table, "settings.toml")
    assert message in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_repository_cannot_say_how_people_sign_in(tmp_path, monkeypatch):
    from bespeak.settings import load_settings

    (tmp_path / ".bespeak").mkdir()
    (tmp_path / ".bespeak" / "settings.toml").write_text('[server]\naudience = "x"\n')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="there is no table"):
        load_settings()
