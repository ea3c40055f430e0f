import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { SILENCE_MS, Stream } from "../../../../app/ui/assets/modules/stream.js";
import { heard, page, settled } from "./dom.js";

let now;
let sources;
let channels;
let locks;

class Source {
  constructor(url) { Object.assign(this, { url, closed: false, listeners: {} }); sources.push(this); }

  addEventListener(name, listener) { this.listeners[name] = listener; }

  send(name, data, seq = "") { this.listeners[name]({ data: JSON.stringify(data), lastEventId: String(seq) }); }

  close() { this.closed = true; }
}

class Channel {
  constructor() { channels.push(this); }

  postMessage(data) { for (const each of channels) if (each !== this) each.onmessage?.({ data }); }

  close() { channels.splice(channels.indexOf(this), 1); }
}

function world(window, { withLocks = true } = {}) {
  return {
    document: window.document, CustomEvent: window.CustomEvent, EventSource: Source, BroadcastChannel: Channel,
    Date: { now: () => now }, setInterval: () => 1, clearInterval: () => {},
    navigator: withLocks ? { locks } : {},
  };
}

beforeEach(() => {
  now = 1_000_000;
  sources = [];
  channels = [];
  const queue = [];
  locks = { queue, request: (name, options, work) => { const run = () => Promise.resolve(work()).then(() => { queue.shift(); queue[0]?.(); }); queue.push(run); if (queue.length === 1) return run(); return new Promise(() => {}); } };
});
afterEach(() => { channels = []; });

function open(window, last = 0, options = {}) {
  const stream = new Stream(last, world(window, options));
  stream.start();
  return stream;
}

test("the leader asks from the last number the page was drawn with", () => {
  open(page(""), 41);

  assert.equal(sources[0].url, "/rt/flujo?desde=41");
});

test("a second tab opens nothing and hears what the leader hears", () => {
  const window = page("");
  open(window, 0);
  open(window, 0);
  const events = heard(window.document.body, "pipc:alarm.raised");

  sources[0].send("alarm.raised", { id: "a" }, 1);

  assert.equal(sources.length, 1);
  assert.equal(events.length, 2);
});

test("when the leader closes another tab takes the stream where it was", async () => {
  const window = page("");
  const first = open(window, 0);
  open(window, 0);
  sources[0].send("alarm.raised", { id: "a" }, 1);

  first.stop();
  await settled();

  assert.equal(sources.length, 2);
  assert.equal(sources[1].url, "/rt/flujo?desde=1");
});

test("an event that comes twice is told once", () => {
  const window = page("");
  open(window, 0);
  const events = heard(window.document.body, "pipc:alarm.raised");

  sources[0].send("alarm.raised", { id: "a" }, 1);
  sources[0].send("alarm.raised", { id: "a" }, 1);

  assert.equal(events.length, 1);
});

test("a jump in the numbers asks for the screen again", () => {
  const window = page("");
  open(window, 0);
  const resyncs = heard(window.document.body, "pipc:resync");

  sources[0].send("alarm.raised", { id: "a" }, 1);
  sources[0].send("alarm.raised", { id: "c" }, 3);

  assert.equal(resyncs.length, 1);
});

test("a heartbeat that names a missing number twice asks for the screen again", () => {
  const window = page("");
  open(window, 0);
  const resyncs = heard(window.document.body, "pipc:resync");

  sources[0].send("latido", { at: "2026-11-23T00:00:00Z", head: 7 });
  assert.equal(resyncs.length, 0);
  sources[0].send("latido", { at: "2026-11-23T00:00:10Z", head: 7 });

  assert.equal(resyncs.length, 1);
});

test("silence is said within 15 seconds, and then the server is asked every 5", () => {
  const window = page("");
  const stream = open(window, 0);
  const links = heard(window.document.body, "pipc:link");
  const resyncs = heard(window.document.body, "pipc:resync");
  sources[0].send("latido", { at: "2026-11-23T00:00:00Z", head: 0 });

  now += SILENCE_MS;
  stream.watch();
  assert.deepEqual(links.map((each) => each.status), ["online"]);
  for (let second = 0; second < 11; second += 1) { now += 1000; stream.watch(); }

  assert.deepEqual(links.map((each) => each.status), ["online", "offline"]);
  assert.equal(links[1].since, 1_000_000);
  assert.equal(resyncs.length, 3);
});

test("coming back is said and the screen is read again", () => {
  const window = page("");
  const stream = open(window, 0);
  sources[0].send("latido", { at: "2026-11-23T00:00:00Z", head: 0 });
  now += SILENCE_MS + 1000;
  stream.watch();
  const links = heard(window.document.body, "pipc:link");
  const resyncs = heard(window.document.body, "pipc:resync");

  sources[0].send("latido", { at: "2026-11-23T00:00:16Z", head: 0 });

  assert.deepEqual(links.map((each) => each.status), ["online"]);
  assert.equal(resyncs.length, 1);
});

test("the end of the session stops asking for ever", () => {
  const window = page("");
  const stream = open(window, 0);
  const links = heard(window.document.body, "pipc:link");

  sources[0].send("sesion-terminada", {});
  now += 60_000;
  stream.watch();

  assert.equal(sources[0].closed, true);
  assert.equal(sources.length, 1);
  assert.deepEqual(links.map((each) => each.status).filter((each) => each !== "online"), ["ended"]);
});

test("without Web Locks each tab has its own stream", () => {
  const window = page("");
  open(window, 0, { withLocks: false });
  open(window, 0, { withLocks: false });

  assert.equal(sources.length, 2);
});
