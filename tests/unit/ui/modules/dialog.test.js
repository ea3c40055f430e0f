import assert from "node:assert/strict";
import { test } from "node:test";

import { mount } from "../../../../app/ui/assets/modules/dialog.js";
import { page } from "./dom.js";

test("a dialog opens for its button, takes the focus and gives it back", () => {
  const window = page('<button id="b">Abrir</button><dialog id="d"><button data-close-dialog>x</button><form><input type="hidden"><input id="code"></form></dialog>');
  const dialog = window.document.querySelector("dialog");
  const opener = window.document.getElementById("b");
  mount(dialog);

  window.document.dispatchEvent(new window.CustomEvent("pipc:open-dialog", { detail: { id: "d", opener } }));
  assert.equal(window.document.activeElement.id, "code");
  dialog.querySelector("[data-close-dialog]").click();

  assert.equal(window.document.activeElement.id, "b");
});

test("Ctrl+Intro sends the form of the dialog", () => {
  const window = page('<dialog id="d" open><form><textarea></textarea></form></dialog>');
  mount(window.document.querySelector("dialog"));
  let sent = 0;
  window.document.querySelector("form").requestSubmit = () => { sent += 1; };

  window.document.querySelector("textarea").dispatchEvent(new window.KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true }));
  window.document.querySelector("textarea").dispatchEvent(new window.KeyboardEvent("keydown", { key: "Enter", bubbles: true }));

  assert.equal(sent, 1);
});
