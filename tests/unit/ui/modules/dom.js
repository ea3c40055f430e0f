// A page for the tests of browser modules: jsdom's globals, a clock that tests move, and doubles of what it lacks.
import { JSDOM } from "jsdom";

import { HEADER } from "../../../../app/ui/assets/widgets/videowall/frames.js";

export function page(html, { url = "http://127.0.0.1:8000/sala/" } = {}) {
  const dom = new JSDOM(`<!doctype html><html lang="es-AR"><head><meta name="csrf-token" content="tok"></head><body>${html}</body></html>`, { url, pretendToBeVisual: true });
  const { window } = dom;
  window.pipcTest = true;
  for (const name of ["window", "document", "CustomEvent", "Event", "KeyboardEvent", "MouseEvent", "HTMLElement", "history", "location", "CSS"]) {
    Object.defineProperty(globalThis, name, { value: name === "window" ? window : (window[name] ?? fallback[name]), configurable: true, writable: true });
  }
  Object.defineProperty(globalThis, "navigator", { value: window.navigator, configurable: true, writable: true });
  window.HTMLDialogElement.prototype.showModal ??= function showModal() { this.open = true; };
  window.HTMLDialogElement.prototype.close ??= function close() { this.open = false; this.dispatchEvent(new window.Event("close")); };
  return window;
}

const fallback = { CSS: { escape: (text) => String(text).replace(/[^\w-]/g, (char) => `\\${char}`) } };

export function heard(target, name) {
  const events = [];
  target.addEventListener(name, (event) => events.push(event.detail));
  return events;
}

export const settled = () => new Promise((resolve) => { setImmediate(resolve); });

// A frame as the recorder writes it.
export function frame(type, track, body, { flags = 0, seq = 0, wallMs = 0 } = {}) {
  const bytes = new Uint8Array(HEADER + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, type);
  view.setUint8(1, track);
  view.setUint16(2, flags);
  view.setUint32(4, body.length);
  view.setUint32(8, seq);
  view.setFloat64(12, wallMs);
  bytes.set(body, HEADER);
  return bytes;
}
