// The page: a network, the step of it that is shown, and what the buttons and keys do.

import { afterStep, defaults, fromHash, NUMBERS, PARAMETERS, toHash } from "./config.mjs";
import { drawNetwork } from "./view/drawing.mjs";
import { Form } from "./view/form.mjs";
import { showStep, showValues } from "./view/panel.mjs";
import { walk } from "./walk.mjs";

const byId = (id) => document.getElementById(id);
const sources = JSON.parse(byId("sources").textContent);
const PHASES = ["Start", "Forward", "Backward", "Update"];
const state = { config: defaults(), trail: null, at: 0 };
const form = new Form(byId("numbers"), (change) => {
  const forgets = change.optimizer ? { t: 0, m: defaults().m, v: defaults().v } : {};
  take({ ...state.config, ...change, ...forgets }, document.activeElement);
});

/** Take over settings; the same step stays in view, if there still is such a step. */
function take(config, typed = null) {
  const shown = state.trail?.steps[state.at].title;
  state.config = config;
  state.trail = walk(config);
  const same = state.trail.steps.findIndex((step) => step.title === shown);
  if (same >= 0) state.at = same;
  form.write(config, typed);
  byId("at").max = state.trail.steps.length - 1;
  byId("again").disabled = !PARAMETERS.every((name) => Number.isFinite(state.trail.values[`new.${name}`]));
  show(state.at);
}

function show(at) {
  const { steps, values } = state.trail;
  state.at = Math.max(0, Math.min(steps.length - 1, at));
  const step = steps[state.at];
  const known = new Set([...NUMBERS.slice(0, 3), ...PARAMETERS]);
  for (const { lines } of steps.slice(0, state.at + 1)) for (const { name } of lines) known.add(name);
  const view = { values, step, known };
  showStep(step, sources);
  drawNetwork(byId("drawing"), state.config, view);
  showValues(byId("values").querySelector("table"), state.config, view);
  byId("at").value = state.at;
  byId("at").setAttribute("aria-valuetext", `${state.at} of ${steps.length - 1}: ${step.title}`);
  byId("count").textContent = `${state.at} of ${steps.length - 1}`;
  byId("back").disabled = state.at === 0;
  byId("next").disabled = state.at === steps.length - 1;
  for (const button of byId("phases").children) {
    if (button.textContent === step.phase) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  }
  remember();
}

// Steps change faster, with a key held down, than a browser lets an address change.
let waiting = 0;
function remember() {
  clearTimeout(waiting);
  waiting = setTimeout(() => history.replaceState(null, "", `#${address()}`), 250);
}

const address = () => [toHash(state.config), `step=${state.at}`].filter(Boolean).join("&");

// A link of the site has settings behind a question mark; the page itself keeps them behind a hash.
function begin() {
  const given = location.hash.slice(1) || location.search.slice(1);
  state.trail = null;
  state.at = Math.max(0, Math.trunc(Number(new URLSearchParams(given).get("step")) || 0));
  take(fromHash(given));
}

function randomNumbers() {
  const numbers = { ...state.config.numbers };
  for (const name of [...PARAMETERS, "x1", "x2", "y"]) numbers[name] = Math.round(300 * (Math.random() - 0.5)) / 100;
  return { ...state.config, numbers, t: 0, m: defaults().m, v: defaults().v };
}

const clicks = {
  back: () => show(state.at - 1),
  next: () => show(state.at + 1),
  again() {
    state.at = 0;
    take(afterStep(state.config, state.trail.values));
  },
  random: () => take(randomNumbers()),
  reset: () => take(defaults()),
};
for (const [id, act] of Object.entries(clicks)) byId(id).addEventListener("click", act);
for (const phase of PHASES) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: phase });
  button.addEventListener("click", () => show(state.trail.steps.findIndex((step) => step.phase === phase)));
  byId("phases").append(button);
}
byId("at").addEventListener("input", ({ target }) => show(Number(target.value)));
const KEYS = { ArrowLeft: -1, ArrowRight: 1 };
document.addEventListener("keydown", (event) => {
  const usesArrows = event.target.closest?.("input, select, .scroll");
  if (usesArrows || event.altKey || event.ctrlKey || event.metaKey || !KEYS[event.key]) return;
  event.preventDefault();
  show(state.at + KEYS[event.key]);
});
window.addEventListener("hashchange", () => location.hash.slice(1) !== address() && begin());
begin();
