import assert from "node:assert/strict";
import { test } from "node:test";

import { mount } from "../../../../app/ui/assets/modules/drawing.js";
import { Board } from "../../../../app/ui/assets/widgets/drawing/board.js";
import { crosses, format, parse } from "../../../../app/ui/assets/widgets/drawing/points.js";
import { handles, stateOf } from "../../../../app/ui/assets/widgets/drawing/shapes.js";
import { page } from "./dom.js";

function row(kind, index, points = "", axis = "") {
  const name = `${kind}-${index}`;
  return `<div data-region="${kind}"><input type="hidden" name="${name}-id"><input name="${name}-name">
    <div data-tools hidden><button type="button" data-draw="points"></button>${kind === "lane" ? '<button type="button" data-draw="axis"></button>' : ""}
    <button type="button" data-clear></button><span data-state></span></div>
    <details open><textarea name="${name}-points">${points}</textarea>${kind === "lane" ? `<textarea name="${name}-axis">${axis}</textarea>` : ""}</details></div>`;
}

function build(...rows) {
  const window = page(`<div id="board"><svg><g data-shapes></g></svg><p data-hint></p><button data-undo></button><form>${rows.join("")}</form></div>`);
  const root = window.document.getElementById("board");
  const svg = root.querySelector("svg");
  svg.getBoundingClientRect = () => ({ left: 0, top: 0, width: 1000, height: 500 });
  mount(root);
  const find = (selector) => root.querySelector(selector);
  const press = (x, y, target = svg) => target.dispatchEvent(new window.MouseEvent("pointerdown", { clientX: x * 10, clientY: y * 5, bubbles: true, cancelable: true }));
  const move = (x, y) => svg.dispatchEvent(new window.MouseEvent("pointermove", { clientX: x * 10, clientY: y * 5, bubbles: true }));
  const release = () => svg.dispatchEvent(new window.MouseEvent("pointerup", { bubbles: true }));
  const key = (name, target, more = {}) => target.dispatchEvent(new window.KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...more }));
  const lines = (name) => find(`[name=${name}]`).value.split("\n").filter(Boolean);
  const leaving = () => { const event = new window.Event("beforeunload", { cancelable: true }); window.dispatchEvent(event); return event.defaultPrevented; };
  return { window, root, svg, find, press, move, release, key, lines, leaving };
}

const SQUARE = "10 10\n90 10\n90 90\n10 90";

test("typed lines are points, whatever the decimal mark, and what is not a point is left out", () => {
  assert.deepEqual(parse("25 80\n\n12,5 3\nx 4\n7"), [[25, 80], [12.5, 3]]);
  assert.equal(format([[25.04, -3], [100.2, 7]]), "25 0\n100 7");
});

test("an outline that crosses itself is told apart", () => {
  assert.equal(crosses(parse(SQUARE)), false);
  assert.equal(crosses(parse("10 10\n90 90\n90 10\n10 90")), true);
});

test("what was remembered comes back as it was, and undoing more changes nothing", () => {
  const { root, lines } = build(row("lane", 0, SQUARE, "50 10\n50 90"));
  const board = new Board(root);
  board.take(board.rows[0], "axis");

  board.remember();
  board.write([[1, 1], [2, 2]]);
  assert.deepEqual(lines("lane-0-axis"), ["1 1", "2 2"]);
  board.undo();
  board.undo();

  assert.deepEqual(lines("lane-0-axis"), ["50 10", "50 90"]);
});

test("a direction has no handle between its end and its beginning, and an outline has", () => {
  page("");
  const points = parse("10 10\n90 10\n90 90");

  const between = (isClosed) => handles(points, { isClosed, isDrawing: false }).filter((each) => each.dataset.between !== undefined).length;

  assert.deepEqual([between(false), between(true)], [2, 3]);
  assert.deepEqual(stateOf({ kind: "lane", points, axis: [] }), ["3 vértices, sin sentido de circulación", true]);
});

