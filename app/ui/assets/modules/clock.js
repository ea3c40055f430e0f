// The server's hour: on the console's clock, and for whoever counts time. Greys out when the server stops
// telling it. Used by /sala.
export const STALE_MS = 15000;
const state = { offset: 0, heardAt: Date.now() };

export function serverNow() {
  return Date.now() + state.offset;
}

export function heard(iso, at = Date.now()) {
  state.offset = Date.parse(iso) - at;
  state.heardAt = at;
}

export function hourText(time) {
  return new Date(time).toLocaleTimeString("es-AR", { hour12: false, timeZone: "America/Argentina/Buenos_Aires" });
}

export function mount(root) {
  const face = root.querySelector("[data-clock]");
  if (!face) return undefined;
  heard(face.dataset.clock);
  const draw = () => {
    face.textContent = hourText(serverNow());
    face.dateTime = new Date(serverNow()).toISOString();
    face.toggleAttribute("data-stale", Date.now() - state.heardAt > STALE_MS);
  };
  const beat = (event) => heard(event.detail.at);
  document.addEventListener("pipc:latido", beat);
  const timer = setInterval(draw, 1000);
  draw();
  return () => { clearInterval(timer); document.removeEventListener("pipc:latido", beat); };
}
