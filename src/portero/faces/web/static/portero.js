"use strict";
// What pages gain with scripts: sentences in passing with a way back, choosing many rows, keys, uploads that resume.
const csrf = () => document.body.dataset.csrf || "";

// Sentences in passing.
const toasts = document.getElementById("toasts");
const say = (text, undo) => {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.append(text);
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.append(toasts.dataset.undo);
    button.addEventListener("click", () => {
      toast.remove();
      htmx.ajax("POST", toasts.dataset.undoTo, { values: { undo, back: location.pathname + location.search }, swap: "none" });
    });
    toast.append(button);
  }
  toasts.append(toast);
  setTimeout(() => toast.remove(), 12000);
};
document.addEventListener("said", (event) => say(event.detail.text, event.detail.undo));
document.addEventListener("htmx:responseError", (event) => {
  const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  say(answer.querySelector("#main h1, h1")?.textContent.trim() || toasts.dataset.failed);
});
document.addEventListener("htmx:sendError", () => say(toasts.dataset.failed));

// A message that is handed over: how much has left, and then that it is being judged, for as long as that takes.
const judging = (event) => event.target.closest?.("[data-judge]")?.querySelector("[data-progress]");
document.addEventListener("htmx:beforeRequest", (event) => { const shown = judging(event); if (shown) shown.hidden = false; });
document.addEventListener("htmx:xhr:progress", (event) => {
  const shown = judging(event);
  if (!shown || !event.detail.lengthComputable) return;
  const { loaded, total } = event.detail;
  const bar = shown.querySelector("progress");
  if (loaded < total) { bar.value = loaded / total; return; }
  bar.removeAttribute("value");
  const status = shown.querySelector("[data-status]");
  status.textContent = status.dataset.sent;
});
document.addEventListener("htmx:afterRequest", (event) => { const shown = judging(event); if (shown) shown.hidden = true; });

// Choosing many rows; delegated, since the table is replaced.
const chosen = () => [...document.querySelectorAll("input[data-choose]:checked")];
const showChosen = () => {
  const bulk = document.querySelector("[data-bulk]");
  if (!bulk) return;
  const number = chosen().length;
  bulk.hidden = number === 0;
  bulk.querySelector("[data-number]").textContent = number.toLocaleString(document.documentElement.lang);
};
document.addEventListener("change", (event) => {
  if (event.target.matches("input[data-choose-all]")) {
    for (const each of document.querySelectorAll("input[data-choose]")) each.checked = event.target.checked;
  }
  if (event.target.matches("input[data-choose], input[data-choose-all]")) showChosen();
  if (event.target.matches("select[data-submit]")) event.target.form.requestSubmit();
});
document.addEventListener("htmx:afterSettle", showChosen);

// A search was answered while it was typed; the "change" that leaving the box fires would ask again and take away
// the row under the pointer between its press and its release.
document.addEventListener("change", (event) => { if (event.target.matches("input[type=search]")) event.stopPropagation(); }, true);

// Keys: / searches, j and k walk through the rows, x chooses, Enter opens.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox]), select, textarea")) return;
  if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
    return;
  }
  const rows = [...document.querySelectorAll(".list-table tbody tr")];
  if (!rows.length || !["j", "k", "x"].includes(event.key)) return;
  const at = rows.findIndex((row) => row.classList.contains("here"));
  if (event.key === "x") {
    const box = rows[at]?.querySelector("input[data-choose]");
    if (box) { box.checked = !box.checked; showChosen(); }
    return;
  }
  const next = Math.min(rows.length - 1, Math.max(0, at + (event.key === "j" ? 1 : -1)));
  rows[at]?.classList.remove("here");
  rows[next].classList.add("here");
  rows[next].querySelector("th a")?.focus({ preventScroll: true });
  rows[next].scrollIntoView({ block: "nearest" });
});

