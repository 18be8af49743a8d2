// What all pages are made of: elements, tables, dialogs, and what the operator is told.

import { left } from "./api.js";
import { t, time } from "./words.js";

/** An element. Text is always text: nothing that people wrote is read as HTML. */
export function h(name, given = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(element.dataset, value);
    else if (key in element && key !== "list" && typeof value !== "string") element[key] = value;
    else element.setAttribute(key === "className" ? "class" : key, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A short line at the bottom of the page. */
export function tell(line, bad = false) {
  const told = h("p", { className: bad ? "bad" : "" }, line);
  document.getElementById("told").append(told);
  setTimeout(() => told.remove(), bad ? 9000 : 4000);
}

/** Runs what a page does, and tells what went wrong. */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    if (!left(error)) tell(error.message, true);
    return undefined;
  }
}

/** A button. `act` names what it does, in whatever language it is written. */
export function button(act, work, { grave, main, label } = {}) {
  const element = h("button", { type: "button", className: grave ? "grave" : main ? "main" : null, data: { act } }, label ?? t(act));
  // Not disabled meanwhile: the keyboard would lose its place.
  element.addEventListener("click", async () => {
    if (element.ariaBusy) return;
    element.ariaBusy = "true";
    await attempt(work);
    element.ariaBusy = null;
  });
  return element;
}

/** A table; `columns` are `[name, (row) => what stands there, "number"?]`. */
export function table(columns, rows, none = t("nothing")) {
  if (!rows.length) return h("p", { className: "empty" }, none);
  const head = columns.map(([name, , kind]) => h("th", { scope: "col", className: kind ?? null }, name));
  const lines = rows.map((row) => h("tr", {}, columns.map(([, of, kind]) => h("td", { className: kind ?? null }, of(row) ?? ""))));
  const scroll = { className: "scroll", tabindex: "0", role: "region", "aria-label": t("table") };
  return h("div", scroll, h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, lines)));
}

export const mark = (text, kind) => h("span", { className: `mark ${kind}` }, text);
export const when = (moment) => h("time", { datetime: moment, title: moment }, time(moment));
export const row = (...children) => h("div", { className: "row" }, children);
export const card = (title, ...children) => h("section", { className: "card" }, h("h2", {}, title), children);

/** A labelled field: `[name, label, attributes]`; `options` make a choice, `kind: "textarea"` a text of several lines. */
export function field(name, label, given = {}) {
  const { options, kind, value, ...rest } = given;
  const attributes = { name, ...rest };
  let input;
  if (options) {
    const made = options.map(([of, text]) => h("option", { value: of, selected: of === value }, text));
    input = h("select", attributes, made);
  } else if (kind === "textarea") {
    input = h("textarea", attributes, value ?? "");
  } else {
    input = h("input", { type: "text", autocomplete: "off", ...attributes });
    if (value !== undefined) input.value = value;
  }
  return h("label", {}, label, input);
}

/** A form that looks something up by some fields. */
export const lookup = (...fields) =>
  h("form", { className: "row", role: "search" }, fields,
    h("button", { type: "submit", className: "main", data: { act: "search" } }, t("search")));

/** Asks before something is done. The fields' values, or nothing where the operator thinks better of it. */
export function ask(title, { lines = [], fields = [], grave = false, done = t("yes") } = {}) {
  return new Promise((resolve) => {
    const form = h("form", { method: "dialog", className: "fields" },
      h("h2", {}, title), lines.map((line) => h("p", {}, line)), fields,
      row(h("button", { type: "button", data: { act: "cancel" }, onclick: () => dialog.close() }, t("cancel")),
        h("button", { type: "submit", value: "done", className: grave ? "grave" : "main", data: { act: "done" } }, done)));
    const dialog = h("dialog", { "aria-label": title }, form);
    dialog.addEventListener("close", () => {
      const values = dialog.returnValue === "done" ? new FormData(form) : null;
      dialog.remove();
      resolve(values && { all: (name) => values.getAll(name), get: (name) => String(values.get(name) ?? "").trim() });
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Shows something until it is closed. */
export function show(title, ...children) {
  const close = h("button", { type: "submit", className: "main", data: { act: "close" } }, t("close"));
  const dialog = h("dialog", { "aria-label": title }, h("form", { method: "dialog" }, h("h2", {}, title), children, row(close)));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** Does it now, and again so many milliseconds after it is done, until the page is left. */
export async function every(milliseconds, signal, work) {
  while (!signal.aborted) {
    if (!document.hidden) await attempt(work);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
}

/** A list with a button that brings more: `load(last)` answers the next page behind its last row. */
export async function paged(signal, size, load, draw) {
  const [place, rows] = [h("div"), []];
  const more = button("more", () => next());
  const next = async () => {
    const page = await load(rows.at(-1), rows.length);
    if (signal.aborted) return;
    rows.push(...page);
    more.hidden = page.length < size;
    place.replaceChildren(draw(rows));
  };
  await attempt(next);
  return h("div", {}, place, row(more));
}

/** A picture that only a token opens; its place stays empty where there is none yet. */
export function shown(load, alt, signal) {
  const image = h("img", { className: "picture", alt, width: 200 });
  load().then((url) => {
    image.src = url;
    signal.addEventListener("abort", () => URL.revokeObjectURL(url));
  }).catch((error) => left(error) || image.replaceWith(h("p", { className: "soft" }, error.message)));
  return image;
}
