// A training that goes on epoch by epoch, with its curves.

import { lossOf, optimizerOf, rateOfConfig, recordsOf, samplesFor, seedsOf } from "./config.mjs";
import { drawData } from "./data.mjs";
import { Generators } from "./engine.mjs";
import { Fit } from "./fit.mjs";
import { Network } from "./network.mjs";

/** Draw the data of settings, from the seed alone. @returns {import("./data.mjs").Data} */
export function dataOf(engine, config) {
  const generators = new Generators(engine, [config.seed]);
  const data = drawData(config, generators);
  generators.free();
  return data;
}

export class Session {
  /** @param {import("./engine.mjs").Engine} engine @param {import("./config.mjs").Config} config */
  constructor(engine, config, data) {
    Object.assign(this, { config, data });
    this.network = new Network(engine, recordsOf(config, data), seedsOf(config), config.init);
    const [train, test] = [data.train, data.test].map((part) => samplesFor(config, part));
    this.test = test;
    const rate = rateOfConfig(config, train.count);
    this.fit = new Fit(this.network, lossOf(config), optimizerOf(config), rate, train, config.batch);
    /** Each curve has one list per epoch, of one number per replicate. */
    this.curves = { loss: [], accuracy: [], testLoss: [], testAccuracy: [] };
  }

  get epochs() {
    return this.curves.loss.length;
  }

  get isOver() {
    return this.epochs >= this.config.epochs || (this.epochs > 0 && !this.curves.loss.at(-1).some(Number.isFinite));
  }

  /** Train for an epoch. */
  epoch() {
    const { loss, accuracy } = this.fit.epoch();
    const test = this.fit.measure(this.test);
    this.curves.loss.push(loss);
    this.curves.accuracy.push(accuracy);
    this.curves.testLoss.push(test.loss);
    this.curves.testAccuracy.push(test.accuracy);
  }

  free() {
    this.fit.free();
    this.network.free();
  }
}
