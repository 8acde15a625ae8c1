// The settings of a training as plain data, their text in the address, and what they mean for the kernels.

import { rateOf } from "./schedules.mjs";

/** @typedef {{units: number, activation: string, dropout: number}} Hidden */
/**
 * @typedef {{data: string, noise: number, samples: number, layers: Hidden[], init: string, loss: string,
 *   optimizer: string, lr: number, momentum: number, schedule: string, decay: number, batch: number, epochs: number,
 *   replicates: number, seed: number}} Config
 */

/** @type {Config} */
export const DEFAULTS = {
  data: "disk",
  noise: 0.1,
  samples: 200,
  layers: [
    { units: 8, activation: "Tanh", dropout: 0 },
    { units: 4, activation: "Tanh", dropout: 0 },
  ],
  init: "he",
  loss: "BCEWithLogitsLoss",
  optimizer: "Adam",
  lr: 0.01,
  momentum: 0.9,
  schedule: "constant",
  decay: 0,
  batch: 20,
  epochs: 300,
  replicates: 1,
  seed: 0,
};
export const LOSSES = {
  classes: ["BCEWithLogitsLoss", "CrossEntropyLoss", "MSELoss"],
  numbers: ["MSELoss", "L1Loss", "HuberLoss"],
};
export const OPTIMIZERS = ["SGD", "RMSprop", "Adam", "AdamW"];
/** The least and the largest value of each number. */
export const RANGES = {
  noise: [0, 1],
  samples: [10, 1000],
  lr: [1e-5, 10],
  momentum: [0, 0.99],
  decay: [0, 1],
  batch: [1, 1000],
  epochs: [1, 10000],
  replicates: [1, 100],
  seed: [0, 4294967195],
  units: [1, 16],
  dropout: [0, 0.9],
};
export const MOST_LAYERS = 5;
const WHOLE = ["samples", "batch", "epochs", "replicates", "seed", "units"];

/** A number within its range; the fallback for what is no number. */
export function bounded(name, value, fallback) {
  const number = value === "" || !Number.isFinite(Number(value)) ? fallback : Number(value);
  const [least, most] = RANGES[name];
  const inside = Math.min(most, Math.max(least, number));
  return WHOLE.includes(name) ? Math.round(inside) : inside;
}

/** The text of settings for the address: those that differ from the defaults. */
export function toHash(config) {
  const [own, usual] = [config, DEFAULTS].map((each) => ({ ...each, layers: textOf(each.layers) }));
  const pairs = Object.keys(DEFAULTS)
    .filter((key) => own[key] !== usual[key])
    .map((key) => [key, String(own[key])]);
  return new URLSearchParams(pairs).toString();
}

const textOf = (layers) => layers.map((l) => `${l.units}.${l.activation}.${l.dropout}`).join("_");

/** The settings of an address; what it does not name, or names wrongly, has its default. */
export function fromHash(hash, choices) {
  const given = new URLSearchParams(hash);
  const config = structuredClone(DEFAULTS);
  for (const [key, value] of given) {
    if (key === "layers") config.layers = layersOf(value, choices.activations);
    else if (RANGES[key] && key in DEFAULTS) config[key] = bounded(key, value, DEFAULTS[key]);
    else if (choices[key]?.includes(value)) config[key] = value;
  }
  return config;
}

function layersOf(text, activations) {
  const parts = text ? text.split("_").slice(0, MOST_LAYERS) : [];
  return parts.map((part) => {
    const [, units, activation, dropout] = /^([^.]*)\.?([^.]*)\.?(.*)$/.exec(part);
    const known = activations.includes(activation) ? activation : "Tanh";
    return { units: bounded("units", units, 4), activation: known, dropout: bounded("dropout", dropout, 0) };
  });
}

/** Layers as records for the network. @param {Config} config @param {{width: number, isClasses: boolean}} data */
export function recordsOf(config, data) {
  const records = [];
  let width = data.width;
  for (const { units, activation, dropout } of config.layers) {
    records.push({ kind: "Linear", in: width, out: units });
    records.push({ kind: activation, in: units, out: units, settings: SETTINGS[activation] });
    if (dropout) records.push({ kind: "Dropout", in: units, out: units, settings: { p_drop: dropout } });
    width = units;
  }
  records.push({ kind: "Linear", in: width, out: config.loss === "CrossEntropyLoss" ? 2 : 1 });
  return records;
}

/** Settings of activations, minidl's defaults. */
const SETTINGS = { LeakyReLU: { alpha: 0.01 }, ELU: { alpha: 1 }, Softplus: { beta: 1 }, GELU: { approximate: 0 } };

/** The activations that can be offered: those of the kernels whose settings are known here. */
export function activationsOf({ kinds }) {
  return kinds.activations.filter((name) => kinds.layer[name].settings.every((key) => key in (SETTINGS[name] ?? {})));
}

const LOSS_SETTINGS = {
  BCEWithLogitsLoss: { pos_weight: 1, ceiling: Infinity },
  CrossEntropyLoss: { label_smoothing: 0, ceiling: Infinity },
  HuberLoss: { delta: 1 },
};
const THRESHOLDS = { BCEWithLogitsLoss: 0, CrossEntropyLoss: Infinity };

export function lossOf(config) {
  return { kind: config.loss, threshold: THRESHOLDS[config.loss] ?? 0.5, settings: LOSS_SETTINGS[config.loss] };
}

export function optimizerOf({ optimizer, momentum, decay }) {
  const common = { weight_decay: decay, clip: Infinity, decay_biases: 1 };
  const moments = { beta1: 0.9, beta2: 0.999, eps: 1e-8, eps_hat: 0 };
  const own = { SGD: { momentum, nesterov: 0 }, RMSprop: { alpha: 0.99, eps: 1e-8, momentum: 0 } };
  return { kind: optimizer, settings: { ...(own[optimizer] ?? moments), ...common } };
}

/** The learning rate as a function of the step. @returns {(t: number) => number} */
export function rateOfConfig(config, samples) {
  return rateOf(config.schedule, config.lr, config.epochs * Math.ceil(samples / config.batch));
}

/** Samples as the loss wants them: class indices for cross-entropy, a column of numbers otherwise. */
export function samplesFor(config, { x, y, count }) {
  return { x, count, y: config.loss === "CrossEntropyLoss" ? Int32Array.from(y) : y };
}

/** The seed of each replicate. */
export const seedsOf = ({ seed, replicates }) => Array.from({ length: replicates }, (_, r) => seed + r);
