import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { concerns, mount } from "../../../../app/ui/assets/modules/console.js";
import { heard, page } from "./dom.js";

const HTML = `<main><p data-flood hidden></p><ol data-queue><li id="alarma-a"><a href="#a"></a></li><li id="alarma-b"><a href="#b" aria-current="true"></a></li></ol>
  <section id="foco" data-alarm="a" data-version="3"><button data-focus-camera="c1"></button></section>
  <button data-toggle-list="mapa" aria-expanded="false">ver lista</button><div id="mapa"><details></details></div></main>`;
let room;
let asked;

beforeEach(() => {
  const window = page(HTML);
  asked = [];
  window.htmx = { ajax: (...request) => asked.push(request) };
  room = window.document.querySelector("main");
  mount(room);
});

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

test("the alarm on screen is the one marked in the queue", () => {
  assert.deepEqual([...room.querySelectorAll("[aria-current]")].map((link) => link.hash), ["#a"]);
});

test("a newer version of the alarm on screen is asked for", () => {
  tell("pipc:alarm.updated", { payload: { id: "a", version: 4 } });

  assert.equal(asked[0][1], "/sala/alarmas/a");
});

test("an older version, and another alarm, are not", () => {
  tell("pipc:alarm.updated", { payload: { id: "a", version: 3 } });
  tell("pipc:alarm.updated", { payload: { id: "b", version: 9 } });

  assert.deepEqual(asked, []);
});

test("the clip of the alarm on screen brings its card again", () => {
  tell("pipc:alarm.clip", { ref: "a", payload: {} });

  assert.equal(asked.length, 1);
});

test("nothing is replaced under a dialog the operator is filling", () => {
  room.querySelector("#foco").insertAdjacentHTML("beforeend", "<dialog open></dialog>");

  tell("pipc:alarm.updated", { payload: { id: "a", version: 4 } });

  assert.deepEqual(asked, []);
});

test("with no alarm on screen nothing concerns it", () => {
  assert.equal(concerns(null, { payload: { id: "a" } }), false);
});

test("a camera chosen anywhere goes to the spot", () => {
  const chosen = heard(document, "pipc:focus-camera");

  room.querySelector("[data-focus-camera]").click();

  assert.deepEqual(chosen, [{ camera: "c1" }]);
});

test("the list twin of the map opens and says so", () => {
  const button = room.querySelector("[data-toggle-list]");

  button.click();

  assert.equal(room.querySelector("details").open, true);
  assert.equal(button.getAttribute("aria-expanded"), "true");
});

test("a flood is shown while it lasts, and the supervisor's notice sounds again", () => {
  const sounds = heard(document, "pipc:alarm-new");
  const strip = room.querySelector("[data-flood]");

  tell("pipc:console.notice", { payload: { notice: "flood_began" } });
  assert.equal(strip.hidden, false);
  tell("pipc:console.notice", { payload: { notice: "flood_ended" } });
  tell("pipc:console.notice", { payload: { notice: "supervisor", insist: true, priority: 1 } });

  assert.equal(strip.hidden, true);
  assert.deepEqual(sounds.map((each) => each.priority), [1]);
});

test("a clip that arrives is asked for although the version stays", () => {
  tell("pipc:alarm.clip", { payload: { id: "a", version: 3, clip: "c" } });

  assert.equal(asked[0][1], "/sala/alarmas/a");
});

const network = (name, detail) => room.querySelector("#foco").dispatchEvent(new CustomEvent(name, { bubbles: true, detail: { target: room.querySelector("#foco"), ...detail } }));

test("the spot is busy while a card is on its way, and tells when the last one settled", () => {
  const settled = heard(document, "pipc:spot-settled");
  const spot = room.querySelector("#foco");

  network("htmx:beforeRequest");
  network("htmx:beforeRequest");
  network("htmx:afterRequest", { successful: true });
  network("htmx:afterSettle");
  const between = [spot.getAttribute("aria-busy"), settled.length];
  network("htmx:afterRequest", { successful: true });
  network("htmx:afterSettle");

  assert.deepEqual(between, ["true", 0]);
  assert.deepEqual([spot.getAttribute("aria-busy"), settled.map((detail) => detail.arrived)], [null, [true]]);
});

test("a card that did not come is told as such", () => {
  const settled = heard(document, "pipc:spot-settled");

  network("htmx:beforeRequest");
  network("htmx:afterRequest", { successful: false });

  assert.deepEqual(settled.map((detail) => detail.arrived), [false]);
});
