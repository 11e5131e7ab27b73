"""Pages as HTML: well-formed, escaped, and with what can be pressed."""

from __future__ import annotations

import pytest

from bespeak.base.clock import HOUR_US
from bespeak.base.errors import NotFoundError
from bespeak.coord.service import open_coord
from bespeak.jobs import store
from bespeak.jobs.schema import COMPONENT as JOBS
from bespeak.jobs.store import JobSpec
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.storage.optional_tables import ensure
from bespeak.web import pages, queue_keeper
from bespeak.web.pages import SignInNeededError
from support.desk import Desk, asked, waiting
from support.read_html import Element, read_html
from support.repositories import git

HOSTILE = '<script>alert(1)</script>"\' onmouseover=alert(2) x="&amp;'
HOSTILE_TEXT = HOSTILE + "</title></textarea>\u202e{{ 7 * 7 }}"


def _page(text: str) -> Element:
    document = read_html(text)
    for one in document.all():
        assert not [name for name in one.attributes if name.startswith("on") or name == "style"], one.attributes
    assert all(one.attributes.get("src", "").startswith("/static/") for one in document.all("script"))
    assert not document.all("style")
    return document


def _buttons(inside: Element) -> dict[str, str]:
    return {one.text: one.attributes["value"] for one in inside.all("button", name="do")}


def test_now_offers_what_can_be_done(desk: Desk) -> None:
    mine = desk.reserve("mine", "alice")
    desk.reserve("theirs", "bob", purpose="bring-up")
    desk.book.resource_set("unused", Holder("boss"), description="a spare board")
    document = _page(pages.now_page(desk.book, asked()))
    rows = {one.attributes["data-name"]: one for one in document.all("tr") if "data-name" in one.attributes}
    key = f"{mine.id}.{mine.fencing_token}"
    assert _buttons(rows["mine"]) == {"Extend": f"extend:{key}", "Release": f"release:{key}"}
    assert _buttons(rows["theirs"]) == {"Join line": "join:theirs", "Notify me": "notify:theirs"}
    assert _buttons(rows["unused"]) == {"Reserve": "reserve:unused"}
    assert "bob until 14:00 bring-up" in rows["theirs"].text
    assert document.one("ul", id="counts").text == "1 free 1 mine 1 held"


def test_who_may_approve_is_asked_on_mine_and_on_the_page_of_the_reservation(desk: Desk) -> None:
    desk.book.inventory_add(["rack1"], Holder("boss"), {"approval": ["carol"]})
    wanted = desk.reserve("rack1", "alice", purpose="bring-up")
    answers = {"Approve": f"approve:{wanted.id}", "Refuse": f"refuse:{wanted.id}"}
    mine = _page(pages.mine_page(desk.book, asked("carol")))
    card = mine.one("li", id=f"q-{wanted.id}")
    assert _buttons(card) == answers
    assert "alice, 12:00 to 14:00 bring-up" in card.text
    form = card.one("form", method="post")
    assert (form.one("input", name="csrf").attributes["value"], len(form.all("button", name="do"))) == ("token", 2)
    page = _page(pages.reservation_page(desk.book, asked("carol"), wanted.id))
    assert answers.items() <= _buttons(page).items()
    for user in ("alice", "bob"):
        assert not mine_questions(desk, user)
        assert "Approve" not in _buttons(_page(pages.reservation_page(desk.book, asked(user), wanted.id)))
    desk.book.approve(wanted.id, Holder("carol"))
    assert not mine_questions(desk, "carol")
    assert "Approve" not in _buttons(_page(pages.reservation_page(desk.book, asked("carol"), wanted.id)))


def mine_questions(desk: Desk, user: str) -> list[Element]:
    """Return what a user is asked to approve on their page."""
    document = _page(pages.mine_page(desk.book, asked(user)))
    return [one for one in document.all("li") if one.attributes.get("id", "").startswith("q-")]


