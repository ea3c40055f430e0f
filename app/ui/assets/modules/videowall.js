// Live tiles, and the camera put in the spot with its main stream. Stops while the page is hidden. Used by /sala.
import { post } from "./boot.js";
import { Wall } from "../widgets/videowall/wall.js";

export function mount(list) {
  let wall = null;
  let spot = null;

  function start() {
    if (wall || document.hidden) return;
    wall = new Wall({ post });
    for (const tile of list.querySelectorAll("[data-camera]")) if (tile.dataset.state === "waiting" || tile.dataset.state === "live" || tile.dataset.state === "stale") wall.add(tile, "sub");
    if (spot?.isConnected) wall.add(spot, "main");
    if (wall.views.length) wall.run();
  }
  function stop() {
    wall?.stop();
    for (const view of wall?.views ?? []) view.destroy();
    wall = null;
  }
  const visible = () => (document.hidden ? stop() : start());

  // The spot shows the camera instead of the clip until another alarm is chosen.
  function focus(event) {
    const tile = list.querySelector(`[data-camera="${CSS.escape(event.detail.camera)}"]`);
    const place = document.querySelector("#foco .spot-view");
    if (!place) return;
    const old = wall?.views.find((view) => view.tile === spot);
    if (old) wall.remove(old);
    spot = tile?.cloneNode(true) ?? empty(event.detail.camera);
    spot.classList.add("spot-live");
    place.querySelector(".spot-live")?.remove();
    place.append(spot);
    if (!wall) start();
    else { wall.add(spot, "main"); if (!wall.running) wall.run(); }
  }
  function empty(camera) {
    const tile = document.createElement("figure");
    Object.assign(tile.dataset, { camera, state: "waiting", still: `/sala/camaras/${camera}/ultima.jpg` });
    tile.className = "tile";
    const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
    const message = document.createElement("p");
    message.className = "tile-message";
    message.dataset.tileMessage = "";
    message.hidden = true;
    tile.append(Object.assign(document.createElement("img"), { className: "still", alt: "Última imagen de la cámara", src: tile.dataset.still }), video, message);
    return tile;
  }
  function cameraState(event) {
    const data = event.detail.payload ?? event.detail;
    const dot = list.querySelector(`[data-camera="${CSS.escape(String(data.camera ?? data.id))}"] .dot`);
    if (dot) dot.className = `dot dot-${data.state}`;
  }

  document.addEventListener("visibilitychange", visible);
  document.addEventListener("pipc:focus-camera", focus);
  document.addEventListener("pipc:camera.state", cameraState);
  start();
  return () => { stop(); document.removeEventListener("visibilitychange", visible); document.removeEventListener("pipc:focus-camera", focus); document.removeEventListener("pipc:camera.state", cameraState); };
}
