// Lets the timeline be drawn on with the pointer or with keys: to book, and to move what is booked, also to a day that
// is not shown yet. Every booking can also be made and moved without this script.

const { $, filter, get, goOn, standStill } = await import(document.querySelector('script[src$="/bespeak.js"]').src);

const timeline = $("#timeline");
const scale = () => ({
  starts: Number(timeline.dataset.starts), ends: Number(timeline.dataset.ends), step: Number(timeline.dataset.step),
});

const DAY_MS = 86_400_000;

// What is drawn now, or null: { name, box, from, until } of a row, with instants in ms; what of it is grasped:
// { anchor } (a new booking grows from there) or { bar, grip } (a booking is moved; grip is null while it is by keys).
let drawing = null;

const wall = (at, form) => new Intl.DateTimeFormat("sv-SE", { timeZone: timeline.dataset.zone || undefined, ...form }).format(at);
const input = (at) => wall(at, { dateStyle: "short", timeStyle: "short" }).replace(" ", "T");
const laneOf = (one) => one.closest("[data-name]").dataset.name;
const fieldOf = (name) => $(`#lanes [data-name="${CSS.escape(name)}"] .field`);

// The grid begins with what is shown, at midnight of the viewer's zone.
function snap(round, at) {
  const { starts, step } = scale();
  return starts + round((at - starts) / step) * step;
}
const earliest = () => snap(Math.ceil, Date.now());

function instantAt(x) {
  const { starts, ends } = scale();
  const box = $("#lanes .field").getBoundingClientRect();
  return starts + Math.min(Math.max((x - box.left) / box.width, 0), 1) * (ends - starts);
}

function draw(name, from, until) {
  standStill();
  drawing ??= { box: Object.assign(document.createElement("div"), { className: "drawn" }) };
  Object.assign(drawing, { name, from, until });
  const field = fieldOf(name);
  if (!field) return stopDrawing();
  if (drawing.box.parentElement !== field) field.append(drawing.box);
  const { starts, ends } = scale();
  const [left, right] = [Math.max(from, starts), Math.min(until, ends)];
  drawing.box.hidden = left >= right;
  drawing.box.style.left = `${((left - starts) / (ends - starts)) * 100}%`;
  drawing.box.style.width = `${((right - left) / (ends - starts)) * 100}%`;
  const within = from >= starts && until <= ends && ends - starts < 2 * DAY_MS;
  const form = { ...(within ? {} : { day: "numeric", month: "numeric" }), hour: "2-digit", minute: "2-digit" };
  drawing.box.textContent = `${wall(from, form)} to ${wall(until, form)}`;
}

function stopDrawing() {
  stopTurning();
  drawing?.box.remove();
  drawing = null;
  goOn();
}

function askFor(id, word, what, first) {
  const dialog = document.getElementById(id);
  $(`#${id}-name`).textContent = drawing.name;
  $(`#${id}-do`).value = `${word}:${what}`;
  dialog.querySelector('[name="starts"]').value = input(drawing.from);
  dialog.querySelector('[name="ends"]').value = input(drawing.until);
  dialog.showModal();
  dialog.querySelector(first).focus();
}

const askToBook = () => askFor("book", "reserve", fieldOf(drawing.name).dataset.book, '[name="purpose"]');
function askToMove() {
  const { bar, name } = drawing;
  $('#move [name="from"]').value = bar.name;
  $('#move [name="to"]').value = name;
  askFor("move", "move", bar.key, '[name="starts"]');
  if (name !== bar.name) $("#move-name").textContent = `${bar.name} to ${name}`;
}

// --- days that are not shown yet --------------------------------------------------------------------------------------

const TURN_MS = 700;
const TURN_AGAIN_MS = 1500;
let pause = TURN_MS;
let turnSoon = null;
let turning = false;

