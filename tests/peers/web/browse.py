"""Scenes in a real browser; run by test_browser.py in an environment that has playwright.

    python browse.py SCENE CHROMIUM URL BESPEAK FOLDER AXE

``URL`` is of a server that takes a token for the name of whoever sends it. A scene that fails ends with a traceback.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.request import Request, urlopen

from playwright.sync_api import sync_playwright

SCENE, CHROMIUM, URL, BESPEAK, FOLDER, AXE = sys.argv[1:]
PATIENCE_MS = 60_000
PAGES = (
    "now",
    "timeline",
    "timeline?span=week",
    "timeline?span=month",
    "mine",
    "log",
    "wall",
    "resource/rack1",
    "claims",
    "jobs",
    "admin",
)


class Stage:
    """A browser with people in it."""

    def __init__(self, chromium):
        self._chromium = chromium
        self.troubles = []

    def person(self, user, **options):
        """A browser of ``user``; whatever its console says is trouble."""
        headers = {"Authorization": f"Bearer {user}"} if user else {}
        context = self._chromium.new_context(
            extra_http_headers=headers, timezone_id="Europe/Berlin", locale="en-GB", **options
        )
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("console", lambda message: self.troubles.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: self.troubles.append(f"{page.url}: {error}"))
        return page


def goto(page, path, *, live=True):
    """Go to a page, and wait until it hears of changes."""
    page.goto(f"{URL}/{path}")
    if live:
        page.wait_for_selector("html[data-connected]", state="attached")


def shell(user, *words, **options):
    """Run a command of bespeak in a shell of ``user``, through the same server."""
    environment = {**os.environ, "BESPEAK_LEDGER": URL, "BESPEAK_TOKEN": user}
    return subprocess.Popen([BESPEAK, *words], env=environment, stdout=subprocess.PIPE, text=True, **options)


def said(user, *words):
    """Return what a command printed as JSON."""
    process = shell(user, *words, "--json")
    text, _ = process.communicate(timeout=PATIENCE_MS / 1000)
    assert process.returncode == 0, (words, process.returncode)
    return json.loads(text)


def reserve(user, name, hours, purpose="", at=None):
    """Reserve through the API; return the id."""
    body = json.dumps({"resources": [name], "duration": f"{hours}h", "purpose": purpose, "starts": at}).encode()
    headers = {"Authorization": f"Bearer {user}", "Content-Type": "application/json"}
    with urlopen(Request(f"{URL}/api/v1/reservations", body, headers), timeout=PATIENCE_MS / 1000) as answer:
        assert answer.status in (201, 202)
        return json.load(answer)["id"]


def row(page, name):
    return page.locator(f'tr[data-name="{name}"]')


def wait_for_text(page, name, text):
    page.wait_for_function(
        '([name, text]) => document.querySelector(`[data-name="${name}"]`)?.textContent.includes(text)',
        arg=[name, text],
    )


def tomorrow(more=0):
    return (datetime.now(UTC) + timedelta(days=2 + more)).date().isoformat()


def drag(stage):
    """Book by dragging; a second browser and two commands in a shell see it."""
    alice, bob = stage.person("alice"), stage.person("bob")
    for page in (alice, bob):
        goto(page, f"timeline?span=day&day={tomorrow()}")
    watching = shell("carol", "watch", "--after", "0", "--json")
    field = alice.locator('[data-book="rack1"]')
    box = field.bounding_box()
    y = box["y"] + box["height"] / 2
    alice.mouse.move(box["x"] + box["width"] * 0.5 + 2, y)
    alice.mouse.down()
    alice.mouse.move(box["x"] + box["width"] * 0.6, y, steps=8)
    alice.mouse.move(box["x"] + box["width"] * 0.75 - 2, y, steps=8)
    alice.screenshot(path=f"{FOLDER}/drawing.png")
    alice.mouse.up()
    assert alice.locator("#book-name").inner_text() == "rack1"
    assert alice.locator('#book [name="starts"]').input_value().endswith("T12:00")
    assert alice.locator('#book [name="ends"]').input_value().endswith("T18:00")
    alice.locator("#book [name=purpose]").fill("bring-up of rev C")
    alice.locator("#book-do").click()
    for page in (alice, bob):
        wait_for_text(page, "rack1", "alice · bring-up of rev C")
    alice.wait_for_selector(".message.done")
    line = json.loads(watching.stdout.readline())
    while line["action"] != "reserved":
        line = json.loads(watching.stdout.readline())
    watching.kill()
    watching.communicate()
    assert (line["resources"], line["who"]) == (["rack1"], "alice")
    (found,) = said("carol", "who", "rack1")["reservations"]
    assert (found["holder"], found["purpose"]) == ("alice", "bring-up of rev C")
    bob.locator("#lanes a[aria-label^='rack1: alice']").click()
    bob.wait_for_url("**/reservation/*")
    assert "bring-up of rev C" in bob.locator("main").inner_text()


def move(stage):
    """What is booked is dragged to another time, or moved with keys; a second browser sees it; and it comes again."""
    alice, bob = stage.person("alice"), stage.person("bob")
    for page in (alice, bob):
        goto(page, f"timeline?span=day&day={tomorrow()}")
    field = alice.locator('[data-book="rack1"]')
    field.focus()
    for key in ("ArrowRight", *["Shift+ArrowRight"] * 11, "Enter"):
        alice.keyboard.press(key)
    alice.wait_for_selector("#book[open]")
    assert alice.locator('#book [name="ends"]').input_value().endswith("T03:00")
    alice.locator("#book [name=repeat]").select_option("day")
    alice.locator("#book [name=count]").fill("2")
    alice.locator("#book-do").click()
    wait_for_text(bob, "rack1", "alice")
    bar = alice.locator("[data-name=rack1] a[data-move]")
    bar.wait_for()
    box, whole = bar.bounding_box(), field.bounding_box()
    y = box["y"] + box["height"] / 2
    alice.mouse.move(box["x"] + 10, y)
    alice.mouse.down()
    alice.mouse.move(box["x"] + 10 + whole["width"] / 4, y, steps=8)
    alice.mouse.move(box["x"] + 10 + whole["width"] / 2, y, steps=8)
    alice.screenshot(path=f"{FOLDER}/moving.png")
    alice.mouse.up()
    alice.wait_for_selector("#move[open]")
    assert alice.locator("#move-name").inner_text() == "rack1"
    assert alice.locator('#move [name="starts"]').input_value().endswith("T12:00")
    assert alice.locator('#move [name="ends"]').input_value().endswith("T15:00")
    alice.locator("#move-do").click()
    for page in (alice, bob):
        page.wait_for_selector("[data-name=rack1] a[aria-label*='12:00']")
    bar.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Enter"):
        alice.keyboard.press(key)
    alice.wait_for_selector("#move[open]")
    assert alice.locator('#move [name="starts"]').input_value().endswith("T12:15")
    for _ in range(20):
        alice.keyboard.press("Tab")
        if alice.evaluate("document.activeElement.id") == "move-do":
            break
    alice.keyboard.press("Enter")
    bob.wait_for_selector("[data-name=rack1] a[aria-label*='12:15']")
    to_another_row(alice, bob, y)
    bob.goto(f"{URL}/timeline?span=month&day={tomorrow()}")
    assert bob.locator("[data-name=rack1] a[aria-label*=alice]").count() >= 1
    alice.locator("[data-name=rack1] a[data-move]").click()
    alice.wait_for_url("**/reservation/*")
    alice.locator("[name=to][placeholder^=user]").fill("bob")
    alice.get_by_role("button", name="Hand over").click()
    alice.wait_for_function("() => document.querySelector('#whole dl').textContent.includes('bob')")


def to_another_row(alice, bob, y):
    """The booking of rack1 is dragged to rack2 at its time, and brought back with keys; a second browser sees it."""
    alice.wait_for_selector("[data-name=rack1] a[aria-label*='12:15']")
    box = alice.locator("[data-name=rack1] a[data-move]").bounding_box()
    other = alice.locator('[data-book="rack2"]').bounding_box()
    alice.mouse.move(box["x"] + 10, y)
    alice.mouse.down()
    alice.mouse.move(box["x"] + 10, other["y"] + other["height"] / 2, steps=8)
    alice.screenshot(path=f"{FOLDER}/moving-to-another-row.png")
    alice.mouse.up()
    alice.wait_for_selector("#move[open]")
    assert alice.locator("#move-name").inner_text() == "rack1 to rack2"
    assert alice.locator('#move [name="starts"]').input_value().endswith("T12:15")
    alice.locator("#move-do").click()
    for page in (alice, bob):
        page.wait_for_selector("[data-name=rack2] a[aria-label*='12:15']")
        page.wait_for_selector("[data-name=rack1] a[data-from]", state="detached")
    alice.locator("[data-name=rack2] a[data-move]").focus()
    alice.keyboard.press("ArrowUp")
    alice.keyboard.press("Enter")
    alice.wait_for_selector("#move[open]")
    assert alice.locator("#move-name").inner_text() == "rack2 to rack1"
    alice.locator("#move-do").click()
    for page in (alice, bob):
        page.wait_for_selector("[data-name=rack1] a[aria-label*='12:15']")


def beyond(stage):
    """A booking is dragged to a day, a week and a month that were not shown, also by keys; a new one is drawn over midnight."""
    alice, bob = stage.person("alice"), stage.person("bob")
    reserve("alice", "rack3", 6, "wanders", at=f"{tomorrow()}T10:00+00:00")
    goto(bob, f"timeline?span=day&day={tomorrow(1)}")
    goto(alice, f"timeline?span=day&day={tomorrow()}")
    box = grasp(alice)
    rest_at(alice, box["x"] + box["width"] + 6, box["y"] + 10)
    alice.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 10, steps=4)
    alice.screenshot(path=f"{FOLDER}/moving-to-another-day.png")
    dropped(alice, "move")
    alice.locator("#move-do").click()
    alice.wait_for_selector("[data-name=rack3] a[data-move]")
    day = shown(alice)
    goto(bob, f"timeline?span=day&day={day}")
    wait_for_text(bob, "rack3", "wanders")
    later = alice.locator("#later").bounding_box()
    grasp(alice)
    rest_at(alice, later["x"] + 4, later["y"] + 4)
    dropped(alice, "move")
    alice.keyboard.press("Escape")
    for span in ("week", "month"):
        goto(alice, f"timeline?span={span}&day={day}")
        box = grasp(alice)
        rest_at(alice, box["x"] + box["width"] + 6, box["y"] + 10)
        alice.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 10, steps=4)
        dropped(alice, "move")
        alice.locator("#move-close").click()
    with_keys_beyond(alice, bob, day)
    over_midnight(alice)


def grasp(page):
    """Press the pointer on the booking of rack3; return the box of its row."""
    page.wait_for_selector("[data-name=rack3] a[data-move]")
    bar = page.locator("[data-name=rack3] a[data-move] rect").bounding_box()
    x, y = bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 12, y, steps=3)
    return page.locator('[data-book="rack3"]').bounding_box()


def shown(page):
    """Return the day, or the first day of the week or month, that the timeline shows."""
    return page.evaluate(
        """() => new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Berlin" })
            .format(Number(document.querySelector("#timeline").dataset.starts))"""
    )


def rest_at(page, x, y):
    """Hold the pointer there until the timeline shows another day, week or month."""
    before = shown(page)
    page.mouse.move(x, y, steps=4)
    page.wait_for_function(
        """(before) => new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Berlin" })
            .format(Number(document.querySelector("#timeline").dataset.starts)) > before""",
        arg=before,
    )


def dropped(page, dialog):
    """Let the pointer go; what is asked for begins within what is shown."""
    page.mouse.up()
    page.wait_for_selector(f"#{dialog}[open]")
    starts = page.locator(f'#{dialog} [name="starts"]').input_value()
    first, after = page.evaluate(
        """() => ["starts", "ends"].map((name) => new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Berlin" })
            .format(Number(document.querySelector("#timeline").dataset[name])))"""
    )
    assert first <= starts < after + "T00:01", (first, starts, after)


def with_keys_beyond(alice, bob, day):
    """The booking is moved over midnight with keys; the focus goes with it."""
    goto(alice, f"timeline?span=day&day={day}")
    alice.locator("[data-name=rack3] a[data-move]").focus()
    while shown(alice) == day:
        alice.keyboard.press("ArrowRight")
    alice.wait_for_function("document.activeElement.dataset.book === 'rack3'")
    alice.keyboard.press("ArrowRight")
    alice.keyboard.press("Enter")
    dropped(alice, "move")
    alice.locator("#move-do").click()
    goto(bob, f"timeline?span=day&day={shown(alice)}")
    wait_for_text(bob, "rack3", "wanders")


def over_midnight(alice):
    """A new booking is drawn from one evening to the next morning."""
    goto(alice, f"timeline?span=day&day={tomorrow()}")
    box = alice.locator('[data-book="rack4"]').bounding_box()
    y = box["y"] + box["height"] / 2
    alice.mouse.move(box["x"] + box["width"] * 0.75 + 2, y)
    alice.mouse.down()
    alice.mouse.move(box["x"] + box["width"] * 0.9, y, steps=3)
    rest_at(alice, box["x"] + box["width"] + 6, y)
    alice.mouse.move(box["x"] + box["width"] * 0.25 - 2, y, steps=4)
    alice.mouse.up()
    assert alice.locator('#book [name="starts"]').input_value() == f"{tomorrow()}T18:00"
    assert alice.locator('#book [name="ends"]').input_value() == f"{shown(alice)}T06:00"
    alice.locator("#book-do").click()
    wait_for_text(alice, "rack4", "alice")


def run(stage):
    """What a `bespeak run` in a shell holds is on open pages, and goes when the command ends."""
    alice, wall = stage.person("alice"), stage.person(None)
    goto(alice, "now")
    goto(wall, "wall")
    running = shell("carol", "run", "rack2", "--purpose", "soak test", "--", "cat", stdin=subprocess.PIPE)
    wait_for_text(alice, "rack2", "carol")
    assert "soak test" in row(alice, "rack2").inner_text()
    wall.wait_for_function("() => document.querySelector('#tiles').textContent.includes('carol')")
    running.communicate(timeout=PATIENCE_MS / 1000)
    wait_for_text(alice, "rack2", "free")
    wall.wait_for_function("() => !document.querySelector('#tiles').textContent.includes('carol')")


def line(stage):
    """A refusal is explained; the line is joined, and granted when the holder releases; both are told."""
    alice, bob = stage.person("alice"), stage.person("bob")
    bob.route("**/live*", lambda route: route.abort())
    goto(bob, "now", live=False)
    goto(alice, "now")
    alice.locator("[name=purpose]").fill("bring-up")
    row(alice, "rack3").get_by_role("button", name="Reserve").click()
    wait_for_text(alice, "rack3", "mine")
    row(bob, "rack3").get_by_role("button", name="Reserve").click()
    message = bob.locator(".message.refused")
    message.wait_for()
    text = message.inner_text()
    assert "rack3 is taken" in text, text
    assert "rack3 is held by alice until" in text, text
    assert "(bring-up)" in text, text
    bob.screenshot(path=f"{FOLDER}/refused.png")
    stage.troubles = [one for one in stage.troubles if "ERR_FAILED" not in one and "409" not in one]
    bob.unroute("**/live*")
    goto(bob, "now")
    row(bob, "rack3").get_by_role("button", name="Join line").click()
    wait_for_text(bob, "rack3", "1 waiting")
    alice.wait_for_function("() => document.querySelector('#messages').textContent.includes('bob waits for rack3')")
    row(alice, "rack3").get_by_role("button", name="Release").click()
    wait_for_text(bob, "rack3", "mine")
    bob.wait_for_function("() => document.querySelector('#messages').textContent.includes('It is your turn: rack3')")
    wait_for_text(alice, "rack3", "bob")


def phone(stage):
    """Nothing is wider than a phone, and everything can be pressed."""
    alice = stage.person("alice", viewport={"width": 390, "height": 844}, device_scale_factor=2, has_touch=True)
    for path in PAGES:
        goto(alice, path)
        width = alice.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, (path, width)
    goto(alice, "now")
    alice.screenshot(path=f"{FOLDER}/phone.png")
    row(alice, "rack4").get_by_role("button", name="Reserve").tap()
    wait_for_text(alice, "rack4", "mine")


def dark(stage):
    """Dark where the system is dark, light where it is light."""
    seen = {}
    for scheme in ("light", "dark"):
        alice = stage.person("alice", color_scheme=scheme, viewport={"width": 1280, "height": 800})
        for path in PAGES:
            goto(alice, path)
            alice.screenshot(path=f"{FOLDER}/{path.replace('/', '-').replace('?', '-')}-{scheme}.png")
        colour = alice.evaluate("getComputedStyle(document.body).backgroundColor")
        seen[scheme] = sum(int(part) for part in colour[4:-1].split(","))
    assert seen["dark"] < 150, seen
    assert seen["light"] > 600, seen


def keys(stage):
    """Without a pointer: reserve, book on the timeline, release."""
    alice = stage.person("alice")
    goto(alice, "now")
    alice.keyboard.press("Tab")
    assert alice.evaluate("document.activeElement.className") == "skip"
    alice.keyboard.press("Enter")
    for _ in range(200):
        alice.keyboard.press("Tab")
        if alice.evaluate("document.activeElement.getAttribute('aria-label')") == "Reserve rack5":
            break
    alice.keyboard.press("Enter")
    wait_for_text(alice, "rack5", "mine")
    goto(alice, f"timeline?span=day&day={tomorrow()}")
    for _ in range(200):
        alice.keyboard.press("Tab")
        if alice.evaluate("document.activeElement.dataset.book") == "rack6":
            break
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "Enter"):
        alice.keyboard.press(key)
    alice.wait_for_selector("dialog[open]")
    assert alice.evaluate("document.activeElement.name") == "purpose"
    assert alice.locator('#book [name="starts"]').input_value().endswith("T00:15")
    assert alice.locator('#book [name="ends"]').input_value().endswith("T01:15")
    alice.keyboard.type("by keys")
    alice.keyboard.press("Enter")
    wait_for_text(alice, "rack6", "alice · by keys")
    goto(alice, "mine")
    alice.get_by_role("button", name="Release rack5").focus()
    alice.keyboard.press("Enter")
    alice.wait_for_function("() => !document.querySelector('#whole').textContent.includes('rack5')")


def axe(stage):
    """axe finds nothing, on any page, light, dark, or on a phone, with an open dialog or a refusal."""
    reserve("bob", "rack7", 2, "bring-up")
    reserve("alice", "rack8", 2)
    reserve("bob", "rack12", 2, "asks alice")
    with open(AXE, encoding="utf-8") as file:
        source = file.read()
    found = []
    looks = ({"color_scheme": "light"}, {"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 844}})
    for look in looks:
        alice = stage.person("alice", bypass_csp=True, **look)
        for path in PAGES:
            goto(alice, path)
            alice.evaluate(source)
            found += [(path, look, *one) for one in violations(alice)]
    goto(alice, "timeline")
    alice.evaluate(source)
    alice.locator('[data-book="rack1"]').press("Enter")
    alice.wait_for_selector("dialog[open]")
    found += [("dialog", *one) for one in violations(alice)]
    alice.locator("#book-close").click()
    mine = reserve("alice", "rack9", 2, at=f"{tomorrow()}T10:00+00:00")
    for path in (f"timeline?span=day&day={tomorrow()}", f"reservation/{mine}"):
        goto(alice, path)
        alice.evaluate(source)
        if path.startswith("timeline"):
            alice.locator("a[data-move]").press("ArrowRight")
            alice.keyboard.press("Enter")
            alice.wait_for_selector("#move[open]")
        found += [(path, *one) for one in violations(alice)]
    goto(alice, "mine")
    alice.get_by_role("button", name="Approve rack12 for bob").click()
    alice.get_by_text("rack12 approved for bob").wait_for()
    assert found == [], json.dumps(found, indent=1)


def violations(page):
    result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]]) for one in result["violations"]]


def plain(stage):
    """Without scripts, buttons work too, and a refusal is a page."""
    alice = stage.person("alice", java_script_enabled=False)
    bob = stage.person("bob", java_script_enabled=False)
    goto(bob, "now", live=False)
    goto(alice, "now", live=False)
    row(alice, "rack9").get_by_role("button", name="Reserve").click()
    assert "mine" in row(alice, "rack9").inner_text()
    row(bob, "rack9").get_by_role("button", name="Reserve").click()
    assert "rack9 is held by alice" in bob.locator(".message.refused").inner_text()
    bob.get_by_role("button", name="Join the line").click()
    assert "Leave line" in row(bob, "rack9").inner_text()
    stage.troubles = [one for one in stage.troubles if "409" not in one]


def offline(stage):
    """A page that lost the server says so, and catches up by itself."""
    alice = stage.person("alice")
    goto(alice, "now")
    alice.context.set_offline(True)
    alice.evaluate("window.dispatchEvent(new Event('offline'))")
    reserve("bob", "rack10", 1)
    alice.context.set_offline(False)
    alice.reload()
    wait_for_text(alice, "rack10", "bob")
    stage.troubles.clear()


SCENES = {scene.__name__: scene for scene in (drag, move, beyond, run, line, phone, dark, keys, axe, plain, offline)}


@contextmanager
def on_stage():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        stage = Stage(chromium)
        try:
            yield stage
        finally:
            chromium.close()


if __name__ == "__main__":
    with on_stage() as this_stage:
        SCENES[SCENE](this_stage)
        assert this_stage.troubles == [], this_stage.troubles
