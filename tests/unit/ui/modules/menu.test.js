import assert from "node:assert/strict";
import { test } from "node:test";

import { mount } from "../../../../app/ui/assets/modules/menu.js";
import { page } from "./dom.js";

test("a menu closes with Esc and with a click outside", () => {
  const window = page('<details open><summary>Menú</summary></details><p id="out"></p>');
  const details = window.document.querySelector("details");
  mount(details);

  details.dispatchEvent(new window.KeyboardEvent("keydown", { key: "Escape" }));
  assert.equal(details.open, false);
  details.open = true;
  window.document.getElementById("out").click();

  assert.equal(details.open, false);
});
