// The list of alarms: asks for it again when something happened, puts new ones above without moving what the operator is
// pointing at, and tells once about each new one. Used by /sala.
export const ANNOUNCE_MS = 5000;

export class Queue {
  constructor(box, { fetchList, tell, now = Date.now }) {
    Object.assign(this, { box, fetchList, tell, now, known: new Set(this.ids(box)), pointing: false, waiting: 0, busy: false });
    this.chip = box.ownerDocument.createElement("button");
    Object.assign(this.chip, { type: "button", className: "queue-new", hidden: true });
    this.chip.addEventListener("click", () => { this.pointing = false; this.refresh(); this.box.scrollTop = 0; });
    box.before(this.chip);
  }

  ids(root) { return [...root.querySelectorAll("[data-alarm]")].map((each) => each.dataset.alarm); }

  // Something changed. While the pointer is inside, what is on screen stays and a chip counts what waits.
  async changed() {
    if (this.pointing) { this.waiting += 1; return this.drawChip(); }
    return this.refresh();
  }

  raised(event) {
    if (event.id && !this.known.has(event.id)) this.announce(event.id, event);
    return this.changed();
  }

  async refresh() {
    if (this.busy) { this.again = true; return; }
    this.busy = true;
    try {
      const anchor = this.anchor();
      await this.fetchList();
      this.keep(anchor);
      this.waiting = 0;
      this.drawChip();
      for (const card of this.box.querySelectorAll("[data-alarm]")) {
        if (this.known.has(card.dataset.alarm)) continue;
        card.classList.add("is-fresh");
        this.announce(card.dataset.alarm, { priority: Number(card.dataset.priority), title: card.querySelector(".alarm-title")?.textContent, camera_name: card.querySelector(".alarm-place")?.textContent }, card.hasAttribute("data-unacked"));
      }
    } finally {
      this.busy = false;
    }
    if (this.again) { this.again = false; await this.refresh(); }
  }

  announce(id, detail, loud = true) {
    this.known.add(id);
    if (loud) this.tell(detail);
  }

  // The card the operator is on keeps its place on screen; at the top, with no focus inside, the list may move.
  anchor() {
    const focused = this.box.contains(this.box.ownerDocument.activeElement) ? this.box.ownerDocument.activeElement.closest("[data-alarm]") : null;
    const card = focused ?? (this.box.scrollTop > 4 ? this.box.querySelector("[data-alarm]") : null);
    return card && { id: card.id, top: card.getBoundingClientRect().top };
  }

  keep(anchor) {
    const card = anchor && this.box.ownerDocument.getElementById(anchor.id);
    if (card) this.box.scrollTop += card.getBoundingClientRect().top - anchor.top;
  }

  drawChip() {
    this.chip.hidden = this.waiting === 0;
    this.chip.textContent = this.waiting === 1 ? "1 novedad" : `${this.waiting} novedades`;
  }

  point(inside) {
    this.pointing = inside;
    if (!inside && this.waiting) this.refresh();
  }

  step(by) {
    const links = [...this.box.querySelectorAll("[data-alarm] a")];
    const at = links.findIndex((link) => link.getAttribute("aria-current") === "true" || link === this.box.ownerDocument.activeElement);
    const next = links[Math.min(links.length - 1, Math.max(0, at + by))];
    next?.focus();
    next?.click();
  }
}

export function mount(box) {
  const say = { assertive: document.querySelector('[data-announce="assertive"]'), polite: document.querySelector('[data-announce="polite"]') };
  let spokenAt = 0;
  const tell = (detail) => {
    document.dispatchEvent(new CustomEvent("pipc:alarm-new", { detail }));
    const urgent = detail.priority === 1;
    if (!urgent && Date.now() - spokenAt < ANNOUNCE_MS) return;
    spokenAt = Date.now();
    const place = say[urgent ? "assertive" : "polite"];
    if (place) place.textContent = `Alarma ${urgent ? "crítica" : "nueva"}: ${detail.title ?? ""}, ${detail.camera_name ?? ""}`;
  };
  const fetchList = () => window.htmx.ajax("GET", box.dataset.queueUrl, { target: "#cola-lista", swap: "morph:outerHTML", source: box });
  const queue = new Queue(box, { fetchList, tell });
  const listeners = {
    "pipc:alarm.raised": (event) => queue.raised(event.detail.payload ?? event.detail),
    "pipc:alarm.updated": () => queue.changed(),
    "pipc:resync": () => queue.changed(),
    "pipc:next": () => queue.step(1),
    "pipc:previous": () => queue.step(-1),
  };
  for (const [name, listener] of Object.entries(listeners)) document.addEventListener(name, listener);
  box.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") queue.point(true); });
  box.addEventListener("pointerleave", () => queue.point(false));
  return () => { for (const [name, listener] of Object.entries(listeners)) document.removeEventListener(name, listener); };
}
