// What is seen of a training: outputs over the plane, the response of each unit, and what happens in each layer.

/** @typedef {import("./session.mjs").Session} Session */

/** The plane that is shown, and its resolution for the output and for a unit. */
export const REACH = 1.2;
export const DEEP = 1.4; // the range of targets that is shown beside a curve
export const GRID = 48;
export const SMALL = 18;
export const LINE = 96;
const BINS = 24;

/** Whether a point, or one of a curve, lies in the picture. */
export const isInside = ([x, y], width) => Math.abs(x) <= REACH && Math.abs(y) <= (width === 1 ? DEEP : REACH);

const place = (i, n) => REACH * ((2 * (i + 0.5)) / n - 1);

/** Inputs over the plane, row by row from the top, or along the line. */
export function inputsOver(width, n) {
  if (width === 1) return Float32Array.from({ length: n }, (_, i) => place(i, n));
  const points = new Float32Array(2 * n * n);
  for (let i = 0; i < n * n; ++i) points.set([place(i % n, n), -place(Math.floor(i / n), n)], 2 * i);
  return points;
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** Turns raw outputs into what is drawn: the probability of class 1, or the number itself. */
export function readOutput(config, data, y) {
  if (config.loss === "CrossEntropyLoss") {
    return Float32Array.from({ length: y.length / 2 }, (_, i) => sigmoid(y[2 * i + 1] - y[2 * i]));
  }
  if (config.loss === "BCEWithLogitsLoss") return y.map(sigmoid);
  return data.isClasses ? y.map((p) => Math.min(1, Math.max(0, p))) : y;
}

/** Mean and standard deviation of the replicates' outputs over the plane or the line. @param {Session} session */
export function outputs({ config, data, network }) {
  const x = inputsOver(data.width, data.width === 1 ? LINE : GRID);
  const count = x.length / data.width;
  const [sums, squares] = [new Float64Array(count), new Float64Array(count)];
  for (let r = 0; r < network.replicates; ++r) {
    const y = readOutput(config, data, network.predict(x, r));
    for (let i = 0; i < count; ++i) {
      sums[i] += y[i];
      squares[i] += y[i] * y[i];
    }
  }
  const mean = sums.map((sum) => sum / network.replicates); // in 64 bits, because of the difference below
  const spread = squares.map((sum, i) => Math.sqrt(Math.max(0, sum / network.replicates - mean[i] ** 2)));
  return { mean: Float32Array.from(mean), spread: Float32Array.from(spread) };
}

/** Where the hidden layers end: the numbers of layers that compute them, and their activations. */
export function hiddenOf({ network: { layers } }) {
  const ends = layers.map((_, i) => i).filter((i) => layers[i - 1]?.kind === "Linear");
  return ends.map((i) => ({ count: i + 1, units: layers[i].out, activation: layers[i].kind }));
}

/** The response of each hidden unit of the first replicate, unit by unit. */
export function responses(session) {
  const { network, data } = session;
  const x = inputsOver(data.width, data.width === 1 ? LINE : SMALL);
  return hiddenOf(session).map(({ count, units }) => {
    const y = network.predict(x, 0, count);
    const points = y.length / units;
    return Float32Array.from(y, (_, k) => y[(k % points) * units + Math.floor(k / points)]);
  });
}

// Where the derivative is below 5 % of its largest value, from the output, as `minidl.probe` counts it.
const FLAT = { ReLU: (y) => y <= 0, Tanh: (y) => 1 - y * y < 0.05, Sigmoid: (y) => y * (1 - y) < 0.05 * 0.25 };

/** Of each hidden layer: histograms of outputs and of the weights' gradients, dead units and saturated outputs. */
export function layerFacts(session) {
  const { network, data, fit } = session;
  fit.measure();
  const gradient = fit.gradient.view.slice(0, network.size);
  return hiddenOf(session).map(({ count, units, activation }) => {
    const y = network.predict(data.train.x, 0, count);
    const { weight, in: n, out } = network.layers[count - 2];
    const isFlat = FLAT[activation];
    const flat = isFlat ? y.map((value) => (isFlat(value) ? 1 : 0)) : null;
    return {
      units,
      activation,
      outputs: histogram(y),
      gradients: histogram(gradient.subarray(weight, weight + n * out)),
      dead: flat && countDead(flat, units),
      saturated: flat && flat.reduce((sum, f) => sum + f, 0) / flat.length,
    };
  });
}

/** The number of units that are flat for all samples. */
function countDead(flat, units) {
  const alive = new Set();
  flat.forEach((isOne, k) => isOne || alive.add(k % units));
  return units - alive.size;
}

/** Counts in equal bins between the least and the largest number. */
export function histogram(numbers) {
  let [least, most] = [Infinity, -Infinity];
  for (const number of numbers) {
    if (number < least) least = number;
    if (number > most) most = number;
  }
  const counts = new Uint32Array(BINS);
  const bin = (number) => Math.min(BINS - 1, Math.floor((BINS * (number - least)) / (most - least)));
  if (most > least) for (const number of numbers) ++counts[bin(number)];
  else counts[BINS / 2] = numbers.length;
  return { least, most, counts };
}

/** Mean, 10 % and 90 % quantile of the replicates that are finite. */
export function bandOf(numbers) {
  const sorted = Array.from(numbers)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const at = (q) => sorted[Math.round(q * (sorted.length - 1))] ?? NaN;
  return [sorted.reduce((sum, x) => sum + x, 0) / sorted.length, at(0.1), at(0.9)];
}