test("pressing the picture writes the vertices, and the first one again ends the outline", () => {
  const { find, press, lines } = build(row("zone", 0));

  find("[data-draw]").click();
  for (const [x, y] of [[10, 10], [90, 10], [90, 90], [10, 90]]) press(x, y);
  press(10.5, 10.5);
  press(50, 50);

  assert.deepEqual(lines("zone-0-points"), SQUARE.split("\n"));
  assert.equal(find("[data-state]").textContent, "4 vértices");
  assert.equal(find("svg").classList.contains("is-drawing"), false);
});

test("a double click leaves one vertex and Intro ends the direction of a lane", () => {
  const { find, press, key, lines } = build(row("lane", 0, SQUARE));

  find("[data-draw=axis]").click();
  press(50, 10);
  press(50, 90);
  press(50, 90);
  key("Enter", find("svg"));

  assert.deepEqual(lines("lane-0-axis"), ["50 10", "50 90"]);
  assert.equal(find("[data-state]").textContent, "4 vértices, con sentido");
});

test("a vertex is dragged, one in between is added, and both are undone", () => {
  const { find, press, move, release, lines } = build(row("zone", 0, SQUARE));
  press(50, 50, find("[data-shape]"));

  press(10, 10, find('[data-vertex="0"]'));
  move(20, 30);
  release();
  move(70, 70);
  press(90, 50, find('[data-between="1"]'));
  release();
  assert.deepEqual(lines("zone-0-points"), ["20 30", "90 10", "90 50", "90 90", "10 90"]);

  find("[data-undo]").click();
  find("[data-undo]").click();
  assert.deepEqual(lines("zone-0-points"), SQUARE.split("\n"));
  assert.equal(find("[data-undo]").disabled, true);
});

test("arrows move the vertex in focus, Supr removes it and Ctrl+Z brings it back", () => {
  const { window, find, press, key, lines } = build(row("zone", 0, SQUARE));
  press(50, 50, find("[data-shape]"));
  find('[data-vertex="2"]').focus();

  key("ArrowRight", find('[data-vertex="2"]'));
  key("ArrowUp", find('[data-vertex="2"]'), { shiftKey: true });
  assert.equal(lines("zone-0-points")[2], "90.5 85");
  assert.equal(window.document.activeElement.dataset.vertex, "2");

  key("Delete", find('[data-vertex="2"]'));
  assert.equal(lines("zone-0-points").length, 3);
  key("z", find("svg"), { ctrlKey: true });
  assert.equal(lines("zone-0-points")[2], "90.5 85");
});

test("drawing again begins anew and erasing can be undone", () => {
  const { find, press, lines } = build(row("lane", 0, SQUARE, "50 10\n50 90"));

  find("[data-draw=points]").click();
  assert.deepEqual(lines("lane-0-points"), []);
  press(5, 5);
  find("[data-clear]").click();
  assert.deepEqual([lines("lane-0-points"), lines("lane-0-axis")], [[], []]);

  for (let times = 0; times < 3; times += 1) find("[data-undo]").click();
  assert.deepEqual([lines("lane-0-points"), lines("lane-0-axis")], [SQUARE.split("\n"), ["50 10", "50 90"]]);
});

test("typing redraws, and says what is missing or wrong", () => {
  const { window, find } = build(row("zone", 0));
  const type = (text) => { find("textarea").value = text; find("textarea").dispatchEvent(new window.Event("input", { bubbles: true })); };

  type("10 10");
  assert.equal(find("[data-state]").textContent, "Faltan 2 vértices");
  type("10 10\n90 90\n90 10\n10 90");
  assert.equal(find("[data-state]").textContent, "El contorno se cruza a sí mismo");
  assert.ok(find("polygon").classList.contains("is-wrong"));
});

test("leaving asks first when points or a name were typed", () => {
  const { window, find, leaving } = build(row("zone", 0, SQUARE));

  find("[name=zone-0-name]").dispatchEvent(new window.Event("input", { bubbles: true }));

  assert.equal(leaving(), true);
});

test("leaving with unsaved drawings asks first, and saving does not", () => {
  const { window, find, press, leaving } = build(row("zone", 0, SQUARE));
  assert.equal(leaving(), false);

  press(50, 50, find("[data-shape]"));
  press(90, 50, find('[data-between="1"]'));
  assert.equal(leaving(), true);

  find("form").dispatchEvent(new window.Event("submit"));
  assert.equal(leaving(), false);
});
