// Data sets of the plane and of the line. Coordinates have four decimals, so that they are the same numbers as text.

/** @typedef {import("./engine.mjs").Samples} Samples */
/** @typedef {{width: number, isClasses: boolean, train: Samples, test: Samples}} Data */

const TURN = 2 * Math.PI;

// Each gives a point for a class (or none), a uniform number u in [0, 1) and a second one, v.
const CLASSES = {
  disk: (_, u, v) => [2 * u - 1, 2 * v - 1],
  xor: (_, u, v) => [2 * u - 1, 2 * v - 1],
  circles: (label, u) => [(label ? 0.4 : 0.85) * Math.cos(TURN * u), (label ? 0.4 : 0.85) * Math.sin(TURN * u)],
  moons: (label, u) => {
    const [x, y] = [Math.cos(Math.PI * u), Math.sin(Math.PI * u)];
    return label ? [0.25 - 0.55 * x + 0.05, 0.2 - 0.55 * y] : [0.55 * x - 0.3, 0.55 * y - 0.2];
  },
  spirals: (label, u) => {
    const [radius, angle] = [0.1 + 0.85 * u, 1.5 * TURN * u + (label ? Math.PI : 0)];
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  },
};
// For some the place says the class, without noise.
const LABELS = {
  disk: ([x, y]) => (x * x + y * y < 2 / Math.PI ? 1 : 0), // half of the square
  xor: ([x, y]) => (x * y < 0 ? 1 : 0),
};
const CURVES = {
  sine: (x) => 0.8 * Math.sin(1.5 * Math.PI * x),
  step: (x) => (x < -0.3 ? -0.6 : x < 0.4 ? 0.7 : 0.1),
};

export const DATA_SETS = [...Object.keys(CLASSES), ...Object.keys(CURVES), "own"];
export const isCurve = (name) => name in CURVES;

/**
 * Draw a data set: as many points to train on as to test.
 * @param {{data: string, noise: number, samples: number}} config
 * @param {import("./engine.mjs").Generators} generators of which the first draws
 * @returns {Data}
 */
export function drawData({ data, noise, samples }, generators) {
  const draw = data in CURVES ? drawCurve : drawClasses;
  const rows = draw(data, noise, 2 * samples, generators);
  return split(rows, data in CURVES ? 1 : 2, samples);
}

function drawClasses(name, noise, count, generators) {
  const [uniform, normal] = [generators.uniform(0, 2 * count), generators.normal(0, 2 * count)];
  return Array.from({ length: count }, (_, i) => {
    const point = CLASSES[name](i % 2, uniform[2 * i], uniform[2 * i + 1]);
    const label = LABELS[name]?.(point) ?? i % 2;
    return [...point.map((x, k) => short(x + 0.5 * noise * normal[2 * i + k])), label];
  });
}

function drawCurve(name, noise, count, generators) {
  const [uniform, normal] = [generators.uniform(0, count), generators.normal(0, count)];
  return Array.from({ length: count }, (_, i) => {
    const x = short(2 * uniform[i] - 1);
    return [x, short(CURVES[name](x) + 0.5 * noise * normal[i])];
  });
}

/** A number of four decimals. */
export const short = (x) => Math.round(x * 1e4) / 1e4;

/** Rows whose last column is the target, the first of them to train on. @returns {Data} */
export function split(rows, width, training) {
  const part = (some) => ({
    x: Float32Array.from(some.flatMap((row) => row.slice(0, width))),
    y: Float32Array.from(some, (row) => row[width]),
    count: some.length,
  });
  return { width, isClasses: width === 2, train: part(rows.slice(0, training)), test: part(rows.slice(training)) };
}
