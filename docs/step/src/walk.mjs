// One training step of a 2-2-1 network on one sample, value by value: forward, loss, backward, update.

import { PARAMETERS } from "./config.mjs";
import { short, symbolOf } from "./formula.mjs";
import { Trail } from "./trail.mjs";

const ACTIVATIONS = {
  Tanh: {
    template: (z) => `tanh({${z}})`,
    value: Math.tanh,
    note: "tanh squeezes the sum into the range from −1 to 1.",
    slope: (h) => `1 − {${h}}²`,
    slopeOf: (h) => 1 - h * h,
    words: "The derivative of tanh is 1 − tanh². The layer saved its output h, so no tanh is computed again.",
  },
  Sigmoid: {
    template: (z) => `1 / (1 + exp(−{${z}}))`,
    value: (z) => Math.exp(Math.min(z, 0)) / (1 + Math.exp(-Math.abs(z))),
    note: "The sigmoid squeezes the sum into the range from 0 to 1. The source has it in a form that cannot overflow.",
    slope: (h) => `{${h}} · (1 − {${h}})`,
    slopeOf: (h) => h * (1 - h),
    words: "The derivative of the sigmoid is h (1 − h), at most a quarter. The layer saved its output h.",
  },
};

const START =
  "The network has two inputs x, two hidden units and one output f. It should predict the target y. " +
  "Its parameters are the weights w and u and the biases b and c. " +
  "Nothing is computed yet: press Next, or the right arrow key.";

/**
 * Walk through the step.
 *
 * @param {import("./config.mjs").Config} config
 * @param {(number: number) => string} show how numbers are written into formulas
 * @returns {{values: Record<string, number>, steps: import("./trail.mjs").Step[]}}
 */
export function walk(config, show = short) {
  const trail = new Trail({ ...config.numbers, ...constantsOf(config) }, show);
  trail.phase = "Start";
  trail.say("One sample, nine parameters", START);
  forward(trail, config);
  backward(trail, config);
  trail.phase = "Update";
  if (config.optimizer === "Adam") moments(trail, config);
  update(trail, config);
  after(trail, config);
  return trail;
}

function constantsOf({ numbers, mask, t, m, v }) {
  const [beta1, beta2, eps] = [0.9, 0.999, 1e-8];
  const corrections = { k1: 1 - beta1 ** (t + 1), k2: 1 - beta2 ** (t + 1) };
  const old = PARAMETERS.flatMap((name, i) => [[`m0.${name}`, m[i]], [`v0.${name}`, v[i]]]);
  const factors = { mask1: mask[0], mask2: mask[1], factor: 1 / (1 - numbers.p) };
  const betas = { beta1, beta2, eps, rest1: 1 - beta1, rest2: 1 - beta2 };
  return { ...factors, ...betas, ...corrections, ...Object.fromEntries(old) };
}

/** The values that the output unit takes: the hidden ones, behind dropout if there is any. */
const outputsOf = ({ dropout }) => (dropout ? ["d1", "d2"] : ["h1", "h2"]);

function forward(trail, config) {
  trail.phase = "Forward";
  const { template, value, note } = ACTIVATIONS[config.activation];
  const [o1, o2] = outputsOf(config);
  const sum = "A unit adds its inputs, each times a weight, and its bias. In the source one product of matrices does all.";
  const bend = `${note} Without an activation two layers would be no more than one.`;
  for (const i of [1, 2]) {
    const name = `z${i}`;
    const sumOf = (v) => v[`w${i}1`] * v.x1 + v[`w${i}2`] * v.x2 + v[`b${i}`];
    const formula = `{w${i}1} · {x1} + {w${i}2} · {x2} + {b${i}}`;
    trail.compute(name, formula, sumOf, `Sum of hidden unit ${i}`, sum, "Linear.infer");
  }
  for (const i of [1, 2]) {
    const title = `Output of hidden unit ${i}`;
    trail.compute(`h${i}`, template(`z${i}`), (v) => value(v[`z${i}`]), title, bend, `${config.activation}.infer`);
  }
  if (config.dropout) drop(trail, config);
  const output = "The output unit is linear: a sum, and no activation.";
  const outputOf = (v) => v.u1 * v[o1] + v.u2 * v[o2] + v.c;
  trail.compute("f", `{u1} · {${o1}} + {u2} · {${o2}} + {c}`, outputOf, "Prediction", output, "Linear.infer");
  const error = "The loss is the square of the error. Training makes it smaller.";
  trail.compute("L", "({f} − {y})²", (v) => (v.f - v.y) * (v.f - v.y), "Loss", error, "MSELoss.forward");
}

