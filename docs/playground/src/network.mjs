// R replicates of one network: layers, parameters in one vector each, training and prediction.

import { Generators } from "./engine.mjs";

/** @typedef {import("./engine.mjs").LayerRecord} LayerRecord */

/** Bounds and spreads of the initial weights, as `minidl.Linear(init=)` has them. */
const NORMAL = { he: (n) => Math.sqrt(2 / n), lecun: (n) => Math.sqrt(1 / n) };
const UNIFORM = { glorot: (n, out) => Math.sqrt(6 / (n + out)), torch: (n) => Math.sqrt(1 / n) };
export const RULES = [...Object.keys(NORMAL), ...Object.keys(UNIFORM)];

/** The records with the places of their parameters: weights and then biases, layer by layer. */
export function layOut(records) {
  let size = 0;
  return records.map((record) => {
    const weights = record.kind === "Linear" ? record.in * record.out : 0;
    const weight = weights ? size : -1;
    const bias = weights ? size + weights : -1;
    size += weights ? weights + record.out : 0;
    return { ...record, weight, bias };
  });
}

export class Network {
  /**
   * @param {import("./engine.mjs").Engine} engine
   * @param {LayerRecord[]} records
   * @param {number[]} seeds one for each replicate
   * @param {string} init one of RULES
   */
  constructor(engine, records, seeds, init) {
    this.engine = engine;
    this.layers = layOut(records);
    this.replicates = seeds.length;
    this.size = this.layers.reduce((sum, l) => sum + (l.weight < 0 ? 0 : (l.in + 1) * l.out), 0);
    this.generators = new Generators(engine, seeds);
    this.blocks = [];
    this.values = this.#own(engine.block(Float32Array, this.size * this.replicates));
    this.training = this.#describe((settings) => settings);
    // Nothing is drawn where p_drop is 0, so that measuring does not disturb the masks of the training.
    this.measuring = this.#describe((settings) => ({ ...settings, p_drop: 0 }));
    this.#initialise(init);
  }

  #own(block) {
    this.blocks.push(block);
    return block;
  }

  #describe(change) {
    const { engine, layers, replicates } = this;
    const read = layers.map((l) => engine.settingsOf("layer", l.kind, change({ lr: 0, ...l.settings })));
    const table = layers.flatMap((l, i) => [read[i].number, l.in, l.out, l.weight, l.bias]);
    const numbers = read.flatMap((r) => r.numbers).flatMap((number) => Array(replicates).fill(number));
    const [rows, settings] = [engine.copy(Int32Array, table), this.#own(engine.copy(Float64Array, numbers))];
    const { new_network: make } = engine.exports;
    const made = make(replicates, this.size, rows.at, layers.length, settings.at, this.generators.at);
    rows.free();
    return made;
  }

  #initialise(init) {
    for (let r = 0; r < this.replicates; ++r) {
      for (const layer of this.layers.filter((l) => l.weight >= 0)) {
        const { in: n, out } = layer;
        const start = r * this.size + layer.weight;
        this.values.write(this.#draw(init, r, n, out), start);
        if (init === "torch") this.values.write(this.#uniform(r, out, UNIFORM.torch(n)), start + n * out);
      }
    }
  }

  #draw(init, r, n, out) {
    if (UNIFORM[init]) return this.#uniform(r, n * out, UNIFORM[init](n, out));
    return this.generators.normal(r, n * out).map((number) => NORMAL[init](n) * number);
  }

  #uniform(r, count, bound) {
    return this.generators.uniform(r, count).map((u) => -bound + (bound - -bound) * u);
  }

  /** The output of the first layers of a replicate. @returns {Float32Array} rows of the last of them */
  predict(x, r = 0, count = this.layers.length) {
    const { engine, layers } = this;
    const rows = x.length / layers[0].in;
    const from = engine.copy(Float32Array, x);
    const to = engine.block(Float32Array, rows * layers[count - 1].out);
    engine.exports.predict(this.measuring, count, r, this.values.at, from.at, to.at, rows);
    const y = to.view.slice();
    from.free();
    to.free();
    return y;
  }

  free() {
    this.engine.exports.free_network(this.training);
    this.engine.exports.free_network(this.measuring);
    this.generators.free();
    for (const block of this.blocks) block.free();
  }
}
