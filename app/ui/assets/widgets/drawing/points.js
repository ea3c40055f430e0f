// Points of lanes and zones as they are typed: percentages of the width and the height of the picture. Used by the drawing board.
export const AT_LEAST = { points: 3, axis: 2 };
export const RATIO = 0.5625; // of the height to the width of the picture
const NEAR = 2;

// Points of the typed lines; a line that is not a point yet is left out.
export function parse(text) {
  const lines = text.split("\n").map((line) => /^\s*([\d.,]+)\s+([\d.,]+)\s*$/.exec(line)).filter(Boolean);
  return lines.map(([, x, y]) => [Number(x.replace(",", ".")), Number(y.replace(",", "."))]).filter((point) => point.every(Number.isFinite));
}

export function format(points) {
  return points.map((point) => point.map((value) => String(Math.round(Math.min(100, Math.max(0, value)) * 10) / 10)).join(" ")).join("\n");
}

// Whether the outline crosses itself, which the server refuses.
export function crosses(points) {
  const side = (a, b, c) => Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
  const edges = points.map((point, index) => [point, points[(index + 1) % points.length]]);
  return edges.some(([a, b], i) => edges.some(([c, d], j) =>
    j > i + 1 && (j + 1) % edges.length !== i && side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0));
}

export const near = (a, b, limit = NEAR) => Math.hypot(a[0] - b[0], (a[1] - b[1]) * RATIO) < limit;
