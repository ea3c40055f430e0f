// The map of one municipality that can be moved and zoomed: our own shapes, without tiles or text from outside. Without
// WebGL2 the drawing of the server stays. Used by place_map.
const COLOURS = { online: "--ok", offline: "--p1", frozen: "--p2", dark: "--p2" };
const KM_PER_DEGREE = 111.32;
const REACH_KM = 0.5;

export function hasWebGL2(doc = document) {
  try { return Boolean(doc.createElement("canvas").getContext("webgl2")); } catch { return false; }
}

const at = (points, index) => points.features.map((feature) => feature.geometry.coordinates[index]);

// Around the cameras; the whole municipality while none has a position.
export function bounds(points, shape) {
  if (!points.features.length) {
    const land = shape.coordinates.flat(2);
    if (!land.length) return undefined;
    const [lon, lat] = [land.map((point) => point[0]), land.map((point) => point[1])];
    return [[Math.min(...lon), Math.min(...lat)], [Math.max(...lon), Math.max(...lat)]];
  }
  const [lon, lat] = [at(points, 0), at(points, 1)];
  return [[Math.min(...lon) - 0.012, Math.min(...lat) - 0.008], [Math.max(...lon) + 0.012, Math.max(...lat) + 0.008]];
}

// Where each camera looks: a sector of 50°, azimuth 0 is north, clockwise.
export function cones(points) {
  const features = points.features.filter((each) => each.properties.azimuth !== null).map((each) => {
    const [lon, lat] = each.geometry.coordinates;
    const east = KM_PER_DEGREE * Math.cos((lat * Math.PI) / 180);
    const arc = [-25, -15, -5, 5, 15, 25].map((turn) => {
      const angle = ((each.properties.azimuth + turn) * Math.PI) / 180;
      return [lon + (Math.sin(angle) * REACH_KM) / east, lat + (Math.cos(angle) * REACH_KM) / KM_PER_DEGREE];
    });
    return { type: "Feature", properties: each.properties, geometry: { type: "Polygon", coordinates: [[[lon, lat], ...arc, [lon, lat]]] } };
  });
  return { type: "FeatureCollection", features };
}

// Lines each kilometre around the cameras: distance at a glance, without street tiles.
export function grid(points, reach = 12) {
  if (!points.features.length) return { type: "FeatureCollection", features: [] };
  const [lon0, lat0] = [at(points, 0)[0], at(points, 1)[0]];
  const east = KM_PER_DEGREE * Math.cos((lat0 * Math.PI) / 180);
  const place = (x, y) => [lon0 + x / east, lat0 + y / KM_PER_DEGREE];
  const lines = [];
  for (let km = -reach; km <= reach; km += 1) lines.push([place(km, -reach), place(km, reach)], [place(-reach, km), place(reach, km)]);
  return { type: "Feature", properties: {}, geometry: { type: "MultiLineString", coordinates: lines } };
}

function layers(css) {
  const colour = (name) => css.getPropertyValue(name).trim();
  const states = Object.entries(COLOURS).flatMap(([state, name]) => [state, colour(name)]);
  return [
    { id: "ground", type: "background", paint: { "background-color": colour("--sunken") } },
    { id: "land", type: "fill", source: "land", paint: { "fill-color": colour("--line"), "fill-opacity": 0.35 } },
    { id: "grid", type: "line", source: "grid", paint: { "line-color": colour("--line"), "line-width": 1 } },
    { id: "edge", type: "line", source: "land", paint: { "line-color": colour("--line-strong"), "line-width": 1.5 } },
    { id: "cones", type: "fill", source: "cones", paint: { "fill-color": ["case", ["get", "alarm"], colour("--p1"), colour("--soft")], "fill-opacity": 0.3 } },
    { id: "alarm", type: "circle", source: "cameras", filter: ["get", "alarm"], paint: { "circle-radius": 15, "circle-opacity": 0, "circle-stroke-color": colour("--p1"), "circle-stroke-width": 2.5 } },
    { id: "cameras", type: "circle", source: "cameras", paint: { "circle-radius": 6, "circle-color": ["match", ["get", "state"], ...states, colour("--soft")], "circle-stroke-width": 1.5, "circle-stroke-color": colour("--sunken") } },
  ];
}

function draw(library, box) {
  const [points, shape] = [JSON.parse(box.dataset.points), JSON.parse(box.dataset.shape)];
  const holder = Object.assign(document.createElement("div"), { className: "town-live" });
  holder.setAttribute("aria-hidden", "true");
  box.prepend(holder);
  const source = (data) => ({ type: "geojson", data });
  const sources = { land: source(shape), grid: source(grid(points)), cones: source(cones(points)), cameras: source(points) };
  const map = new library.Map({
    container: holder, attributionControl: false, keyboard: false, dragRotate: false, pitchWithRotate: false, minZoom: 6, maxZoom: 17,
    bounds: bounds(points, shape), style: { version: 8, sources, layers: layers(getComputedStyle(box)) },
  });
  map.getCanvas().tabIndex = -1;
  map.addControl(new library.ScaleControl({ unit: "metric" }), "top-left");
  map.once("load", () => box.querySelector(":scope > svg")?.remove());
  map.on("mousemove", "cameras", (event) => { holder.title = event.features[0].properties.name; });
  map.on("mouseleave", "cameras", () => { holder.title = ""; });
  map.on("click", "cameras", (event) => document.dispatchEvent(new CustomEvent("pipc:focus-camera", { detail: { camera: event.features[0].properties.id } })));
  return map;
}

export function mount(box) {
  if (!hasWebGL2()) return undefined;
  let map = null;
  let gone = false;
  import("maplibre-gl").then((library) => {
    if (gone) return;
    library.setWorkerUrl(import.meta.resolve("maplibre-gl-worker"));
    map = draw(library, box);
  }).catch(() => {});
  return () => { gone = true; map?.remove(); };
}