// Shows the span before (-1) or after (1) the present one, with what is drawn; there is nothing to book in the past.
async function turn(way) {
  if (turning || (way < 0 && scale().starts <= Date.now())) return;
  turning = true;
  try {
    const url = $(way < 0 ? "#earlier" : "#later").href;
    const found = await get(url);
    const after = found.getElementById("timeline");
    for (const name of ["starts", "ends", "changes"]) {
      if (after.dataset[name]) timeline.dataset[name] = after.dataset[name];
      else delete timeline.dataset[name];
    }
    const held = timeline.contains(document.activeElement);
    for (const id of ["steps", "period", "spans", "scale"]) document.getElementById(id).replaceChildren(...found.getElementById(id).childNodes);
    $("#lanes").replaceChildren(...found.getElementById("lanes").childNodes);
    history.replaceState(null, "", url);
    filter();
    if (drawing?.until) draw(drawing.name, drawing.from, drawing.until);
    if (held && drawing) fieldOf(drawing.name)?.focus({ preventScroll: true });
  } catch {
    // the day stays as it is; the page says elsewhere that there is no connection
  } finally {
    turning = false;
  }
}

// Where the pointer asks for another day: on an arrow above, or beyond an end of the rows.
function arrowAt(x, y) {
  const link = document.elementFromPoint(x, y)?.closest("#earlier, #later");
  return link ? (link.id === "later" ? 1 : -1) : 0;
}
function endAt(x) {
  const box = $("#lanes .field").getBoundingClientRect();
  return x > box.right ? 1 : x < box.left ? -1 : 0;
}

// Turns on for as long as the pointer stays there.
function turnWhile(way) {
  if (!way) return stopTurning();
  turnSoon ??= setTimeout(async () => {
    await turn(way);
    turnSoon = null;
    pause = TURN_AGAIN_MS;
    if (isGrasped()) follow();
  }, pause);
}

function stopTurning() {
  clearTimeout(turnSoon);
  turnSoon = null;
  pause = TURN_MS;
}

// --- with the pointer -------------------------------------------------------------------------------------------------

// The row under the pointer where the viewer may book; else that in which something is drawn now.
function nameAt(x, y) {
  const field = document.elementFromPoint(x, y)?.closest("#lanes .field[data-book]");
  return field ? laneOf(field) : drawing.name;
}

// A booking of the viewer's that has not begun; it is drawn elsewhere, and moved there when that is confirmed.
function drawBar(shift, name) {
  const { from, until } = drawing.bar;
  const snapped = Math.max(snap(Math.round, from + shift), earliest());
  const to = Math.abs(shift) < scale().step / 2 ? from : snapped; // straight up or down keeps the minute
  draw(name, to, to + (until - from));
}

function grow(x) {
  const { step } = scale();
  const [at, { name, anchor }] = [instantAt(x), drawing];
  if (at >= anchor) draw(name, anchor, Math.max(snap(Math.ceil, at), anchor + step));
  else draw(name, snap(Math.floor, at), anchor + step);
}

function begin(bar, grip) {
  stopDrawing();
  standStill();
  const one = { key: bar.dataset.move, name: laneOf(bar), from: Number(bar.dataset.from), until: Number(bar.dataset.until) };
  drawing = { name: one.name, box: Object.assign(document.createElement("div"), { className: "drawn" }), bar: one, grip };
}

let dragged = false;
let pointer = { x: 0, y: 0 };
const isGrasped = () => drawing?.anchor !== undefined || Boolean(drawing?.grip);

function follow() {
  const { x, y } = pointer;
  const arrow = arrowAt(x, y);
  const { grip, name } = drawing;
  if (grip && arrow) drawBar(scale().starts - grip.starts, name); // the same time of another day
  else if (grip) drawBar(instantAt(x) - grip.at, nameAt(x, y));
  else if (!arrow) grow(x);
  turnWhile(arrow || endAt(x));
}

function pressed(event) {
  const field = event.target.closest(".field");
  const bar = event.target.closest("a[data-move]");
  dragged = false;
  if (!field || event.button !== 0) return;
  if (bar) return begin(bar, { x: event.clientX, y: event.clientY, at: instantAt(event.clientX), starts: scale().starts });
  if (!field.dataset.book || event.target.closest("a")) return;
  const at = snap(Math.floor, instantAt(event.clientX));
  stopDrawing();
  draw(laneOf(field), at, at + scale().step);
  drawing.anchor = at;
  timeline.setPointerCapture(event.pointerId);
  event.preventDefault();
  field.focus();
}

