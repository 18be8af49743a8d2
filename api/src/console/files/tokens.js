// Named tokens: made, shown once, taken back.

import { get, post, send } from "./api.js";
import { ask, attempt, button, field, h, mark, row, show as showDialog, table, when } from "./dom.js";
import { t } from "./words.js";

const SCOPES = ["admin", "moderate", "events", "events:full", "metrics"];
const DAYS = 90;

const choice = (scope) =>
  h("label", { className: "choice" }, h("input", { type: "checkbox", name: "scope", value: scope }), h("code", {}, scope),
    h("span", { className: "soft" }, t(`scope_${scope}`)));

export async function show(place, { signal }) {
  const list = h("div");
  const add = async () => {
    const end = new Date(Date.now() + DAYS * 86_400_000).toISOString().slice(0, 10);
    const given = await ask(t("add_token"), {
      done: t("add"),
      fields: [field("name", t("token_name"), { required: true, pattern: "[a-z0-9._\\-]{1,40}", maxlength: 40 }), h("fieldset", {}, h("legend", {}, t("scopes")), SCOPES.map(choice)),
        field("until", t("until"), { type: "date", required: true, value: end })],
    });
    if (!given) return;
    const made = await post("/admin/tokens", { name: given.get("name"), scopes: given.all("scope"), until: new Date(given.get("until")).toISOString() });
    showDialog(t("token_made"), h("p", {}, t("token_once")), h("code", { className: "secret" }, made.token));
    await look();
  };
  const remove = async (token) => {
    if (!await ask(t("delete_token"), { lines: [token.name, t("delete_token_what")], grave: true, done: t("delete_token") })) return;
    await send("DELETE", `/admin/tokens/${token.name}`);
    await look();
  };
  const look = async () => {
    const tokens = await get("/admin/tokens", signal);
    list.replaceChildren(table([
      [t("name"), (one) => one.name], [t("scopes"), (one) => row(one.scopes.map((scope) => mark(scope, "soft")))], [t("made"), (one) => when(one.made)],
      [t("until"), (one) => when(one.until)], [t("state"), (one) => (one.ended ? mark(t("ended"), "bad") : mark(t("holds"), "good"))],
      [t("acts"), (one) => button("delete_token", () => remove(one), { grave: true })],
    ], tokens));
  };
  place.replaceChildren(h("h1", {}, t("tokens")), h("p", { className: "soft" }, t("tokens_how")), row(button("add_token", add, { main: true })), list);
  await attempt(look);
}
