// Makes open pages live. Every page also works without this script.

const page = document.documentElement;
const csrf = () => document.querySelector('input[name="csrf"]')?.value ?? "";
const $ = (selector, root = document) => root.querySelector(selector);

// The viewer's zone, for the server, which writes the times.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.split("; ").includes(`zone=${encodeURIComponent(zone)}`)) {
  document.cookie = `zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`;
  if (document.cookie.includes("zone=")) location.reload();
}

// --- live -----------------------------------------------------------------------------------------------------------

function parse(html) {
  return new DOMParser().parseFromString(html, "text/html");
}

function swap(before, after) {
  const inside = before.contains(document.activeElement) ? document.activeElement : null;
  const again = inside && (inside.id ? `#${CSS.escape(inside.id)}`
    : inside.name ? `${inside.localName}[name="${CSS.escape(inside.name)}"][value="${CSS.escape(inside.value)}"]` : null);
  const label = inside?.getAttribute("aria-label");
  before.replaceWith(after);
  if (inside) {
    const next = (again && $(again, after)) || (label && $(`[aria-label="${CSS.escape(label)}"]`, after)) || $("button, a", after);
    (inside === before ? after : next)?.focus({ preventScroll: true });
  }
}

async function get(url) {
  const answer = await fetch(url, { headers: { "Bespeak-Fragment": "1" } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return parse(await answer.text());
}

function address(names) {
  const url = new URL(location.href);
  for (const name of names) url.searchParams.append("only", name);
  return url;
}

const MOST_NAMED = 40;
let still = false; // something is being drawn on the page: nothing is swapped meanwhile
let busy = false;
let wanted = new Set();
let everything = false;

function ask(names) {
  if (names === null) everything = true;
  else for (const name of names) wanted.add(name);
  if (!busy && !still) refresh();
}

function standStill() {
  still = true;
}

function goOn() {
  still = false;
  if (!busy && (everything || wanted.size)) refresh();
}

async function refresh() {
  busy = true;
  while (!still && (everything || wanted.size)) {
    const names = [...wanted];
    const all = everything || names.length > MOST_NAMED;
    wanted = new Set();
    everything = false;
    try {
      const rows = $('[data-live="rows"]');
      if (rows && !all) await refreshRows(rows, names);
      else await refreshWhole();
    } catch {
      await new Promise((done) => setTimeout(done, 1500));
      everything = true;
      if (!connected) break;
    }
  }
  busy = false;
}

async function refreshRows(rows, names) {
  const found = await get(address(names));
  if (still) return void names.forEach((name) => wanted.add(name));
  const fresh = new Map([...found.querySelectorAll("[data-name]")].map((row) => [row.dataset.name, row]));
  let unknown = false;
  for (const name of names) {
    const before = $(`[data-name="${CSS.escape(name)}"]`, rows);
    const after = fresh.get(name);
    if (before && after) {
      const changed = before.innerHTML !== after.innerHTML;
      if (changed) swap(before, after);
      if (changed && rows.id === "rows") after.classList.add("changed");
    } else if (before || after) unknown = true;
  }
  if (unknown) await refreshWhole();
  count();
  filter();
  plan();
}

// The counts at the top of the page, from the rows as they are now.
function count() {
  for (const item of document.querySelectorAll("#counts li")) {
    $("b", item).textContent = document.querySelectorAll(`#rows > .${CSS.escape(item.classList[0])}`).length;
  }
}

async function refreshWhole() {
  if ($("dialog[open]")) return void (everything = true, await new Promise((done) => setTimeout(done, 1000)));
  const found = await get(location.href);
  if (still) return void (everything = true);
  for (const id of ["rows", "counts", "lanes", "tiles", "whole", "clock"]) {
    const before = document.getElementById(id);
    const after = found.getElementById(id);
    if (before && after && before.outerHTML !== after.outerHTML) swap(before, after);
  }
  filter();
  plan();
}

// Time alone changes a page too: a booking begins or ends.
let timer;
const LONGEST_TIMER_MS = 3_600_000;
function plan() {
  clearTimeout(timer);
  const due = [...document.querySelectorAll("[data-changes]")].map((one) => Number(one.dataset.changes));
  const onWall = page.dataset.page === "wall" ? [Date.now() + 30_000] : [];
  const next = Math.min(...due, ...onWall, Date.now() + LONGEST_TIMER_MS);
  timer = setTimeout(() => ask(null), Math.max(next - Date.now() + 200, 1000));
}

let connected = true;
let hideSoon;
function connect() {
  if (!$("[data-live]")) return;
  const own = $("[data-resources]")?.dataset.resources;
  const names = own ? new Set(JSON.parse(own)) : null;
  const source = new EventSource(`/live?after=${page.dataset.seq ?? ""}`);
  source.addEventListener("change", (event) => {
    const changed = JSON.parse(event.data);
    if (changed === null) return ask(null);
    const relevant = names ? changed.filter((name) => names.has(name)) : changed;
    if (page.dataset.page === "now" || page.dataset.page === "timeline") ask(relevant);
    else if (relevant.length || !names) ask(null);
  });
  source.addEventListener("notice", (event) => tell(JSON.parse(event.data)));
  source.addEventListener("open", () => {
    clearTimeout(hideSoon);
    if (!connected) ask(null);
    connected = true;
    $("#connection").hidden = true;
    page.dataset.connected = "yes";
  });
  source.addEventListener("error", () => {
    connected = false;
    delete page.dataset.connected;
    hideSoon = setTimeout(() => { $("#connection").hidden = connected; }, 4000);
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
  });
}

function tell(text) {
  const box = document.createElement("div");
  box.className = "message";
  box.append(Object.assign(document.createElement("p"), { textContent: text }));
  $("#messages").prepend(box);
}

// --- buttons --------------------------------------------------------------------------------------------------------

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.getAttribute("action") !== "/act") return;
  event.preventDefault();
  const button = event.submitter;
  const body = new URLSearchParams(new FormData(form, button));
  button?.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch("/act", { method: "POST", body, headers: { "Bespeak-Fragment": "1" } });
    if (answer.status === 401) return void location.reload();
    const found = parse(await answer.text());
    $("#messages").replaceChildren(...found.body.children);
    $("dialog[open]")?.close();
    if (answer.ok && form.elements.purpose) form.elements.purpose.value = "";
    $("#messages").scrollIntoView({ block: "nearest" });
    $("#messages button")?.focus();
    ask(null);
  } catch {
    $("#messages").textContent = "The server did not answer; nothing is known about the request. Look at the page before you try again.";
  } finally {
    button?.removeAttribute("aria-busy");
  }
});

function filter() {
  const text = $("#find")?.value.trim().toLowerCase() ?? "";
  for (const row of document.querySelectorAll("[data-name]")) {
    row.hidden = text !== "" && !row.textContent.toLowerCase().includes(text);
  }
}
$("#find")?.addEventListener("input", filter);

document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(null); });
plan();
connect();

export { $, filter, get, goOn, standStill };
