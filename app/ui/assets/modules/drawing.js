// Lanes and zones drawn on the last picture of a camera. The typed points are what is sent, and stay beside the picture:
// without this module, or without a pointer, they are enough. Used by /sala/camaras/<id>/dibujos.
import { Board } from "../widgets/drawing/board.js";
import { AT_LEAST, near } from "../widgets/drawing/points.js";

const STEPS = { ArrowLeft: [-0.5, 0], ArrowRight: [0.5, 0], ArrowUp: [0, -0.5], ArrowDown: [0, 0.5] };

// What the pointer, the keyboard and the buttons do to the board.
class Gestures extends Board {
  start() {
    for (const row of this.rows) {
      row.element.querySelector("[data-tools]").hidden = false;
      row.element.querySelector("details").open = Boolean(row.element.querySelector("[aria-invalid]"));
      row.element.addEventListener("click", (event) => this.tool(row, event.target.closest("button")));
      row.element.addEventListener("focusin", () => { if (!this.drawing && this.chosen?.row !== row) this.take(row, "points"); });
      row.element.addEventListener("input", () => { this.dirty = true; this.draw(); });
    }
    this.root.querySelector("[data-undo]").addEventListener("click", () => this.undo());
    this.svg.addEventListener("pointerdown", (event) => this.press(event));
    this.svg.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) this.svg.addEventListener(end, () => { this.held = null; });
    this.svg.addEventListener("dblclick", () => this.finish());
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.draw();
  }

  tool(row, button) {
    if (!button) return;
    const { draw, clear } = button.dataset;
    if (draw && this.drawing && this.chosen.row === row && this.chosen.part === draw) { this.finish(); return; }
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
    const closes = this.chosen.part === "points" && points.length >= AT_LEAST.points && near(point, points[0]);
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
}

export function mount(root) {
  const board = new Gestures(root);
  board.start();
  const form = root.querySelector("form");
  const warn = (event) => { if (board.dirty && !board.sent) event.preventDefault(); };
  form.addEventListener("submit", () => { board.sent = true; });
  window.addEventListener("beforeunload", warn);
  return () => window.removeEventListener("beforeunload", warn);
}
