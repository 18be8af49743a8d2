// Who did what.

import { get, query } from "./api.js";
import { attempt, field, h, lookup, paged, table, when } from "./dom.js";
import { t } from "./words.js";

const SIZE = 50;

export async function show(place, { signal }) {
  const form = lookup(field("actor", t("actor")), field("action", t("action")));
  const list = h("div");
  const look = async () => {
    const given = Object.fromEntries(new FormData(form));
    const load = (last) => get(query("/admin/audit", { ...given, before: last?.position, pcount: SIZE }), signal);
    const draw = (acts) => table([
      [t("time"), (one) => when(one.time)], [t("actor"), (one) => one.actor], [t("action"), (one) => h("code", {}, one.action)],
      [t("target"), (one) => one.target], [t("position"), (one) => String(one.position), "number"],
    ], acts);
    list.replaceChildren(await paged(signal, SIZE, load, draw));
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(look);
  });
  place.replaceChildren(h("h1", {}, t("audit")), form, list);
  await look();
}