def test_every_button_belongs_to_the_form_with_the_csrf_token(desk: Desk) -> None:
    desk.reserve("mine", "alice")
    document = _page(pages.now_page(desk.book, asked()))
    form = document.one("form", id="act")
    assert form.attributes["method"] == "post"
    assert form.one("input", name="csrf").attributes["value"] == "token"
    assert all(one.attributes["form"] == "act" for one in document.all("button", name="do"))


def test_those_not_signed_in_get_no_buttons(desk: Desk) -> None:
    desk.reserve("rack1", "bob")
    document = _page(pages.now_page(desk.book, asked(None)))
    assert "rack1" in document.text
    assert not document.all("button")
    assert not document.all("form")


def test_an_open_page_asks_for_single_rows(desk: Desk) -> None:
    for name in ("a", "b", "c"):
        desk.reserve(name, "bob")
    document = read_html(pages.now_page(desk.book, asked(fragment=True, only=["b", "gone"])))
    assert [one.attributes["data-name"] for one in document.all("tr")] == ["b"]
    document = read_html(pages.timeline_page(desk.book, asked(fragment=True, only=["c"])))
    assert [one.attributes["data-name"] for one in document.inside if isinstance(one, Element)] == ["c"]


def test_a_row_follows_its_facts(desk: Desk) -> None:
    def row(user: str | None) -> str:
        return _page(pages.now_page(desk.book, asked(user))).one(data_name="rack1").text

    made = desk.reserve("rack1", "alice")
    assert "mine" in row("alice")
    assert "held" in row("bob")
    desk.book.extend(made.id, Holder("alice"), duration_us=HOUR_US)
    assert "until 15:00" in row("bob")
    desk.later(4)
    assert "free" in row("bob")
    assert "Reserve" not in row(None)


@pytest.mark.parametrize(
    "page", ["now", "wall", "timeline", "resource", "reservation", "mine", "log", "admin", "sign in"]
)
def test_no_text_of_users_becomes_markup(desk: Desk, page: str) -> None:
    desk.book.resource_set(HOSTILE, Holder(HOSTILE), description=HOSTILE_TEXT)
    made = desk.book.reserve(
        Request(
            (HOSTILE,),
            Holder(HOSTILE, HOSTILE),
            duration_us=HOUR_US,
            purpose=HOSTILE_TEXT,
            tags=((HOSTILE, HOSTILE_TEXT),),
        )
    )
    desk.reserve(HOSTILE, HOSTILE, start_hours=4, purpose=HOSTILE_TEXT)
    queue_keeper.join(desk.book, waiting((HOSTILE,), Holder("bob"), duration_us=HOUR_US, purpose=HOSTILE_TEXT))
    text = {
        "now": lambda: pages.now_page(desk.book, asked(HOSTILE)),
        "wall": lambda: pages.wall_page(desk.book, asked(None)),
        "timeline": lambda: pages.timeline_page(desk.book, asked(HOSTILE)),
        "resource": lambda: pages.resource_page(desk.book, asked("bob"), HOSTILE),
        "reservation": lambda: pages.reservation_page(desk.book, asked(HOSTILE), made.id),
        "mine": lambda: pages.mine_page(desk.book, asked(HOSTILE)),
        "log": lambda: pages.log_page(desk.book, asked("boss")),
        "admin": lambda: pages.admin_page(desk.book, asked("boss")),
        "sign in": lambda: pages.sign_in_page(asked(None), "/resource/" + HOSTILE),
    }[page]()
    document = _page(text)
    assert page == "sign in" or HOSTILE in document.text
    assert {one.attributes.get("src", "")[:8] for one in document.all("script")} == {"/static/"}
    assert "\u202e" not in text
    assert "49" not in document.text.replace(HOSTILE, "").split()


