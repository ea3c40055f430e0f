// One live track on one <video>: a MediaSource per INIT, and the picture kept close to now. Used by the video wall.
import { join, json } from "./frames.js";

export const TARGET_S = 0.3;

// How to correct a lag, in seconds behind the newest picture: a jump, a rate, or nothing.
export function correction(lag, target = TARGET_S) {
  if (lag > target + 2 || lag < -0.5) return { seek: true };
  if (lag > target + 0.3) return { rate: 1.1 };
  if (lag > target + 0.1) return { rate: 1.05 };
  return { rate: lag < 0.1 ? 0.95 : 1 };
}

export class LivePlayer {
  constructor(video, { onUnsupported, onFrame, Source = globalThis.MediaSource } = {}) {
    Object.assign(this, { video, onUnsupported, onFrame, Source, waiting: [], started: false });
    video.muted = true;
    this.timer = setInterval(() => this.drift(), 200);
  }

  init(bytes) {
    const { codec } = json(bytes.subarray(0, 64));
    const type = `video/mp4; codecs="${codec}"`;
    if (!this.Source?.isTypeSupported(type)) { this.onUnsupported?.(codec); return; }
    this.waiting = [bytes.slice(64)];
    this.started = false;
    this.buffer = null;
    if (this.url) URL.revokeObjectURL(this.url);
    const media = new this.Source();
    this.media = media;
    this.url = URL.createObjectURL(media);
    this.video.src = this.url;
    media.addEventListener("sourceopen", () => {
      if (media !== this.media) return;
      this.buffer = media.addSourceBuffer(type);
      this.buffer.addEventListener("updateend", () => this.feed());
      this.feed();
    }, { once: true });
  }

  fragment(bytes) {
    this.waiting.push(bytes);
    if (this.waiting.length > 200) this.waiting.splice(1, this.waiting.length - 100);
    this.onFrame?.();
    this.feed();
  }

  feed() {
    const { buffer, media, video } = this;
    if (!buffer || buffer.updating || media.readyState !== "open" || video.error) return;
    try {
      if (buffer.buffered.length && buffer.buffered.start(0) < video.currentTime - 30) { buffer.remove(0, video.currentTime - 10); return; }
      if (this.waiting.length) buffer.appendBuffer(join(this.waiting.splice(0)));
    } catch (error) {
      if (error.name === "QuotaExceededError" && video.currentTime > 2) buffer.remove(0, video.currentTime - 1);
    }
  }

  drift() {
    const ranges = this.buffer?.buffered;
    if (!ranges?.length) return;
    const last = ranges.length - 1;
    const end = ranges.end(last);
    const near = Math.max(ranges.start(last), end - TARGET_S);
    if (!this.started) {
      if (end - ranges.start(last) < 0.15) return;
      this.started = true;
      this.video.currentTime = near;
    }
    const { seek, rate } = correction(end - this.video.currentTime);
    if (seek) this.video.currentTime = near;
    else if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
    if (this.video.paused) this.video.play().catch(() => {});
  }

  get broken() { return Boolean(this.video.error); }

  destroy() {
    clearInterval(this.timer);
    this.media = null;
    if (this.url) URL.revokeObjectURL(this.url);
    this.video.removeAttribute("src");
    this.video.load();
  }
}
