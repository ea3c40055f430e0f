// What joins the parts of the console: which alarm is chosen, its card kept fresh, and the live camera in the spot.
// Used by /sala.
export function markChosen(root, alarmId) {
  for (const link of root.querySelectorAll("[data-queue] a[aria-current]")) link.removeAttribute("aria-current");
  if (alarmId) root.querySelector(`#alarma-${CSS.escape(alarmId)} a`)?.setAttribute("aria-current", "true");
}

// Whether an event is about the alarm on screen and says something newer than the screen. A clip that arrives and a
// reminder are news although nobody decided anything, so the version stays.
export function concerns(spot, event) {
  const data = event.payload ?? event;
  const id = data.alarm_id ?? data.id ?? event.ref;
  const isNews = data.clip || data.insist || !(data.version <= Number(spot?.dataset.version));
  return Boolean(spot?.dataset.alarm) && id === spot.dataset.alarm && Boolean(isNews);
}

export function mount(room) {
  const spot = () => room.querySelector("#foco");
  const isBusy = () => Boolean(spot()?.querySelector("dialog[open]"));
  let late = null;

  function renew(event) {
    if (!concerns(spot(), event.detail)) return;
    if (isBusy()) { late = event; return; }
    window.htmx.ajax("GET", `/sala/alarmas/${spot().dataset.alarm}`, { target: "#foco", swap: "morph:outerHTML", source: room });
  }

  // While a card is on its way the spot says so; what is pressed meanwhile waits for it.
  let onTheirWay = 0;
  const isSpot = (event) => event.detail?.target?.id === "foco";
  const tellSettled = (arrived) => document.dispatchEvent(new CustomEvent("pipc:spot-settled", { detail: { arrived } }));
  function asked(event) {
    if (!isSpot(event)) return;
    onTheirWay += 1;
    spot()?.setAttribute("aria-busy", "true");
  }
  function answered(event) {
    if (!isSpot(event)) return;
    onTheirWay -= 1;
    if (onTheirWay) spot()?.setAttribute("aria-busy", "true");
    else spot()?.removeAttribute("aria-busy");
    if (!event.detail.successful) tellSettled(false);
  }

  function swapped(event) {
    if (isSpot(event) && !onTheirWay) tellSettled(true);
    markChosen(room, spot()?.dataset.alarm);
    if (spot()?.dataset.alarm) history.replaceState(null, "", `?alarma=${spot().dataset.alarm}`);
    if (late && !isBusy()) { const event = late; late = null; renew(event); }
  }
  function clicked(event) {
    const camera = event.target.closest("[data-focus-camera]");
    if (camera) document.dispatchEvent(new CustomEvent("pipc:focus-camera", { detail: { camera: camera.dataset.focusCamera } }));
    const toggle = event.target.closest("[data-toggle-list]");
    if (!toggle) return;
    const list = document.getElementById(toggle.dataset.toggleList).querySelector("details");
    list.open = !list.open;
    toggle.setAttribute("aria-expanded", String(list.open));
    toggle.textContent = list.open ? "ocultar lista" : "ver lista";
  }

  // A flood began or ended, or the supervisor is told: the strip of the queue and the sound say so.
  function notice(event) {
    const data = event.detail.payload ?? event.detail;
    const strip = room.querySelector("[data-flood]");
    if (strip && data.notice === "flood_began") strip.hidden = false;
    if (strip && data.notice === "flood_ended") strip.hidden = true;
    if (data.insist) document.dispatchEvent(new CustomEvent("pipc:alarm-new", { detail: data }));
  }

  document.addEventListener("pipc:console.notice", notice);
  room.addEventListener("click", clicked);
  room.addEventListener("htmx:beforeRequest", asked);
  room.addEventListener("htmx:afterRequest", answered);
  room.addEventListener("htmx:afterSettle", swapped);
  const listeners = ["pipc:alarm.updated", "pipc:alarm.clip"];
  for (const name of listeners) document.addEventListener(name, renew);
  markChosen(room, spot()?.dataset.alarm);
  return () => {
    document.removeEventListener("pipc:console.notice", notice);
    for (const name of listeners) document.removeEventListener(name, renew);
  };
}
