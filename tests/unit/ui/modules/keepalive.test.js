import assert from "node:assert/strict";
import { test } from "node:test";

import { EVERY_MS, mount } from "../../../../app/ui/assets/modules/keepalive.js";
import { heard, page, settled } from "./dom.js";

test("a console that listens tells the server it is there", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  page("");
  const asked = [];
  context.mock.method(globalThis, "fetch", async (url, options) => { asked.push([url, options.headers["X-CSRF-Token"]]); return { status: 401 }; });
  const ended = heard(document, "pipc:link");
  const undo = mount(document.body);

  context.mock.timers.tick(EVERY_MS);
  await settled();
  undo();

  assert.deepEqual(asked, [["/sesion/latido", "tok"]]);
  assert.deepEqual(ended, [{ status: "ended" }]);
});
