// What the page shows of a training, its settings as text, and tables of the visitor, printed as JSON.
import { readFileSync } from "node:fs";

import { addressOf, pointsFrom } from "../src/address.mjs";
import { DEFAULTS, fromHash, toHash } from "../src/config.mjs";
import { loadEngine } from "../src/engine.mjs";
import { inputsOver, isInside, layerFacts, outputs, readOutput, responses, SMALL } from "../src/observe.mjs";
import { ownData, readTable, standardised, thinned } from "../src/own.mjs";
import { toPython } from "../src/python.mjs";
import { dataOf, Session } from "../src/session.mjs";
import { ticksOf } from "../src/view/paint.mjs";

const engine = await loadEngine(readFileSync(process.argv[2]));
const { config: changes, tables, many, hashes, points, ranges, pieces } = JSON.parse(readFileSync(0, "utf8"));
const config = { ...DEFAULTS, ...changes };
const session = new Session(engine, config, dataOf(engine, config));
while (!session.isOver) session.epoch();
const each = [0, 1, 2].map((r) =>
  Array.from(readOutput(config, session.data, session.network.predict(inputsOver(2, 48), r))),
);
const { mean, spread } = outputs(session);

const read = (text) => {
  try {
    return readTable(text);
  } catch (error) {
    return error.message;
  }
};
const own = readTable(tables[0]);
const manyRows = thinned(readTable(many).rows, 1000);
const choices = {
  activations: engine.kinds.activations,
  data: ["disk", "xor"],
  loss: ["MSELoss"],
  optimizer: ["SGD"],
  init: ["he"],
  schedule: ["step"],
};
const lost = new Session(engine, { ...config, ...pieces.diverging }, session.data);
while (!lost.isOver) lost.epoch();
console.log(
  JSON.stringify({
    python: toPython(config, session.data),
    layers: layerFacts(session),
    each,
    mean: Array.from(mean),
    spread: Array.from(spread),
    grid: Array.from(inputsOver(2, SMALL)),
    responses: responses(session).map((r) => Array.from(r)),
    tables: tables.map(read),
    standard: standardised(own.rows),
    counts: [ownData(own.rows, 2).train.count, ownData(own.rows, 2).test.count],
    manyRows,
    manyTests: Array.from(ownData(manyRows, 2).test.y),
    hashes: hashes.map((hash) => fromHash(hash, choices)),
    again: hashes.map((hash) => toHash(fromHash(hash, choices))),
    lostAfter: lost.epochs,
    points: points.map((address) => addressOf(pointsFrom(new URLSearchParams(address)))),
    inside: [1, 2].map((width) => [1.19, 1.3, 1.5].map((y) => isInside([0, y], width))),
    ticks: ranges.map(([least, most]) => ticksOf(least, most)),
  }),
);
