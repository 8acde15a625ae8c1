// Formulas as text: a template names values in braces, and is written with their symbols or with their numbers.

const DIGITS = { 0: "₀", 1: "₁", 2: "₂" };
const OWN = { beta1: "β₁", beta2: "β₂", rest1: "(1 − β₁)", rest2: "(1 − β₂)", eps: "ε", factor: "s" };
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";
/** What stands in front of a parameter's name, and how it is written: gradient, moments before and after, and so on. */
const PREFIXES = {
  g: (symbol) => `∂L/∂${symbol}`,
  m0: (symbol) => `old m(${symbol})`,
  v0: (symbol) => `old v(${symbol})`,
  m: (symbol) => `m(${symbol})`,
  v: (symbol) => `v(${symbol})`,
  step: (symbol) => `step(${symbol})`,
  new: (symbol) => `new ${symbol}`,
};

/** The symbol of a value: `w12` is w₁₂, and `g.w12` is ∂L/∂w₁₂. */
export function symbolOf(name) {
  const [prefix, rest] = name.split(".");
  if (rest) return PREFIXES[prefix](symbolOf(rest));
  return OWN[name] ?? name.replace(/\d/g, (digit) => DIGITS[digit]);
}

/** A number in four digits, or as many as asked for. */
export function short(number, digits = 4) {
  if (!Number.isFinite(number)) return String(number).replace("-", "−");
  const size = Math.abs(number);
  const small = size !== 0 && (size < 1e-4 || size >= 1e6);
  const text = small ? number.toExponential(digits - 1) : number.toPrecision(digits);
  const [mantissa, exponent] = small ? text.split("e") : [text];
  return String(Number(mantissa)).replace("-", "−") + (small ? `·10${raised(exponent)}` : "");
}

const raised = (exponent) => String(Number(exponent)).replace("-", "⁻").replace(/\d/g, (digit) => RAISED[digit]);

const NAME = /\{([\w.]+)\}/g;

export const namesIn = (template) => [...template.matchAll(NAME)].map((found) => found[1]);

export const withSymbols = (template) => template.replace(NAME, (_, name) => symbolOf(name));

/** The template with numbers; a negative one gets brackets where it would otherwise follow a sign or be squared. */
export function withNumbers(template, values, show = short) {
  return template.replace(NAME, (braces, name, at) => {
    const text = show(values[name]);
    const before = template.slice(0, at);
    const isAlone = (before === "" || before.endsWith("(")) && template[at + braces.length] !== "²";
    return text.startsWith("−") && !isAlone ? `(${text})` : text;
  });
}
