import assert from "node:assert/strict";
import { test } from "node:test";

import { bounds, cones, grid, hasWebGL2 } from "../../../../app/ui/assets/modules/town-map.js";
import { page } from "./dom.js";

test("the town map has room around its cameras, and a cone for each known direction", () => {
  page("");
  const feature = (lon, lat, azimuth) => ({ type: "Feature", properties: { azimuth }, geometry: { type: "Point", coordinates: [lon, lat] } });
  const points = { features: [feature(-60.3, -38.4, 0), feature(-60.2, -38.3, null)] };

  const [[west, south], [east, north]] = bounds(points);
  const [cone] = cones(points).features;

  assert.ok(west < -60.3 && south < -38.4 && east > -60.2 && north > -38.3);
  assert.equal(cones(points).features.length, 1);
  assert.ok(cone.geometry.coordinates[0].slice(1, -1).every(([, lat]) => lat > -38.4), "azimuth 0 looks north");
  const shape = { type: "MultiPolygon", coordinates: [[[[-61, -39], [-60, -39], [-60, -38], [-61, -39]]]] };
  assert.deepEqual(bounds({ features: [] }, shape), [[-61, -39], [-60, -38]]);
  assert.equal(grid({ features: [] }).features.length, 0);
  assert.equal(hasWebGL2({ createElement: () => ({ getContext: () => null }) }), false);
});
