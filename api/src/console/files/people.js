// People by name, and a new account.

import { get, post, query } from "./api.js";
import { ask, button, field, h, lookup, mark, paged, row, table, when } from "./dom.js";
import { t } from "./words.js";

const SIZE = 50;

export const standing = (person) => (person.suspended ? mark(t("suspended"), "bad") : mark(t("active"), "good"));

export async function show(place, { signal, may }) {
  const form = lookup(field("name", t("name"), { type: "search" }));
  const list = h("div");
  const search = async () => {
    const name = form.elements.name.value;
    const load = (last) => get(query("/admin/users", { name, after: last?.id, pcount: SIZE }), signal);
    const draw = (people) => table([
      [t("person"), (one) => h("a", { href: `#/person/${one.id}` }, one.name ?? String(one.id))], [t("id"), (one) => String(one.id), "number"],
      [t("state"), standing], [t("source"), (one) => one.source ?? ""], [t("registered"), (one) => when(one.registered)],
    ], people);
    list.replaceChildren(await paged(signal, SIZE, load, draw));
  };
  const add = async () => {
    const given = await ask(t("add_person"), {
      done: t("add"),
      fields: [field("name", t("sign_in_name"), { required: true, maxlength: 63 }), field("password", t("password"), { type: "password", required: true, autocomplete: "new-password" }),
        field("gender", t("gender"), { options: [["0", t("gender_0")], ["1", t("gender_1")], ["2", t("gender_2")]] })],
    });
    if (given) location.hash = `#/person/${(await post("/admin/users", { name: given.get("name"), password: given.get("password"), gender: given.get("gender") })).id}`;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  place.replaceChildren(h("h1", {}, t("people")), form, may([]) ? row(button("add_person", add)) : "", list);
  await search();
}
