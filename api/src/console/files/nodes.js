// The nodes of this log, and the end of an upgrade.

import { get, post } from "./api.js";
import { ask, attempt, button, every, h, mark, row, table, tell, when } from "./dom.js";
import { number, t } from "./words.js";

const EVERY_MS = 5000;
const LOOKS = { up: "good", silent: "busy", lost: "bad", stopped: "soft" };

export async function show(place, { signal, may }) {
  const list = h("div");
  const look = async () => {
    const nodes = await get("/admin/nodes", signal);
    // The keyboard keeps its place in the table.
    if (list.contains(document.activeElement)) return;
    list.replaceChildren(table([
      [t("name"), (one) => [one.name, one.this && [" ", mark(t("this_one"), "soft")]]], [t("state"), (one) => mark(t(one.state), LOOKS[one.state])],
      [t("version"), (one) => one.version], [t("format"), (one) => number(one.format), "number"], [t("owns"), (one) => one.owns.join(", ")],
      [t("heard"), (one) => when(one.heard)], [t("id"), (one) => h("code", {}, one.id)],
    ], nodes));
  };
  const finalize = async () => {
    if (!await ask(t("finalize"), { lines: [t("finalize_what")], grave: true, done: t("finalize") })) return;
    await post("/admin/finalize");
    tell(t("finalized"));
  };
  place.replaceChildren(h("h1", {}, t("nodes")), list, may([]) ? row(button("finalize", finalize)) : "");
  await attempt(look);
  every(EVERY_MS, signal, look);
}
