// The clip of an alarm: play, pause, move by 5 seconds or by one frame, and the hour of what is on screen. Used by /sala.
import { hourText } from "./clock.js";

const FRAME_S = 1 / 12.5;

export function mount(box) {
  const video = box.querySelector("video");
  if (!video) return undefined;
  const play = box.querySelector("[data-play]");
  const scrub = box.querySelector("[data-scrub]");
  const time = box.querySelector("[data-time]");
  const start = Date.parse(box.dataset.start);

  function draw() {
    const shown = hourText(start + video.currentTime * 1000);
    if (Number.isFinite(video.duration)) scrub.value = String(Math.round((1000 * video.currentTime) / video.duration));
    scrub.setAttribute("aria-valuetext", shown);
    time.textContent = shown;
    play.setAttribute("aria-label", video.paused ? "Reproducir" : "Pausa");
    play.classList.toggle("is-paused", video.paused);
  }
  const move = (by, stop = false) => {
    if (stop) video.pause();
    video.currentTime = Math.min(Math.max(0, video.currentTime + by), video.duration || 0);
  };

  play.addEventListener("click", () => { if (video.paused) video.play().catch(() => {}); else video.pause(); });
  scrub.addEventListener("input", () => { if (Number.isFinite(video.duration)) video.currentTime = (Number(scrub.value) / 1000) * video.duration; });
  for (const name of ["timeupdate", "play", "pause", "seeked", "loadedmetadata"]) video.addEventListener(name, draw);
  const moves = { "pipc:back": () => move(-5), "pipc:forward": () => move(5), "pipc:frame-back": () => move(-FRAME_S, true), "pipc:frame-forward": () => move(FRAME_S, true) };
  for (const [name, listener] of Object.entries(moves)) document.addEventListener(name, listener);
  draw();
  return () => { for (const [name, listener] of Object.entries(moves)) document.removeEventListener(name, listener); };
}
