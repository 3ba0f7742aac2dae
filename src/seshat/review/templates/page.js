"use strict";
// Everything of the table is put in as text or as the value of a field, never as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const PAGE = 20;
const FORMULA = /^'*[=+\-@\t\r]/; // as seshat.review.table escapes and reads it
const DRAFT = `seshat-review:${data.name}:${data.version}`;
const byKind = (...kinds) => data.columns.filter((column) => kinds.includes(column.kind));
const decisionColumn = byKind("decision")[0].name;
const corrections = byKind("correction").map((column) => ({ name: column.name, of: column.name.slice("corrected_".length) }));
const human = byKind("decision", "correction", "remark").map((column) => column.name);
const say = (name, values = {}) => data.t[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
const find = (id) => document.getElementById(id);
const undone = [];
let shown = []; // the rows of the filter, as places in data.rows
let current = 0; // a place in shown
let editing = null; // the row that is being corrected
let unsaved = false;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
const cell = (row, name) => (row.cells[name] ?? "").trim();
const isCorrected = (row) => corrections.some((one) => cell(row, one.name));
function outcome(row) {
  const verdict = data.words[cell(row, decisionColumn).toLowerCase()];
  return verdict === "reject" ? "reject" : isCorrected(row) ? "corrected" : verdict ?? "";
}
function remember(name, value) {
  try { localStorage.setItem(name, value); } catch { /* a browser that keeps nothing: the page warns before it closes */ }
}
function remembered(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}

function choose() {
  const wanted = find("filter").value;
  const fits = (row) => wanted === "all" || (outcome(row) || "open") === wanted;
  shown = data.rows.map((_, place) => place).filter((place) => fits(data.rows[place]));
  current = 0;
}

function draw(focus = true) {
  const page = Math.floor(current / PAGE);
  const places = shown.slice(page * PAGE, (page + 1) * PAGE);
  find("rows").replaceChildren(...places.map((place, number) => card(data.rows[place], page * PAGE + number)));
  if (!shown.length) find("rows").append(element("p", { textContent: say("none") }));
  const left = data.rows.filter((row) => !outcome(row)).length;
  find("progress").textContent = say("progress", { decided: data.rows.length - left, count: data.rows.length, open: left }) + (unsaved ? ` – ${say("unsaved")}` : "");
  find("undo").disabled = !undone.length;
  find("before").disabled = page === 0;
  find("after").disabled = (page + 1) * PAGE >= shown.length;
  find("where").textContent = shown.length ? say("where", { first: page * PAGE + 1, last: page * PAGE + places.length, count: shown.length }) : "";
  const here = document.querySelector("article[aria-current=true]");
  const field = editing && here?.querySelector("textarea, input");
  if (focus && here) { (field || here).focus({ preventScroll: true }); here.scrollIntoView({ block: "nearest" }); }
}

function card(row, number) {
  const state = outcome(row);
  const made = element("article", { className: state, tabIndex: -1 });
  made.setAttribute("aria-current", String(number === current));
  made.setAttribute("aria-label", `${number + 1}: ${say({ "": "open", accept: "accepted", reject: "rejected" }[state] ?? state)}`);
  made.addEventListener("click", () => { if (current !== number && editing === null) { current = number; mark(made); } });
  for (const column of byKind("image")) if (cell(row, column.name)) made.append(label(column), image(row, column));
  for (const column of byKind("audio")) if (cell(row, column.name)) made.append(label(column), audio(row, column));
  if (byKind("words").length) made.append(words(row));
  const inField = (column) => editing === row && corrections.some((one) => one.of === column.name);
  for (const column of byKind("text")) if (cell(row, column.name) && !inField(column)) made.append(label(column), ...text(row, column));
  if (editing === row) made.append(...fields(row));
  made.append(facts(row));
  if (editing !== row) made.append(buttons(row, state, number));
  if (row.problem) made.append(element("p", { textContent: row.problem, className: "facts" }));
  return made;
}
function mark(made) {
  document.querySelector("article[aria-current=true]")?.setAttribute("aria-current", "false");
  made.setAttribute("aria-current", "true");
}
const label = (column) => element("span", { className: "label", textContent: column.label });
function text(row, column) {
  const proposed = cell(row, column.name), now = cell(row, `corrected_${column.name}`);
  const line = (content, className) => element("p", { textContent: content, className, lang: column.language, dir: "auto" });
  return now && now !== proposed ? [line(proposed, "text was"), line(now, "text")] : [line(proposed, "text")];
}
function words(row) {
  const lines = byKind("words").map((column) => (cell(row, `corrected_${column.name}`) || cell(row, column.name)).split(/\s+/).filter(Boolean));
  const width = Math.max(...lines.map((line) => line.length));
  const stacks = Array.from({ length: width }, (_, n) => element("div", {}, ...lines.map((line) => element("span", { textContent: line[n] ?? "–", dir: "auto" }))));
  return element("div", { className: "words" }, ...stacks);
}
function facts(row) {
  const told = byKind("fact").filter((column) => cell(row, column.name)).map((column) => {
    const now = cell(row, `corrected_${column.name}`);
    return `${column.label}: ${cell(row, column.name)}${now ? ` → ${now}` : ""}`;
  });
  const who = [cell(row, "reviewer"), cell(row, "reviewed_at").slice(0, 16).replace("T", " "), cell(row, "comment")].filter(Boolean);
  return element("p", { className: "facts", textContent: [...told, ...who].join(" · ") });
}
function source(row, column, kind) {
  const told = cell(row, column.name);
  if (told.startsWith(`data:${kind}/`)) return told;
  const [path, fragment] = told.split("#");
  const after = fragment ? `#${fragment}` : "";
  if (!data.server) return data.media + path.split("/").map(encodeURIComponent).join("/") + after;
  return `${data.media}?column=${encodeURIComponent(column.name)}&key=${encodeURIComponent(JSON.stringify(row.key))}${after}`;
}
function image(row, column) {
  const address = source(row, column, "image"), alt = `${column.label}: ${row.key.join(" ")}`;
  const region = /#xywh=(?:pixel:)?([\d.]+),([\d.]+),([\d.]+),([\d.]+)$/.exec(cell(row, column.name));
  const picture = element("img", { src: address, alt, className: "side", loading: region ? "eager" : "lazy" });
  if (!region) return picture;
  const [x, y, width, height] = region.slice(1).map(Number);
  const canvas = element("canvas", { width, height, className: "side" });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", alt);
  picture.onload = () => canvas.getContext("2d").drawImage(picture, x, y, width, height, 0, 0, width, height);
  return canvas;
}
function audio(row, column) {
  const made = element("audio", { src: source(row, column, "audio"), controls: true, preload: "metadata" });
  made.setAttribute("aria-label", column.label);
  const start = /#t=([\d.]+)/.exec(cell(row, column.name));
  made.onplay = () => { if (made.currentTime < Number(start?.[1] ?? 0)) made.currentTime = Number(start[1]); };
  return made;
}
function buttons(row, state, number) {
  const press = (key, title, action, pressed, className = "") => {
    const made = element("button", { type: "button", className, onclick: () => { current = number; editing = null; action(row); } }, `${title} `, element("kbd", { textContent: key }));
    made.setAttribute("aria-pressed", String(pressed));
    return made;
  };
  const accepted = state === "accept" || state === "corrected";
  const made = [press("a", say("accept"), accept, accepted), press("r", say("reject"), reject, state === "reject", "no"), press("e", say("edit"), edit, false)];
  return element("div", { className: "bar" }, ...made);
}
function fields(row) {
  const field = (name, of, value) => {
    const column = data.columns.find((one) => one.name === of) ?? { label: of };
    const long = ["text", "words"].includes(column.kind);
    const input = element(long ? "textarea" : "input", { value, dir: "auto", spellcheck: false, lang: column.language ?? "" });
    input.dataset.column = name;
    return element("label", {}, element("span", { className: "label", textContent: column.label }), input);
  };
  const made = corrections.map((one) => field(one.name, one.of, cell(row, one.name) || cell(row, one.of)));
  const keep = element("button", { type: "button", className: "main", textContent: say("keep"), onclick: keepEdit });
  const leave = element("button", { type: "button", textContent: say("leave"), onclick: leaveEdit });
  return [...made, field("comment", "comment", cell(row, "comment")), element("div", { className: "bar" }, keep, leave)];
}

function accept(row) { change(row, { [decisionColumn]: data.says[0] }); }
function reject(row) {
  change(row, { [decisionColumn]: data.says[1], ...Object.fromEntries(corrections.map((one) => [one.name, ""])) });
}
function edit(row) { editing = row; draw(); }
function leaveEdit() { editing = null; draw(); }
function keepEdit() {
  const row = editing;
  const cells = {};
  for (const input of document.querySelectorAll("[data-column]")) {
    const of = corrections.find((one) => one.name === input.dataset.column)?.of;
    const written = input.value.trim();
    cells[input.dataset.column] = of && written === cell(row, of) ? "" : written;
  }
  const corrected = corrections.some((one) => cells[one.name]);
  const before = outcome(row);
  cells[decisionColumn] = corrected ? data.says[0] : before === "corrected" ? "" : cell(row, decisionColumn);
  editing = null;
  change(row, cells);
}

function change(row, cells) {
  undone.push({ row, cells: Object.fromEntries(human.map((name) => [name, row.cells[name] ?? ""])) });
  write(row, { ...cells, reviewer: find("reviewer").value.trim() || cell(row, "reviewer"), reviewed_at: new Date().toISOString().slice(0, 19) + "+00:00" });
  next();
}
function undo() {
  const last = undone.pop();
  if (!last) return;
  write(last.row, last.cells);
  const place = data.rows.indexOf(last.row);
  if (!shown.includes(place)) shown.splice(current, 0, place);
  current = shown.indexOf(place);
  draw();
}
function write(row, cells) {
  Object.assign(row.cells, cells);
  if (data.server) { send(row); return; }
  unsaved = true;
  const changed = data.rows.filter((one) => one.changed || one === row);
  row.changed = true;
  remember(DRAFT, JSON.stringify(changed.map((one) => [one.key, Object.fromEntries(human.map((name) => [name, one.cells[name] ?? ""]))])));
}
function next() { // the next open row after this one; at the end, this one
  const later = shown.findIndex((place, number) => number > current && !outcome(data.rows[place]));
  current = later >= 0 ? later : Math.min(current + 1, shown.length - 1);
  draw();
}

async function send(row) { // one after the other: each says what the row was before
  row.sending = (row.sending ?? Promise.resolve()).then(async () => {
    const cells = Object.fromEntries(human.filter((name) => name !== "reviewed_at").map((name) => [name, row.cells[name] ?? ""]));
    try {
      const answer = await fetch(location.pathname, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ key: row.key, seen: row.seen, cells }) });
      const told = await answer.json();
      if (!answer.ok) throw new Error(told.error.message);
      row.seen = told.seen;
      row.problem = "";
    } catch (error) {
      row.problem = `${say("not_stored")}: ${error.message}`;
      find("problem").textContent = row.problem;
      find("problem").hidden = false;
    }
    unsaved = data.rows.some((one) => one.problem);
    if (editing === null) draw(false);
  });
}
function save() {
  const columns = [...data.columns.map((column) => column.name), ...data.added];
  const quoted = (value) => /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  const safe = (value) => quoted(FORMULA.test(value) ? `'${value}` : value);
  const lines = [columns, ...data.rows.map((row) => columns.map((name) => row.cells[name] ?? ""))];
  const table = "\ufeff" + lines.map((line) => line.map(safe).join(",") + "\r\n").join("");
  const link = element("a", { download: data.file, href: URL.createObjectURL(new Blob([table], { type: "text/csv;charset=utf-8" })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  unsaved = false;
  draw(false);
}
function turn(by) {
  current = Math.min(Math.max(0, current + by), Math.max(0, shown.length - 1));
  draw();
}
function play() {
  const sound = document.querySelector("article[aria-current=true] audio");
  if (sound) sound.paused ? sound.play() : sound.pause();
}

document.addEventListener("keydown", (event) => {
  if (editing && event.key === "Escape") { leaveEdit(); return; }
  if (editing && event.key === "Enter" && (event.ctrlKey || event.metaKey)) { keepEdit(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const row = data.rows[shown[current]];
  const actions = { j: () => turn(1), ArrowDown: () => turn(1), k: () => turn(-1), ArrowUp: () => turn(-1), u: undo, p: play, s: data.server ? undefined : save };
  if (row) Object.assign(actions, { a: () => accept(row), r: () => reject(row), e: () => edit(row) });
  if (!actions[event.key]) return;
  event.preventDefault();
  if (editing) return;
  actions[event.key]();
});
find("filter").onchange = () => { editing = null; choose(); draw(); };
find("reviewer").value = remembered("seshat-reviewer") ?? "";
find("reviewer").onchange = () => remember("seshat-reviewer", find("reviewer").value);
find("undo").onclick = undo;
find("save")?.addEventListener("click", save);
find("before").onclick = () => { current = Math.max(0, (Math.floor(current / PAGE) - 1) * PAGE); draw(); };
find("after").onclick = () => { current = (Math.floor(current / PAGE) + 1) * PAGE; draw(); };
window.addEventListener("beforeunload", (event) => { if (unsaved || editing) event.preventDefault(); });

const draft = data.server ? null : remembered(DRAFT);
for (const [key, cells] of JSON.parse(draft ?? "[]")) {
  const row = data.rows.find((one) => JSON.stringify(one.key) === JSON.stringify(key));
  if (row) { Object.assign(row.cells, cells, {}); row.changed = unsaved = true; }
}
if (data.rows.length && data.rows.every((row) => outcome(row))) find("filter").value = "all";
choose();
draw(false);
