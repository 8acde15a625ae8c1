// The fields for all numbers and choices.

import { accepted } from "../config.mjs";
import { symbolOf } from "../formula.mjs";

const FIELDS = {
  sample: ["x1", "x2", "y"],
  "hidden-layer": ["w11", "w12", "b1", "w21", "w22", "b2"],
  "output-layer": ["u1", "u2", "c"],
  training: ["lr", "p"],
};
const WORDS = { lr: "Learning rate", p: "p of dropout" };

export class Form {
  /** @param {HTMLFormElement} form @param {(change: object) => void} changed gets what is new of the settings */
  constructor(form, changed) {
    this.form = form;
    for (const [id, names] of Object.entries(FIELDS)) {
      const field = (name) => `${WORDS[name] ?? symbolOf(name)} <input type="number" step="any" name="${name}">`;
      const labels = names.map((name) => `<label>${field(name)}</label>`);
      document.getElementById(id).insertAdjacentHTML("beforeend", labels.join(""));
    }
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", ({ target }) => this.read(target, changed));
    form.addEventListener("change", ({ target }) => target.type === "number" && this.write(this.config));
  }

  read(field, changed) {
    const { config } = this;
    if (field.type === "number") {
      const number = accepted(field.name, field.value, null);
      field.setAttribute("aria-invalid", String(number === null));
      if (number !== null) changed({ numbers: { ...config.numbers, [field.name]: number } });
    } else if (field.name.startsWith("mask")) {
      changed({ mask: [1, 2].map((i) => Number(this.form.elements[`mask${i}`].checked)) });
    } else if (field.name === "dropout") {
      changed({ dropout: field.checked });
    } else {
      changed({ [field.name]: field.value });
    }
  }

  /**
   * Write the settings into the fields, but not over what is being typed.
   *
   * @param {import("../config.mjs").Config} config
   * @param {Element | null} typed
   */
  write(config, typed = null) {
    this.config = config;
    const fields = this.form.elements;
    for (const [name, number] of Object.entries(config.numbers)) {
      if (fields[name] === typed) continue;
      fields[name].value = String(Number(number.toPrecision(6)));
      fields[name].removeAttribute("aria-invalid");
    }
    for (const name of ["activation", "optimizer"]) fields[name].value = config[name];
    fields.dropout.checked = config.dropout;
    [1, 2].forEach((i) => (fields[`mask${i}`].checked = config.mask[i - 1] === 1));
    document.getElementById("mask").hidden = !config.dropout;
    fields.p.closest("label").hidden = !config.dropout;
  }
}
