import assert from "node:assert/strict";
import { test } from "node:test";

import { mount } from "../../../../app/ui/assets/modules/copy.js";
import { page, settled } from "./dom.js";

test("a code is copied and the button says so", async () => {
  const window = page('<button data-copy="abc" aria-label="Copiar Huella"></button>');
  const written = [];
  Object.defineProperty(window.navigator, "clipboard", { value: { writeText: async (text) => { written.push(text); } }, configurable: true });
  const button = window.document.querySelector("button");
  mount(button);

  button.click();
  await settled();

  assert.deepEqual([written, button.getAttribute("aria-label")], [["abc"], "Copiado"]);
});
