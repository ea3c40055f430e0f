// The lanes and zones being drawn: what the pointer works on, what was before, and the picture kept as the typed points say. Used by
// the drawing module.
import { format, parse } from "./points.js";
import { advice, handles, outline, stateOf } from "./shapes.js";

export class Board {
  constructor(root) {
    this.root = root;
    this.svg = root.querySelector("svg");
    this.layer = this.svg.querySelector("[data-shapes]");
    this.hint = root.querySelector("[data-hint]");
    this.rows = [...root.querySelectorAll("[data-region]")].map((element) => ({
      element, kind: element.dataset.region,
      points: element.querySelector("[name$=-points]"), axis: element.querySelector("[name$=-axis]"),
    }));
    this.past = [];
    this.chosen = null; // {row, part}: what the pointer works on
    this.drawing = false;
    this.dirty = false; // something would be lost by leaving
  }

  read() { return this.chosen ? parse(this.chosen.row[this.chosen.part].value) : []; }

  write(points) { this.chosen.row[this.chosen.part].value = format(points); this.dirty = true; this.draw(); }

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
    this.chosen = { row, part };
    this.drawing = drawing;
    this.draw();
  }

  finish() { this.drawing = false; this.draw(); }

  draw() {
    const focused = this.layer.contains(document.activeElement) ? document.activeElement.dataset.vertex : undefined;
    const points = this.read();
    const part = this.chosen?.part;
    this.layer.replaceChildren(
      ...this.rows.flatMap((row, index) => outline(shapeOf(row), index, this.chosen?.row === row)),
      ...handles(points, { isClosed: part === "points", isDrawing: this.drawing }),
    );
    if (focused !== undefined) (this.layer.querySelector(`[data-vertex="${focused}"]`) ?? this.layer.querySelector("[data-vertex]"))?.focus();
    this.svg.classList.toggle("is-drawing", this.drawing);
    this.root.querySelector("[data-undo]").disabled = !this.past.length;
    this.hint.textContent = advice({ part, isDrawing: this.drawing, hasPoints: points.length > 0 });
    for (const row of this.rows) this.tell(row);
  }

  tell(row) {
    const [words, isRight] = stateOf(shapeOf(row));
    const state = row.element.querySelector("[data-state]");
    state.textContent = words;
    state.classList.toggle("cell-bad", !isRight);
    row.element.classList.toggle("is-chosen", this.chosen?.row === row);
    for (const button of row.element.querySelectorAll("[data-draw]")) {
      const isActive = this.drawing && this.chosen.row === row && this.chosen.part === button.dataset.draw;
      button.setAttribute("aria-pressed", String(isActive));
    }
  }
}

const shapeOf = (row) => ({ kind: row.kind, points: parse(row.points.value), axis: row.axis ? parse(row.axis.value) : [] });
