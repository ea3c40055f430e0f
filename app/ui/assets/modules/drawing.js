// Lanes and zones drawn on the last picture of a camera. The typed points are what is sent, and stay beside the picture:
// without this module, or without a pointer, they are enough. Used by /sala/camaras/<id>/dibujos.
const SVG = "http://www.w3.org/2000/svg";
const RATIO = 0.5625; // the picture is drawn on 100 × 56.25 units, points are percentages of each side
const NEAR = 2;
const STEPS = { ArrowLeft: [-0.5, 0], ArrowRight: [0.5, 0], ArrowUp: [0, -0.5], ArrowDown: [0, 0.5] };
export const AT_LEAST = { points: 3, axis: 2 };

// Points of the typed lines; a line that is not a point yet is left out.
export function parse(text) {
  const lines = text.split("\n").map((line) => /^\s*([\d.,]+)\s+([\d.,]+)\s*$/.exec(line)).filter(Boolean);
  return lines.map(([, x, y]) => [Number(x.replace(",", ".")), Number(y.replace(",", "."))]).filter((point) => point.every(Number.isFinite));
}

export function format(points) {
  return points.map((point) => point.map((value) => String(Math.round(Math.min(100, Math.max(0, value)) * 10) / 10)).join(" ")).join("\n");
}

// Whether the outline crosses itself, which the server refuses.
export function crosses(points) {
  const side = (a, b, c) => Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
  const edges = points.map((point, index) => [point, points[(index + 1) % points.length]]);
  return edges.some(([a, b], i) => edges.some(([c, d], j) =>
    j > i + 1 && (j + 1) % edges.length !== i && side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0));
}

export class Board {
  constructor(root) {
    this.root = root;
    this.svg = root.querySelector("svg");
    this.layer = this.svg.querySelector("[data-shapes]");
    this.hint = root.querySelector("[data-hint]");
    this.rows = [...root.querySelectorAll("[data-region]")].map((element) => ({
      element, kind: element.dataset.region, name: element.querySelector("input:not([type=hidden])"),
      points: element.querySelector("[name$=-points]"), axis: element.querySelector("[name$=-axis]"),
    }));
    this.past = [];
    this.hands = null; // {row, part}: what the pointer works on
    this.drawing = false;
  }

