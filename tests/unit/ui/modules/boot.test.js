import assert from "node:assert/strict";
import { test } from "node:test";

import { mountAll, unmount } from "../../../../app/ui/assets/modules/boot.js";
import { page } from "./dom.js";

test("behaviours are mounted once, in order, and undone when the element leaves", async () => {
  const window = page('<div id="a" data-module="one two"></div>');
  const log = [];
  const fake = async (name) => ({ mount: () => { log.push(`+${name}`); return () => log.push(`-${name}`); } });

  await mountAll(window.document, fake);
  await mountAll(window.document, fake);
  unmount(window.document.getElementById("a"));

  assert.deepEqual(log, ["+one", "+two", "-one", "-two"]);
});
