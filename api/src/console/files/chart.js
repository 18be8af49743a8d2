// A small line on a canvas: the last values of something, newest at the right.

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A colour as the page has it now, light or dark. */
export function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found || style(name);
}

/** Fits a canvas to its place and the screen's pixels. Its context, width and height in CSS pixels. */
export function fitted(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  return { context, width, height };
}

export class Chart {
  constructor(label, most = 120) {
    this.values = [];
    this.most = most;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "chart";
    this.canvas.setAttribute("role", "img");
    this.label = label;
  }

  add(value) {
    this.values.push(value);
    if (this.values.length > this.most) this.values.shift();
    this.draw();
  }

  draw() {
    const last = this.values.at(-1);
    this.canvas.setAttribute("aria-label", `${this.label}: ${last === undefined ? "–" : last.toFixed(1)}`);
    const { context, width, height } = fitted(this.canvas);
    const top = Math.max(1, ...this.values);
    const at = (index) => width - (this.values.length - 1 - index) * (width / (this.most - 1));
    const up = (value) => height - 3 - (value / top) * (height - 8);
    context.strokeStyle = colour("--line");
    context.beginPath();
    context.moveTo(0, height - 2.5);
    context.lineTo(width, height - 2.5);
    context.stroke();
    context.strokeStyle = colour("--brand");
    context.lineWidth = 2;
    context.beginPath();
    this.values.forEach((value, index) => context.lineTo(at(index), up(value)));
    context.stroke();
  }
}