  start() {
    for (const row of this.rows) {
      row.element.querySelector("[data-tools]").hidden = false;
      row.element.querySelector("details").open = Boolean(row.element.querySelector("[aria-invalid]"));
      row.element.addEventListener("click", (event) => this.tool(row, event.target.closest("button")));
      row.element.addEventListener("focusin", () => { if (!this.drawing && this.hands?.row !== row) this.take(row, "points"); });
      row.element.addEventListener("input", () => this.draw());
    }
    this.root.querySelector("[data-undo]").addEventListener("click", () => this.undo());
    this.svg.addEventListener("pointerdown", (event) => this.press(event));
    this.svg.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) this.svg.addEventListener(end, () => { this.held = null; });
    this.svg.addEventListener("dblclick", () => this.finish());
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.draw();
  }

  read() { return this.hands ? parse(this.hands.row[this.hands.part].value) : []; }

  write(points) { this.hands.row[this.hands.part].value = format(points); this.dirty = true; this.draw(); }

  remember() { this.past.push(this.rows.map((row) => [row.points.value, row.axis?.value])); }

  undo() {
    const before = this.past.pop();
    before?.forEach(([points, axis], index) => {
      this.rows[index].points.value = points;
      if (this.rows[index].axis) this.rows[index].axis.value = axis;
    });
    this.draw();
  }

  take(row, part, drawing = false) {
    this.hands = { row, part };
    this.drawing = drawing;
    this.draw();
  }

  tool(row, button) {
    if (!button) return;
    const { draw, clear } = button.dataset;
    if (draw && this.drawing && this.hands.row === row && this.hands.part === draw) { this.finish(); return; }
    if (draw) {
      this.take(row, draw, true);
      if (this.read().length >= AT_LEAST[draw]) { this.remember(); this.write([]); } // drawn before: begin again
    }
    if (clear !== undefined) {
      this.remember();
      row.points.value = "";
      if (row.axis) row.axis.value = "";
      this.dirty = true;
      this.take(row, "points");
    }
  }

  at(event) {
    const box = this.svg.getBoundingClientRect();
    return [100 * (event.clientX - box.left) / box.width, 100 * (event.clientY - box.top) / box.height];
  }

  press(event) {
    const { vertex, between, shape, part } = event.target.dataset;
    if (event.button) return;
    if (this.drawing) { event.preventDefault(); this.add(this.at(event)); return; }
    if (shape) { this.take(this.rows[Number(shape)], part ?? "points"); return; }
    if (vertex === undefined && between === undefined) return;
    if (between !== undefined) {
      this.remember();
      this.write(this.read().toSpliced(Number(between) + 1, 0, this.at(event)));
    }
    this.held = { index: Number(vertex ?? Number(between) + 1), isKept: between !== undefined };
    this.svg.setPointerCapture?.(event.pointerId);
  }

  add(point) {
    const points = this.read();
    const closes = this.hands.part === "points" && points.length >= AT_LEAST.points && near(point, points[0]);
    if (closes) { this.finish(); return; }
    if (points.length && near(point, points.at(-1), 0.5)) return; // the second press of a double click
    this.remember();
    this.write([...points, point]);
  }

  drag(event) {
    if (!this.held) return;
    if (!this.held.isKept) this.remember(); // once for the whole movement
    this.held.isKept = true;
    this.write(this.read().with(this.held.index, this.at(event)));
  }

  finish() { this.drawing = false; this.draw(); }

  key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !event.target.matches("input, textarea")) {
      event.preventDefault();
      this.undo();
      return;
    }
    if (this.drawing && ["Enter", "Escape"].includes(event.key)) { event.preventDefault(); this.finish(); return; }
    const { vertex } = event.target.dataset;
    if (vertex === undefined) return;
    const points = this.read();
    const step = STEPS[event.key];
    if (step) {
      const times = event.shiftKey ? 10 : 1;
      points[vertex] = points[vertex].map((value, side) => value + step[side] * times);
    } else if (["Delete", "Backspace"].includes(event.key)) points.splice(Number(vertex), 1);
    else return;
    event.preventDefault();
    this.remember();
    this.write(points);
  }

  draw() {
    const focused = this.layer.contains(document.activeElement) ? document.activeElement.dataset.vertex : undefined;
    this.layer.replaceChildren(...this.rows.flatMap((row, index) => this.shapes(row, index)), ...this.handles());
    if (focused !== undefined) (this.layer.querySelector(`[data-vertex="${focused}"]`) ?? this.layer.querySelector("[data-vertex]"))?.focus();
    this.svg.classList.toggle("is-drawing", this.drawing);
    this.root.querySelector("[data-undo]").disabled = !this.past.length;
    for (const row of this.rows) this.tell(row);
    this.hint.textContent = this.advice();
  }

  shapes(row, index) {
    const points = parse(row.points.value);
    const axis = row.axis ? parse(row.axis.value) : [];
    const chosen = this.hands?.row === row ? " is-chosen" : "";
    const wrong = crosses(points) ? " is-wrong" : "";
    const drawn = [];
    if (points.length > 1) drawn.push(node("polygon", { class: `drawing-${row.kind}${chosen}${wrong}`, points: units(points), "data-shape": index }));
    if (axis.length > 1) drawn.push(node("polyline", { class: `drawing-axis${chosen}`, points: units(axis), "data-shape": index, "data-part": "axis", "marker-end": "url(#flecha)" }));
    return drawn;
  }

  handles() {
    const points = this.read();
    const closed = this.hands?.part === "points" ? points.length : points.length - 1;
    const middles = this.drawing ? [] : points.slice(0, Math.max(0, closed)).map((point, index) => {
      const next = points[(index + 1) % points.length];
      return spot([(point[0] + next[0]) / 2, (point[1] + next[1]) / 2], 0.7, { class: "drawing-between", "data-between": index });
    });
    const vertices = points.map((point, index) => spot(point, 1.1, {
      class: "drawing-vertex", "data-vertex": index, tabindex: 0, role: "button",
      "aria-label": `Punto ${index + 1} de ${points.length}: ${format([point]).replace(" ", " %, ")} %. Flechas para mover, Supr para quitar.`,
    }));
    return [...middles, ...vertices];
  }

  tell(row) {
    const count = parse(row.points.value).length;
    const missing = AT_LEAST.points - count;
    const state = row.element.querySelector("[data-state]");
    const directed = row.axis && parse(row.axis.value).length >= AT_LEAST.axis;
    if (!count) state.textContent = "Sin dibujar";
    else if (missing > 0) state.textContent = missing === 1 ? "Falta 1 vértice" : `Faltan ${missing} vértices`;
    else if (crosses(parse(row.points.value))) state.textContent = "El contorno se cruza a sí mismo";
    else state.textContent = `${count} vértices${row.axis ? (directed ? ", con sentido" : ", sin sentido de circulación") : ""}`;
    state.classList.toggle("cell-bad", count > 0 && (missing > 0 || crosses(parse(row.points.value))));
    row.element.classList.toggle("is-chosen", this.hands?.row === row);
    for (const button of row.element.querySelectorAll("[data-draw]")) {
      const active = this.drawing && this.hands.row === row && this.hands.part === button.dataset.draw;
      button.setAttribute("aria-pressed", String(active));
    }
  }

  advice() {
    if (this.drawing && this.hands.part === "axis") return "Marcar desde donde vienen los vehículos hacia donde van. Intro o doble clic para terminar.";
    if (this.drawing) return "Marcar cada vértice sobre la imagen. Intro, doble clic o volver al primero para terminar.";
    if (this.read().length) return "Arrastrar un punto para moverlo, o uno intermedio para agregar. Con el teclado: Tab, flechas y Supr.";
    return "Elegir «Dibujar» en un carril o una zona, o tocar uno ya dibujado.";
  }
}

const near = (a, b, limit = NEAR) => Math.hypot(a[0] - b[0], (a[1] - b[1]) * RATIO) < limit;
const units = (points) => points.map(([x, y]) => `${x},${y * RATIO}`).join(" ");
const spot = ([x, y], r, attributes) => node("circle", { cx: x, cy: y * RATIO, r, ...attributes });

function node(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

export function mount(root) {
  const board = new Board(root);
  board.start();
  const form = root.querySelector("form");
  const warn = (event) => { if (board.dirty && !board.sent) event.preventDefault(); };
  form.addEventListener("submit", () => { board.sent = true; });
  window.addEventListener("beforeunload", warn);
  return () => window.removeEventListener("beforeunload", warn);
}
