// What the drawing board shows: outlines, directions and handles over the picture, and the words beside it. Used by the drawing board.
import { AT_LEAST, RATIO, crosses, format } from "./points.js";

const SVG = "http://www.w3.org/2000/svg";
const units = (points) => points.map(([x, y]) => `${x},${y * RATIO}`).join(" ");
const spot = ([x, y], r, attributes) => node("circle", { cx: x, cy: y * RATIO, r, ...attributes });

function node(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// One lane or zone; `index` is its row's.
export function outline({ kind, points, axis }, index, isChosen) {
  const chosen = isChosen ? " is-chosen" : "";
  const wrong = crosses(points) ? " is-wrong" : "";
  const drawn = [];
  if (points.length > 1) drawn.push(node("polygon", { class: `drawing-${kind}${chosen}${wrong}`, points: units(points), "data-shape": index }));
  if (axis.length > 1) drawn.push(node("polyline", { class: `drawing-axis${chosen}`, points: units(axis), "data-shape": index, "data-part": "axis", "marker-end": "url(#flecha)" }));
  return drawn;
}

// A handle on each point, and one between each two of them where another point can be added.
export function handles(points, { isClosed, isDrawing }) {
  const pairs = isDrawing ? 0 : Math.max(0, points.length - (isClosed ? 0 : 1));
  const between = points.slice(0, pairs).map((point, index) => {
    const next = points[(index + 1) % points.length];
    return spot([(point[0] + next[0]) / 2, (point[1] + next[1]) / 2], 0.7, { class: "drawing-between", "data-between": index });
  });
  const vertices = points.map((point, index) => spot(point, 1.1, {
    class: "drawing-vertex", "data-vertex": index, tabindex: 0, role: "button",
    "aria-label": `Punto ${index + 1} de ${points.length}: ${format([point]).replace(" ", " %, ")} %. Flechas para mover, Supr para quitar.`,
  }));
  return [...between, ...vertices];
}

// How a lane or zone is, in words, and whether it can be saved so.
export function stateOf({ kind, points, axis }) {
  const missing = AT_LEAST.points - points.length;
  if (!points.length) return ["Sin dibujar", true];
  if (missing > 0) return [missing === 1 ? "Falta 1 vértice" : `Faltan ${missing} vértices`, false];
  if (crosses(points)) return ["El contorno se cruza a sí mismo", false];
  const direction = kind === "lane" ? (axis.length >= AT_LEAST.axis ? ", con sentido" : ", sin sentido de circulación") : "";
  return [`${points.length} vértices${direction}`, true];
}

// What can be done now.
export function advice({ part, isDrawing, hasPoints }) {
  if (isDrawing && part === "axis") return "Marcar desde donde vienen los vehículos hacia donde van. Intro o doble clic para terminar.";
  if (isDrawing) return "Marcar cada vértice sobre la imagen. Intro, doble clic o volver al primero para terminar.";
  if (hasPoints) return "Arrastrar un punto para moverlo, o uno intermedio para agregar. Con el teclado: Tab, flechas y Supr.";
  return "Elegir «Dibujar» en un carril o una zona, o tocar uno ya dibujado.";
}
