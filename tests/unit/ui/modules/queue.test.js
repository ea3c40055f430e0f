import assert from "node:assert/strict";
import { test } from "node:test";

import { Queue } from "../../../../app/ui/assets/modules/queue.js";
import { page } from "./dom.js";

const card = (id, priority = 2, unacked = true) =>
  `<li id="alarma-${id}" data-alarm="${id}" data-priority="${priority}" ${unacked ? "data-unacked" : ""}><a href="#${id}"><span class="alarm-title">Alarma ${id}</span><span class="alarm-place">Plaza</span></a></li>`;

function build(first) {
  const window = page(`<div><div id="cola"><ol>${first}</ol></div></div>`);
  const box = window.document.getElementById("cola");
  const told = [];
  let next = first;
  const queue = new Queue(box, { fetchList: async () => { box.querySelector("ol").innerHTML = next; }, tell: (detail) => told.push(detail) });
  return { window, box, queue, told, serve: (html) => { next = html; } };
}

test("a new alarm is told once, from the event and not again from the list", async () => {
  const { queue, told, serve } = build(card("a"));
  serve(card("b", 1) + card("a"));

  await queue.raised({ id: "b", priority: 1, title: "Patente", camera_name: "Acceso" });

  assert.deepEqual(told.map((each) => each.title), ["Patente"]);
});

test("an alarm whose event was lost is told when the list shows it", async () => {
  const { queue, told, serve } = build(card("a"));
  serve(card("b", 1) + card("a"));

  await queue.changed();

  assert.deepEqual(told, [{ priority: 1, title: "Alarma b", camera_name: "Plaza" }]);
});

test("an alarm somebody already took does not sound", async () => {
  const { queue, told, serve } = build(card("a"));
  serve(card("b", 1, false) + card("a"));

  await queue.changed();

  assert.deepEqual(told, []);
});

test("while the pointer is inside nothing moves and a chip counts what waits", async () => {
  const { box, queue, told, serve } = build(card("a"));
  serve(card("c") + card("b") + card("a"));
  queue.point(true);

  await queue.raised({ id: "b", priority: 2, title: "Una" });
  await queue.raised({ id: "c", priority: 2, title: "Otra" });

  assert.equal(box.querySelectorAll("li").length, 1);
  assert.equal(queue.chip.textContent, "2 novedades");
  assert.equal(told.length, 2);
});

test("leaving the list shows what was waiting", async () => {
  const { box, queue, serve } = build(card("a"));
  serve(card("b") + card("a"));
  queue.point(true);
  await queue.changed();

  queue.point(false);
  await new Promise((resolve) => { setImmediate(resolve); });

  assert.equal(box.querySelectorAll("li").length, 2);
  assert.equal(queue.chip.hidden, true);
});

test("the card with the focus keeps its place on screen", async () => {
  const { box, queue, serve } = build(card("a"));
  serve(card("b") + card("a"));
  box.querySelector("#alarma-a a").focus();
  let top = 100;
  const measure = () => ({ top });
  box.querySelector("#alarma-a").getBoundingClientRect = measure;
  const fetchList = queue.fetchList;
  queue.fetchList = async () => { await fetchList(); top = 170; box.querySelector("#alarma-a").getBoundingClientRect = measure; };

  await queue.refresh();

  assert.equal(box.scrollTop, 70);
});

test("J and K choose the next and the previous, and stop at the ends", () => {
  const { box, queue } = build(card("a") + card("b"));
  const clicked = [];
  for (const link of box.querySelectorAll("a")) link.addEventListener("click", () => clicked.push(link.hash));

  queue.step(1);
  queue.step(1);
  queue.step(1);
  queue.step(-1);

  assert.deepEqual(clicked, ["#a", "#b", "#b", "#a"]);
});

test("two changes at once ask the server twice, not at the same time", async () => {
  const { queue } = build(card("a"));
  let running = 0;
  let most = 0;
  let asked = 0;
  queue.fetchList = async () => { running += 1; asked += 1; most = Math.max(most, running); await Promise.resolve(); running -= 1; };

  await Promise.all([queue.changed(), queue.changed(), queue.changed()]);

  assert.equal(most, 1);
  assert.equal(asked, 2);
});
