import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { mount } from "../../../../app/ui/assets/modules/videowall.js";
import { page, settled } from "./dom.js";

const TILE = (id, state) => `<li><figure class="tile" data-camera="${id}" data-state="${state}"><video></video><span class="dot dot-online"></span><p data-tile-message></p><span data-tile-state></span></figure></li>`;
let undo = () => {};
let asked;

function build() {
  const window = page(`<section id="foco"><div class="spot-view"></div></section><ul>${TILE("c1", "waiting")}${TILE("c2", "none")}</ul>`);
  window.HTMLMediaElement.prototype.load = () => {};
  asked = [];
  globalThis.fetch = async (url, options) => { asked.push([url, JSON.parse(options.body)]); return { ok: false, status: 404 }; };
  undo = mount(window.document.querySelector("ul"));
  return window;
}

afterEach(() => undo());

test("only cameras with a signal are asked for", async () => {
  build();
  await settled();

  assert.deepEqual(asked, [["/sala/camaras/c1/ver", { stream: "sub" }]]);
});

test("a camera put in the spot is asked with its main stream", async () => {
  const { document } = build();
  await settled();

  document.dispatchEvent(new CustomEvent("pipc:focus-camera", { detail: { camera: "c9" } }));

  assert.equal(document.querySelector("#foco .spot-live").dataset.camera, "c9");
});

test("another camera replaces the one in the spot", async () => {
  const { document } = build();
  await settled();

  for (const camera of ["c1", "c9"]) document.dispatchEvent(new CustomEvent("pipc:focus-camera", { detail: { camera } }));

  assert.deepEqual([...document.querySelectorAll("#foco .spot-live")].map((tile) => tile.dataset.camera), ["c9"]);
});

test("the dot of a tile follows the state of its camera", () => {
  const { document } = build();

  document.dispatchEvent(new CustomEvent("pipc:camera.state", { detail: { payload: { camera: "c1", state: "frozen" } } }));

  assert.equal(document.querySelector('[data-camera="c1"] .dot').className, "dot dot-frozen");
});
