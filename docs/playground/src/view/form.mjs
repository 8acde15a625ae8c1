// The form of settings: it shows a configuration, and reads one.

import { bounded, DEFAULTS, LOSSES, MOST_LAYERS, OPTIMIZERS, RANGES } from "../config.mjs";
import { DATA_SETS, isCurve } from "../data.mjs";
import { RULES } from "../network.mjs";
import { SCHEDULES } from "../schedules.mjs";

const NAMES = {
  disk: "disk",
  xor: "xor",
  moons: "two moons",
  spirals: "spirals",
  circles: "circles",
  sine: "sine (regression)",
  step: "steps (regression)",
  own: "your own",
  he: "He",
  lecun: "LeCun",
  glorot: "Glorot",
  torch: "as torch.nn",
  BCEWithLogitsLoss: "binary cross-entropy",
  CrossEntropyLoss: "cross-entropy",
  MSELoss: "squared error (MSE)",
  L1Loss: "absolute error (L1)",
  HuberLoss: "Huber",
};
const SCHEDULE_NAMES = { constant: "constant", cosine: "cosine to 0", step: "halved 3 times", power: "as 1/√t" };

export const choices = (activations) => ({
  activations,
  data: DATA_SETS,
  init: RULES,
  optimizer: OPTIMIZERS,
  schedule: SCHEDULES,
  loss: [...new Set([...LOSSES.classes, ...LOSSES.numbers])],
});

/** Whether the targets are classes. */
export const isClasses = (config, own) => (config.data === "own" ? own.width === 2 : !isCurve(config.data));

/** A loss that suits the targets. */
export function fitting(config, own) {
  const losses = isClasses(config, own) ? LOSSES.classes : LOSSES.numbers;
  return { ...config, loss: losses.includes(config.loss) ? config.loss : losses[0] };
}

function fill(select, values, chosen, nameOf = (value) => NAMES[value] ?? value) {
  select.replaceChildren(...values.map((value) => new Option(nameOf(value), value, false, value === chosen)));
}

export class Form {
  /** @param {HTMLFormElement} form @param {string[]} activations @param {(config: object) => void} changed */
  constructor(form, activations, changed) {
    Object.assign(this, { form, activations, changed, config: DEFAULTS });
    form.addEventListener("change", (event) => event.target.name && this.#read());
    form.addEventListener(
      "input",
      (event) => event.target.name === "noise" && this.#show("noise-value", event.target.value),
    );
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("#add-layer").addEventListener("click", () => {
      const last = this.config.layers.at(-1) ?? { units: 4, activation: "Tanh", dropout: 0 };
      this.#change({ layers: [...this.config.layers, { ...last }] });
    });
  }

  #show(name, text) {
    this.form.elements[name].value = text;
  }

  /** Show a configuration. */
  write(config, own) {
    this.config = config;
    const { elements } = this.form;
    const loss = isClasses(config, own) ? LOSSES.classes : LOSSES.numbers;
    const sets = { data: DATA_SETS, init: RULES, optimizer: OPTIMIZERS, loss };
    for (const [key, values] of Object.entries(sets)) fill(elements[key], values, config[key]);
    fill(elements.schedule, SCHEDULES, config.schedule, (name) => SCHEDULE_NAMES[name]);
    for (const key of Object.keys(RANGES)) if (key in config) elements[key].value = config[key];
    this.#show("noise-value", config.noise);
    this.#writeLayers(config.layers);
    const isOwn = config.data === "own";
    for (const part of this.form.querySelectorAll(".own")) part.hidden = !isOwn;
    for (const part of this.form.querySelectorAll(".not-own")) part.hidden = isOwn;
    for (const part of this.form.querySelectorAll(".only-sgd")) part.hidden = config.optimizer !== "SGD";
  }

  #writeLayers(layers) {
    const box = this.form.querySelector("#hidden-layers");
    const active = box.contains(document.activeElement) ? document.activeElement.name : "";
    const head = document.createElement("div");
    head.className = "layer head";
    head.innerHTML = "<span>Units</span><span>Activation</span><span>Dropout</span><span></span>";
    box.replaceChildren(...(layers.length ? [head] : []), ...layers.map((layer, i) => this.#row(layer, i)));
    this.form.querySelector("#add-layer").disabled = layers.length >= MOST_LAYERS;
    if (active) this.form.elements[active]?.focus();
  }

  #row({ units, activation, dropout }, i) {
    const row = document.createElement("div");
    row.className = "layer";
    const name = `of hidden layer ${i + 1}`;
    const number = 'type="number" min=';
    row.innerHTML = `<input ${number}"1" max="16" name="units-${i}" value="${units}" aria-label="Units ${name}">
      <select name="activation-${i}" aria-label="Activation ${name}"></select>
      <input ${number}"0" max="0.9" step="0.05" name="dropout-${i}" value="${dropout}" aria-label="Dropout ${name}">
      <button type="button" aria-label="Remove hidden layer ${i + 1}">×</button>`;
    fill(row.querySelector("select"), this.activations, activation);
    row.querySelector("button").addEventListener("click", () => {
      this.#change({ layers: this.config.layers.filter((_, k) => k !== i) });
      this.form.querySelector("#add-layer").focus();
    });
    return row;
  }

  #read() {
    const { elements } = this.form;
    const texts = ["data", "init", "loss", "optimizer", "schedule"].map((key) => [key, elements[key].value]);
    const keys = Object.keys(RANGES).filter((key) => key in DEFAULTS);
    const numbers = keys.map((key) => [key, bounded(key, elements[key].value, this.config[key])]);
    const layers = this.config.layers.map((layer, i) => ({
      units: bounded("units", elements[`units-${i}`].value, layer.units),
      activation: elements[`activation-${i}`].value,
      dropout: bounded("dropout", elements[`dropout-${i}`].value, layer.dropout),
    }));
    this.#change(Object.fromEntries([...texts, ...numbers, ["layers", layers]]));
  }

  #change(changes) {
    this.changed({ ...this.config, ...changes });
  }
}