function drop(trail, { mask, numbers }) {
  const scale = `scaled by s = 1 / (1 − p) = ${short(1 / (1 - numbers.p))}`;
  const kept = `The mask is 1: this unit is kept, and ${scale}, so that the mean stays the same.`;
  const dropped = "The mask is 0: this unit is dropped, as if it were not there.";
  for (const i of [1, 2]) {
    const [title, words] = [`Dropout of hidden unit ${i}`, mask[i - 1] ? kept : dropped];
    const value = (v) => v[`h${i}`] * (v[`mask${i}`] * v.factor);
    trail.compute(`d${i}`, `{h${i}} · ({mask${i}} · {factor})`, value, title, words, "Dropout.forward");
  }
}

function backward(trail, config) {
  trail.phase = "Backward";
  const { slope, slopeOf, words } = ACTIVATIONS[config.activation];
  const outputs = outputsOf(config);
  trail.values["g.L"] = 1;
  const start = "Backpropagation starts at the loss: if f grows by a little, L grows by 2 (f − y) times as much.";
  trail.back("f", [["L", "2 · ({f} − {y})", (v) => 2 * (v.f - v.y)]], start, "MSELoss.backward");
  outputs.forEach((o, i) => {
    const [u, unit] = [symbolOf(`u${i + 1}`), symbolOf(o)];
    const reason = `${u} acts on f through the product ${u} · ${unit}, so its local derivative is ${unit}.`;
    trail.back(`u${i + 1}`, [["f", `{${o}}`, (v) => v[o]]], reason, "Linear.weight");
  });
  trail.back("c", [["f", "1", () => 1]], "A bias is added as it is, so its local derivative is 1.", "Linear.bias");
  outputs.forEach((o, i) => {
    const [u, unit] = [`u${i + 1}`, symbolOf(o)];
    const reason = `${unit} acts on f through the same product, so its local derivative is the weight ${symbolOf(u)}.`;
    trail.back(o, [["f", `{${u}}`, (v) => v[u]]], reason, "Linear.dx");
  });
  if (config.dropout) dropBack(trail);
  for (const i of [1, 2]) {
    const [z, h] = [`z${i}`, `h${i}`];
    trail.back(z, [[h, slope(h), (v) => slopeOf(v[h])]], words, `${config.activation}.backward`);
  }
  hiddenLayerBack(trail);
}

function dropBack(trail) {
  const words = "The gradient passes the same mask as the value did: nothing flows back through a dropped unit.";
  for (const i of [1, 2]) {
    const local = [`d${i}`, `{mask${i}} · {factor}`, (v) => v[`mask${i}`] * v.factor];
    trail.back(`h${i}`, [local], words, "Dropout.backward");
  }
}

