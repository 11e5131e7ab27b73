"""``bespeak login``: the device flow at a provider, what is kept, and that commands are signed in with it."""

from __future__ import annotations

import json
import os
import pwd
import stat
from pathlib import Path

import pytest

from bespeak.base.errors import UnavailableError, UsageError, WaitTimedOutError
from bespeak.cli.main import main
from bespeak.client import device_flow
from bespeak.client.credentials import Credentials
from bespeak.client.device_flow import Provider, RefusedByProviderError
from bespeak.client.saved_logins import SavedLogin
from bespeak.server.sign_in.authenticator import SignIn
from bespeak.server.sign_in.settings import OidcSettings, SignInSettings
from support.device_provider import CLIENT, device_provider
from support.server import serving


@pytest.fixture
def provider():
    with device_provider() as running:
        yield running


@pytest.fixture
def known(provider):
    return Provider(provider.address, CLIENT, ("openid",))


@pytest.fixture
def served(tmp_path, provider):
    oidc = OidcSettings(provider.address, "book", audiences=(CLIENT,), device_client_id=CLIENT)
    with serving(str(tmp_path / "book"), authenticator=SignIn(SignInSettings(oidc=oidc))) as running:
        yield running


def files(folder):
    return [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]


def kept_at(tmp_path):
    return next(path for path in files(tmp_path) if path.endswith(".json") and "logins" in path)


