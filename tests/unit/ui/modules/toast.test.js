import assert from "node:assert/strict";
import { test } from "node:test";

import { STAY_MS, mount } from "../../../../app/ui/assets/modules/toast.js";
import { page } from "./dom.js";

test("good news leave by themselves and bad news stay", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const window = page('<div class="n" data-kind="ok"></div><div class="n" data-kind="bad"><button data-dismiss></button></div>');
  for (const note of window.document.querySelectorAll(".n")) mount(note);

  context.mock.timers.tick(STAY_MS);
  assert.deepEqual([...window.document.querySelectorAll(".n")].map((note) => note.dataset.kind), ["bad"]);
  window.document.querySelector("[data-dismiss]").click();

  assert.equal(window.document.querySelector(".n"), null);
});
