// Train each configuration of the standard input (a JSON list), and print as JSON what Python compares.
import { readFileSync } from "node:fs";

import { activationsOf, DEFAULTS, toHash } from "../src/config.mjs";
import { Generators, loadEngine } from "../src/engine.mjs";
import { ownData, readTable, standardised } from "../src/own.mjs";
import { toPython } from "../src/python.mjs";
import { toSafetensors } from "../src/safetensors.mjs";
import { dataOf, Session } from "../src/session.mjs";

const engine = await loadEngine(readFileSync(process.argv[2]));
const configs = JSON.parse(readFileSync(0, "utf8"));
const trainings = configs.map((changes) => {
  const config = { ...DEFAULTS, ...changes };
  const data = changes.table ? ownData(standardised(readTable(changes.table).rows), 2) : dataOf(engine, config);
  const session = new Session(engine, config, data);
  const first = Array.from(session.network.values.view);
  while (!session.isOver) session.epoch();
  const { gradient } = session.fit.measure();
  const result = {
    first,
    ...session.curves,
    python: toPython(config, data, toHash(config)),
    size: session.network.size,
    gradient: Array.from(gradient.view),
    values: Array.from(session.network.values.view),
    safetensors: Buffer.from(toSafetensors(session.network)).toString("base64"),
  };
  session.free();
  return result;
});
const generators = new Generators(engine, [0, 4294967295]);
const draws = [0, 1].map((r) => ({
  normal: Array.from(generators.normal(r, 20000)),
  uniform: Array.from(generators.uniform(r, 3)),
  orders: [5, 1000, 1, 3].map((n) => Array.from(generators.permutation(r, n))),
}));
console.log(JSON.stringify({ trainings, draws, kinds: engine.kinds, offered: activationsOf(engine) }));
