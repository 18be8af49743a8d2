// Shops by name, and a new one.

import { get, post, query } from "./api.js";
import { ask, button, field, h, lookup, paged, row, table } from "./dom.js";
import { kinds, t } from "./words.js";

const SIZE = 50;

/** What a shop is made of, with what it has now. */
export const fields = (shop = {}) => [
  field("name", t("name"), { required: true, value: shop.name }), field("address", t("address"), { value: shop.address }),
  field("phone", t("phone"), { value: shop.phone }),
  field("lat", t("lat"), { required: true, inputmode: "decimal", value: shop.lat }), field("lng", t("lng"), { required: true, inputmode: "decimal", value: shop.lng }),
  field("t", t("kind"), { options: kinds(), value: shop.t === undefined ? "6" : String(shop.t) }),
];

/** The fields that are filled, as the server takes them. */
export function filled(given) {
  const all = ["name", "address", "phone", "lat", "lng", "t"].map((name) => [name, given.get(name)]);
  return Object.fromEntries(all.filter(([name, value]) => value !== "" || name === "address" || name === "phone"));
}

export async function show(place, { signal, may }) {
  const [form, list] = [lookup(field("name", t("name"), { type: "search" })), h("div")];
  const search = async () => {
    const name = form.elements.name.value;
    const load = (_, count) => get(query("/admin/shops", { name, pcount: SIZE, page: 1 + Math.ceil(count / SIZE) }), signal);
    const draw = (shops) => table([
      [t("shop"), (shop) => h("a", { href: `#/shop/${shop.id}` }, shop.name)], [t("id"), (shop) => String(shop.id), "number"],
      [t("kind"), (shop) => kinds().find(([kind]) => kind === String(shop.t))?.[1]], [t("address"), (shop) => shop.address],
    ], shops);
    list.replaceChildren(await paged(signal, SIZE, load, draw));
  };
  const add = async () => {
    const given = await ask(t("add_shop"), { fields: fields(), done: t("add") });
    if (given) location.hash = `#/shop/${(await post("/admin/shops", filled(given))).id}`;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  place.replaceChildren(h("h1", {}, t("shops")), form, may([]) ? row(button("add_shop", add)) : "", list);
  await search();
}
