import assert from "node:assert/strict";
import { test } from "node:test";

import { mount } from "../../../../app/ui/assets/modules/province-map.js";
import { page } from "./dom.js";

test("the note of a district says the words of its link", () => {
  const window = page('<div id="m"><a data-note="Azul|98,8 % en línea" href="#x"></a><div data-map-note hidden></div></div>');
  const map = window.document.getElementById("m");
  const note = window.document.querySelector("[data-map-note]");
  mount(map);

  map.querySelector("a").dispatchEvent(new window.Event("focusin", { bubbles: true }));
  assert.equal(note.textContent, "Azul98,8 % en línea");
  map.querySelector("a").dispatchEvent(new window.Event("focusout", { bubbles: true }));

  assert.equal(note.hidden, true);
});
