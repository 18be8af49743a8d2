// What people reported, to be dealt with and closed.

import { get, post, query } from "./api.js";
import { ask, attempt, button, h, paged, table, tell, when } from "./dom.js";
import { t } from "./words.js";

const SIZE = 50;
const person = (id) => h("a", { href: `#/person/${id}` }, String(id));

export async function show(place, { signal }) {
  const list = h("div");
  const close = async (report) => {
    if (!await ask(t("close_report"), { lines: [`${report.user_id} → ${report.block_id}`], done: t("close_report") })) return;
    await post(`/admin/reports/${report.id}/close`);
    tell(t("closed"));
    await look();
  };
  const look = async () => {
    const load = (_, count) => get(query("/admin/reports", { pcount: SIZE, page: 1 + Math.ceil(count / SIZE) }), signal);
    const draw = (reports) => table([
      [t("id"), (one) => String(one.id), "number"], [t("who_reported"), (one) => person(one.user_id)], [t("who_is_reported"), (one) => person(one.block_id)],
      [t("time"), (one) => when(one.time)], [t("acts"), (one) => button("close_report", () => close(one))],
    ], reports, t("no_reports"));
    list.replaceChildren(await paged(signal, SIZE, load, draw));
  };
  place.replaceChildren(h("h1", {}, t("reports")), list);
  await attempt(look);
}