def test_the_page_of_a_resource(desk: Desk) -> None:
    desk.book.resource_set("rack/1 a", Holder("boss"))
    desk.reserve("rack/1 a", "bob", purpose="bring-up")
    desk.reserve("rack/1 a", "carol", start_hours=24, purpose="later")
    document = _page(pages.resource_page(desk.book, asked(), "rack/1 a"))
    assert "Tue 1 Dec 12:00 to Tue 1 Dec 14:00 carol later" in document.text
    assert document.one("table", class_="now").all("a")[0].attributes["href"] == "/resource/rack%2F1%20a"
    assert [one.text for one in document.all("h2")] == ["Next", "Line", "Use of the last 30 days", "History"]


def test_what_is_not_there_or_not_for_the_viewer_is_not_found(desk: Desk) -> None:
    made = desk.reserve("rack1", "bob")
    with pytest.raises(NotFoundError, match="knows no resource 'rack2'"):
        pages.resource_page(desk.book, asked(), "rack2")
    with pytest.raises(NotFoundError):
        pages.reservation_page(desk.book, asked(hidden=True), made.id)


def test_the_page_of_a_reservation(desk: Desk) -> None:
    made = desk.reserve("rack1", "alice", purpose="bring-up")
    document = _page(pages.reservation_page(desk.book, asked(), made.id))
    assert list(_buttons(document)) == ["Extend", "Shorten", "Release", "Hand over"]
    document = _page(pages.reservation_page(desk.book, asked("boss"), made.id))
    assert _buttons(document) == {"Take away": f"kick:{made.id}"}
    assert _buttons(_page(pages.reservation_page(desk.book, asked("bob"), made.id))) == {}


def test_mine_is_in_parts(desk: Desk) -> None:
    desk.reserve("rack1", "alice")
    desk.reserve("rack2", "alice", start_hours=5)
    desk.reserve("rack3", "bob")
    queue_keeper.join(desk.book, waiting(("rack3",), Holder("alice"), duration_us=HOUR_US))
    document = _page(pages.mine_page(desk.book, asked()))
    assert [one.text for one in document.all("h2")][:3] == ["Held now", "In line", "Booked"]
    assert [one.text for one in document.all("h3")] == ["rack1", "rack3", "rack2"]
    with pytest.raises(SignInNeededError):
        pages.mine_page(desk.book, asked(None))


def test_the_log_has_pages(desk: Desk) -> None:
    for _ in range(60):
        desk.book.release(desk.reserve("rack1", "bob").id, Holder("bob"))
    first = _page(pages.log_page(desk.book, asked()))
    assert len(first.all("li")) == 100
    before = first.all("a", href="/log?before=21")
    assert len(before) == 1
    assert len(_page(pages.log_page(desk.book, asked(before="21"))).all("li")) == 20
    assert len(_page(pages.log_page(desk.book, asked(before="x" * 30))).all("li")) == 100


def test_the_timeline_can_be_used_with_keys(desk: Desk) -> None:
    desk.reserve("rack1", "bob")
    document = _page(pages.timeline_page(desk.book, asked(span="week")))
    field = document.one(data_book="rack1")
    assert field.attributes["tabindex"] == "0"
    assert field.attributes["aria-label"].startswith("rack1: 1 bookings shown")
    assert [one.one("button", name="do").text for one in document.all("dialog")] == ["Book", "Move"]
    assert not _page(pages.timeline_page(desk.book, asked(None))).all(data_book="rack1")


@pytest.mark.parametrize("day", ["2026-02-30", "0001-01-01", "9999-12-31", "x", "2026-13-01"])
def test_a_day_that_is_none_is_today(desk: Desk, day: str) -> None:
    assert "Monday 30 November 2026" in pages.timeline_page(desk.book, asked(day=day))


