// The page's frame: signing in, the way between pages, and the language.

import { get, token } from "./api.js";
import { attempt, button, field, h, mark, tell } from "./dom.js";
import { language, languages, speak, t } from "./words.js";

// Which page stands where, which file has it, and which scopes (beside `admin`) open what it shows.
const PAGES = [
  ["health", () => import("./health.js"), ["metrics"]],
  ["projections", () => import("./projections.js"), ["metrics"]],
  ["events", () => import("./events.js"), ["events", "events:full"]],
  ["jobs", () => import("./jobs.js"), []],
  ["map", () => import("./map.js"), []],
  ["shops", () => import("./shops.js"), ["moderate"]],
  ["people", () => import("./people.js"), ["moderate"]],
  ["reports", () => import("./reports.js"), ["moderate"]],
  ["tokens", () => import("./tokens.js"), []],
  ["audit", () => import("./audit.js"), []],
  ["nodes", () => import("./nodes.js"), ["metrics"]],
];
// What one of a list has for itself.
const INNER = { shop: () => import("./shop.js"), person: () => import("./person.js") };
const LIST_OF = { shop: "shops", person: "people" };

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const menu = document.getElementById("menu");
let me = null;
let leaving = new AbortController();

export const may = (scopes) => me.scopes.some((scope) => scope === "admin" || scopes.includes(scope));
const open = () => PAGES.filter(([, , scopes]) => may(scopes));

function frame() {
  document.documentElement.lang = language();
  document.querySelector(".skip").textContent = t("skip");
  menu.textContent = t("menu");
  menu.hidden = !me;
  const links = me ? open().map(([name]) => h("a", { href: `#/${name}` }, t(name))) : [];
  nav.replaceChildren(...links);
  const others = languages().filter(([code]) => code !== language());
  const speaks = others.map(([code, name]) => button("language", () => { speak(code); return begin(); }, { label: name }));
  const own = me ? [h("span", { className: "soft" }, me.name), button("sign_out", signOut)] : [];
  document.getElementById("who").replaceChildren(...own, ...speaks);
}

function signOut() {
  token.forget();
  me = null;
  location.hash = "";
  return begin();
}

function signIn() {
  const form = h("form", { className: "card fields sign-in" },
    h("h1", {}, t("sign_in")), h("p", { className: "soft" }, t("sign_in_how")),
    field("token", t("token"), { type: "password", required: true, autocomplete: "current-password" }),
    h("button", { type: "submit", className: "main", data: { act: "sign_in" } }, t("sign_in")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    token.keep(String(new FormData(form).get("token")).trim());
    await attempt(begin);
  });
  main.replaceChildren(form);
  form.elements.token.focus();
}

async function begin() {
  if (token.get()) {
    try {
      me = await get("/admin/me");
    } catch (error) {
      token.forget();
      me = null;
      tell(error.message, true);
    }
  }
  frame();
  await route();
}

async function route() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  nav.classList.remove("open");
  menu.setAttribute("aria-expanded", "false");
  if (!me) return signIn();
  const [name = "", ...parts] = location.hash.replace(/^#\//, "").split("/").map(decodeURIComponent);
  const listed = open().find(([known]) => known === name);
  const load = listed?.[1] ?? (open().some(([known]) => known === LIST_OF[name]) ? INNER[name] : undefined);
  if (!load) {
    const first = open()[0];
    if (first) return location.replace(`#/${first[0]}`);
    return main.replaceChildren(h("p", {}, t("nothing_open")), ...me.scopes.map((scope) => mark(scope, "soft")));
  }
  for (const link of nav.children) {
    const here = link.hash === `#/${LIST_OF[name] ?? name}`;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const place = h("div", { data: { page: name } });
  document.title = `dface · ${t(name)}`;
  main.replaceChildren(place);
  main.focus({ preventScroll: true });
  await attempt(async () => {
    const page = await load();
    await page.show(place, { signal, parts, may });
  });
  place.dataset.ready = "";
}

menu.addEventListener("click", () => {
  const opened = nav.classList.toggle("open");
  menu.setAttribute("aria-expanded", String(opened));
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", () => route());
// A token that has ended, or was taken back, signs out.
addEventListener("signed-out", () => { if (me) signOut(); });
begin();
