// Jobs that are not over: trying one again, ending one undone, holding a kind back.

import { get, post, query, send } from "./api.js";
import { ask, attempt, button, every, field, h, mark, row, table, when } from "./dom.js";
import { number, t } from "./words.js";

const EVERY_MS = 3000;
const SIZE = 50;
const KINDS = ["picture", "coupon", "weibo", "push"];
const STATES = ["waiting", "running", "dead"];
const LOOKS = { waiting: "soft", running: "busy", dead: "bad" };

export async function show(place, { signal }) {
  let page = 1;
  const [list, kinds] = [h("div"), h("div", { className: "cards" })];
  const any = (names) => [["", t("all")], ...names.map((name) => [name, t(name)])];
  const form = h("form", { className: "row" }, field("state", t("state"), { options: any(STATES) }), field("kind", t("kind"), { options: any(KINDS) }));
  const turn = (by) => async () => {
    page = Math.max(1, page + by);
    drawn = "";
    await look();
  };
  const [back, on] = [button("newer", turn(-1), { label: t("back") }), button("older", turn(1), { label: t("forward") })];
  const drop = async (job) => {
    if (await ask(t("drop_job"), { lines: [job.id, t("drop_what")], grave: true, done: t("drop") })) await send("DELETE", `/admin/jobs/${job.id}`);
    await look();
  };
  const retry = async (job) => {
    await post(`/admin/jobs/${job.id}/retry`);
    await look();
  };
  let drawn = "";
  const drawJobs = (jobs) => {
    if (JSON.stringify([jobs, page]) === drawn) return;
    drawn = JSON.stringify([jobs, page]);
    list.replaceChildren(table([
      [t("id"), (job) => h("code", {}, job.id)], [t("kind"), (job) => t(job.kind)], [t("state"), (job) => mark(t(job.state), LOOKS[job.state])],
      [t("attempts"), (job) => number(job.attempts), "number"], [t("error"), (job) => job.error ?? ""], [t("since"), (job) => when(job.since)],
      [t("acts"), (job) => row(button("retry", () => retry(job)), button("drop", () => drop(job), { grave: true }))],
    ], jobs));
    [back.disabled, on.disabled] = [page === 1, jobs.length < SIZE];
  };
  let held = "";
  const drawKinds = (paused) => {
    if (paused.join() === held && kinds.childElementCount) return;
    held = paused.join();
    kinds.replaceChildren(...KINDS.map((kind) => {
      const is = paused.includes(kind);
      const act = button(is ? "resume" : "pause", async () => {
        await post(`/admin/${is ? "resume" : "pause"}/${kind}`);
        await look();
      });
      act.dataset.kind = kind;
      return h("section", { className: "card" }, h("h2", {}, t(kind)), row(mark(is ? t("paused") : t("goes"), is ? "busy" : "good"), act));
    }));
  };
  const look = async () => {
    const given = Object.fromEntries(new FormData(form));
    const [jobs, status] = await Promise.all([get(query("/admin/jobs", { ...given, page, pcount: SIZE }), signal), get("/admin/status", signal)]);
    drawJobs(jobs);
    drawKinds(status.paused);
  };
  form.addEventListener("change", () => {
    page = 1;
    attempt(look);
  });
  place.replaceChildren(h("h1", {}, t("jobs")), kinds, h("h2", {}, t("not_over")), form, list, row(back, on));
  await attempt(look);
  every(EVERY_MS, signal, look);
}
