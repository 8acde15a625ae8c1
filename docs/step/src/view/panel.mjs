// The step in words and formulas, the lines of source that compute it, and the table of all values.

import { PARAMETERS } from "../config.mjs";
import { short, symbolOf } from "../formula.mjs";

const $ = (id) => document.getElementById(id);

/** Show a step. @param {import("../trail.mjs").Step} step */
export function showStep(step, sources) {
  $("step-title").textContent = step.title;
  $("formulas").innerHTML = step.lines.length > 1 ? tableOf(step.lines) : step.lines.map(formulaOf).join("");
  $("chain").innerHTML = step.chain.map((link) => linkOf(link, step.lines[0], step.chain.length)).join("");
  $("words").textContent = step.words;
  showSource(sources[step.source]);
  const sentences = [...step.lines.map(sentenceOf), ...step.chain.map(sentenceOfLink)];
  $("said").textContent = [step.title, ...sentences, step.words].join(". ");
}

function formulaOf({ name, formula, filled, value }) {
  const rows = [formula, ...(filled === formula ? [] : [filled])].map((text) => `<span>= ${text}</span>`);
  const result = filled === short(value) ? "" : `<span></span><span>= <b>${short(value)}</b></span>`;
  return `<div class="formula"><span>${symbolOf(name)}</span>${rows.join("<span></span>")}${result}</div>`;
}

function tableOf(lines) {
  const rows = lines.map((line) => {
    const cells = [symbolOf(line.name), `= ${line.filled}`, `= <b>${short(line.value)}</b>`];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  const [{ name, formula }] = lines;
  const first = `<div class="formula"><span>${symbolOf(name)}</span><span>= ${formula}</span></div>`;
  const frame = '<div class="scroll" tabindex="0" role="region" aria-label="The same for each parameter">';
  return `${first}${frame}<table class="many">${rows.join("")}</table></div>`;
}

function linkOf({ incoming, local }, line, count) {
  const through = local.formula === short(local.value) ? "" : ` = ${local.formula}`;
  const product = incoming.value * local.value;
  const factor = (sign, kind, title, text) =>
    `<span>${sign}<span class="factor ${kind}"><small>${title}</small>${text}</span></span>`;
  const factors = [
    factor("", "", "incoming gradient", `${incoming.name} = ${short(incoming.value)}`),
    factor("·", "local", "local derivative", `${local.name}${through} = ${short(local.value)}`),
    factor("=", "", count > 1 ? "product of this path" : `product: ${symbolOf(line.name)}`, short(product)),
  ];
  return `<div class="link">${factors.join("")}</div>`;
}

const sentenceOf = ({ name, formula, filled, value }) => `${symbolOf(name)} = ${formula} = ${filled} = ${short(value)}`;
const sentenceOfLink = ({ incoming, local }) =>
  `The incoming gradient ${incoming.name} = ${short(incoming.value)}, ` +
  `times the local derivative ${local.name} = ${short(local.value)}`;

function showSource(source) {
  $("code").hidden = !source;
  if (!source) return;
  $("code-name").textContent = source.name;
  $("code-lines").innerHTML = source.lines
    .map((html, i) => {
      const tag = source.marked.includes(i) ? "mark" : "span";
      return `<${tag} class="line" style="--indent: ${source.indents[i]}">${html}</${tag}>`;
    })
    .join("");
}

/** Fill the table: one row for each value, with its gradient, and for parameters what the update makes of them. */
export function showValues(table, config, { values, step, known }) {
  const adam = config.optimizer === "Adam" ? ["m", "v", "step"] : [];
  const titles = ["Name", "Value", "Gradient", ...adam, "Updated"];
  table.tHead.innerHTML = `<tr>${titles.map((title) => `<th scope="col">${title}</th>`).join("")}</tr>`;
  const units = ["z1", "z2", "h1", "h2", ...(config.dropout ? ["d1", "d2"] : [])];
  const names = ["x1", "x2", ...PARAMETERS.slice(0, 6), ...units, ...PARAMETERS.slice(6), "f", "y", "L"];
  const writes = step.lines.map((line) => line.name);
  const cell = (name, kind) => {
    const mark = writes.includes(name) ? " writes" : step.reads.includes(name) ? " reads" : "";
    return `<td class="${kind}${mark}">${known.has(name) ? short(values[name], 6) : ""}</td>`;
  };
  const rows = names.map((name) => {
    const others = [...adam, "new"].map((prefix) => cell(`${prefix}.${name}`, "value"));
    const cells = [cell(name, "value"), cell(`g.${name}`, "gradient"), ...others];
    return `<tr><th scope="row">${symbolOf(name)}</th>${cells.join("")}</tr>`;
  });
  table.tBodies[0].innerHTML = rows.join("");
}
