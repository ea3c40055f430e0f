import assert from "node:assert/strict";
import { test } from "node:test";

import { mount, suggest } from "../../../../app/ui/assets/modules/picker.js";
import { page } from "./dom.js";

const NAMES = ["Tres Arroyos", "Tres de Febrero", "Tres Lomas", "Adolfo Gonzales Chaves", "Lomas de Zamora", "Ituzaingó", "Cañuelas"];
const OPTIONS = NAMES.map((name) => ({ name, slug: name.toLowerCase().replaceAll(" ", "-"), section: "Sexta sección" }));

function build() {
  const options = OPTIONS.map((each) => `<option value="${each.name}" data-slug="${each.slug}" data-section="${each.section}"></option>`).join("");
  const window = page(`<svg class="entry-map"><path id="mapa-tres-arroyos"></path></svg><form><input id="m" list="l"><datalist id="l">${options}</datalist></form>`);
  const input = window.document.getElementById("m");
  mount(window.document.querySelector("form"));
  const type = (text) => { input.value = text; input.dispatchEvent(new window.Event("input")); };
  const key = (name) => input.dispatchEvent(new window.KeyboardEvent("keydown", { key: name, cancelable: true }));
  const rows = () => [...window.document.querySelectorAll("[role=option]")].map((row) => row.querySelector("div")?.textContent ?? row.textContent);
  return { window, input, type, key, rows };
}

test("a word of the name is enough, accents aside, names that begin so first", () => {
  assert.deepEqual(suggest(OPTIONS, "lomas").map((each) => each.name), ["Lomas de Zamora", "Tres Lomas"]);
  assert.deepEqual(suggest(OPTIONS, "ITUZAINGO").map((each) => each.name), ["Ituzaingó"]);
  assert.deepEqual(suggest(OPTIONS, "rroyos"), []);
});

test("typing shows the matches and lights the first on the map", () => {
  const { window, input, type, rows } = build();

  type("tres");

  assert.deepEqual(rows(), ["Tres Arroyos", "Tres de Febrero", "Tres Lomas"]);
  assert.equal(input.getAttribute("aria-activedescendant"), "municipio-tres-arroyos");
  assert.ok(window.document.getElementById("mapa-tres-arroyos").classList.contains("is-chosen"));
});

test("arrows move and Intro takes the chosen one", () => {
  const { input, type, key, rows, window } = build();
  type("tres");

  key("ArrowDown");
  key("Enter");

  assert.equal(input.value, "Tres de Febrero");
  assert.equal(window.document.querySelector("[role=listbox]").hidden, true);
  assert.equal(rows().length, 3);
});

test("Esc closes and nothing typed shows nothing", () => {
  const { input, type, key } = build();
  type("tres");

  key("Escape");
  assert.equal(input.getAttribute("aria-expanded"), "false");
  type("");

  assert.equal(input.getAttribute("aria-expanded"), "false");
});

test("no match is said", () => {
  const { type, rows } = build();

  type("narnia");

  assert.deepEqual(rows(), ["Ningún municipio empieza así."]);
});
