// The log's tail: events as they are appended, by filters that the server applies.

import { get, left, lines, query } from "./api.js";
import { attempt, button, field, h, row, tell, when } from "./dom.js";
import { t } from "./words.js";

const MOST = 300;
const BEFORE = 50;

function line(event) {
  return h("details", { data: { type: event.type } },
    h("summary", {}, h("code", {}, String(event.position)), " ", when(event.time), " ", h("strong", {}, event.type), " ", h("span", { className: "soft" }, event.stream)),
    h("pre", {}, JSON.stringify(event, null, 2)));
}

export async function show(place, { signal, may }) {
  const types = (await get("/events/schema", signal)).map((one) => one.type);
  const profiles = [["pseudonymous", t("pseudonymous")]].concat(may(["events:full"]) ? [["full", t("full")]] : []);
  const form = h("form", { className: "row" },
    field("type", t("type"), { options: [["", t("all")], ...types.map((name) => [name, name])] }),
    field("stream", t("stream")), field("from", t("from_position"), { inputmode: "numeric" }),
    field("profile", t("profile"), { options: profiles }),
    h("button", { type: "submit", className: "main", data: { act: "follow" } }, t("follow")));
  const [list, state] = [h("div", { className: "card tail", tabindex: "0", role: "log", "aria-label": t("events") }), h("p", { className: "soft", data: { state: "" } })];
  let following = new AbortController();
  const stop = button("stop", () => following.abort());
  const add = (event) => {
    if (event.error) return tell(event.error, true);
    list.prepend(line(event));
    while (list.childElementCount > MOST) list.lastElementChild.remove();
  };
  const follow = async () => {
    following.abort();
    following = new AbortController();
    const mine = following.signal;
    signal.addEventListener("abort", () => following.abort(), { once: true });
    const given = Object.fromEntries(new FormData(form));
    list.replaceChildren();
    state.textContent = t("following");
    if (!given.from) {
      const head = may(["metrics"]) ? (await get("/admin/status", mine)).head : 0;
      given.from = String(Math.max(1, head - BEFORE + 1));
    }
    try {
      await lines(query("/events", { ...given, follow: 1 }), mine, add);
    } finally {
      if (mine === following.signal) state.textContent = t("stopped");
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(follow);
  });
  place.replaceChildren(h("h1", {}, t("events")), form, row(stop, button("clear", () => list.replaceChildren())), state, list);
  follow().catch((error) => left(error) || tell(error.message, true));
}
