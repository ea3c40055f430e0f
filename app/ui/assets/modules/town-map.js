// The map of one municipality that can be moved and zoomed: our own shapes, without tiles or text from outside. Without
// WebGL2 the drawing of the server stays. Used by place_map.
const COLOURS = { online: "--ok", offline: "--p1", frozen: "--p2", dark: "--p2" };

export function hasWebGL2(doc = document) {
  try { return Boolean(doc.createElement("canvas").getContext("webgl2")); } catch { return false; }
}

export function bounds(points) {
  const all = points.features.map((feature) => feature.geometry.coordinates);
  if (!all.length) return null;
  const at = (index) => all.map((coordinates) => coordinates[index]);
  return [[Math.min(...at(0)) - 0.008, Math.min(...at(1)) - 0.006], [Math.max(...at(0)) + 0.008, Math.max(...at(1)) + 0.006]];
}

function layers(css) {
  const colour = (name) => css.getPropertyValue(name).trim();
  const states = Object.entries(COLOURS).flatMap(([state, name]) => [state, colour(name)]);
  return [
    { id: "ground", type: "background", paint: { "background-color": colour("--sunken") } },
    { id: "land", type: "fill", source: "land", paint: { "fill-color": colour("--line"), "fill-opacity": 0.45 } },
    { id: "edge", type: "line", source: "land", paint: { "line-color": colour("--line-strong"), "line-width": 1 } },
    { id: "alarm", type: "circle", source: "cameras", filter: ["get", "alarm"], paint: { "circle-radius": 15, "circle-opacity": 0, "circle-stroke-color": colour("--p1"), "circle-stroke-width": 2.5 } },
    { id: "cameras", type: "circle", source: "cameras", paint: { "circle-radius": 6, "circle-color": ["match", ["get", "state"], ...states, colour("--soft")], "circle-stroke-width": 1.5, "circle-stroke-color": colour("--sunken") } },
  ];
}

export function mount(box) {
  if (!hasWebGL2()) return undefined;
  let map = null;
  let gone = false;
  import("maplibre-gl").then((library) => {
    if (gone) return;
    library.setWorkerUrl(import.meta.resolve("maplibre-gl-worker"));
    const points = JSON.parse(box.dataset.points);
    const holder = Object.assign(document.createElement("div"), { className: "town-live" });
    holder.setAttribute("aria-hidden", "true");
    box.prepend(holder);
    map = new library.Map({
      container: holder, attributionControl: false, keyboard: false, dragRotate: false, pitchWithRotate: false, maxZoom: 17, minZoom: 6,
      bounds: bounds(points) ?? undefined,
      style: { version: 8, sources: { land: { type: "geojson", data: JSON.parse(box.dataset.shape) }, cameras: { type: "geojson", data: points } }, layers: layers(getComputedStyle(box)) },
    });
    map.getCanvas().tabIndex = -1;
    map.once("load", () => box.querySelector(":scope > svg")?.remove());
    map.on("click", "cameras", (event) => document.dispatchEvent(new CustomEvent("pipc:focus-camera", { detail: { camera: event.features[0].properties.id } })));
  }).catch(() => {});
  return () => { gone = true; map?.remove(); };
}
