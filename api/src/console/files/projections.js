// Read models: how they stand, making one anew with its progress, comparing one with the log, and going on after an event that one cannot take.

import { get, post } from "./api.js";
import { ask, button, every, field, h, mark, row, show as showDialog, table, tell } from "./dom.js";
import { bytes, number, percent, t } from "./words.js";

const EVERY_MS = 1000;
const KINDS = { live: "good", rebuilding: "busy", failed: "bad" };

async function rebuild(name) {
  await post(`/admin/projections/${name}/rebuild`);
  tell(`${name}: ${t("rebuild_begun")}`);
}

async function compare(name) {
  const found = await post(`/admin/projections/${name}/compare`);
  const line = (key) => [t(key), found[key]];
  const same = !found.only_serving && !found.only_rebuilt && !found.unequal;
  showDialog(`${t("compare")}: ${name}`, h("p", {}, same ? mark(t("same"), "good") : mark(t("differs"), "bad")),
    table([[t("rows"), ([name]) => name], [t("count"), ([, count]) => number(count), "number"]],
      ["equal", "only_serving", "only_rebuilt", "unequal"].map(line)),
    found.examples.length ? h("pre", {}, found.examples.join("\n")) : null);
}

async function skip(one) {
  const at = /position (\d+)/.exec(one.error ?? "")?.[1] ?? "";
  const given = await ask(`${t("skip_event")}: ${one.name}`, {
    lines: [one.error ?? "", t("skip_what")], grave: true, done: t("skip_event"),
    fields: [field("position", t("position"), { required: true, inputmode: "numeric", value: at }), field("reason", t("reason"), { required: true })],
  });
  if (given) await post(`/admin/projections/${one.name}/skip`, { position: given.get("position"), reason: given.get("reason") });
}

function acts(one) {
  const failed = one.state === "failed";
  return row(button("rebuild", () => rebuild(one.name)), button("compare", () => compare(one.name)),
    failed && button("retry", () => post(`/admin/projections/${one.name}/retry`)),
    failed && button("skip_event", () => skip(one), { grave: true }));
}

function state(one) {
  const moving = one.progress === null ? null : h("progress", { max: 1, value: one.progress, "aria-label": t("progress") });
  return [mark(t(one.state), KINDS[one.state]), moving && [" ", moving, ` ${percent(one.progress)}`], one.error && h("p", { className: "bad" }, one.error)];
}

export async function show(place, { signal, may }) {
  const list = h("div");
  const rebuildAll = async () => {
    const names = (await get("/admin/projections")).map((one) => one.name);
    if (await ask(t("rebuild_all"), { lines: [t("rebuild_what")], done: t("rebuild_all") })) await Promise.all(names.map(rebuild));
  };
  place.replaceChildren(h("h1", {}, t("projections")), may([]) ? row(button("rebuild_all", rebuildAll)) : "", list);
  let drawn = "";
  const look = async () => {
    const all = await get("/admin/projections", signal);
    const now = JSON.stringify(all);
    // A table that is drawn anew takes the keyboard's place with it.
    if (now === drawn || list.contains(document.activeElement) && drawn && same(all)) return;
    drawn = now;
    const held = document.activeElement?.closest?.("tr")?.rowIndex;
    const act = document.activeElement?.dataset?.act;
    const columns = [
      [t("name"), (one) => one.name], [t("state"), state], [t("position"), (one) => number(one.position), "number"],
      [t("lag"), (one) => number(one.lag) + (one.lag_s === null ? "" : ` (${one.lag_s} s)`), "number"],
      [t("size"), (one) => bytes(one.bytes), "number"],
    ];
    if (may([])) columns.push([t("acts"), acts]);
    list.replaceChildren(table(columns, all));
    if (held !== undefined) list.querySelector("table")?.rows[held]?.querySelector(`[data-act="${act}"]`)?.focus();
  };
  const same = (all) => JSON.stringify(all.map((one) => [one.state, one.progress])) === JSON.stringify(JSON.parse(drawn).map((one) => [one.state, one.progress]));
  return new Promise((resolve) => {
    every(EVERY_MS, signal, () => look().finally(resolve));
  });
}
