// Somebody's account: suspended or not, sessions, pictures.

import { get, picture, post, query, send } from "./api.js";
import { ask, attempt, button, card, h, row, show as showDialog, shown, table, when } from "./dom.js";
import { standing } from "./people.js";
import { t } from "./words.js";

export async function show(place, { signal, parts, may }) {
  const id = parts[0];
  const [about, sessions, photos] = Array.from({ length: 3 }, () => h("div"));

  const look = async () => {
    const person = await get(`/admin/users/${id}`, signal);
    const toggle = async () => {
      const what = person.suspended ? "resume" : "suspend";
      if (!await ask(t(what), { lines: [person.name ?? id, t(`${what}_what`)], grave: !person.suspended, done: t(what) })) return;
      await post(`/admin/users/${id}/${what}`);
      await Promise.all([look(), lookSessions()]);
    };
    const reset = async () => {
      if (!await ask(t("reset_password"), { lines: [t("reset_what")], grave: true, done: t("reset_password") })) return;
      const made = await post(`/admin/users/${id}/reset-password`);
      showDialog(t("password"), h("code", { className: "secret" }, made.password));
      await lookSessions();
    };
    about.replaceChildren(h("h1", {}, person.name ?? id),
      table([[t("id"), (one) => String(one.id)], [t("state"), standing], [t("source"), (one) => one.source ?? ""], [t("registered"), (one) => when(one.registered)]], [person]),
      row(button(person.suspended ? "resume" : "suspend", toggle, { grave: !person.suspended }), may([]) && button("reset_password", reset, { grave: true })));
  };
  const lookSessions = async () => {
    const open = await get(`/admin/users/${id}/sessions`, signal);
    const end = async () => {
      if (!await ask(t("end_sessions"), { lines: [t("end_what")], grave: true, done: t("end_sessions") })) return;
      await send("DELETE", `/admin/users/${id}/sessions`);
      await lookSessions();
    };
    sessions.replaceChildren(h("h2", {}, t("sessions")), table([[t("id"), (one) => h("code", {}, one.id)], [t("opened"), (one) => when(one.opened)], [t("last_used"), (one) => when(one.used)]], open),
      row(open.length > 0 && button("end_sessions", end, { grave: true })));
  };
  const lookPhotos = async () => {
    const all = await get(query(`/admin/users/${id}/photos`, { pcount: 100 }), signal);
    const remove = async (one) => {
      if (!await ask(t("remove_photo"), { lines: [one.desc ?? one.id, t("remove_photo_what")], grave: true, done: t("remove") })) return;
      await send("DELETE", `/admin/photos/${one.id}`);
      await lookPhotos();
    };
    const cards = all.map((one) => card(`${t(one.place)}${one.room === null ? "" : ` ${one.room}`}`,
      one.ready ? shown(() => picture(`/admin/photos/${one.id}/picture`, signal), one.desc ?? t("picture"), signal) : h("p", { className: "soft" }, t("not_ready")),
      h("p", {}, one.desc ?? ""), h("p", { className: "soft" }, when(one.time)), button("remove_photo", () => remove(one), { grave: true })));
    photos.replaceChildren(h("h2", {}, t("photos")), cards.length ? h("div", { className: "cards" }, cards) : h("p", { className: "empty" }, t("nothing")));
  };

  place.replaceChildren(about, sessions, photos);
  await Promise.all([look, lookSessions, lookPhotos].map(attempt));
}
