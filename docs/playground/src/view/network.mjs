// The network: each unit with its response over the plane, each weight as a line as wide as it is large.

import { LINE, SMALL } from "../observe.mjs";
import { path, picture, sharp, words } from "./paint.mjs";

const UNIT = 30;
const GAP = 8;
const LEVELS = 7; // of strength; a weight below half a level is not drawn

/** The height that a network needs. */
export const heightOf = (config, data) =>
  Math.max(2, ...config.layers.map((l) => l.units), data.width) * (UNIT + GAP) + 24;

export function drawNetwork(canvas, { config, data, outputs, colours }) {
  if (!data) return;
  canvas.style.height = `${heightOf(config, data)}px`;
  const { context, width, height } = sharp(canvas);
  const last = config.loss === "CrossEntropyLoss" ? 2 : 1;
  const sizes = [data.width, ...config.layers.map((l) => l.units), last];
  const places = sizes.map((size, l) => placesOf(l, size, sizes.length, width, height));
  if (outputs?.values) drawWeights(context, sizes, places, outputs.values, colours);
  const units = outputs?.units ?? [];
  const names = { 0: data.width === 1 ? ["x"] : ["x1", "x2"], [sizes.length - 1]: last === 2 ? ["y0", "y1"] : ["y"] };
  places.forEach((column, l) => {
    column.forEach((at, u) => {
      const numbers = units[l - 1];
      drawUnit(
        context,
        at,
        names[l]?.[u] ?? "",
        numbers && partOf(numbers, u, sizes[l]),
        `${l}.${u}`,
        data.width,
        colours,
      );
    });
  });
}

function placesOf(l, size, columns, width, height) {
  const x = 24 + (l * (width - 48)) / (columns - 1);
  const step = Math.min(UNIT + GAP, (height - 8) / size);
  return Array.from({ length: size }, (_, u) => [x, height / 2 + (u - (size - 1) / 2) * step]);
}

const partOf = (numbers, u, units) =>
  numbers.subarray((u * numbers.length) / units, ((u + 1) * numbers.length) / units);

// Weights lie layer by layer, (out, in) each, with the biases behind them. Lines of one strength are drawn at once.
function drawWeights(context, sizes, places, values, colours) {
  const lines = Array.from({ length: 2 * LEVELS }, () => new Path2D());
  let start = 0;
  for (let l = 1; l < sizes.length; ++l) {
    const [n, out] = [sizes[l - 1], sizes[l]];
    const weights = values.subarray(start, start + n * out);
    const most = weights.reduce((m, w) => (Number.isFinite(w) ? Math.max(m, Math.abs(w)) : m), 1e-6);
    weights.forEach((w, k) => {
      const level = Math.round((Math.abs(w) / most) * LEVELS) - 1;
      if (level < 0 || !Number.isFinite(w)) return;
      const [from, to] = [places[l - 1][k % n], places[l][Math.floor(k / n)]];
      const line = lines[2 * level + (w > 0 ? 1 : 0)];
      line.moveTo(from[0] + UNIT / 2, from[1]);
      line.lineTo(to[0] - UNIT / 2, to[1]);
    });
    start += (n + 1) * out;
  }
  lines.forEach((line, i) => strokeWeights(context, line, (Math.floor(i / 2) + 1) / LEVELS, i % 2 === 1, colours));
  context.globalAlpha = 1;
  context.setLineDash([]);
}

function strokeWeights(context, line, share, isPositive, colours) {
  const style = {
    globalAlpha: 0.1 + 0.8 * share,
    strokeStyle: isPositive ? colours.one : colours.zero,
    lineWidth: 0.4 + 3 * share,
  };
  Object.assign(context, style);
  context.setLineDash(!isPositive && share > 0.4 ? [7, 3] : []);
  context.stroke(line);
}

function drawUnit(context, [x, y], name, response, key, width, colours) {
  const [left, top] = [x - UNIT / 2, y - UNIT / 2];
  context.fillStyle = colours.card;
  context.fillRect(left, top, UNIT, UNIT);
  if (response) {
    const most = response.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-9);
    if (width === 2)
      context.drawImage(
        picture(
          key,
          response.map((v) => v / most),
          SMALL,
          colours,
        ),
        left,
        top,
        UNIT,
        UNIT,
      );
    else
      path(
        context,
        Array.from(response, (v, i) => [left + (UNIT * (i + 0.5)) / LINE, y - (v / most) * UNIT * 0.45]),
        colours.ink,
        1.2,
      );
  }
  Object.assign(context, { strokeStyle: colours.faint, lineWidth: 1 });
  context.strokeRect(left + 0.5, top + 0.5, UNIT - 1, UNIT - 1);
  if (name) words(context, name, x, y + 4, colours.ink, "center", 12);
}
