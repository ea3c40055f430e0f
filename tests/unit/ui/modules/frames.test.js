import assert from "node:assert/strict";
import { test } from "node:test";

import { Demux, TYPE, join, json } from "../../../../app/ui/assets/widgets/videowall/frames.js";
import { frame } from "./dom.js";

test("frames come out whole however the network cuts them", () => {
  const wire = join([frame(TYPE.STATE, 255, new TextEncoder().encode('{"sid":"x"}')), frame(TYPE.FRAG, 2, new Uint8Array([1, 2, 3]), { flags: 1, seq: 9, wallMs: 1.5 })]);

  for (const size of [1, 3, 19, 21, wire.length]) {
    const seen = [];
    const demux = new Demux((each) => seen.push(each));
    for (let at = 0; at < wire.length; at += size) demux.push(wire.subarray(at, at + size));

    assert.equal(seen.length, 2, `pieces of ${size}`);
    assert.equal(json(seen[0].body).sid, "x");
    assert.deepEqual({ ...seen[1], body: [...seen[1].body] }, { type: TYPE.FRAG, track: 2, flags: 1, seq: 9, wallMs: 1.5, body: [1, 2, 3] });
  }
});

test("an empty payload is a frame", () => {
  const seen = [];
  new Demux((each) => seen.push(each)).push(frame(TYPE.BEAT, 255, new Uint8Array(0)));

  assert.equal(seen[0].type, TYPE.BEAT);
});

test("a frame is not told before its last byte", () => {
  const seen = [];
  const demux = new Demux((each) => seen.push(each));
  const wire = frame(TYPE.FRAG, 0, new Uint8Array(10));

  demux.push(wire.subarray(0, wire.length - 1));
  assert.equal(seen.length, 0);
  demux.push(wire.subarray(wire.length - 1));

  assert.equal(seen.length, 1);
});

test("a payload that is not JSON reads as nothing", () => {
  assert.deepEqual(json(new Uint8Array([255, 0])), {});
});
