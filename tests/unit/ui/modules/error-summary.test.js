import assert from "node:assert/strict";
import { test } from "node:test";

import { mount } from "../../../../app/ui/assets/modules/error-summary.js";
import { page } from "./dom.js";

test("the summary of errors takes the focus and leads to the field", () => {
  const window = page('<div tabindex="-1"><a href="#plate">Falta la patente.</a></div><input id="plate">');
  const summary = window.document.querySelector("div");

  mount(summary);
  assert.equal(window.document.activeElement, summary);
  summary.querySelector("a").click();

  assert.equal(window.document.activeElement.id, "plate");
});