def test_somebody_signs_in_uses_the_book_and_signs_out(provider, served, tmp_path, capfd, monkeypatch):
    provider.user = pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("BESPEAK_TOKEN", raising=False)
    monkeypatch.setenv("BESPEAK_LEDGER", served.url)
    assert main(["list"]) == 9
    assert "sign in" in capfd.readouterr().err
    assert main(["login", "--json"]) == 0
    said = capfd.readouterr()
    shown, found = json.loads(said.err), json.loads(said.out)
    assert (shown["code"], shown["full_address"]) == ("ABCD-EFGH", f"{provider.address}/device?user_code=ABCD-EFGH")
    assert (found["user"], found["server"], found["renewed"]) == (provider.user, served.url, True)
    path = kept_at(tmp_path / "state")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
    assert main(["reserve", "rack1", "--for", "1h", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["holder"] == provider.user
    assert "offline_access" in provider.forms[0]["scope"]
    assert main(["logout"]) == 0
    assert capfd.readouterr().out == f"signed out from {served.url}\n"
    assert (provider.revoked, os.path.exists(path)) == ([provider.good_refresh], False)
    assert main(["list"]) == 9
    assert main(["logout"]) == 4


def test_a_token_that_ends_is_renewed_and_the_new_one_kept(provider, known, tmp_path):
    login = SavedLogin("https://book.example.com", {"XDG_STATE_HOME": str(tmp_path)})
    provider.lifetime = 30
    login.save(known, device_flow.sign_in(known, lambda _: None, lambda _: None), keyring=False)
    provider.lifetime = 300
    first = login.token()
    assert provider.forms[-1]["grant_type"] == "refresh_token"
    asked = len(provider.forms)
    assert login.token() == first
    assert len(provider.forms) == asked
    assert provider.good_refresh in Path(kept_at(tmp_path)).read_text(encoding="utf-8")


def test_where_a_new_token_is_refused_one_has_to_sign_in_again(provider, known, tmp_path):
    login = SavedLogin("https://book.example.com", {"XDG_STATE_HOME": str(tmp_path)})
    provider.lifetime = 30
    login.save(known, device_flow.sign_in(known, lambda _: None, lambda _: None), keyring=False)
    provider.good_refresh = "another"
    with pytest.raises(UsageError, match="'invalid_grant'; sign in again with `bespeak login`"):
        login.token()
    provider.gives_refresh = False
    login.save(known, device_flow.sign_in(known, lambda _: None, lambda _: None), keyring=False)
    with pytest.raises(UsageError, match="is over; sign in again"):
        login.token()


def test_the_code_is_asked_for_until_it_is_typed(provider, known):
    provider.answers = ["authorization_pending", "slow_down", "authorization_pending"]
    waited = []
    tokens = device_flow.sign_in(known, lambda _: None, waited.append)
    assert waited == [1, 1, 6, 6]
    assert device_flow.claims_of(tokens.id_token)["preferred_username"] == "alice"


@pytest.mark.parametrize(
    ("answer", "error"),
    [("access_denied", RefusedByProviderError), ("expired_token", WaitTimedOutError), ("odd", RefusedByProviderError)],
)
def test_a_refusal_ends_it(provider, known, answer, error):
    provider.answers = [answer]
    with pytest.raises(error):
        device_flow.sign_in(known, lambda _: None, lambda _: None)


def test_a_code_that_nobody_types_ends_it(provider, known):
    provider.answers = ["authorization_pending"] * 100
    with pytest.raises(WaitTimedOutError, match="nobody has typed the code ABCD-EFGH"):
        device_flow.sign_in(known, lambda _: None, lambda _: None)


def test_a_provider_that_is_not_there_or_is_another_or_has_no_device_flow(provider, known, monkeypatch):
    with pytest.raises(UnavailableError, match="cannot be asked"):
        device_flow.sign_in(Provider("http://127.0.0.1:1", CLIENT, ()), lambda _: None)
    with pytest.raises(UnavailableError, match="http:// is for this machine only"):
        device_flow.sign_in(Provider("http://login.example.com", CLIENT, ()), lambda _: None)
    published = provider.configuration()
    monkeypatch.setattr(provider, "configuration", lambda: {**published, "issuer": "https://evil.example"})
    with pytest.raises(UnavailableError, match="its configuration cannot be read"):
        device_flow.sign_in(known, lambda _: None)
    monkeypatch.setattr(provider, "configuration", lambda: {"issuer": provider.address})
    with pytest.raises(UnavailableError, match="has no device authorization endpoint"):
        device_flow.sign_in(known, lambda _: None)


def test_what_is_kept_has_to_be_readable_for_its_owner_alone(provider, known, tmp_path):
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    login = SavedLogin("https://book.example.com", environ)
    login.save(known, device_flow.sign_in(known, lambda _: None, lambda _: None), keyring=False)
    token = Credentials("https://book.example.com", environ).token()
    assert token
    assert Credentials("https://other.example.com", environ).token() == ""
    assert Credentials("https://book.example.com", {**environ, "BESPEAK_TOKEN": "x"}).token() == "x"
    path = kept_at(tmp_path)
    os.chmod(path, 0o644)
    with pytest.raises(UsageError, match="nobody else may read"):
        login.token()
    os.chmod(path, 0o600)
    with open(path, "w", encoding="utf-8") as file:
        file.write("{}")
    with pytest.raises(UsageError, match="cannot be read; sign in again"):
        login.token()


def test_the_tokens_may_be_in_the_keyring_instead(provider, known, tmp_path, monkeypatch):
    import keyring

    kept = {}
    monkeypatch.setattr(keyring, "set_password", lambda service, user, text: kept.__setitem__((service, user), text))
    monkeypatch.setattr(keyring, "get_password", lambda service, user: kept.get((service, user)))
    monkeypatch.setattr(keyring, "delete_password", lambda service, user: kept.pop((service, user)))
    login = SavedLogin("https://book.example.com", {"XDG_STATE_HOME": str(tmp_path)})
    tokens = device_flow.sign_in(known, lambda _: None, lambda _: None)
    login.save(known, tokens, keyring=True)
    content = Path(kept_at(tmp_path)).read_text(encoding="utf-8")
    assert tokens.id_token not in content
    assert tokens.refresh_token not in content
    assert login.token() == tokens.id_token
    assert login.forget()
    assert kept == {}


def test_a_server_without_a_provider_says_what_to_do(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with serving(str(tmp_path / "book"), authenticator=SignIn(SignInSettings())) as running:
        assert main(["login", running.url]) == 2
    assert "put a token of its book into BESPEAK_TOKEN" in capfd.readouterr().err
    assert main(["login"]) == 2
    assert "name the server, https://..." in capfd.readouterr().err
    assert files(tmp_path / "state") == []


def test_a_token_that_the_server_does_not_accept_is_not_kept(provider, served, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    provider.user = "ci:nightly"
    assert main(["login", served.url]) == 2
    assert "no name of a person" in capfd.readouterr().err
    assert files(tmp_path / "state") == []
