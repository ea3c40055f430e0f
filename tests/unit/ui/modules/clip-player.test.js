import assert from "node:assert/strict";
import { test } from "node:test";

import { mount } from "../../../../app/ui/assets/modules/clip-player.js";
import { page } from "./dom.js";

test("the clip moves by five seconds and by one frame, inside its length", () => {
  const window = page('<div data-start="2026-11-23T01:14:09Z"><video></video><button data-play></button><input type="range" data-scrub max="1000"><span data-time></span></div>');
  const video = window.document.querySelector("video");
  Object.defineProperties(video, { duration: { value: 15 }, currentTime: { value: 0, writable: true }, paused: { value: true, writable: true } });
  video.pause = () => {};
  mount(window.document.querySelector("div"));
  const move = (name) => window.document.dispatchEvent(new window.CustomEvent(`pipc:${name}`));

  for (let times = 0; times < 4; times += 1) move("forward");
  assert.equal(video.currentTime, 15);
  move("frame-back");
  assert.ok(Math.abs(video.currentTime - 14.92) < 1e-9);
  video.dispatchEvent(new window.Event("timeupdate"));

  assert.equal(window.document.querySelector("[data-time]").textContent, "22:14:23");
  assert.equal(window.document.querySelector("[data-play]").getAttribute("aria-label"), "Reproducir");
});
