// Loss and accuracy by epoch, each with the band of its replicates.

import { drawBand } from "./output.mjs";
import { path, sharp, ticksOf, words } from "./paint.mjs";

const [LEFT, RIGHT, TOP, BOTTOM] = [44, 8, 16, 18];
const MOST_KNOTS = 400; // points of a line

/**
 * Draw the curves of training and test, lists of [mean, low, high].
 * @param {HTMLCanvasElement} canvas
 * @param {{name: string, curves: number[][][], isShare: boolean, epoch: number, colours: object}} what
 */
export function drawCurves(canvas, { name, curves, isShare, epoch, colours }) {
  const { context, width, height } = sharp(canvas);
  const [train, test] = curves;
  const epochs = Math.max(2, epoch);
  const finite = [...train, ...test].flat().filter(Number.isFinite);
  const most = isShare ? 1 : Math.max(...finite.map((v) => v), 1e-9) * 1.05;
  const least = isShare ? Math.max(0, Math.min(0.5, ...finite) - 0.02) : 0;
  const x = (i) => LEFT + ((width - LEFT - RIGHT) * i) / Math.max(1, epochs - 1);
  const y = (value) => TOP + (height - TOP - BOTTOM) * (1 - (value - least) / (most - least));
  words(context, name, LEFT, 10, colours.faint);
  for (const value of ticksOf(least, most)) {
    path(
      context,
      [
        [LEFT, y(value)],
        [width - RIGHT, y(value)],
      ],
      colours.grid,
      1,
    );
    words(
      context,
      isShare ? `${Math.round(100 * value)} %` : round(value),
      LEFT - 6,
      y(value) + 4,
      colours.faint,
      "right",
    );
  }
  words(context, "1", LEFT, height - 4, colours.faint);
  words(context, `epoch ${epochs}`, width - RIGHT, height - 4, colours.faint, "right");
  drawLine(context, train, x, y, colours.one, []);
  drawLine(context, test, x, y, colours.test, [5, 3]);
}

// A number beside an axis.
const round = (value) => (value && value < 0.01 ? value.toExponential(0) : String(Number(value.toPrecision(3))));

function drawLine(context, curve, x, y, style, dash) {
  const every = Math.max(1, Math.ceil(curve.length / MOST_KNOTS));
  const isKept = ([i, band]) => (i % every === 0 || i === curve.length - 1) && Number.isFinite(band[0]);
  const kept = curve.map((band, i) => [i, band]).filter(isKept);
  if (!kept.length) return;
  const line = (k) => kept.map(([i, band]) => [x(i), y(band[k])]);
  if (kept.some(([, band]) => band[2] > band[1])) drawBand(context, line(2), line(1), style);
  path(context, line(0), style, 2, dash);
}