// Uploads: every file in pieces; after a cut the server says where to go on.
const PIECE = 4 * 1024 * 1024;
const ask = async (method, url, body, headers = {}, signal = undefined) => {
  const answer = await fetch(url, { method, body, signal, headers: { "x-csrf-token": csrf(), ...headers } });
  if (!answer.ok) throw Object.assign(new Error((await answer.json().catch(() => ({}))).title || answer.statusText), { status: answer.status });
  return answer.json();
};
const json = (method, url, value) => ask(method, url, JSON.stringify(value), { "content-type": "application/json" });
const sendFile = async (api, file, batch, moved, signal, announced) => {
  let held = await json("POST", `${api}/uploads`, { name: file.name, size: file.size, batch });
  announced.push(held.id);
  let tries = 0;
  while (held.received < file.size) {
    const piece = file.slice(held.received, held.received + PIECE);
    try {
      held = await ask("PATCH", `${api}/uploads/${held.id}`, piece, { "upload-offset": String(held.received), "content-type": "application/octet-stream" }, signal);
      tries = 0;
    } catch (error) {
      if (signal.aborted || ++tries > 5 || (error.status && ![409, 408, 429, 503].includes(error.status))) throw error;
      await new Promise((done) => setTimeout(done, 500 * 2 ** tries));
      held = await ask("GET", `${api}/uploads/${held.id}`).catch(() => held);
    }
    moved(held.received);
  }
  return held.batch;
};
const filesOf = async (items) => {
  const found = [];
  const walk = async (entry) => {
    if (entry.isFile) found.push(await new Promise((done, fail) => entry.file(done, fail)));
    else {
      const reader = entry.createReader();
      for (;;) {
        const some = await new Promise((done, fail) => reader.readEntries(done, fail));
        if (!some.length) break;
        for (const each of some) await walk(each);
      }
    }
  };
  for (const each of items.map((item) => item.webkitGetAsEntry?.()).filter(Boolean)) await walk(each);
  return found;
};
for (const drop of document.querySelectorAll("[data-drop]")) {
  const bar = drop.querySelector("progress");
  const status = drop.querySelector("[data-status]");
  const stop = drop.querySelector("[data-stop]");
  const upload = async (files) => {
    const wanted = files.filter((file) => file.size > 0);
    if (!wanted.length || !bar.hidden) return;
    const total = wanted.reduce((sum, file) => sum + file.size, 0);
    let before = 0;
    let batch = null;
    const announced = [];
    const given = new AbortController();
    stop.onclick = () => given.abort();
    bar.hidden = stop.hidden = false;
    try {
      for (const file of wanted) {
        given.signal.throwIfAborted();
        status.textContent = file.name;
        batch = await sendFile(drop.dataset.drop, file, batch, (received) => { bar.value = (before + received) / total; }, given.signal, announced);
        before += file.size;
      }
      given.signal.throwIfAborted();
      stop.hidden = true;
      await json("POST", `${drop.dataset.drop}/runs`, { batch });
      location.reload();
    } catch (error) {
      bar.hidden = stop.hidden = true;
      if (given.signal.aborted) for (const id of announced) await fetch(`${drop.dataset.drop}/uploads/${id}`, { method: "DELETE", headers: { "x-csrf-token": csrf() } }).catch(() => {});
      status.textContent = given.signal.aborted ? stop.dataset.stopped : error.message;
    }
  };
  for (const input of drop.querySelectorAll("input[type=file]")) input.addEventListener("change", () => upload([...input.files]));
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", async (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    upload(await filesOf([...event.dataTransfer.items]));
  });
}
for (const button of document.querySelectorAll("[data-pick]")) button.addEventListener("click", () => document.getElementById(button.dataset.pick).click());
showChosen();
// Where the menu is a row that scrolls, the page that is open is in sight.
const menu = document.querySelector(".menu");
const current = menu?.querySelector("[aria-current]");
if (current) menu.scrollLeft = current.offsetLeft - (menu.clientWidth - current.offsetWidth) / 2;
