import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { TYPE, WHOLE, join } from "../../../../app/ui/assets/widgets/videowall/frames.js";
import { STALE_MS, View } from "../../../../app/ui/assets/widgets/videowall/view.js";
import { Wall } from "../../../../app/ui/assets/widgets/videowall/wall.js";
import { frame, page, settled } from "./dom.js";

const TILE = (id) => `<figure class="tile" data-camera="${id}" data-state="waiting" data-still="/s/${id}.jpg"><img class="still" alt=""><video></video><p data-tile-message hidden></p><span data-tile-state></span></figure>`;
const bytes = (value) => new TextEncoder().encode(JSON.stringify(value));
const open = [];

function build(...ids) {
  const window = page(ids.map(TILE).join(""));
  URL.createObjectURL = () => "blob:x";
  URL.revokeObjectURL = () => {};
  window.HTMLMediaElement.prototype.load = () => {};
  const asked = [];
  let stream;
  const post = async (url, body, options) => {
    asked.push([url, body]);
    if (url.endsWith("/ver")) return { ok: true, json: async () => ({ view_id: `v-${url.split("/")[3]}`, ticket: `t-${url.split("/")[3]}` }) };
    if (url === "/video/vivo") return { ok: true, body: { getReader: () => ({ read: () => new Promise((resolve, reject) => { stream = { send: (value) => resolve({ done: false, value }) }; options.signal.addEventListener("abort", () => reject(new Error("aborted"))); }) }) } };
    return { ok: true, json: async () => ({}) };
  };
  const wall = new Wall({ post });
  const views = [...window.document.querySelectorAll(".tile")].map((tile) => wall.add(tile, "sub"));
  open.push(wall);
  return { wall, views, asked, send: async (value) => { stream.send(value); await settled(); await settled(); } };
}

afterEach(() => { for (const wall of open.splice(0)) { wall.stop(); for (const view of wall.views) view.destroy(); } });

async function started(...ids) {
  const built = build(...ids);
  built.wall.run();
  for (let turn = 0; turn < 5; turn += 1) await settled();
  await built.send(frame(TYPE.STATE, WHOLE, bytes({ sid: "s1", tracks: ids.map((id, track) => ({ track, view_id: `v-${id}` })) })));
  return built;
}

test("all the cameras travel in one request, with the tickets in the body", async () => {
  const { asked } = await started("c1", "c2");

  const live = asked.filter(([url]) => url === "/video/vivo");
  assert.deepEqual(live, [["/video/vivo", { tickets: ["t-c1", "t-c2"] }]]);
});

test("each frame reaches the player of its track", async () => {
  const { views, send } = await started("c1", "c2");
  const got = [];
  views.forEach((view, index) => { view.player.fragment = () => { got.push(index); view.alive(); }; });

  await send(join([frame(TYPE.FRAG, 1, new Uint8Array(4)), frame(TYPE.FRAG, 0, new Uint8Array(4)), frame(TYPE.FRAG, 7, new Uint8Array(4))]));

  assert.deepEqual(got, [1, 0]);
  assert.equal(views[0].tile.dataset.state, "live");
});

test("a camera added later joins the stream that is open", async () => {
  const { wall, asked } = await started("c1");
  const tile = document.createElement("div");
  tile.innerHTML = TILE("c9");
  document.body.append(tile);

  wall.add(tile.firstChild, "main");
  await settled();
  await settled();

  assert.deepEqual(asked.slice(-2), [["/sala/camaras/c9/ver", { stream: "main" }], ["/video/vivo/s1/add", { tickets: ["t-c9"] }]]);
});

test("tickets are renewed for the same view", async () => {
  const { wall, asked } = await started("c1");

  await wall.renew();

  assert.deepEqual(asked.slice(-2), [["/sala/camaras/c1/ver", { stream: "sub", view_id: "v-c1" }], ["/video/vivo/s1/add", { tickets: ["t-c1"] }]]);
});

test("a codec the browser lacks falls to the sub-stream, then to stills", () => {
  const { views } = build("c1");
  const [view] = views;
  view.stream = "main";

  assert.equal(view.refused("unsupported_codec"), true);
  assert.equal(view.stream, "sub");
  assert.equal(view.refused("unsupported_codec"), false);

  assert.equal(view.tile.dataset.state, "stills");
  assert.match(view.tile.querySelector("img").src, /\/s\/c1\.jpg\?t=/);
});

test("a picture that stopped never looks live", () => {
  page(TILE("c1"));
  let now = 10_000;
  const view = new View(document.querySelector(".tile"), "sub", { post: async () => ({}), now: () => now });
  view.alive();
  assert.equal(view.check(), false);

  now += STALE_MS;
  const rebuild = view.check();

  assert.equal(rebuild, true);
  assert.equal(view.tile.dataset.state, "stale");
  assert.match(view.tile.querySelector("[data-tile-message]").textContent, /^sin video desde \d\d:\d\d:\d\d$/);
  view.destroy();
});

test("a view cut with its session says so, and keeps saying it", () => {
  page(TILE("c1"));
  let now = 10_000;
  const view = new View(document.querySelector(".tile"), "sub", { post: async () => ({}), now: () => now });
  view.alive();
  view.viewId = "v-c1";

  view.refused("revoked");
  now += STALE_MS;

  assert.equal(view.check(), true);
  assert.equal(view.viewId, null);
  assert.equal(view.tile.dataset.state, "none");
  assert.equal(view.tile.querySelector("[data-tile-message]").textContent, "la sesión terminó: volver a ingresar para mirar");
  view.destroy();
});

test("a ticket refused because nobody is signed in says it; another refusal does not", async () => {
  for (const [status, words] of [[401, "la sesión terminó: volver a ingresar para mirar"], [403, "sin permiso o sin señal"], [404, "cámara dada de baja"]]) {
    page(TILE("c1"));
    const view = new View(document.querySelector(".tile"), "sub", { post: async () => ({ ok: false, status }) });

    assert.equal(await view.ticket(), null);

    assert.equal(view.tile.querySelector("[data-tile-message]").textContent, words);
    view.destroy();
  }
});

test("a view that ended is opened anew, once", async () => {
  page(TILE("c1"));
  const asked = [];
  const answers = [{ ok: false, status: 404 }, { ok: true, json: async () => ({ view_id: "v2", ticket: "t2" }) }];
  const view = new View(document.querySelector(".tile"), "sub", { post: async (_, body) => { asked.push(body); return answers.shift(); } });
  view.viewId = "v1";

  assert.equal(await view.ticket(), "t2");

  assert.deepEqual(asked, [{ stream: "sub", view_id: "v1" }, { stream: "sub" }]);
  view.destroy();
});

test("an answer that is opened again asks for views of its own", async () => {
  const { wall, views, asked } = await started("c1");
  assert.equal(views[0].viewId, "v-c1");
  const before = asked.length;

  wall.open().catch(() => {});
  for (let turn = 0; turn < 5; turn += 1) await settled();

  assert.deepEqual(asked.slice(before), [["/sala/camaras/c1/ver", { stream: "sub" }], ["/video/vivo", { tickets: ["t-c1"] }]]);
});
