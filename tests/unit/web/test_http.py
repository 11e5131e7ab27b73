"""The pages through the real server: cookies, forged forms, headers, compression, who may look."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator

import httpx
import pytest

from bespeak.access.tokens import hashed, new_token
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, State
from bespeak.server.settings import ServerSettings
from bespeak.server.sign_in.authenticator import authenticators
from bespeak.server.sign_in.settings import SignInSettings
from bespeak.web import csrf
from support.read_html import read_html
from support.server import Serving, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server whose page *now* is public."""
    settings = ServerSettings(public=("now",))
    with serving(str(tmp_path_factory.mktemp("served") / "book.db"), settings) as running:
        yield running


class Browser:
    """A client that keeps cookies, and presses buttons of the page it is on."""

    def __init__(self, server: Serving, user: str | None) -> None:
        headers = {} if user is None else {"Authorization": f"Bearer {user}"}
        self.http = httpx.Client(base_url=server.url, headers=headers, timeout=60)
        self.csrf = ""

    def get(self, path: str, **headers: str) -> httpx.Response:
        answer = self.http.get(path, headers=headers)
        found = re.search(r'name="csrf" value="([0-9a-f]*)"', answer.text)
        self.csrf = found.group(1) if found else self.csrf
        return answer

    def press(self, do: str, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        return self.http.post("/act", data={"csrf": self.csrf, "do": do, **fields}, headers=headers)


@pytest.fixture
def alice(server: Serving) -> Iterator[Browser]:
    """Alice's browser, on the page *now*."""
    browser = Browser(server, "alice")
    browser.get("/now")
    yield browser
    browser.http.close()


def test_who_may_approve_does_so_from_their_page(server: Serving, alice: Browser) -> None:
    with open_ledger(server.book_url) as book:
        book.inventory_add(["asked"], Holder("boss"), {"approval": ["carol"]})
        alice.press("reserve:asked")
        (wanted,) = book.reservations(resources=["asked"])
        assert wanted.is_awaiting
        alice.press(f"approve:{wanted.id}")
        assert book.get(wanted.id).is_awaiting
        carol = Browser(server, "carol")
        assert f"approve:{wanted.id}" in carol.get("/mine").text
        carol.press(f"approve:{wanted.id}")
        carol.http.close()
        assert book.get(wanted.id).state(book.now_us()) is State.ACTIVE


@pytest.fixture
def nobody(server: Serving) -> Iterator[Browser]:
    """A browser in which nobody is signed in."""
    browser = Browser(server, None)
    yield browser
    browser.http.close()


def test_a_press_reserves_and_goes_back(alice: Browser) -> None:
    answer = alice.press("reserve:press1", back="/timeline?span=week&day=2026-11-30", **{"for": "1h"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/timeline?span=week&day=2026-11-30")
    assert "press1" in alice.get("/mine").text


def test_an_open_page_gets_the_message_alone(alice: Browser) -> None:
    answer = alice.press("reserve:press2", headers={"Bespeak-Fragment": "1"})
    assert answer.status_code == 200
    (message,) = [one for one in read_html(answer.text).inside if not isinstance(one, str)]
    assert message.attributes["class"] == "message done"


def test_a_refusal_is_a_page_with_offers(alice: Browser, server: Serving) -> None:
    bob = Browser(server, "bob")
    bob.get("/now")
    bob.press("reserve:taken", purpose="bring-up", **{"for": "1h"})
    answer = alice.press("reserve:taken", **{"for": "1h"})
    assert answer.status_code == 409
    document = read_html(answer.text)
    assert "held by bob until" in document.text
    assert [one.text for one in document.all("button")][-1] == "Join the line"
    bob.http.close()


def test_the_line_is_kept_by_the_server_and_granted(alice: Browser, server: Serving) -> None:
    bob = Browser(server, "bob")
    bob.get("/now")
    bob.press("reserve:queued", **{"for": "2h"})
    assert "You are in line for queued" in alice.press("join:queued", headers={"Bespeak-Fragment": "1"}).text
    with open_ledger(server.book_url, durable=False) as book:
        (held,) = book.reservations(holder="bob", resources=["queued"])
        book.release(held.id, Holder("bob"))
        for _ in range(600):
            (place,) = book.reservations(holder="alice", resources=["queued"])
            if place.state(book.now_us()) is State.ACTIVE:
                break
            time.sleep(0.1)
        assert place.state(book.now_us()) is State.ACTIVE
    bob.http.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain"},
    ],
)
def test_a_form_of_another_site_does_nothing(alice: Browser, headers: dict[str, str]) -> None:
    answer = alice.press("reserve:forged", headers=headers)
    assert answer.status_code == 403
    assert "forged" not in alice.get("/mine").text


@pytest.mark.parametrize("token", ["", "0" * 96, "x" * 96, "12" * 24 + "12" * 24])
def test_a_form_without_the_token_of_the_cookie_does_nothing(alice: Browser, token: str) -> None:
    alice.csrf = token
    assert alice.press("reserve:forged").status_code == 403
    assert "forged" not in alice.get("/mine").text


def test_a_token_that_is_no_number_is_of_no_page(alice: Browser, server: Serving) -> None:
    for token in ("aa" + " " * 94, "g" * 96, "\u0663" * 96, "A" * 96):
        alice.csrf = token
        assert alice.press("reserve:rack1").status_code == 403


def test_more_fields_than_any_page_has_are_refused(alice: Browser) -> None:
    many = "&".join(f"a{number}=1" for number in range(300))
    assert alice.http.get(f"/now?{many}").status_code == 400
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert alice.http.post("/act", content=many, headers=form).status_code == 400


def test_a_token_without_its_cookie_does_nothing(alice: Browser) -> None:
    alice.http.cookies.clear()
    assert alice.press("reserve:forged").status_code == 403


def test_the_token_is_never_the_same_and_always_fits() -> None:
    secret = csrf.new_secret()
    tokens = {csrf.masked(secret) for _ in range(50)}
    assert len(tokens) == 50
    assert all(csrf.fits(token, secret) for token in tokens)
    assert not any(secret in token for token in tokens)


def test_the_cookie_is_kept_from_scripts_and_other_sites(server: Serving) -> None:
    answer = httpx.get(server.url + "/now", timeout=60)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie
    assert csrf.cookie_name(secure=True).startswith("__Host-")


def test_headers_keep_scripts_and_frames_out(alice: Browser) -> None:
    headers = alice.get("/now").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin", "with no-referrer, browsers send the origin of a form as null"


def test_pages_load_their_own_files_and_nothing_else(nobody: Browser) -> None:
    text = nobody.get("/now").text
    urls = re.findall(r'(?:src|href)="(/static/[^"]+)"', text)
    assert len(urls) == 3
    for url in urls:
        answer = nobody.http.get(url)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert "http://" not in text.replace(str(nobody.http.base_url), "")
    assert "https://" not in text
    assert nobody.http.get("/static/0/bespeak.js").status_code == 404
    assert nobody.http.get(urls[0].rpartition("/")[0] + "/..%2fapp.py").status_code == 404


def test_scripts_are_small(alice: Browser) -> None:
    found = re.findall(r'src="(/static/[^"]+)"', alice.get("/timeline").text)
    assert [url.rpartition("/")[2] for url in found] == ["bespeak.js", "timeline.js"]
    assert sum(len(alice.http.get(url).content) for url in found) < 100_000


def test_what_is_not_public_asks_to_sign_in(nobody: Browser) -> None:
    assert nobody.get("/now").status_code == 200
    assert nobody.get("/wall").status_code == 200
    for path in ("/mine", "/timeline", "/log"):
        answer = nobody.get(path)
        assert answer.status_code == 401
        assert "Sign in" in answer.text
    assert nobody.press("reserve:rack1").status_code == 401


def test_what_is_not_there_is_a_page(alice: Browser) -> None:
    answer = alice.get("/resource/no%2Fsuch%20thing")
    assert answer.status_code == 404
    assert "no/such thing" in read_html(answer.text).text
    assert alice.get("/reservation/zzzzzz").status_code == 404


def test_pages_are_compressed(alice: Browser) -> None:
    assert alice.get("/now").headers["content-encoding"] == "gzip"
    plain = alice.get("/now", **{"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text.startswith("<!doctype html>")


def test_times_are_in_the_zone_of_the_cookie(alice: Browser) -> None:
    alice.http.cookies.set("zone", "Asia%2FTokyo")
    assert "Asia/Tokyo" in alice.get("/timeline").text
    alice.http.cookies.set("zone", "..%2F..%2Fetc%2Fpasswd")
    assert alice.get("/timeline").status_code == 200


def _events(server: Serving, user: str, after: int = 0) -> Iterator[tuple[str, object]]:
    headers = {"Authorization": f"Bearer {user}", "Last-Event-ID": str(after)}
    with httpx.stream("GET", server.url + "/live", headers=headers, timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        kind = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield kind, json.loads(line.removeprefix("data: "))


def test_an_open_page_hears_what_others_change_and_what_it_means_for_the_viewer(
    server: Serving, alice: Browser
) -> None:
    alice.press("reserve:live", **{"for": "2h"})
    bob = Browser(server, "bob")
    bob.get("/now")
    events = _events(server, "alice")
    kind, names = next(events)
    assert kind == "change"
    assert "live" in names
    bob.press("join:live")
    seen = [next(events)]
    while seen[-1][0] != "notice":
        seen.append(next(events))
    assert ("change", ["live"]) in seen
    assert seen[-1][1].startswith("bob waits for live, which you hold until ")
    assert "bob waits for live" in alice.get("/mine").text
    bob.http.close()
    events.close()


def test_a_reader_who_was_away_for_long_is_told_to_look_at_everything(server: Serving, alice: Browser) -> None:
    alice.press("reserve:late")
    kind, names = next(_events(server, "alice"))
    assert kind == "change"
    assert names is None or "late" in names


def test_a_calendar_is_read_by_its_address_alone(server: Serving, alice: Browser, nobody: Browser) -> None:
    alice.press("reserve:cal1", **{"for": "1h"})
    said = read_html(alice.press("calendar:resource:cal1", headers={"Bespeak-Fragment": "1"}).text)
    address = said.all("p", class_="detail")[0].text
    assert address.startswith(server.url + "/calendar/")
    answer = nobody.http.get(address)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "SUMMARY:cal1: alice" in answer.text
    again = nobody.http.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert nobody.http.get("/calendar/x.ics").status_code == 404


def test_those_who_may_see_nothing_hear_nothing(tmp_path: object) -> None:
    with serving(f"{tmp_path}/book.db") as server:
        assert httpx.get(server.url + "/live", timeout=60).status_code == 401


def test_names_can_be_hidden_from_those_not_signed_in(tmp_path: object) -> None:
    settings = ServerSettings(public=("now",), names_hidden=True)
    with serving(f"{tmp_path}/book.db", settings) as server:
        alice = Browser(server, "alice")
        alice.get("/now")
        alice.press("reserve:rack1", purpose="secret")
        text = httpx.get(server.url + "/now", timeout=60).text
        assert "somebody" in text
        assert "alice" not in text
        assert "secret" not in text
        assert "alice" in alice.get("/now").text
        alice.http.close()


def test_people_sign_in_with_a_token_and_out_again(tmp_path: object) -> None:
    url = f"{tmp_path}/book.db"
    secret = new_token()
    with open_ledger(url) as book:
        book.token_create(Holder("boss"), "dana", hashed(secret))
    with (
        serving(url, authenticator=authenticators(SignInSettings())) as server,
        httpx.Client(base_url=server.url, timeout=60, follow_redirects=True) as browser,
    ):
        answer = browser.get("/mine")
        assert answer.status_code == 401
        form = read_html(answer.text).one("form")
        assert (form.attributes["action"], form.one("input", name="next").attributes["value"]) == (
            "/auth/token",
            "/mine",
        )
        origin = {"Origin": server.url}
        answer = browser.post("/auth/token", data={"token": secret, "next": "/mine"}, headers=origin)
        assert (answer.status_code, answer.url.path) == (200, "/mine")
        document = read_html(answer.text)
        csrf = document.all("input", name="csrf")[0].attributes["value"]
        said = browser.post("/act", data={"csrf": csrf, "do": "reserve:rack1", "back": "/mine"}, headers=origin)
        assert "rack1" in said.text
        assert document.one("header").one("form").attributes["action"] == "/auth/logout"
        answer = browser.post("/auth/logout", headers=origin)
        assert browser.get("/mine").status_code == 401


def test_without_a_session_there_is_nothing_to_sign_out_of(alice: Browser) -> None:
    assert "Sign out" not in alice.get("/now").text


@pytest.mark.parametrize("path", ["/claims", "/jobs", "/admin", "/mine"])
def test_pages_of_those_who_are_signed_in(alice: Browser, nobody: Browser, path: str) -> None:
    assert alice.get(path).status_code == 200
    assert nobody.get(path).status_code == 401


def test_who_may_not_administer_changes_nothing(alice: Browser) -> None:
    alice.get("/admin")
    assert alice.press("rights-grant:new", principal="alice", role="admin").status_code == 403
