// The numbers of the network and the choices, as plain data and as text in the address.

export const PARAMETERS = ["w11", "w12", "w21", "w22", "b1", "b2", "u1", "u2", "c"];
/** The parameters' order is that of minidl's vector. */
export const NUMBERS = ["x1", "x2", "y", ...PARAMETERS, "lr", "p"];
export const CHOICES = { activation: ["Tanh", "Sigmoid"], optimizer: ["SGD", "Adam"] };

/**
 * @typedef {{numbers: Record<string, number>, activation: string, optimizer: string, dropout: boolean,
 *   mask: number[], t: number, m: number[], v: number[]}} Config
 */

const zeros = () => PARAMETERS.map(() => 0);

/** @returns {Config} */
export function defaults() {
  const [x1, x2, y, lr, p] = [1, -0.5, 1, 0.1, 0.5];
  const parameters = { w11: 0.6, w12: -0.4, w21: -0.3, w22: 0.8, b1: 0.1, b2: 0.2, u1: 0.5, u2: -0.7, c: 0.1 };
  const numbers = { x1, x2, y, ...parameters, lr, p };
  return { numbers, activation: "Tanh", optimizer: "SGD", dropout: false, mask: [1, 0], t: 0, m: zeros(), v: zeros() };
}

/** A number that the field of this name takes; the fallback for any other. */
export function accepted(name, text, fallback) {
  const number = text === "" || text === null ? NaN : Number(text);
  if (!Number.isFinite(number)) return fallback;
  if (name === "p") return Math.min(0.9, Math.max(0, number));
  return name === "lr" ? Math.max(0, number) : number;
}

/** The text of a network for the address: what differs from the defaults. @param {Config} config */
export function toHash(config) {
  const [own, usual] = [config, defaults()].map(textsOf);
  return new URLSearchParams(Object.entries(own).filter(([key, text]) => text !== usual[key])).toString();
}

function textsOf({ numbers, activation, optimizer, dropout, mask, t, m, v }) {
  const texts = Object.fromEntries(NUMBERS.map((name) => [name, String(numbers[name])]));
  const memory = t && optimizer === "Adam" ? { t: String(t), m: m.join(" "), v: v.join(" ") } : {};
  return { ...texts, activation, optimizer, dropout: dropout ? mask.join("") : "off", ...memory };
}

/** The network of an address; what is missing or wrong has its default. @returns {Config} */
export function fromHash(hash) {
  const given = new URLSearchParams(hash);
  const config = defaults();
  for (const name of NUMBERS) config.numbers[name] = accepted(name, given.get(name), config.numbers[name]);
  for (const [name, all] of Object.entries(CHOICES)) if (all.includes(given.get(name))) config[name] = given.get(name);
  if (/^[01]{2}$/.test(given.get("dropout") ?? "")) {
    Object.assign(config, { dropout: true, mask: [...given.get("dropout")].map(Number) });
  }
  const [t, m, v] = [Number(given.get("t")), ...["m", "v"].map((name) => vectorOf(given.get(name)))];
  const isMemory = Number.isInteger(t) && t > 0 && m && v?.every((each) => each >= 0);
  if (config.optimizer === "Adam" && isMemory) Object.assign(config, { t, m, v });
  return config;
}

function vectorOf(text) {
  const numbers = (text ?? "").split(" ").filter(Boolean).map(Number);
  return numbers.length === PARAMETERS.length && numbers.every(Number.isFinite) ? numbers : null;
}

/** The network after its step, ready for the next. @param {Config} config @param {Record<string, number>} values */
export function afterStep(config, values) {
  const numbers = { ...config.numbers };
  for (const name of PARAMETERS) numbers[name] = values[`new.${name}`];
  if (config.optimizer !== "Adam") return { ...config, numbers };
  const [m, v] = ["m", "v"].map((moment) => PARAMETERS.map((name) => values[`${moment}.${name}`]));
  return { ...config, numbers, t: config.t + 1, m, v };
}
