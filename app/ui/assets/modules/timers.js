// Keeps relative times and countdowns true, from timestamps and never by counting ticks. Used by lists and the console.
import { serverNow } from "./clock.js";

export function elapsed(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 0) return "recién";
  if (seconds < 60) return `hace ${seconds} s`;
  if (seconds < 3600) return `hace ${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `hace ${Math.floor(seconds / 3600)} h`;
  const days = Math.floor(seconds / 86400);
  return `hace ${days} ${days === 1 ? "día" : "días"}`;
}

export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

export function refresh(root, now = serverNow()) {
  for (const time of root.querySelectorAll("time[data-ago]")) set(time, elapsed(now - Date.parse(time.dateTime)));
  for (const timer of root.querySelectorAll("[data-timer]")) {
    const until = timer.dataset.until && Date.parse(timer.dataset.until);
    const ms = until ? until - now : now - Date.parse(timer.dataset.since);
    set(timer.querySelector("[data-timer-text]"), span(ms));
    timer.toggleAttribute("data-over", Boolean(until) && ms <= 0);
  }
}

function set(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

export function mount(root) {
  refresh(root);
  const timer = setInterval(() => refresh(root), 1000);
  return () => clearInterval(timer);
}
