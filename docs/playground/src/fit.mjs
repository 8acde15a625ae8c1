// Training as `minidl.fit` does it: epochs in new orders, a step for each batch, losses and hits on the way.

/** @typedef {import("./engine.mjs").Samples} Samples */

/** Samples in the kernels' memory. Classes are 64-bit integers there. */
class Placed {
  /** @param {import("./engine.mjs").Engine} engine @param {Samples} samples */
  constructor(engine, samples) {
    const { x, y, count } = samples;
    this.count = count;
    this.cols = y instanceof Int32Array ? 0 : y.length / count;
    this.x = engine.copy(Float32Array, x);
    this.y = this.cols ? engine.copy(Float32Array, y) : engine.copy(BigInt64Array, Array.from(y, BigInt));
  }
}

export class Fit {
  /**
   * @param {import("./network.mjs").Network} network
   * @param {import("./engine.mjs").LossRecord} loss whose value is the mean over the samples
   * @param {import("./engine.mjs").OptimizerRecord} optimizer
   * @param {(t: number) => number} rate the learning rate of step t = 1, 2, ...
   * @param {Samples} train
   * @param {number} batch samples of a batch
   */
  constructor(network, loss, optimizer, rate, train, batch) {
    const { engine, replicates, size } = network;
    Object.assign(this, { network, engine, rate, batch, t: 0 });
    this.threshold = loss.threshold;
    this.loss = this.#record("loss", loss, replicates);
    this.optimizer = this.#record("optimizer", optimizer, replicates);
    this.still = this.#record("optimizer", STILL, replicates);
    this.vectors = [0, 1].map(() => engine.block(Float32Array, replicates * size));
    this.gradient = engine.block(Float32Array, replicates * size);
    this.usesFirst = optimizer.kind !== "SGD" || optimizer.settings.momentum > 0;
    this.results = engine.block(Float64Array, 2 * replicates);
    this.counts = engine.block(BigInt64Array, 2 * replicates);
    this.train = new Placed(engine, train);
    this.order = engine.block(Int32Array, replicates * train.count);
    this.steps = Math.ceil(train.count / batch);
    this.rates = engine.block(Float64Array, this.steps);
  }

  #record(group, record, replicates) {
    const { number, numbers } = this.engine.settingsOf(group, record.kind, record.settings ?? {});
    const all = numbers.flatMap((value) => Array(replicates).fill(value));
    return { number, block: this.engine.copy(Float64Array, all) };
  }

  #pass(handle, samples, order, batch, optimizer, vectors, t) {
    const { engine, network, loss, results, counts } = this;
    engine.exports.train(
      handle,
      samples.x.at,
      samples.y.at,
      samples.count,
      samples.cols,
      order,
      order ? samples.count : 0,
      batch,
      loss.number,
      loss.block.at,
      this.threshold,
      optimizer.number,
      optimizer.block.at,
      network.values.at,
      ...vectors,
      this.rates.at,
      t,
      results.at,
      counts.at,
    );
    const each = Array.from(results.view, (sum) => sum / samples.count);
    return { loss: each.slice(0, network.replicates), accuracy: each.slice(network.replicates) };
  }

  /** Train for one epoch. @returns {{loss: number[], accuracy: number[]}} of each replicate */
  epoch() {
    const { network, train, order, steps } = this;
    for (let r = 0; r < network.replicates; ++r) {
      order.write(network.generators.permutation(r, train.count), r * train.count);
    }
    this.rates.write(Array.from({ length: steps }, (_, i) => this.rate(this.t + i + 1)));
    const vectors = [this.usesFirst ? this.vectors[0].at : 0, this.vectors[1].at];
    const result = this.#pass(network.training, train, order.at, this.batch, this.optimizer, vectors, this.t);
    this.t += steps;
    return result;
  }

  /**
   * Loss and accuracy over samples without dropout, and the gradient of the loss.
   *
   * It is a step of SGD whose rate is 0 and whose velocity, without any momentum, is the gradient.
   */
  measure(samples = this.train) {
    const placed = samples instanceof Placed ? samples : this.#place(samples);
    for (const block of [this.rates, this.gradient]) block.view.fill(0);
    const vectors = [this.gradient.at, 0];
    const result = this.#pass(this.network.measuring, placed, 0, placed.count, this.still, vectors, 0);
    return { ...result, gradient: this.gradient };
  }

  #placed = new Map();
  #place(samples) {
    if (!this.#placed.has(samples)) this.#placed.set(samples, new Placed(this.engine, samples));
    return this.#placed.get(samples);
  }

  free() {
    const placed = [this.train, ...this.#placed.values()].flatMap((p) => [p.x, p.y]);
    const records = [this.loss, this.optimizer, this.still].map((record) => record.block);
    const own = [...this.vectors, this.gradient, this.results, this.counts, this.order, this.rates];
    for (const block of [...placed, ...records, ...own]) block.free();
  }
}

const STILL = { kind: "SGD", settings: { momentum: 0, nesterov: 0, weight_decay: 0, clip: Infinity, decay_biases: 1 } };
