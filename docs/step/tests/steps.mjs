// Walk through the step of each network of the standard input (a JSON list), and print the numbers as JSON.
import { readFileSync } from "node:fs";

import { afterStep, defaults, fromHash, toHash } from "../src/config.mjs";
import { short } from "../src/formula.mjs";
import { walk } from "../src/walk.mjs";

/** The value of a formula that is filled with numbers, by JavaScript. */
function evaluate(filled) {
  const functions = { tanh: "Math.tanh", exp: "Math.exp", "√": "Math.sqrt" };
  const code = filled.replace(/tanh|exp|√/g, (name) => functions[name]);
  return Function(`return ${code.replaceAll("−", "-").replaceAll("·", "*").replaceAll("²", "**2")}`)();
}

const whole = (number) => String(number).replace(/^-/, "−");
const changes = JSON.parse(readFileSync(0, "utf8"));
const walks = changes.map((change) => {
  let config = { ...defaults(), ...change };
  const rounds = [];
  for (let round = 0; round < 3; round += 1) {
    const { values, steps } = walk(config, whole);
    const lines = steps.flatMap((step) => step.lines);
    const links = steps.flatMap((step) => step.chain.map((link) => link.local));
    const formulas = [...lines, ...links].map(({ filled, value }) => ({ filled, value, again: evaluate(filled) }));
    const products = steps
      .filter((step) => step.chain.length)
      .map(({ chain, lines: [line] }) => [line.value, chain.map((link) => [link.incoming.value, link.local.value])]);
    const reread = fromHash(toHash(config));
    rounds.push({ config, reread, values, formulas, products, sources: steps.map((step) => step.source) });
    config = afterStep(config, values);
  }
  return rounds;
});
const numbers = [0, -0, 1.5, -0.123456, 1 / 3, 1234567, 1.2345e-9, -2e-7, 123456, Infinity, NaN];
const shown = numbers.map((number) => short(number));
console.log(JSON.stringify({ walks, shown }));
