"""Signing in at npm's oidc-provider, which is certified for OpenID Connect: with a browser and from a terminal."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from bespeak.cli.main import main
from bespeak.client import device_flow
from bespeak.client.saved_logins import SavedLogin
from bespeak.host.secrets import Secret
from bespeak.server.sign_in.authenticator import SignIn
from bespeak.server.sign_in.settings import OidcSettings, SignInSettings
from support.peervenv import FOLDER
from support.server import SECONDS, serving

VERSION = "9.13.3"
BACK = "http://127.0.0.1:1/auth/callback"
"""Where the provider sends browsers back to; the test carries them on to the server, whose port it cannot know."""


@pytest.fixture(scope="session")
def modules():
    """The folder with the provider and what it needs."""
    folder = Path(FOLDER, f"oidc-provider-{VERSION}")
    if not (folder / "node_modules" / "oidc-provider").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        npm = shutil.which("npm") or pytest.fail("npm is not here: apt-get install npm", pytrace=False)
        argv = [npm, "install", "--no-audit", "--no-fund", f"oidc-provider@{VERSION}"]
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.fail(f"oidc-provider {VERSION} could not be installed: {done.stderr[-500:]}", pytrace=False)
    shutil.copy(Path(__file__).with_name("provider.mjs"), folder)
    return folder


@contextmanager
def provider(folder, kind):
    process = subprocess.Popen(
        ["node", "provider.mjs", BACK, kind],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(SECONDS)
        process.stdout.close()


@pytest.fixture
def issuer(modules, request):
    with provider(modules, getattr(request, "param", "full")) as address:
        yield address


@pytest.fixture
def served(tmp_path, issuer):
    place = tmp_path / "secret"
    place.write_text("secret-of-the-book")
    oidc = OidcSettings(
        issuer,
        "book",
        Secret(f"file:{place}"),
        audiences=("book", "cli"),
        groups_claim="groups",
        device_client_id="cli",
    )
    settings = SignInSettings(oidc=oidc, url=BACK.removesuffix("/auth/callback"))
    with serving(str(tmp_path / "book"), authenticator=SignIn(settings)) as running:
        yield running


def fill_forms(browser, answer, user, code=""):
    """Do what a person does with the provider's pages; return the address elsewhere, or the last page."""
    while True:
        if answer.is_redirect:
            address = urljoin(str(answer.url), answer.headers["location"])
            if address.startswith(BACK):
                return address
            answer = browser.get(address)
            continue
        form = re.search(r"<form.*?</form>", answer.text, re.DOTALL)
        if form is None or answer.status_code != 200:
            return answer.text
        fields = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', form[0]))
        fields |= {"login": user, "password": "x"} if 'name="login"' in form[0] else {}
        fields |= {"user_code": code} if 'name="user_code"' in form[0] and code else {}
        action = re.search(r'action="([^"]+)"', form[0])
        answer = browser.post(urljoin(str(answer.url), action[1] if action else ""), data=fields)


@pytest.mark.parametrize("issuer", ["full", "thin"], indirect=True)
def test_a_browser_signs_in(served, issuer):
    with httpx.Client(timeout=SECONDS) as browser, httpx.Client(base_url=served.url, timeout=SECONDS) as ours:
        began = ours.get("/auth/login?next=/mine")
        address = began.headers["location"]
        assert address.startswith(f"{issuer}/auth?")
        back = fill_forms(browser, browser.get(address), "alice")
        state = dict(ours.cookies)["bespeak-login"]
        answer = ours.get(back.removeprefix(BACK.removesuffix("/auth/callback")))
        assert (answer.status_code, answer.headers["location"]) == (303, "/mine"), answer.text
        me = ours.get("/api/v1/me").json()
        assert (me["user"], me["method"], me["groups"]) == ("alice", "session", ["lab"])
        again = ours.get(
            back.removeprefix(BACK.removesuffix("/auth/callback")), headers={"Cookie": f"bespeak-login={state}"}
        )
        assert again.status_code == 401


def test_a_terminal_signs_in_renews_and_signs_out(served, issuer, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    typed = []

    def show(context, begun):
        def type_it():
            with httpx.Client(timeout=SECONDS) as browser:
                typed.append(fill_forms(browser, browser.get(begun.full_address), "alice", begun.code))

        threading.Thread(target=type_it).start()

    monkeypatch.setattr("bespeak.cli.login._show", show)
    assert main(["login", served.url, "--json"]) == 0, typed
    found = json.loads(capfd.readouterr().out)
    assert (found["user"], found["renewed"]) == ("alice", True)
    login = SavedLogin(served.url)
    assert login.token()
    kept, tokens, _ = login._read()
    fresh = device_flow.refresh(kept, tokens.refresh_token)
    assert device_flow.claims_of(fresh.id_token)["sub"] == "alice"
    login.save(kept, fresh, keyring=False)
    answer = httpx.get(f"{served.url}/api/v1/me", headers={"Authorization": f"Bearer {login.token()}"}, timeout=SECONDS)
    assert answer.json()["user"] == "alice"
    assert main(["logout", served.url]) == 0
    with pytest.raises(device_flow.RefusedByProviderError):
        device_flow.refresh(kept, fresh.refresh_token)
    assert not [name for _, _, names in os.walk(tmp_path / "state") for name in names if name.endswith(".json")]