def test_pages_work_on_both_engines(on_both_engines) -> None:
    book = on_both_engines()
    book.resource_set("rack1", Holder("boss"))
    made = book.reserve(Request(("rack1",), Holder("alice"), duration_us=HOUR_US))
    book.reserve(
        Request(("rack1",), Holder("bob"), starts_us=book.now_us() + 9 * HOUR_US, duration_us=400 * 24 * HOUR_US)
    )
    queue_keeper.join(book, waiting(("rack1",), Holder("carol"), duration_us=HOUR_US))
    assert "1 waiting" in pages.now_page(book, asked())
    assert "1 waiting" in pages.now_page(book, asked(fragment=True, only=["rack1"]))
    assert "carol, promised" in pages.timeline_page(book, asked(span="month"))
    assert "No booking." not in pages.resource_page(book, asked(), "rack1")
    assert made.id in pages.reservation_page(book, asked(), made.id)
    assert "Held now" in pages.mine_page(book, asked())
    assert "joined the line" in pages.log_page(book, asked())
    assert "rack1" in pages.wall_page(book, asked(None))
    assert 0 <= queue_keeper.keep(book) <= queue_keeper.RENEW_SECONDS


def test_claims_that_meet_are_told(tmp_path) -> None:
    book_url = str(tmp_path / "book.db")
    repository = tmp_path / "repository"
    repository.mkdir()
    git(str(repository), "init", "-q")
    open_ledger(book_url).close()
    coord = open_coord(str(repository), ledger=book_url)
    coord.reserve(["src/a.c"], run_id="agent-1")
    coord.reserve(["src"], run_id="agent-2")
    coord.reserve(["docs/<i>x"], run_id="agent-3")
    coord.close()
    with open_ledger(book_url) as book:
        document = _page(pages.claims_page(book, asked()))
        with pytest.raises(SignInNeededError):
            pages.claims_page(book, asked(None))
    said = document.one("div", class_="refused").text
    assert said.startswith("1 pair meets:")
    assert [word for word in ("agent-1", "agent-2", "agent-3") if word in said] == ["agent-1", "agent-2"]
    assert "docs/<i>x" in document.text


def test_a_book_without_claims_and_jobs_says_so(desk: Desk) -> None:
    assert "No agent has claimed code" in _page(pages.claims_page(desk.book, asked())).text
    assert "There is no job" in _page(pages.jobs_page(desk.book, asked())).text


def test_jobs_tell_what_became_of_them(tmp_path) -> None:
    book_url = str(tmp_path / "book.db")
    with open_ledger(book_url) as book:
        ensure(book.engine, JOBS)
        store.reserve(book.engine, JobSpec("nightly <b>", ["make", "test all"]), "job-1")
        document = _page(pages.jobs_page(book, asked()))
    assert document.one("ul", class_="counts").text == "1 reserved"
    (row,) = document.one("table").all("tr")[1:]
    assert row.text.startswith("nightly <b> reserved")
    assert 'make "test all"' in row.text


def test_admin_shows_what_the_viewer_may_administer(desk: Desk) -> None:
    desk.book.resource_set("rack1", Holder("boss"))
    desk.book.rights_grant("*", "booker", Holder("boss"))
    titles = [one.text for one in _page(pages.admin_page(desk.book, asked("boss"))).all("h2")]
    assert titles == ["Resources", "Rights", "Tokens"]
    assert [one.text for one in _page(pages.admin_page(desk.book, asked("alice"))).all("h2")] == ["Tokens"]


def test_sign_ins_tokens_and_rights_are_for_administrators(desk: Desk) -> None:
    desk.book.rights_grant("*", "viewer", Holder("boss"))
    desk.reserve("rack1", "boss")
    assert "right granted" in pages.log_page(desk.book, asked("boss"))
    for user in ("alice", None):
        text = pages.log_page(desk.book, asked(user))
        assert "right granted" not in text
        assert "rack1" in text


@pytest.mark.parametrize(("link", "shown"), [("https://wiki.example.com/rack1", True), ("javascript:alert(1)", False)])
def test_a_resource_shows_what_is_declared_about_it(desk: Desk, link: str, shown: bool) -> None:
    desk.book.inventory_add(
        ["rack1"], Holder("boss"), {"labels": {"arch": "arm64"}, "location": "room 4", "link": link}
    )
    document = _page(pages.resource_page(desk.book, asked(), "rack1"))
    assert "Labels arch=arm64" in document.text
    assert "Location room 4" in document.text
    assert bool(document.all("a", href=link)) is shown
