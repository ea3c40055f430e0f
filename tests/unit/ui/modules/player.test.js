import assert from "node:assert/strict";
import { test } from "node:test";

import { LivePlayer, correction } from "../../../../app/ui/assets/widgets/videowall/player.js";
import { page } from "./dom.js";

// jsdom replaces the global; the doubles below are native.
const NativeEvent = globalThis.Event;

const opened = () => new NativeEvent("sourceopen");

class Buffer extends EventTarget {
  constructor() { super(); Object.assign(this, { appended: [], updating: false, ranges: [] }); }

  get buffered() { return { length: this.ranges.length, start: (n) => this.ranges[n][0], end: (n) => this.ranges[n][1] }; }

  appendBuffer(bytes) { this.appended.push(bytes.length); }

  remove(...range) { this.removed = range; }
}

class Source extends EventTarget {
  static made = [];

  static isTypeSupported(type) { return !type.includes("hev1"); }

  constructor() { super(); this.readyState = "open"; Source.made.push(this); }

  addSourceBuffer() { this.buffer = new Buffer(); return this.buffer; }
}

const init = (codec) => new TextEncoder().encode(JSON.stringify({ codec, n: 0 }).padEnd(64) + "moov");

function build(options = {}) {
  const window = page("<video></video>");
  URL.createObjectURL = () => "blob:x";
  URL.revokeObjectURL = () => {};
  Source.made = [];
  const video = window.document.querySelector("video");
  Object.assign(video, { play: async () => {}, load: () => {} });
  const player = new LivePlayer(video, { Source, ...options });
  clearInterval(player.timer);
  return { player, video };
}

test("a lag is corrected by a jump or by the rate", () => {
  assert.deepEqual([3, 0.7, 0.45, 0.3, 0.05, -1].map((lag) => correction(lag)), [{ seek: true }, { rate: 1.1 }, { rate: 1.05 }, { rate: 1 }, { rate: 0.95 }, { seek: true }]);
});

test("a codec the browser cannot show is said before making a player", () => {
  const refused = [];
  const { player } = build({ onUnsupported: (codec) => refused.push(codec) });

  player.init(init("hev1.1.6.L93.B0"));

  assert.deepEqual(refused, ["hev1.1.6.L93.B0"]);
  assert.equal(Source.made.length, 0);
});

test("what came before the source opened is appended in one piece", () => {
  const { player } = build();
  player.init(init("avc1.64001f"));
  player.fragment(new Uint8Array(10));

  Source.made[0].dispatchEvent(opened());

  assert.deepEqual(Source.made[0].buffer.appended, [14]);
});

test("a new INIT makes a new source and drops the old one", () => {
  const { player } = build();
  player.init(init("avc1.64001f"));
  player.init(init("avc1.42c01e"));

  Source.made[0].dispatchEvent(opened());

  assert.equal(Source.made[0].buffer, undefined);
  assert.equal(Source.made.length, 2);
});

test("the first picture starts near the newest one, then a big lag jumps", () => {
  const { player, video } = build();
  player.init(init("avc1.64001f"));
  Source.made[0].dispatchEvent(opened());
  Source.made[0].buffer.ranges = [[100, 101]];

  player.drift();
  assert.ok(Math.abs(video.currentTime - 100.7) < 1e-9);
  Source.made[0].buffer.ranges = [[100, 110]];
  player.drift();

  assert.ok(Math.abs(video.currentTime - 109.7) < 1e-9);
});

test("old pictures are thrown away", () => {
  const { player, video } = build();
  player.init(init("avc1.64001f"));
  Source.made[0].dispatchEvent(opened());
  video.currentTime = 100;
  Source.made[0].buffer.ranges = [[10, 101]];

  player.fragment(new Uint8Array(1));

  assert.deepEqual(Source.made[0].buffer.removed, [0, 90]);
});
