// The output over the plane with the data on it, or the curve that is learnt with its band.

import { DEEP, GRID, LINE, REACH } from "../observe.mjs";
import { path, picture, sharp } from "./paint.mjs";

const across = (x, width) => ((x + REACH) / (2 * REACH)) * width;
const down = (y, height, reach = REACH) => ((reach - y) / (2 * reach)) * height;

/** The point of the plane below the pointer. */
export function pointAt(canvas, event) {
  const box = canvas.getBoundingClientRect();
  const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  return [REACH * (2 * x - 1), REACH * (1 - 2 * y)];
}

export function drawOutput(canvas, { data, outputs, shown, colours }) {
  const { context, width, height } = sharp(canvas);
  if (!data || !width || !height) return; // nothing can be drawn where the page is not shown
  const place = { context, width, height, colours };
  if (data.width === 1) drawFunction(place, data, outputs);
  else drawPlane(place, data, outputs, shown);
}

function drawPlane(place, data, outputs, shown) {
  const { context, width, height, colours } = place;
  if (outputs) {
    const numbers = shown === "spread" ? outputs.spread.map((s) => 4 * s - 1) : outputs.mean.map((p) => 2 * p - 1);
    context.imageSmoothingEnabled = true;
    context.drawImage(picture("output", numbers, GRID, colours), 0, 0, width, height);
    if (shown === "mean") drawBoundary(place, outputs.mean);
  }
  context.drawImage(pointsOf(data, place), 0, 0, width, height);
}

const sheet = { canvas: document.createElement("canvas"), of: [] };

/** The points on a canvas of their own, drawn anew where they, the size or the colours have changed. */
function pointsOf(data, { width, height, colours }) {
  const of = [data, width, height, colours];
  if (of.every((one, i) => one === sheet.of[i])) return sheet.canvas;
  const ratio = window.devicePixelRatio || 1;
  Object.assign(sheet.canvas, { width: width * ratio, height: height * ratio });
  const context = sheet.canvas.getContext("2d");
  context.scale(ratio, ratio);
  const size = Math.max(2.2, Math.min(4, width / 110));
  for (const [part, isTest] of [
    [data.test, true],
    [data.train, false],
  ]) {
    for (let i = 0; i < part.count; ++i) {
      const at = [across(part.x[2 * i], width), down(part.x[2 * i + 1], height)];
      drawPoint(context, at, part.y[i], isTest ? size * 0.6 : size, colours, isTest);
    }
  }
  sheet.of = of;
  return sheet.canvas;
}

// Class 1 is a full disk, class 0 a ring: the colours are not needed to tell them apart.
function drawPoint(context, [x, y], label, size, colours, isTest) {
  context.beginPath();
  context.arc(x, y, label ? size : size * 0.85, 0, 2 * Math.PI);
  context.globalAlpha = isTest ? 0.55 : 1;
  context.fillStyle = label ? colours.one : colours.card;
  context.fill();
  Object.assign(context, { strokeStyle: label ? colours.card : colours.zero, lineWidth: label ? 0.8 : size * 0.55 });
  context.stroke();
  context.globalAlpha = 1;
}

/** The line where the output is one half, cell by cell (marching squares). */
function drawBoundary({ context, width, height, colours }, mean) {
  const step = [width / GRID, height / GRID];
  context.beginPath();
  for (let i = 0; i < GRID - 1; ++i) {
    for (let j = 0; j < GRID - 1; ++j) {
      const k = i * GRID + j;
      const above = (mean[k] > 0.5) + (mean[k + 1] > 0.5) + (mean[k + GRID] > 0.5) + (mean[k + GRID + 1] > 0.5);
      if (above % 4 === 0) continue; // hardly any cell is crossed
      const at = [
        [i, j],
        [i, j + 1],
        [i + 1, j + 1],
        [i + 1, j],
      ];
      const crossings = at.flatMap((a, side) => crossing(mean, a, at[(side + 1) % 4]));
      for (let c = 0; c + 1 < crossings.length; c += 2) {
        const [from, to] = [crossings[c], crossings[c + 1]];
        context.moveTo((from[1] + 0.5) * step[0], (from[0] + 0.5) * step[1]);
        context.lineTo((to[1] + 0.5) * step[0], (to[0] + 0.5) * step[1]);
      }
    }
  }
  Object.assign(context, { strokeStyle: colours.ink, lineWidth: 1.4 });
  context.stroke();
}

function crossing(mean, [i, j], [k, l]) {
  const [a, b] = [mean[i * GRID + j] - 0.5, mean[k * GRID + l] - 0.5];
  if (a > 0 === b > 0) return [];
  const share = a / (a - b);
  return [[i + (k - i) * share, j + (l - j) * share]];
}

function drawFunction({ context, width, height, colours }, data, outputs) {
  const y = (value) => down(Math.max(-3 * DEEP, Math.min(3 * DEEP, value)), height, DEEP);
  path(
    context,
    [
      [0, y(0)],
      [width, y(0)],
    ],
    colours.grid,
    1,
  );
  for (const [part, isTest] of [
    [data.test, true],
    [data.train, false],
  ]) {
    for (let i = 0; i < part.count; ++i)
      drawPoint(context, [across(part.x[i], width), y(part.y[i])], isTest ? 0 : 1, isTest ? 2 : 2.6, colours, isTest);
  }
  if (!outputs) return;
  const x = (i) => ((i + 0.5) / LINE) * width;
  const edge = (sign) => Array.from(outputs.mean, (m, i) => [x(i), y(m + sign * outputs.spread[i])]);
  drawBand(context, edge(1), edge(-1), colours.ink);
  path(
    context,
    Array.from(outputs.mean, (m, i) => [x(i), y(m)]),
    colours.ink,
    2,
  );
}

export function drawBand(context, above, below, style) {
  context.beginPath();
  [...above, ...below.reverse()].forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.globalAlpha = 0.18;
  context.fillStyle = style;
  context.fill();
  context.globalAlpha = 1;
}
