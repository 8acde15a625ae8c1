// The compiled kernels behind a typed interface. Everything that crosses the border is checked or made here.

/** @typedef {{kind: string, in: number, out: number, settings?: Record<string, number>, bias?: boolean}} LayerRecord */
/** @typedef {{kind: string, threshold: number, settings?: Record<string, number>}} LossRecord */
/** @typedef {{kind: string, settings: Record<string, number>}} OptimizerRecord */
/** @typedef {{x: Float32Array, y: Float32Array | Int32Array, count: number}} Samples */

/** Instantiate the compiled kernels. @param {BufferSource} bytes @returns {Promise<Engine>} */
export async function loadEngine(bytes) {
  // What the kernels need of a C library that the compiler does not bring; float32 is rounded on the way back.
  const { log1p, pow } = Math;
  const { instance } = await WebAssembly.instantiate(bytes, { env: { log1p, log1pf: log1p, pow } });
  return new Engine(instance.exports);
}

/** The kernels, their memory, and the kinds that they have. */
export class Engine {
  constructor(exports) {
    this.exports = exports;
    this.kinds = readKinds(this.text(exports.kinds()));
  }

  text(at) {
    const bytes = new Uint8Array(this.exports.memory.buffer, at);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
  }

  /** Zeroed memory for numbers of a type. Views end when the memory grows, so one is made for each use. */
  block(Type, length) {
    const at = this.exports.allocate(Math.max(1, length) * Type.BYTES_PER_ELEMENT);
    return new Block(this.exports, Type, at, length);
  }

  /** A copy of numbers in the kernels' memory. */
  copy(Type, numbers) {
    const block = this.block(Type, numbers.length);
    block.write(numbers);
    return block;
  }

  /** The number of a kind, and its settings in the kernels' order. */
  settingsOf(group, kind, settings) {
    const found = this.kinds[group][kind];
    if (!found) throw new RangeError(`engine: expected one of ${Object.keys(this.kinds[group])}, got ${kind}`);
    const missing = found.settings.filter((name) => settings[name] === undefined);
    if (missing.length) throw new RangeError(`engine: expected ${kind} with ${missing}, got none`);
    return { number: found.number, numbers: found.settings.map((name) => Number(settings[name])) };
  }
}

class Block {
  constructor(exports, Type, at, length) {
    Object.assign(this, { exports, Type, at, length });
  }
  get view() {
    return new this.Type(this.exports.memory.buffer, this.at, this.length);
  }
  /** Numbers that are made before the view is: making them may let the memory grow. */
  write(numbers, start = 0) {
    this.view.set(numbers, start);
  }
  free() {
    this.exports.release(this.at);
  }
}

function readKinds(text) {
  const kinds = { layer: {}, loss: {}, optimizer: {}, activations: [] };
  const counts = { layer: 0, loss: 0, optimizer: 0 };
  for (const line of text.trim().split("\n")) {
    const [word, name, ...settings] = line.split(" ");
    if (word === "activation") kinds.activations.push(name);
    const group = word === "activation" ? "layer" : word;
    kinds[group][name] = { number: counts[group]++, settings };
  }
  return kinds;
}

/** PCG64 generators, one for each seed, which draw what `numpy.random.default_rng(seed)` draws. */
export class Generators {
  /** @param {Engine} engine @param {number[]} seeds integers from 0 to 2**32 - 1 */
  constructor(engine, seeds) {
    const words = engine.copy(Uint32Array, seeds);
    this.engine = engine;
    this.count = seeds.length;
    this.at = engine.exports.new_generators(words.at, seeds.length);
    words.free();
  }
  #draw(name, Type, index, count) {
    const block = this.engine.block(Type, count);
    this.engine.exports[name](this.at, index, block.at, count);
    const numbers = block.view.slice();
    block.free();
    return numbers;
  }
  /** `standard_normal(count)` @returns {Float64Array} */
  normal(index, count) {
    return this.#draw("draw_normal", Float64Array, index, count);
  }
  /** `random(count)` @returns {Float64Array} */
  uniform(index, count) {
    return this.#draw("draw_uniform", Float64Array, index, count);
  }
  /** `permutation(count)` @returns {Int32Array} */
  permutation(index, count) {
    return this.#draw("draw_permutation", Int32Array, index, count);
  }
  free() {
    this.engine.exports.release(this.at);
  }
}
