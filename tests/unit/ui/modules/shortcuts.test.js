import assert from "node:assert/strict";
import { test } from "node:test";

import { handle, mount, settled } from "../../../../app/ui/assets/modules/shortcuts.js";
import { heard, page } from "./dom.js";

const HTML = `<button id="take" data-shortcut="A">Tomar</button><button id="no" data-shortcut="D" aria-disabled="true">Despachar</button>
  <input id="text"><input id="scrub" type="range"><dialog id="atajos"></dialog>`;

function press(window, key, target = window.document.body, options = {}) {
  const clicked = [];
  for (const button of window.document.querySelectorAll("button")) button.addEventListener("click", () => clicked.push(button.id));
  const event = new window.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...options });
  Object.defineProperty(event, "target", { value: target });
  return { handled: handle(event, window.document), clicked, event };
}

test("a letter presses the button that carries it", () => {
  const { handled, clicked, event } = press(page(HTML), "a");

  assert.deepEqual([handled, clicked, event.defaultPrevented], [true, ["take"], true]);
});

test("a disabled button is not pressed", () => {
  assert.deepEqual(press(page(HTML), "d").clicked, []);
});

test("nothing happens while somebody types", () => {
  const window = page(HTML);

  assert.equal(press(window, "a", window.document.getElementById("text")).handled, false);
});

for (const modifier of ["ctrlKey", "altKey", "metaKey"]) {
  test(`nothing happens with ${modifier}`, () => {
    assert.equal(press(page(HTML), "a", undefined, { [modifier]: true }).handled, false);
  });
}

test("nothing happens while a dialog is open", () => {
  const window = page(HTML);
  window.document.querySelector("dialog").setAttribute("open", "");

  assert.equal(press(window, "a").handled, false);
});

test("J, K and arrows become moves", () => {
  const window = page(HTML);
  const moves = ["next", "previous", "back", "forward", "frame-back", "frame-forward"].map((name) => heard(window.document, `pipc:${name}`));

  for (const key of ["j", "K", "ArrowLeft", "ArrowRight", ",", "."]) press(window, key);

  assert.deepEqual(moves.map((events) => events.length), [1, 1, 1, 1, 1, 1]);
});

test("arrows belong to the slider that has the focus", () => {
  const window = page(HTML);
  const back = heard(window.document, "pipc:back");

  press(window, "ArrowLeft", window.document.getElementById("scrub"));

  assert.equal(back.length, 0);
});

test("space keeps its native effect on a button", () => {
  const window = page(`${HTML}<button data-shortcut="Espacio" id="play">Pausa</button>`);

  assert.deepEqual(press(window, " ", window.document.getElementById("take")).clicked, []);
  assert.deepEqual(press(window, " ").clicked, ["play"]);
});

test("question mark opens the list of keys", () => {
  const window = page(HTML);
  const opened = heard(window.document, "pipc:open-dialog");

  press(window, "?");

  assert.equal(opened[0].id, "atajos");
});

test("a person may switch them off", () => {
  const window = page(HTML);
  window.document.body.dataset.shortcuts = "off";

  assert.equal(mount(window.document.body), undefined);
});

const BUSY = '<section data-shortcut-region aria-busy="true"><button id="old" data-shortcut="A">Tomar</button></section>';

test("a key pressed while a card is on its way acts on the card that arrives", () => {
  const window = page(BUSY);
  const first = press(window, "a");
  window.document.querySelector("section").outerHTML = BUSY.replace(' aria-busy="true"', "").replace("old", "chosen");
  const clicked = heard(window.document.getElementById("chosen"), "click");

  settled(window.document, true);
  settled(window.document, true);

  assert.deepEqual([first.handled, first.clicked, clicked.length], [true, [], 1]);
});

test("a key that waited for a card that never came is forgotten", () => {
  const window = page(BUSY);
  press(window, "a");
  settled(window.document, false);
  window.document.querySelector("section").removeAttribute("aria-busy");
  const clicked = heard(window.document.getElementById("old"), "click");

  settled(window.document, true);

  assert.equal(clicked.length, 0);
});
