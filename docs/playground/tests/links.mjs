// What the playground makes of links: their settings as it takes them, and how their trainings end, printed as JSON.
import { readFileSync } from "node:fs";

import { activationsOf, fromHash } from "../src/config.mjs";
import { loadEngine } from "../src/engine.mjs";
import { bandOf, layerFacts } from "../src/observe.mjs";
import { dataOf, Session } from "../src/session.mjs";
import { choices } from "../src/view/form.mjs";

const engine = await loadEngine(readFileSync(process.argv[2]));
const { links, trained } = JSON.parse(readFileSync(0, "utf8"));
const read = (link) => fromHash(link, choices(activationsOf(engine)));
const textOf = (value) =>
  Array.isArray(value) ? value.map((l) => `${l.units}.${l.activation}.${l.dropout}`).join("_") : String(value);

function train(link) {
  const config = read(link);
  const session = new Session(engine, config, dataOf(engine, config));
  const gradients = layerFacts(session).map(({ gradients: { least, most } }) => most - least);
  while (!session.isOver) session.epoch();
  const facts = layerFacts(session);
  const means = Object.entries(session.curves).map(([name, curve]) => [name, curve.map((each) => bandOf(each)[0])]);
  session.free();
  return { ...Object.fromEntries(means), dead: facts.map((layer) => layer.dead), gradients };
}

console.log(
  JSON.stringify({
    taken: links.map((link) => Object.fromEntries(Object.entries(read(link)).map(([k, v]) => [k, textOf(v)]))),
    trained: Object.fromEntries(Object.entries(trained).map(([name, link]) => [name, train(link)])),
  }),
);
