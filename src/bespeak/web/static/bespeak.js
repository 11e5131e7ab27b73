// Makes open pages live, and lets the timeline be drawn on. Every page also works without this script.

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
let drawing = null; // on the timeline: { field, box, anchor, bar, grip, from, until } with instants in ms; nothing is swapped meanwhile
let busy = false;
let wanted = new Set();
let everything = false;

function ask(names) {
  if (names === null) everything = true;
  else for (const name of names) wanted.add(name);
  if (!busy && !drawing) refresh();
}

async function refresh() {
  busy = true;
  while (!drawing && (everything || wanted.size)) {
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
  if (drawing) return void names.forEach((name) => wanted.add(name));
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
  if (drawing) return void (everything = true);
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

// --- drawing on the timeline ----------------------------------------------------------------------------------------

const timeline = $("#timeline");
const dialog = $("#book");
const scale = () => ({
  starts: Number(timeline.dataset.starts), ends: Number(timeline.dataset.ends), step: Number(timeline.dataset.step),
});

const wall = (at, form) => new Intl.DateTimeFormat("sv-SE", { timeZone: timeline.dataset.zone || undefined, ...form }).format(at);
const input = (at) => wall(at, { dateStyle: "short", timeStyle: "short" }).replace(" ", "T");

function instantAt(field, x) {
  const { starts, ends } = scale();
  const box = field.getBoundingClientRect();
  return starts + Math.min(Math.max((x - box.left) / box.width, 0), 1) * (ends - starts);
}

function draw(field, from, until) {
  const { starts, ends } = scale();
  if (drawing?.field !== field) {
    drawing?.box.remove();
    drawing = { field, box: document.createElement("div") };
    drawing.box.className = "drawn";
    field.append(drawing.box);
  }
  drawing.from = from;
  drawing.until = until;
  drawing.box.style.left = `${((from - starts) / (ends - starts)) * 100}%`;
  drawing.box.style.width = `${((until - from) / (ends - starts)) * 100}%`;
  const clock = { hour: "2-digit", minute: "2-digit" };
  drawing.box.textContent = `${wall(from, clock)} to ${wall(until, clock)}`;
}

function stopDrawing() {
  drawing?.box.remove();
  drawing = null;
  if (!busy && (everything || wanted.size)) refresh();
}

function askFor(name, word, what, first) {
  const { field, from, until } = drawing;
  const dialog = document.getElementById(name);
  $(`#${name}-name`).textContent = field.closest("[data-name]").dataset.name;
  $(`#${name}-do`).value = `${word}:${what}`;
  dialog.querySelector('[name="starts"]').value = input(from);
  dialog.querySelector('[name="ends"]').value = input(until);
  dialog.showModal();
  dialog.querySelector(first).focus();
}

const askToBook = () => askFor("book", "reserve", drawing.field.dataset.book, '[name="purpose"]');
const laneOf = (one) => one.closest("[data-name]").dataset.name;
function askToMove() {
  const { bar, field } = drawing;
  const [from, to] = [laneOf(bar), laneOf(field)];
  $('#move [name="from"]').value = from;
  $('#move [name="to"]').value = to;
  askFor("move", "move", bar.dataset.move, '[name="starts"]');
  if (to !== from) $("#move-name").textContent = `${from} to ${to}`;
}

// The row under the pointer, or the next one for the keys, where the viewer may book; else where the bar is drawn now.
const fieldAt = (x, y) => document.elementFromPoint(x, y)?.closest("#lanes .field[data-book]") ?? drawing.field;
function fieldBeside(field, way) {
  const all = [...document.querySelectorAll("#lanes .field[data-book]")].filter((one) => !one.closest("[data-name]").hidden);
  return all[all.indexOf(field) + way] ?? field;
}

// A booking of the viewer's that has not begun; it is drawn elsewhere, and moved there when that is confirmed.
function drawBar(bar, shift, field) {
  const { starts, ends, step } = scale();
  const from = Number(bar.dataset.from);
  const until = Number(bar.dataset.until);
  const earliest = Math.ceil(Math.max(Date.now(), starts) / step) * step;
  const snapped = Math.min(Math.max(Math.round((from + shift) / step) * step, earliest), ends - step);
  const to = Math.abs(shift) < step / 2 ? from : snapped; // straight up or down keeps the minute
  const { grip } = drawing ?? {};
  draw(field, to, to + (until - from));
  drawing.bar = bar;
  if (grip !== undefined) drawing.grip = grip;
}

if (timeline && dialog) {
  for (const one of [dialog, $("#move")]) {
    $(`#${one.id}-close`).addEventListener("click", () => one.close());
    one.addEventListener("close", () => { const next = drawing?.bar ?? drawing?.field; stopDrawing(); next?.focus(); });
  }
  let dragged = false;
  timeline.addEventListener("dragstart", (event) => event.preventDefault());
  timeline.addEventListener("click", (event) => { if (dragged) event.preventDefault(); dragged = false; }, true);

  timeline.addEventListener("pointerdown", (event) => {
    const field = event.target.closest(".field");
    const bar = event.target.closest("a[data-move]");
    dragged = false;
    if (!field || event.button !== 0) return;
    if (bar) {
      stopDrawing();
      drawing = { field, box: document.createElement("div"), bar, grip: { x: event.clientX, y: event.clientY } };
      drawing.box.className = "drawn";
      return;
    }
    if (!field.dataset.book || event.target.closest("a")) return;
    const { step } = scale();
    const at = Math.floor(instantAt(field, event.clientX) / step) * step;
    draw(field, at, at + step);
    drawing.anchor = at;
    field.setPointerCapture(event.pointerId);
    event.preventDefault();
    field.focus();
  });
  timeline.addEventListener("pointermove", (event) => {
    if (drawing?.grip !== undefined) {
      const { bar, field, grip } = drawing;
      if (!dragged && Math.hypot(event.clientX - grip.x, event.clientY - grip.y) < 5) return;
      if (!dragged) field.append(drawing.box);
      if (!dragged) field.setPointerCapture(event.pointerId);
      dragged = true;
      const shift = instantAt(field, event.clientX) - instantAt(field, grip.x);
      return drawBar(bar, shift, fieldAt(event.clientX, event.clientY));
    }
    if (drawing?.anchor === undefined) return;
    const { step } = scale();
    const at = instantAt(drawing.field, event.clientX);
    if (at >= drawing.anchor) draw(drawing.field, drawing.anchor, Math.max(Math.ceil(at / step) * step, drawing.anchor + step));
    else draw(drawing.field, Math.floor(at / step) * step, drawing.anchor + step);
  });
  timeline.addEventListener("pointerup", () => {
    if (drawing?.grip !== undefined) {
      delete drawing.grip;
      return dragged ? askToMove() : stopDrawing();
    }
    if (drawing?.anchor === undefined) return;
    delete drawing.anchor;
    askToBook();
  });
  timeline.addEventListener("pointercancel", stopDrawing);

  timeline.addEventListener("keydown", (event) => {
    const field = event.target;
    const bar = field.closest?.("a[data-move]");
    if (bar) {
      const shift = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      const mine = drawing?.bar === bar;
      const lane = mine ? drawing.field : bar.closest(".field");
      const by = mine ? drawing.from - Number(bar.dataset.from) : 0;
      if (shift) drawBar(bar, by + shift * scale().step, lane);
      else if (way) drawBar(bar, by, fieldBeside(lane, way));
      else if (event.key === "Enter" && mine) askToMove();
      else if (event.key === "Escape" && mine) stopDrawing();
      else return;
      return event.preventDefault();
    }
    if (!field.matches?.("[data-book]")) return;
    const { starts, ends, step } = scale();
    const first = Math.ceil(Math.max(Date.now(), starts) / step) * step;
    const now = drawing?.field === field ? drawing : { from: first, until: Math.min(first + step, ends) };
    const move = { ArrowLeft: -step, ArrowRight: step }[event.key];
    if (move && event.shiftKey) draw(field, now.from, Math.min(Math.max(now.until + move, now.from + step), ends));
    else if (move && drawing?.field !== field) draw(field, now.from, now.until);
    else if (move && now.from + move >= starts && now.until + move <= ends) draw(field, now.from + move, now.until + move);
    else if (event.key === "Enter") { draw(field, now.from, now.until); askToBook(); }
    else if (event.key === "Escape") stopDrawing();
    else return;
    event.preventDefault();
  });
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(null); });
plan();
connect();
