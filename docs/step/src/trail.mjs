// Steps as data. Each value is computed where its formula is written down, so both stand side by side in walk.mjs.

import { namesIn, short, symbolOf, withNumbers, withSymbols } from "./formula.mjs";

/** @typedef {{name: string, formula: string, filled: string, value: number}} Line */
/** @typedef {{incoming: Line, local: Line}} Link a factor of the chain rule, and what it is multiplied with */
/**
 * @typedef {{phase: string, title: string, words: string, lines: Line[], chain: Link[], reads: string[],
 *   source: string | null}} Step
 */

export class Trail {
  /** @param {Record<string, number>} values @param {(number: number) => string} show */
  constructor(values, show = short) {
    this.values = values;
    this.show = show;
    this.phase = "";
    /** @type {Step[]} */
    this.steps = [];
  }

  /** Note a step that computes nothing. */
  say(title, words) {
    this.add({ title, words, lines: [], reads: [], source: null });
  }

  /** Compute one value, as a step. */
  compute(name, template, value, title, words, source) {
    this.add({ title, words, lines: [this.line(name, template, value)], reads: namesIn(template), source });
  }

  /** Compute a value for each parameter, as one step. */
  computeAll(lines, title, words, source) {
    const reads = lines.flatMap(([, template]) => namesIn(template));
    this.add({ title, words, lines: lines.map((line) => this.line(...line)), reads, source });
  }

  /**
   * Compute a gradient by the chain rule, as a step.
   *
   * Each path is [the value it leads through, the template of the local derivative, its value]; paths add up.
   */
  back(name, paths, words, source) {
    const chain = paths.map(([through, template, value]) => this.link(name, through, template, value));
    const templates = paths.map(([through, template]) => `{g.${through}} · ${bracketed(template)}`);
    const total = () => chain.map(({ incoming, local }) => incoming.value * local.value).reduce((a, b) => a + b);
    const lines = [this.line(`g.${name}`, templates.join(" + "), total)];
    const title = `Gradient of ${symbolOf(name)}`;
    this.add({ title, words, lines, chain, reads: templates.flatMap(namesIn), source });
  }

  link(name, through, template, value) {
    const incoming = this.values[`g.${through}`];
    const local = {
      name: `∂${symbolOf(through)}/∂${symbolOf(name)}`,
      formula: withSymbols(template),
      filled: withNumbers(template, this.values, this.show),
      value: value(this.values),
    };
    return { incoming: { name: symbolOf(`g.${through}`), value: incoming }, local };
  }

  /** @returns {Line} */
  line(name, template, value) {
    const [formula, filled] = [withSymbols(template), withNumbers(template, this.values, this.show)];
    this.values[name] = value(this.values);
    return { name, formula, filled, value: this.values[name] };
  }

  add(step) {
    this.steps.push({ phase: this.phase, chain: [], ...step });
  }
}

const bracketed = (template) => (template.includes(" ") ? `(${template})` : template);
