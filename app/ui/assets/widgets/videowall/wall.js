// All the live pictures of one page over one streaming answer: opening, adding, renewing, watching. Used by the console.
import { Demux, TYPE, WHOLE, json } from "./frames.js";
import { View } from "./view.js";

export const RENEW_MS = 60000;
const BACKOFF_MS = [1000, 2000, 5000, 10000];

export class Wall {
  constructor({ post, world = globalThis }) { Object.assign(this, { post, world, views: [], failures: 0, running: false }); }

  add(tile, stream) {
    const view = new View(tile, stream, { post: this.post });
    this.views.push(view);
    if (this.sid) this.join([view]);
    return view;
  }

  async remove(view) {
    this.views = this.views.filter((each) => each !== view);
    view.destroy();
    if (this.sid && view.viewId) await this.post(`/video/vivo/${this.sid}/remove`, { views: [view.viewId] }).catch(() => {});
  }

  async run() {
    this.running = true;
    this.beat = setInterval(() => this.watch(), 1000);
    this.renewal = setInterval(() => this.renew(), RENEW_MS);
    while (this.running) {
      try { await this.open(); this.failures = 0; } catch { this.failures += 1; }
      this.sid = null;
      if (this.running) await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS[Math.min(this.failures, 3)]));
    }
  }

  // The views of an answer end with it: another answer begins with views of its own.
  async open() {
    for (const view of this.views) view.viewId = null;
    const tickets = (await Promise.all(this.views.map((view) => view.ticket()))).filter(Boolean);
    if (!tickets.length || !this.running) throw new Error("nothing to watch");
    this.abort = new AbortController();
    const answer = await this.post("/video/vivo", { tickets }, { signal: this.abort.signal });
    if (!answer.ok) { for (const view of this.views) view.startStills(); throw new Error(`http ${answer.status}`); }
    const demux = new Demux((frame) => this.take(frame));
    const reader = answer.body.getReader();
    this.byteAt = Date.now();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || !this.running) return;
      this.byteAt = Date.now();
      demux.push(value);
    }
  }

  take({ type, track, body }) {
    if (type === TYPE.STATE) return this.state(track, json(body));
    const view = this.views.find((each) => each.track === track);
    if (!view) return undefined;
    if (type === TYPE.INIT) { view.openedAt = Date.now(); return view.player.init(body); }
    if (type === TYPE.FRAG) return view.player.fragment(body);
    if (type === TYPE.ERROR && view.refused(json(body).code)) return this.join([view]);
    if (type === TYPE.END) view.track = null;
    return undefined;
  }

  state(track, said) {
    if (track === WHOLE && said.sid) {
      this.sid = said.sid;
      for (const view of this.views) view.track = null;
      for (const each of said.tracks ?? []) this.tie(each.view_id, each.track);
    } else if (said.view_id) this.tie(said.view_id, track);
  }

  tie(viewId, track) {
    const view = this.views.find((each) => each.viewId === viewId);
    if (view) view.track = track;
  }

  async join(views) {
    const tickets = (await Promise.all(views.map((view) => view.ticket()))).filter(Boolean);
    if (this.sid && tickets.length) await this.post(`/video/vivo/${this.sid}/add`, { tickets }).catch(() => {});
  }

  renew() { return this.join(this.views.filter((view) => view.track !== null)); }

  // No picture for five seconds rebuilds a view; no byte for fifteen rebuilds the whole stream.
  watch() {
    if (this.sid && Date.now() - this.byteAt > 15000) this.abort?.abort();
    for (const view of this.views) {
      if (!view.check() || !this.sid || Date.now() - (view.rebuiltAt ?? 0) < 10000) continue;
      view.rebuiltAt = Date.now();
      view.track = null;
      this.post(`/video/vivo/${this.sid}/remove`, { views: [view.viewId] }).catch(() => {}).then(() => { view.viewId = null; this.join([view]); });
    }
  }

  stop() {
    this.running = false;
    clearInterval(this.beat);
    clearInterval(this.renewal);
    this.abort?.abort();
    this.sid = null;
  }
}
