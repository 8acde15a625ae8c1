// The page: settings go to the worker, frames come from it to the screen.

import { addressOf, pointsFrom } from "./address.mjs";
import { fromHash, toHash } from "./config.mjs";
import { choices, fitting, Form, isClasses } from "./view/form.mjs";
import { Points, samplesOf } from "./view/points.mjs";
import { copy, download, savePicture } from "./view/save.mjs";
import { $, Screen } from "./view/screen.mjs";

const view = { config: null, own: null, data: null, outputs: null, layers: null, curves: [], epoch: 0, running: false };
const screen = new Screen(view);
const source = new Blob([$("worker").textContent], { type: "text/javascript" });
const worker = new Worker(URL.createObjectURL(source));
let [form, points, run, asked] = [null, null, 0, false];

const answers = {
  ready({ activations }) {
    const options = choices(activations);
    const begin = () => {
      view.own = pointsFrom(new URLSearchParams(given()));
      apply(fromHash(given(), options));
    };
    form = new Form($("settings"), activations, apply);
    points = new Points($("output"), takeOwn, fail);
    begin();
    window.addEventListener("hashchange", () => location.hash.slice(1) !== address() && begin());
    requestAnimationFrame(tick);
  },
  data({ data }) {
    view.data = data;
    screen.refresh();
  },
  frame(frame) {
    asked = false;
    if (frame.run !== run) return; // of settings that were left
    frame.curves.forEach((curve, i) => view.curves[i].push(...curve));
    if (frame.outputs || frame.layers || frame.epoch !== view.epoch) screen.refresh();
    for (const key of ["outputs", "layers"]) if (frame[key]) view[key] = frame[key];
    view.epoch = frame.epoch;
    if (frame.lost) fail(wordsOfLost(frame.lost));
    if (frame.isOver && view.running) toggle(false);
    const buttons = [$("run"), $("step")];
    if (frame.isOver && buttons.includes(document.activeElement)) $("reset").focus(); // a disabled one would lose it
    for (const button of buttons) button.disabled = frame.isOver;
  },
  saved({ what, content }) {
    if (what === "safetensors") return download("playground.safetensors", content, "application/octet-stream");
    $("program").querySelector("pre").textContent = content;
    $("program").showModal();
  },
  failed: ({ message }) => fail(message),
};
worker.onmessage = ({ data }) => answers[data.type](data);
worker.onerror = (event) => fail(event.message ?? "The training could not start.");

function fail(message) {
  $("fault").textContent = message;
  $("fault").hidden = !message;
}

function wordsOfLost(lost) {
  if (lost < view.config.replicates) return `${lost} of the replicates diverged.`;
  return "The training diverged: the loss is no number any more. A lower learning rate may help.";
}

// A link of the site has settings behind a question mark; the page itself keeps them behind a hash.
const given = () => location.hash.slice(1) || location.search.slice(1);

function address() {
  const settings = toHash(view.config) || "data=disk";
  return view.config.data === "own" ? `${settings}&${addressOf(view.own)}` : settings;
}

// Points are drawn faster than a browser lets an address change.
let remembering = 0;
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => history.replaceState(null, "", `#${address()}`), 250);
}

function takeOwn(own) {
  view.own = own;
  apply({ ...view.config, data: "own" });
}

/** Take over settings, and begin anew. */
function apply(config) {
  const { own } = view;
  view.config = fitting(config, own);
  toggle(false);
  form.write(view.config, own);
  remember();
  points.take(own, view.config.data === "own");
  const many = view.config.replicates > 1;
  show(".only-many", many);
  show(".only-classes", isClasses(view.config, own));
  show("#showing", many && isClasses(view.config, own));
  if ($("showing").hidden) $("shown").value = "mean";
  screen.legend();
  restart();
}

function show(selector, isShown) {
  for (const part of document.querySelectorAll(selector)) part.hidden = !isShown;
}

function restart() {
  const { config, own } = view;
  const tooFew = config.data === "own" && own.rows.length < 4;
  fail(tooFew ? "Draw at least four points." : "");
  Object.assign(view, { outputs: null, layers: null, curves: [[], [], [], []], epoch: 0 });
  screen.refresh();
  for (const id of ["run", "step", "save-python", "save-safetensors"]) $(id).disabled = tooFew;
  run += 1;
  if (tooFew) view.data = { width: 2, train: samplesOf(own.rows), test: samplesOf([]) };
  else worker.postMessage({ type: "start", run, config, own });
}

function toggle(running) {
  view.running = running;
  $("run").textContent = running ? "Pause" : "Run";
  worker.postMessage({ type: "run", running, speed: Number($("speed").value) });
}

/** Once for each frame of the screen: draw something, and ask for more. */
function tick(now) {
  requestAnimationFrame(tick); // first, so that a fault in a picture does not end all drawing
  if (!asked) worker.postMessage({ type: "frame" });
  asked = true;
  screen.draw(now);
}

const program = () => $("program").querySelector("pre").textContent;
const save = (what) => worker.postMessage({ type: "save", what, address: `#${address()}` });
const recolour = () => {
  screen.recolour();
  screen.legend();
};
const clicks = {
  run: () => toggle(!view.running),
  step() {
    toggle(false);
    worker.postMessage({ type: "step" });
  },
  reset() {
    toggle(false);
    restart();
  },
  "save-python": () => save("python"),
  "save-safetensors": () => save("safetensors"),
  "save-png"() {
    const pictures = ["output", "loss-curve", "accuracy-curve", "network"].map($);
    savePicture(pictures, getComputedStyle($("output-card")).backgroundColor);
  },
  "copy-link": (event) => copy(location.href.replace(/[?#].*$/, `#${address()}`), event.target),
  "copy-program": (event) => copy(program(), event.target),
  "download-program": () => download("playground.py", program(), "text/x-python"),
  "close-program": () => $("program").close(),
};
for (const [id, act] of Object.entries(clicks)) $(id).addEventListener("click", act);
$("speed").addEventListener("change", () => toggle(view.running));
$("shown").addEventListener("change", recolour);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
window.addEventListener("resize", () => screen.refresh());

const bytes = Uint8Array.from(atob($("wasm").textContent), (letter) => letter.charCodeAt(0));
worker.postMessage({ type: "load", bytes });
