// Colours, canvases in the resolution of the screen, and the lines that all pictures share.

/** The colours of the page as they are now, light or dark. */
export function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["one", "zero", "middle", "ink", "faint", "line", "card", "test", "grid"];
  const colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  return { ...colours, ramp: rampOf(colours) };
}

// 256 colours from class 0 over the middle to class 1, as numbers that a picture holds.
function rampOf({ zero, middle, one }) {
  const [a, b, c] = [zero, middle, one].map(partsOf);
  const ramp = new Uint32Array(256);
  for (let i = 0; i < 256; ++i) {
    const share = Math.abs(i - 127.5) / 127.5;
    const end = i < 128 ? a : c;
    const [red, green, blue] = b.map((part, k) => Math.round(part + (end[k] - part) * share * 0.62));
    ramp[i] = 0xff000000 | (blue << 16) | (green << 8) | red;
  }
  return ramp;
}

function partsOf(hex) {
  const full = hex.length === 4 ? hex.replace(/[^#]/g, "$&$&") : hex;
  return [1, 3, 5].map((at) => parseInt(full.slice(at, at + 2), 16));
}

/** A canvas that is as sharp as the screen; returns its context and its size on the page. */
export function sharp(canvas) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

const sheets = new Map();

/** A small picture of n by n numbers between -1 and 1, to be drawn enlarged. */
export function picture(key, numbers, n, { ramp }) {
  if (!sheets.has(key)) sheets.set(key, Object.assign(document.createElement("canvas"), { width: n, height: n }));
  const sheet = sheets.get(key);
  if (sheet.width !== n) Object.assign(sheet, { width: n, height: n });
  const context = sheet.getContext("2d");
  const image = context.createImageData(n, n);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < n * n; ++i) pixels[i] = ramp[Math.max(0, Math.min(255, Math.round(127.5 + 127.5 * numbers[i])))];
  context.putImageData(image, 0, 0);
  return sheet;
}

export function path(context, points, style, width = 1.5, dash = []) {
  context.beginPath();
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  Object.assign(context, { strokeStyle: style, lineWidth: width, lineJoin: "round" });
  context.setLineDash(dash);
  context.stroke();
  context.setLineDash([]);
}

export function words(context, text, x, y, style, align = "left", size = 11) {
  Object.assign(context, { fillStyle: style, textAlign: align, font: `${size}px system-ui, sans-serif` });
  context.fillText(text, x, y);
}

/** Round numbers from least to most, two to five of them: multiples of 1, 2 or 5 times a power of ten. */
export function ticksOf(least, most) {
  const power = 10 ** Math.floor(Math.log10((most - least) / 2));
  const step = power * [5, 2, 1].find((factor) => 2 * factor * power <= most - least);
  const [first, last] = [Math.ceil(least / step - 1e-9), Math.floor(most / step + 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** A number in few digits. */
export function brief(number) {
  if (!Number.isFinite(number)) return "–";
  const size = Math.abs(number);
  if (size && (size < 1e-3 || size >= 1e5)) return number.toExponential(1);
  return number.toFixed(size < 1 ? 4 : size < 100 ? 2 : 0);
}