function moved(event) {
  if (!isGrasped()) return;
  pointer = { x: event.clientX, y: event.clientY };
  const { grip } = drawing;
  if (grip && !dragged) {
    if (Math.hypot(pointer.x - grip.x, pointer.y - grip.y) < 5) return;
    timeline.setPointerCapture(event.pointerId);
    dragged = true;
  }
  follow();
}

function released() {
  stopTurning();
  if (!isGrasped()) return;
  const { bar } = drawing;
  drawing.grip = null;
  delete drawing.anchor;
  if (!bar) askToBook();
  else if (dragged) askToMove();
  else stopDrawing();
}

// --- with keys --------------------------------------------------------------------------------------------------------

function nameBeside(name, way) {
  const all = [...document.querySelectorAll("#lanes .field[data-book]")].map((one) => one.closest("[data-name]")).filter((one) => !one.hidden);
  return all[all.findIndex((one) => one.dataset.name === name) + way]?.dataset.name ?? name;
}

// Draws, and shows the day of the edge that was moved.
function drawShown(name, from, until, edge) {
  draw(name, from, until);
  const { starts, ends } = scale();
  if (edge < starts) turn(-1);
  else if (edge > ends || from >= ends) turn(1);
}

function isMoving(bar, field) {
  if (!drawing?.bar) return false;
  return bar ? drawing.bar.key === bar.dataset.move && drawing.bar.name === laneOf(bar) : drawing.name === laneOf(field);
}

function moveByKey(event, bar, field) {
  const shift = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (bar && (shift || way) && !isMoving(bar, field)) begin(bar, null);
  if (!isMoving(bar, field)) return false;
  const by = (drawing.from ?? drawing.bar.from) - drawing.bar.from;
  if (shift) {
    drawBar(by + shift * scale().step, drawing.name);
    drawShown(drawing.name, drawing.from, drawing.until, drawing.from);
  } else if (way) drawBar(by, nameBeside(drawing.name, way));
  else if (event.key === "Enter") askToMove();
  else if (event.key === "Escape") stopDrawing();
  else return false;
  return true;
}

function bookByKey(event, field) {
  const { starts, step } = scale();
  const name = laneOf(field);
  const first = Math.max(earliest(), starts);
  const isDrawn = drawing?.name === name;
  const { from, until } = isDrawn ? drawing : { from: first, until: first + step };
  const by = { ArrowLeft: -step, ArrowRight: step }[event.key];
  if (!isDrawn && (by || event.key === "Enter")) stopDrawing();
  if (by && event.shiftKey) drawShown(name, from, Math.max(until + by, from + step), until + by);
  else if (by && !isDrawn) drawShown(name, from, until, from);
  else if (by > 0 || (by && from + by >= earliest())) drawShown(name, from + by, until + by, from + by);
  else if (event.key === "Enter") { draw(name, from, until); askToBook(); }
  else if (event.key === "Escape") stopDrawing();
  else return Boolean(by);
  return true;
}

if (timeline && $("#book")) {
  for (const id of ["book", "move"]) {
    const one = document.getElementById(id);
    $(`#${id}-close`).addEventListener("click", () => one.close());
    one.addEventListener("close", () => {
      const next = drawing && ($(`a[data-move="${CSS.escape(drawing.bar?.key ?? "")}"]`) ?? fieldOf(drawing.name));
      stopDrawing();
      next?.focus();
    });
  }
  timeline.addEventListener("dragstart", (event) => event.preventDefault());
  timeline.addEventListener("click", (event) => { if (dragged) event.preventDefault(); dragged = false; }, true);
  timeline.addEventListener("pointerdown", pressed);
  timeline.addEventListener("pointermove", moved);
  timeline.addEventListener("pointerup", released);
  timeline.addEventListener("pointercancel", stopDrawing);
  timeline.addEventListener("keydown", (event) => {
    const bar = event.target.closest?.("a[data-move]");
    const field = event.target.matches?.("[data-book]") ? event.target : null;
    if (!bar && !field) return;
    if (moveByKey(event, bar, field) || (field && bookByKey(event, field))) event.preventDefault();
  });
}
