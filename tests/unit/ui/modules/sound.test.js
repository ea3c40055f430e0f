import assert from "node:assert/strict";
import { test } from "node:test";

import { Sound, pending } from "../../../../app/ui/assets/modules/sound.js";
import { page } from "./dom.js";

class Context {
  constructor() { Object.assign(this, { state: "suspended", currentTime: 0, tones: [] }); }

  async resume() { this.state = "running"; }

  createOscillator() { const tone = { frequency: {}, connect: (to) => to, start: () => this.tones.push(tone.frequency.value), stop: () => {} }; return tone; }

  createGain() { return { gain: { setValueAtTime() {}, exponentialRampToValueAtTime() {} }, connect: (to) => to }; }
}

test("nothing sounds before the person tries the sound", () => {
  const sound = new Sound({ AudioContext: Context, navigator: {} });

  assert.equal(sound.play(1), false);
});

test("each priority has its own tones", async () => {
  const sound = new Sound({ AudioContext: Context, navigator: {} });
  await sound.unlock();

  const played = [1, 2, 3, "lost"].map((name) => { sound.context.tones = []; sound.play(name); return sound.context.tones.join(); });

  assert.equal(new Set(played).size, 4);
});

test("only the tab that holds the lock is heard", async () => {
  let grant;
  const locks = { request: (name, options, work) => { grant = work; return new Promise(() => {}); } };
  const sound = new Sound({ AudioContext: Context, navigator: { locks } });
  await sound.unlock();
  sound.claim();

  assert.equal(sound.play(1), false);
  grant();

  assert.equal(sound.play(1), true);
});

test("the most urgent alarm nobody took is the one repeated", () => {
  const { document } = page('<li data-alarm="a" data-priority="1"></li><li data-alarm="b" data-priority="2" data-unacked></li><li data-alarm="c" data-priority="3" data-unacked></li>');

  assert.equal(pending(document), 2);
  document.querySelector('[data-alarm="b"]').removeAttribute("data-unacked");
  document.querySelector('[data-alarm="c"]').removeAttribute("data-unacked");

  assert.equal(pending(document), null);
});
