// The network as a drawing: inputs at the top, the loss at the bottom, each value with its gradient below it.

import { short, symbolOf } from "../formula.mjs";

const [WIDTH, LEFT, RIGHT, MIDDLE] = [358, 80, 278, 179];
const BOX = { width: 126, height: 44 };
const COLUMNS = { 1: LEFT, 2: RIGHT };

/** Where the boxes and the labels stand. */
function layoutOf(dropout) {
  const rows = { x: 2, z: 168, h: 242, ...(dropout ? { d: 316 } : {}) };
  const last = dropout ? "d" : "h";
  const pairOf = ([row, y]) => [1, 2].map((i) => ({ name: `${row}${i}`, x: COLUMNS[i], y }));
  const boxes = Object.entries(rows).flatMap(pairOf);
  const f = rows[last] + BOX.height + 92;
  boxes.push({ name: "f", x: MIDDLE, y: f }, { name: "L", x: MIDDLE, y: f + BOX.height + 30 });
  const labels = [
    { name: "w11", x: 38, y: 84 }, { name: "w22", x: WIDTH - 38, y: 84 },
    { name: "w12", x: 133, y: 132 }, { name: "w21", x: WIDTH - 133, y: 132 },
    { name: "b1", x: 38, y: 132, stub: [38, 136, 38, rows.z] },
    { name: "b2", x: WIDTH - 38, y: 132, stub: [WIDTH - 38, 136, WIDTH - 38, rows.z] },
    { name: "u1", x: 72, y: f - 46 }, { name: "u2", x: WIDTH - 72, y: f - 46 },
    { name: "c", sign: " = ", x: 306, y: f + 18, stub: [MIDDLE + BOX.width / 2, f + 22, 264, f + 22] },
    { name: "y", sign: " = ", x: 306, y: f + 101, stub: [MIDDLE + BOX.width / 2, f + 96, 264, f + 96] },
  ];
  return { boxes, labels, last, height: f + 2 * BOX.height + 34 };
}

/** Each line: the value that it carries, and the boxes at its ends. */
function linesOf({ last }) {
  const pairs = [1, 2].flatMap((i) => [1, 2].map((j) => [`w${i}${j}`, `x${j}`, `z${i}`]));
  const columns = [1, 2].flatMap((i) => [
    [`h${i}`, `z${i}`, `h${i}`],
    ...(last === "d" ? [[`d${i}`, `h${i}`, `d${i}`]] : []),
    [`u${i}`, `${last}${i}`, "f"],
  ]);
  return [...pairs, ...columns, ["L", "f", "L"]];
}

const lineOf = ([x1, y1, x2, y2], isActive) =>
  `<line${isActive ? ' class="active"' : ""} x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;

/** Draw the network at a step. `known` has the names of all values that are computed by then. */
export function drawNetwork(svg, config, { values, step, known }) {
  const layout = layoutOf(config.dropout);
  const place = Object.fromEntries(layout.boxes.map((box) => [box.name, box]));
  const [writes, reads] = [step.lines.map((line) => line.name), step.reads].map((names) => new Set(names));
  const text = (name, x, y, kind, words) => {
    const mark = writes.has(name) ? "writes" : reads.has(name) ? "reads" : "";
    return `<text class="${kind} ${mark}" x="${x}" y="${y}">${words}</text>`;
  };
  const numberOf = (name) => (known.has(name) ? short(values[name]) : "");
  const gradient = (name, x, y) => {
    const words = known.has(`g.${name}`) ? `∂ ${numberOf(`g.${name}`)}` : "";
    return text(`g.${name}`, x, y, "gradient", words);
  };
  const box = ({ name, x, y }) => {
    const framed = writes.has(name) || writes.has(`g.${name}`) ? "active" : "";
    const size = `x="${x - BOX.width / 2}" y="${y}" width="${BOX.width}" height="${BOX.height}"`;
    const words = [symbolOf(name), numberOf(name)].filter(Boolean).join(" = ");
    return `<rect class="${framed}" ${size} rx="7"/>${text(name, x, y + 18, "value", words)}${gradient(name, x, y + 36)}`;
  };
  const label = ({ name, x, y, sign = " " }) => {
    const now = known.has(`new.${name}`) ? `new.${name}` : name;
    return text(now, x, y, "value", `${symbolOf(name)}${sign}${numberOf(now)}`) + gradient(name, x, y + 16);
  };
  svg.setAttribute("viewBox", `-10 0 ${WIDTH + 20} ${layout.height}`);
  svg.setAttribute("class", step.phase.toLowerCase());
  const facts = [...known].map((name) => `${symbolOf(name)} = ${numberOf(name)}`);
  svg.setAttribute("aria-label", `Network: ${facts.join(", ")}`);
  const lines = linesBetween(layout, place, step, { writes, reads });
  svg.innerHTML = [...lines, ...layout.boxes.map(box), ...layout.labels.map(label), ...notes(config, place)].join("");
}

/** The lines between boxes, and the short ones to the labels; those along which the step computes are active. */
function linesBetween(layout, place, step, { writes, reads }) {
  const isActive = ([carried, from, to]) => {
    const carriesValue = writes.has(to) && (reads.has(carried) || carried === to);
    const ownGradient = writes.has(`g.${carried}`) && carried !== to;
    const carriesGradient = writes.has(`g.${from}`) && reads.has(`g.${to}`);
    return carriesValue || ownGradient || carriesGradient;
  };
  const long = linesOf(layout).map((line) => {
    const [from, to] = line.slice(1).map((name) => place[name]);
    return lineOf([from.x, from.y + BOX.height, to.x, to.y], isActive(line));
  });
  const isUsed = (name) => step.phase !== "Update" && (writes.has(`g.${name}`) || reads.has(name));
  const stubs = layout.labels.filter(({ stub }) => stub).map(({ name, stub }) => lineOf(stub, isUsed(name)));
  return [...long, ...stubs];
}

/** What happens between two boxes, beside the line that joins them. */
function notes({ activation, dropout, mask, numbers }, place) {
  const beside = (name, words) => {
    const { x, y } = place[name];
    return `<text class="note" x="${x + 8}" y="${y - 10}">${words}</text>`;
  };
  const factor = (i) => `· ${short(mask[i - 1] / (1 - numbers.p))}`;
  const masks = dropout ? [beside("d1", factor(1)), beside("d2", factor(2))] : [];
  const name = activation.toLowerCase();
  return [beside("h1", name), beside("h2", name), ...masks, beside("L", "(f − y)²")];
}
