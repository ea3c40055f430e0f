import assert from "node:assert/strict";
import { test } from "node:test";

import { mount } from "../../../../app/ui/assets/modules/link.js";
import { page } from "./dom.js";

test("a lost link is said with its hour, and leaves when it is back", () => {
  const window = page('<span data-link-status><span data-text></span></span><div data-link-banner hidden><span data-text></span></div>');
  const banner = window.document.querySelector("[data-link-banner]");
  mount(window.document.body);

  window.document.dispatchEvent(new window.CustomEvent("pipc:link", { detail: { status: "offline", since: Date.parse("2026-11-23T01:08:31Z") } }));
  assert.equal(banner.hidden, false);
  assert.match(banner.textContent, /^Sin conexión desde las 22:08:31/);
  window.document.dispatchEvent(new window.CustomEvent("pipc:link", { detail: { status: "online" } }));

  assert.equal(banner.hidden, true);
});

test("the end of the session offers the door", () => {
  const window = page('<span data-link-status><span data-text></span></span><div data-link-banner hidden><span data-text></span></div>');
  mount(window.document.body);

  window.document.dispatchEvent(new window.CustomEvent("pipc:link", { detail: { status: "ended" } }));

  assert.equal(window.document.querySelector("[data-link-banner] a").getAttribute("href"), "/");
});