function hiddenLayerBack(trail) {
  for (const i of [1, 2]) {
    for (const j of [1, 2]) {
      const [z, x] = [symbolOf(`z${i}`), symbolOf(`x${j}`)];
      const words = `The weight from ${x} to ${z}: it multiplies ${x}, so its local derivative is ${x}.`;
      trail.back(`w${i}${j}`, [[`z${i}`, `{x${j}}`, (v) => v[`x${j}`]]], words, "Linear.weight");
    }
  }
  for (const i of [1, 2]) {
    trail.back(`b${i}`, [[`z${i}`, "1", () => 1]], "As for c: the local derivative of a bias is 1.", "Linear.bias");
  }
  for (const j of [1, 2]) {
    const paths = [1, 2].map((i) => [`z${i}`, `{w${i}${j}}`, (v) => v[`w${i}${j}`]]);
    const why = `${symbolOf(`x${j}`)} acts on the loss through both hidden units, so two products are added.`;
    const words = `${why} Training does not need this gradient; need_dx=False leaves it out.`;
    trail.back(`x${j}`, paths, words, "Linear.dx");
  }
}

function moments(trail, { t }) {
  const first = "m is a running mean of the gradients: their direction. It starts at 0.";
  const second = "v is a running mean of the squared gradients: their size. It starts at 0.";
  const [k1, k2] = [trail.values.k1, trail.values.k2].map((k) => short(k));
  const correction = `k₁ = 1 − β₁ᵗ = ${k1} and k₂ = 1 − β₂ᵗ = ${k2} correct the start at 0; this is t = ${t + 1}.`;
  const third = `Direction divided by size: the step has about the same size for every parameter. ${correction}`;
  const m = (p) => [
    `m.${p}`,
    `{beta1} · {m0.${p}} + {rest1} · {g.${p}}`,
    (v) => v.beta1 * v[`m0.${p}`] + v.rest1 * v[`g.${p}`],
  ];
  const square = (p) => [
    `v.${p}`,
    `{beta2} · {v0.${p}} + {rest2} · {g.${p}}²`,
    (v) => v.beta2 * v[`v0.${p}`] + v.rest2 * v[`g.${p}`] ** 2,
  ];
  const step = (p) => [
    `step.${p}`,
    `{m.${p}} / {k1} / ({eps} + √({v.${p}} / {k2}))`,
    (v) => v[`m.${p}`] / v.k1 / (v.eps + Math.sqrt(v[`v.${p}`] / v.k2)),
  ];
  trail.computeAll(PARAMETERS.map(m), "First moment of each gradient", first, "Adam.m");
  trail.computeAll(PARAMETERS.map(square), "Second moment of each gradient", second, "Adam.v");
  trail.computeAll(PARAMETERS.map(step), "Step of each parameter", third, "Adam.step");
}

function update(trail, { optimizer }) {
  const [step, against] = optimizer === "Adam" ? ["step", "its step"] : ["g", "its gradient, and so downhill"];
  const subtract = (p) => [`new.${p}`, `{${p}} − {lr} · {${step}.${p}}`, (v) => v[p] - v.lr * v[`${step}.${p}`]];
  const words = `Each parameter moves against ${against}. All nine lie in one vector, which one line of code changes.`;
  trail.computeAll(PARAMETERS.map(subtract), "New parameters", words, "Module.update");
}

/** The loss of the same sample, with the same mask, for the new parameters. */
function after(trail, config) {
  const { values } = trail;
  const numbers = { ...config.numbers };
  for (const name of PARAMETERS) numbers[name] = values[`new.${name}`];
  const next = new Trail({ ...values, ...numbers });
  forward(next, { ...config, numbers });
  values["new.f"] = next.values.f;
  const [before, now] = [values.L, next.values.L];
  const fate = now < before ? "falls" : now > before ? "rises" : "stays";
  const isDownhill = config.optimizer === "SGD" || config.t === 0; // later steps of Adam follow older gradients too
  const warning = now > before && isDownhill ? " The step was too long: try a lower learning rate." : "";
  const words = `With the new parameters the loss of this sample ${fate}; it was ${short(before)}.${warning}`;
  trail.compute("new.L", "({new.f} − {y})²", (v) => (v["new.f"] - v.y) ** 2, "After the step", words, null);
}
