// Shops as points on a plain map, with who is there; a check-in lights up where it happens.

import { get, left, lines, query } from "./api.js";
import { attempt, button, h, row, table, tell } from "./dom.js";
import { colour, fitted } from "./chart.js";
import { number, t } from "./words.js";

const METRES_A_DEGREE = 111_320;
const FLASH_MS = 4000;
const LISTED = 15;

/** Where things stand on the canvas: flat, which is right enough for a city. */
class View {
  constructor(canvas) {
    this.canvas = canvas;
    this.middle = null;
    this.scale = 10;
  }

  get size() {
    const { width, height } = this.canvas.getBoundingClientRect();
    return { width, height };
  }

  get radius() {
    return (Math.hypot(this.size.width, this.size.height) / 2) * this.scale;
  }

  fit(radius) {
    this.scale = (radius * 2) / Math.max(1, Math.min(this.size.width, this.size.height));
  }

  at({ lat, lng }) {
    const { width, height } = this.size;
    const across = METRES_A_DEGREE * Math.cos((this.middle.lat * Math.PI) / 180);
    return [width / 2 + ((lng - this.middle.lng) * across) / this.scale, height / 2 - ((lat - this.middle.lat) * METRES_A_DEGREE) / this.scale];
  }

  move(x, y) {
    const across = METRES_A_DEGREE * Math.cos((this.middle.lat * Math.PI) / 180);
    this.middle = { lat: clamp(this.middle.lat + (y * this.scale) / METRES_A_DEGREE, 85), lng: clamp(this.middle.lng - (x * this.scale) / across, 180) };
  }

  zoom(by) {
    this.scale = Math.min(5000, Math.max(0.1, this.scale * by));
  }
}

const clamp = (value, most) => Math.min(most, Math.max(-most, value));

function draw(view, shops, flashes, chosen) {
  const { context, width, height } = fitted(view.canvas);
  context.clearRect(0, 0, width, height);
  const [quiet, busy, bad, ink] = ["--soft", "--brand", "--bad", "--ink"].map(colour);
  for (const shop of shops) {
    const [x, y] = view.at(shop);
    const radius = 3 + Math.min(12, Math.sqrt(shop.checkins));
    context.globalAlpha = shop.present ? 0.9 : 0.5;
    context.fillStyle = shop.present ? busy : quiet;
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.fill();
    const age = (performance.now() - (flashes.get(shop.id) ?? -FLASH_MS)) / FLASH_MS;
    context.globalAlpha = 1;
    if (age < 1) {
      context.strokeStyle = bad;
      context.lineWidth = 3 * (1 - age) + 0.5;
      context.beginPath();
      context.arc(x, y, radius + 4 + age * 24, 0, 7);
      context.stroke();
    }
    if (shop.id === chosen?.id || view.scale < 2) {
      context.fillStyle = ink;
      context.fillText(shop.name, x + radius + 3, y + 4);
    }
  }
}

const link = (shop) => h("a", { href: `#/shop/${shop.id}` }, shop.name);
const columns = () => [[t("shop"), link], [t("present"), (shop) => number(shop.present), "number"], [t("checkins"), (shop) => number(shop.checkins), "number"]];

export async function show(place, { signal }) {
  const canvas = h("canvas", { className: "map", tabindex: "0", role: "img", "aria-label": t("map_how") });
  const [told, list, last] = [h("p", { className: "soft" }), h("div"), h("p", { role: "status", data: { last: "" } })];
  const view = new View(canvas);
  const flashes = new Map();
  let [shops, chosen, asked] = [[], null, 0];

  const load = async () => {
    const mine = ++asked;
    const given = view.middle ? { ...view.middle, radius: Math.round(view.radius) } : {};
    const map = await get(query("/admin/map", { ...given, most: 1000 }), signal);
    if (mine !== asked) return;
    if (!view.middle) {
      view.middle = { lat: map.lat, lng: map.lng };
      view.fit(map.radius);
    }
    shops = map.shops;
    told.textContent = `${number(shops.length)} ${t("shops_here")}${map.more ? ` (${t("more_here")})` : ""}`;
    list.replaceChildren(table(columns(), [...shops].sort((one, other) => other.present - one.present || other.checkins - one.checkins).slice(0, LISTED)));
    render();
  };
  const render = () => view.middle && draw(view, shops, flashes, chosen);
  let later;
  const changed = () => {
    render();
    clearTimeout(later);
    later = setTimeout(() => attempt(load), 250);
  };
  const zoom = (by) => () => {
    view.zoom(by);
    changed();
  };
  const steps = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
  canvas.addEventListener("keydown", (event) => {
    if (steps[event.key]) view.move(...steps[event.key]);
    else if (event.key === "+" || event.key === "=") view.zoom(0.7);
    else if (event.key === "-") view.zoom(1.4);
    else return;
    event.preventDefault();
    changed();
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    view.zoom(event.deltaY > 0 ? 1.2 : 0.83);
    changed();
  }, { passive: false });
  let from = null;
  canvas.addEventListener("pointerdown", (event) => {
    from = { x: event.clientX, y: event.clientY, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    const [x, y] = [event.clientX - from.x, event.clientY - from.y];
    if (!from.moved && Math.hypot(x, y) < 4) return;
    from = { x: event.clientX, y: event.clientY, moved: true };
    view.move(x, y);
    changed();
  });
  canvas.addEventListener("pointerup", (event) => {
    if (from && !from.moved) choose(event.offsetX, event.offsetY);
    from = null;
  });
  const choose = (x, y) => {
    const far = (shop) => Math.hypot(view.at(shop)[0] - x, view.at(shop)[1] - y);
    const near = shops.filter((shop) => far(shop) < 24).sort((one, other) => far(one) - far(other));
    chosen = near[0] ?? null;
    if (chosen) last.replaceChildren(link(chosen), ` · ${t("present")} ${chosen.present} · ${t("checkins")} ${chosen.checkins}`);
    render();
  };

  const flash = (event) => {
    if (event.error) return tell(event.error, true);
    const shop = shops.find((one) => one.id === Number(event.data.shop));
    if (!shop) return undefined;
    flashes.set(shop.id, performance.now());
    last.replaceChildren(`${t("checked_in")}: `, link(shop));
    const move = () => {
      render();
      if (!signal.aborted && performance.now() - flashes.get(shop.id) < FLASH_MS) requestAnimationFrame(move);
    };
    move();
    changed();
    return undefined;
  };

  place.replaceChildren(h("h1", {}, t("map")), row(button("zoom_in", zoom(0.7)), button("zoom_out", zoom(1.4)), button("refresh", load)), canvas, told, last, h("h2", {}, t("busiest")), list);
  const resized = new ResizeObserver(render);
  resized.observe(canvas);
  signal.addEventListener("abort", () => resized.disconnect());
  await attempt(load);
  const head = (await get("/admin/status", signal)).head;
  lines(query("/events", { type: "CheckedIn", follow: 1, from: head + 1 }), signal, flash).catch((error) => left(error) || tell(error.message, true));
}
