import assert from "node:assert/strict";
import { test } from "node:test";

import { STALE_MS, heard, mount as mountClock, serverNow } from "../../../../app/ui/assets/modules/clock.js";
import { elapsed, refresh, span } from "../../../../app/ui/assets/modules/timers.js";
import { page } from "./dom.js";

test("relative times match the words of the server", () => {
  assert.deepEqual([-5, 18, 60, 3599, 7200, 86400, 3 * 86400].map((seconds) => elapsed(seconds * 1000)), ["recién", "hace 18 s", "hace 1 min", "hace 59 min", "hace 2 h", "hace 1 día", "hace 3 días"]);
});

test("a countdown stops at zero and says it is over", () => {
  const { document } = page('<span data-timer data-until="2026-11-23T00:00:12Z"><span data-timer-text></span></span>');
  const at = Date.parse("2026-11-23T00:00:00Z");

  refresh(document, at);
  assert.equal(document.querySelector("[data-timer-text]").textContent, "12 s");
  refresh(document, at + 20_000);

  assert.equal(document.querySelector("[data-timer-text]").textContent, "0 s");
  assert.ok(document.querySelector("[data-timer]").hasAttribute("data-over"));
});

test("spans over a minute keep their seconds", () => {
  assert.equal(span(125_000), "2 min 05 s");
});

test("time is the server's, whatever the computer says", () => {
  heard(new Date(Date.now() + 3_600_000).toISOString());

  assert.ok(Math.abs(serverNow() - Date.now() - 3_600_000) < 1000);
});

test("the clock greys out when the server stops telling the hour", () => {
  const { document } = page('<time data-clock="2026-11-23T01:14:37Z"></time>');
  const undo = mountClock(document.body);
  const face = document.querySelector("time");
  assert.equal(face.textContent, "22:14:37");
  assert.equal(face.hasAttribute("data-stale"), false);
  undo();

  heard("2026-11-23T01:14:37Z", Date.now() - STALE_MS - 1);
  document.body.innerHTML = '<time data-clock=""></time>';
  heard("2026-11-23T01:14:37Z", Date.now() - STALE_MS - 1);

  assert.ok(serverNow() > Date.parse("2026-11-23T01:14:37Z") + STALE_MS);
});
