// One camera on screen: its ticket, its track, what its tile says, and the ladder main → sub → stills. Used by the wall.
import { hourText } from "../../modules/clock.js";
import { LivePlayer } from "./player.js";

export const STALE_MS = 5000;
export const STILL_MS = 10000;
const REASONS = { unsupported_codec: "este navegador no puede mostrar su video: se ve una imagen cada 10 s", revoked: "la sesión terminó: volver a ingresar para mirar", not_found: "la cámara no está en la grabadora", expired: "el permiso venció" };
const REFUSALS = { 401: REASONS.revoked, 404: "cámara dada de baja" };

export class View {
  constructor(tile, stream, { post, now = Date.now }) {
    Object.assign(this, { tile, stream, post, now, camera: tile.dataset.camera, viewId: null, track: null, frameAt: 0, openedAt: now() });
    this.player = new LivePlayer(tile.querySelector("video"), { onFrame: () => this.alive(), onUnsupported: () => this.refused("unsupported_codec") });
  }

  // A ticket to watch, the same view when it is renewed. Null when the server refuses.
  async ticket() {
    const asked = this.viewId ? { stream: this.stream, view_id: this.viewId } : { stream: this.stream };
    const answer = await this.post(`/sala/camaras/${this.camera}/ver`, asked);
    if (answer.status === 404 && this.viewId) { this.viewId = null; return this.ticket(); }
    if (!answer.ok) { this.ended = answer.status === 401; this.say("none", REFUSALS[answer.status] ?? "sin permiso o sin señal"); return null; }
    const offer = await answer.json();
    this.ended = false;
    this.viewId = offer.view_id;
    return offer.ticket;
  }

  alive() {
    this.frameAt = this.now();
    if (this.tile.dataset.state !== "live") this.say("live", "vivo");
  }

  // What the recorder says when the picture cannot come. True when it is worth asking again with the other stream.
  refused(code) {
    if (code === "unsupported_codec" && this.stream === "main") { this.stream = "sub"; this.viewId = null; return true; }
    if (code === "revoked") { this.ended = true; this.viewId = null; }
    this.say(this.ended ? "none" : "stills", REASONS[code] ?? "sin video");
    if (code === "unsupported_codec") this.startStills();
    return false;
  }

  startStills() {
    const image = this.tile.querySelector("img.still");
    if (!image || this.stills) return;
    const next = () => { image.src = `${this.tile.dataset.still}?t=${this.now()}`; };
    this.stills = setInterval(next, STILL_MS);
    next();
  }

  // A picture that stopped must never look live: grey, with the hour of the last one. True when it should be rebuilt.
  check() {
    if (this.stills) return false;
    const since = this.frameAt || this.openedAt;
    if (this.now() - since < STALE_MS && !this.player.broken) return false;
    if (!this.ended) this.say(this.frameAt ? "stale" : "waiting", this.frameAt ? `sin video desde ${hourText(this.frameAt)}` : "conectando");
    return this.now() - Math.max(since, this.openedAt) >= STALE_MS;
  }

  say(state, words) {
    this.tile.dataset.state = state;
    const message = this.tile.querySelector("[data-tile-message]");
    const label = this.tile.querySelector("[data-tile-state]");
    if (label) label.textContent = state === "live" ? "vivo" : "";
    if (!message) return;
    message.hidden = state === "live" || state === "waiting";
    message.textContent = message.hidden ? "" : words;
    if (state === "waiting" && label) label.textContent = words;
  }

  destroy() { clearInterval(this.stills); this.player.destroy(); }
}
