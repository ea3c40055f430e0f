// One event stream per browser: the tab holding the Web Lock listens and repeats to the others. Used by /sala.
// Every event becomes `pipc:<kind>` on document and body. A jump in the numbers, or `resync`, becomes `pipc:resync`.
export const KINDS = ["alarm.raised", "alarm.updated", "alarm.clip", "camera.state", "console.notice"];
export const SILENCE_MS = 15000;
export const POLL_MS = 5000;
const NAME = "pipc-rt";

export class Stream {
  constructor(last, world = globalThis) {
    this.last = last;
    this.world = world;
    this.heardAt = world.Date.now();
    this.status = "connecting";
    this.ended = false;
  }

  start() {
    const { BroadcastChannel, navigator } = this.world;
    this.channel = BroadcastChannel ? new BroadcastChannel(NAME) : null;
    if (this.channel) this.channel.onmessage = (message) => this.take(message.data, false);
    this.timer = this.world.setInterval(() => this.watch(), 1000);
    if (!navigator.locks || !this.channel) this.lead();
    else navigator.locks.request(NAME, { signal: (this.abort = new AbortController()).signal }, () => this.lead()).catch(() => {});
  }

  // Resolves when this tab stops leading, so the lock passes to another one.
  lead() {
    this.leading = true;
    this.connect();
    return new Promise((release) => { this.release = release; });
  }

  connect() {
    this.source?.close();
    const source = new this.world.EventSource(`/rt/flujo?desde=${this.last}`);
    this.source = source;
    for (const kind of KINDS) source.addEventListener(kind, (event) => this.take({ kind, seq: Number(event.lastEventId), data: parse(event.data) }));
    for (const kind of ["latido", "resync", "sesion-terminada"]) source.addEventListener(kind, (event) => this.take({ kind, data: parse(event.data) }));
    source.onopen = () => this.heard();
  }

  take(message, own = true) {
    if (own) this.channel?.postMessage(message);
    this.heard();
    const { kind, seq, data } = message;
    if (kind === "sesion-terminada") return this.finish();
    if (kind === "latido") { if (data.head > this.last) this.missed(data.head); return this.tell("latido", data); }
    if (kind === "resync") return this.missed(data.head ?? this.last);
    if (!(seq > this.last)) return undefined;
    const jumped = seq > this.last + 1;
    this.last = seq;
    this.tell(kind, data);
    return jumped ? this.tell("resync", { head: seq }) : undefined;
  }

  // The heartbeat names a number that never came: read the screen again. Twice in a row, to let an event in flight arrive.
  missed(head) {
    if (this.suspect !== head) { this.suspect = head; return; }
    this.last = Math.max(this.last, head);
    this.tell("resync", { head });
  }

  heard() {
    this.heardAt = this.world.Date.now();
    if (this.status === "online" || this.ended) return;
    const wasLost = this.status === "offline";
    this.set("online");
    if (wasLost) this.tell("resync", {});
  }

  watch() {
    const silent = this.world.Date.now() - this.heardAt;
    if (this.ended || silent <= SILENCE_MS) return;
    if (this.status !== "offline") this.set("offline", this.heardAt);
    if (this.leading && silent % 10000 < 1000) this.connect();
    if (this.world.Date.now() - (this.polledAt ?? 0) >= POLL_MS) { this.polledAt = this.world.Date.now(); this.tell("resync", { polling: true }); }
  }

  finish() {
    this.ended = true;
    this.source?.close();
    this.set("ended");
    this.stop();
  }

  set(status, since) { this.status = status; this.tell("link", { status, since }); }

  tell(kind, detail) { this.world.document.body.dispatchEvent(new this.world.CustomEvent(`pipc:${kind}`, { detail, bubbles: true })); }

  stop() {
    this.world.clearInterval(this.timer);
    this.source?.close();
    this.channel?.close();
    this.abort?.abort();
    this.release?.();
  }
}

function parse(text) {
  try { return JSON.parse(text || "{}"); } catch { return {}; }
}

export function mount(body) {
  const stream = new Stream(Number(body.dataset.lastSeq ?? 0), window);
  stream.start();
  const leave = () => stream.stop();
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  return leave;
}
