// How the node does: what it is, what trouble there is, and what it did in the last minutes.

import { get, text } from "./api.js";
import { card, every, h, mark, table } from "./dom.js";
import { Chart } from "./chart.js";
import { bytes, number, t } from "./words.js";

const EVERY_MS = 2000;

/** The sum over all labels of each metric, of the text form of Prometheus. */
export function sums(exposition) {
  const found = {};
  for (const line of exposition.split("\n")) {
    const parts = /^([a-z_]+)(?:\{.*\})? ([-+0-9.eE]+)$/.exec(line);
    if (parts) found[parts[1]] = (found[parts[1]] ?? 0) + Number(parts[2]);
  }
  return found;
}

const RATES = [
  ["requests_a_second", (seen) => seen.dface_http_requests_total],
  ["events_a_second", (seen) => seen.dface_log_events],
  ["stanzas_a_second", (seen) => seen.dface_chat_stanzas_total],
  ["jobs_a_second", (seen) => seen.dface_job_tries_total],
  ["published_a_second", (seen) => seen.dface_mqtt_published_total],
];
const LEVELS = [
  ["http_connections", (seen) => seen.dface_http_connections],
  ["chat_streams", (seen) => seen.dface_chat_streams],
  ["lag", (seen) => seen.dface_read_model_lag_events],
];

function troubles(status) {
  const all = status.stopped.map((one) => [t("projections"), one]);
  for (const one of status.processes) {
    if (one.trouble) all.push([one.name, one.trouble]);
    for (const parked of one.parked) all.push([one.name, `${t("parked")} ${parked.position}: ${parked.error}`]);
  }
  if (!status.store.connected) all.push([t("store"), status.store.error ?? t("away")]);
  for (const name of ["queue", "signals"]) {
    if (status[name] && !status[name].connected) all.push([t(name), status[name].error ?? t("away")]);
  }
  if (status.paused.length) all.push([t("jobs"), `${t("paused")}: ${status.paused.join(", ")}`]);
  return all;
}

function facts(status) {
  const figure = (name, value) => card(t(name), h("div", { className: "figure" }, value));
  return [
    figure("version", status.version), figure("head", number(status.head)),
    status.events !== null && figure("events", number(status.events)),
    status.bytes !== null && figure("log_bytes", bytes(status.bytes)),
    figure("lag", number(status.lag)), figure("store", status.store.at),
  ].filter(Boolean);
}

export function show(place, { signal }) {
  const [rates, levels] = [RATES, LEVELS].map((all) => all.map(([name, of]) => ({ name, of, chart: new Chart(t(name)), figure: h("div", { className: "figure" }, "–") })));
  const [verdict, wrong, known] = [h("p"), h("div"), h("div", { className: "cards" })];
  place.replaceChildren(h("h1", {}, t("health")), verdict, wrong,
    h("div", { className: "cards" }, [...rates, ...levels].map(({ name, chart, figure }) => card(t(name), figure, chart.canvas))),
    h("h2", {}, t("node")), known);
  let before = null;
  const look = async () => {
    const [status, exposition] = await Promise.all([get("/admin/status", signal), text("/metrics", signal)]);
    const [seen, at] = [sums(exposition), performance.now()];
    for (const { of, chart, figure } of levels) {
      chart.add(of(seen) ?? 0);
      figure.textContent = number(of(seen) ?? 0);
    }
    if (before) {
      for (const { of, chart, figure } of rates) {
        const rate = Math.max(0, (of(seen) ?? 0) - (of(before.seen) ?? 0)) / ((at - before.at) / 1000);
        chart.add(rate);
        figure.textContent = number(Math.round(rate * 10) / 10);
      }
    }
    before = { seen, at };
    const all = troubles(status);
    verdict.replaceChildren(all.length ? mark(t("trouble"), "bad") : mark(t("well"), "good"));
    wrong.replaceChildren(all.length ? table([[t("where"), ([where]) => where], [t("what"), ([, what]) => what]], all) : "");
    known.replaceChildren(...facts(status));
  };
  return new Promise((resolve) => {
    every(EVERY_MS, signal, () => look().finally(resolve));
  });
}
