// The page: settings to the worker, frames from it to the pictures.

import { fromHash, toHash } from "./config.mjs";
import { drawCurves } from "./view/curves.mjs";
import { choices, fitting, Form, isClasses } from "./view/form.mjs";
import { drawLayers } from "./view/layers.mjs";
import { drawNetwork } from "./view/network.mjs";
import { drawOutput } from "./view/output.mjs";
import { brief, readColours } from "./view/paint.mjs";
import { Points, pointsFrom, textOfPoints } from "./view/points.mjs";
import { copy, download, savePicture } from "./view/save.mjs";

const $ = (id) => document.getElementById(id);
const view = { config: null, data: null, outputs: null, layers: null, curves: [], epoch: 0, colours: readColours(), running: false, asked: false, stale: new Set() };
const source = new Blob([$("worker").textContent], { type: "text/javascript" });
const worker = new Worker(URL.createObjectURL(source));
let [form, points, own] = [null, null, null];

const answers = {
  ready({ activations }) {
    const options = choices(activations);
    own = pointsFrom(new URLSearchParams(given()).get("points"));
    form = new Form($("settings"), activations, apply);
    points = new Points($("output"), own, (changed) => {
      own = changed;
      apply({ ...view.config, data: "own" });
    }, fail);
    apply(fromHash(given(), options));
    window.addEventListener("hashchange", () => {
      if (location.hash.slice(1) === address()) return;
      own = pointsFrom(new URLSearchParams(given()).get("points"));
      apply(fromHash(given(), options));
    });
    requestAnimationFrame(tick);
  },
  data({ data }) {
    view.data = data;
    refresh();
  },
  frame(frame) {
    view.asked = false;
    if (frame.epoch === undefined || frame.from !== view.curves[0].length) return;
    frame.curves.forEach((curve, i) => view.curves[i].push(...curve));
    for (const key of ["outputs", "layers"]) if (frame[key]) view[key] = frame[key];
    if (frame.outputs || frame.layers || frame.epoch !== view.epoch) refresh();
    view.epoch = frame.epoch;
    if (frame.lost) fail(frame.lost === view.config.replicates ? "The training diverged: the loss is no number any more. A lower learning rate may help." : `${frame.lost} of the replicates diverged.`);
    if (frame.isOver && view.running) toggle(false);
    $("run").disabled = $("step").disabled = frame.isOver;
  },
  saved({ what, content }) {
    if (what === "safetensors") return download("playground.safetensors", content, "application/octet-stream");
    $("program").querySelector("pre").textContent = content;
    $("program").showModal();
  },
  failed({ message }) {
    fail(message);
  },
};
worker.onmessage = ({ data }) => answers[data.type](data);
worker.onerror = (event) => fail(event.message ?? "The training could not start.");

function fail(message) {
  $("fault").textContent = message;
  $("fault").hidden = !message;
}

// A link of the site has settings behind a question mark; the page itself keeps them behind a hash.
const given = () => location.hash.slice(1) || location.search.slice(1);

const address = () => [toHash(view.config) || "data=disk", view.config.data === "own" ? `points=${textOfPoints(own)}` : ""].filter(Boolean).join("&");

/** Take over settings, and begin anew. */
function apply(config) {
  view.config = fitting(config, own);
  toggle(false);
  form.write(view.config, own);
  history.replaceState(null, "", `#${address()}`);
  const isOwn = view.config.data === "own";
  $("draw-tools").hidden = !isOwn || own.width === 1;
  points.own = own;
  points.enabled = isOwn;
  $("output").classList.toggle("drawing", isOwn && own.width === 2);
  for (const [name, shows] of [["only-many", view.config.replicates > 1], ["only-classes", isClasses(view.config, own)]]) {
    for (const part of document.querySelectorAll(`.${name}`)) part.hidden = !shows;
  }
  $("showing").hidden = view.config.replicates === 1 || !isClasses(view.config, own);
  if ($("showing").hidden) $("shown").value = "mean";
  legend();
  restart();
}

function restart() {
  fail("");
  Object.assign(view, { outputs: null, layers: null, curves: [[], [], [], []], epoch: 0 });
  refresh();
  $("run").disabled = $("step").disabled = false;
  if (view.config.data === "own" && own.rows.length < 4) {
    view.data = { width: 2, train: rowsAsSamples(own.rows), test: rowsAsSamples([]) };
    $("run").disabled = $("step").disabled = true;
    return fail("Draw at least four points.");
  }
  worker.postMessage({ type: "start", config: view.config, own });
}

const rowsAsSamples = (rows) => ({ count: rows.length, x: rows.flatMap((row) => row.slice(0, 2)), y: rows.map((row) => row[2]) });

function toggle(running) {
  view.running = running;
  $("run").textContent = running ? "Pause" : "Run";
  worker.postMessage({ type: "run", running, speed: Number($("speed").value) });
}

// What is drawn in turn, a part for each frame of the screen, so that no frame takes long.
const PARTS = {
  output: ({ data, outputs, colours }) => drawOutput($("output"), { data, outputs, shown: $("shown").value, colours }),
  network: ({ config, data, outputs, colours }) => drawNetwork($("network"), { config, data, outputs, colours }),
  loss: ({ curves, epoch, colours }) => drawCurves($("loss-curve"), { name: "Loss", curves: curves.slice(0, 2), isShare: false, epoch, colours }),
  accuracy({ curves, epoch, colours }) {
    if (!$("accuracy-curve").hidden) drawCurves($("accuracy-curve"), { name: "Accuracy", curves: curves.slice(2), isShare: true, epoch, colours });
  },
  layers({ layers }) {
    drawLayers($("layers"), layers);
    say();
  },
};
// Milliseconds between two drawings of a part: the eye does not need more, and the page stays quick.
const PAUSES = { output: 33, network: 100, loss: 125, accuracy: 125, layers: 250 };
const drawnAt = Object.fromEntries(Object.keys(PARTS).map((name) => [name, -1e9]));

/** Once for each frame of the screen: draw the part that is overdue most, and ask for more. */
function tick(now) {
  const overdue = (name) => (now - drawnAt[name]) / PAUSES[name];
  const due = [...view.stale].filter((name) => overdue(name) >= 1).sort((a, b) => overdue(b) - overdue(a));
  if (due.length) {
    drawnAt[due[0]] = now;
    view.stale.delete(due[0]);
    PARTS[due[0]](view);
  }
  if (!view.asked) {
    view.asked = true;
    worker.postMessage({ type: "frame" });
  }
  requestAnimationFrame(tick);
}

function refresh() {
  for (const name of Object.keys(PARTS)) view.stale.add(name);
}

let saidAt = 0;
function say() {
  const [loss, testLoss, , accuracy] = view.curves.map((curve) => curve.at(-1)?.[0] ?? NaN);
  const percent = Number.isFinite(accuracy) ? `${(100 * accuracy).toFixed(1)} %` : "–";
  for (const [id, text] of [["epoch", `${view.epoch} of ${view.config.epochs}`], ["loss", brief(loss)], ["test-loss", brief(testLoss)], ["accuracy", percent]]) {
    if ($(id).textContent !== text) $(id).textContent = text;
  }
  if (view.running && performance.now() - saidAt < 4000) return;
  saidAt = performance.now();
  const words = view.epoch ? `Epoch ${view.epoch}: loss ${brief(loss)}, test loss ${brief(testLoss)}${isClasses(view.config, own) ? `, test accuracy ${percent}` : ""}` : "Not trained yet";
  if ($("said").textContent === words) return;
  $("said").textContent = words;
  $("output").setAttribute("aria-label", `Output of the network. ${words}.`);
  $("loss-curve").setAttribute("aria-label", `Loss by epoch. ${words}.`);
  $("network").setAttribute("aria-label", `Network with ${view.config.layers.map((l) => `${l.units} ${l.activation}`).join(", then ") || "no hidden"} units.`);
}

function legend() {
  const ramp = (a, b, c) => `<span class="ramp" style="background:linear-gradient(90deg, ${a}, ${b}, ${c})"></span>`;
  const { zero, middle, one } = view.colours;
  const spread = $("shown").value === "spread";
  $("output-legend").innerHTML = isClasses(view.config, own)
    ? `${spread ? "spread 0" : "class 0 (rings)"} ${ramp(zero, middle, one)} ${spread ? "0.5" : "class 1 (disks)"}, small: test points${spread ? "" : "; the line: one half"}`
    : "points of training and (small) test, and the output with its spread over the replicates";
}

$("run").addEventListener("click", () => toggle(!view.running));
$("step").addEventListener("click", () => {
  toggle(false);
  worker.postMessage({ type: "step" });
});
$("reset").addEventListener("click", () => {
  toggle(false);
  restart();
});
$("speed").addEventListener("change", () => toggle(view.running));
$("shown").addEventListener("change", redraw);
$("save-python").addEventListener("click", () => worker.postMessage({ type: "save", what: "python", address: `#${address()}` }));
$("save-safetensors").addEventListener("click", () => worker.postMessage({ type: "save", what: "safetensors", address: `#${address()}` }));
$("save-png").addEventListener("click", () => savePicture(["output", "loss-curve", "accuracy-curve", "network"].map($), getComputedStyle($("output-card")).backgroundColor));
$("copy-link").addEventListener("click", (event) => copy(location.href, event.target));
$("copy-program").addEventListener("click", (event) => copy($("program").querySelector("pre").textContent, event.target));
$("download-program").addEventListener("click", () => download("playground.py", $("program").querySelector("pre").textContent, "text/x-python"));
$("close-program").addEventListener("click", () => $("program").close());

function redraw() {
  view.colours = readColours();
  refresh();
  legend();
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
window.addEventListener("resize", refresh);

const bytes = Uint8Array.from(atob($("wasm").textContent), (letter) => letter.charCodeAt(0));
worker.postMessage({ type: "load", bytes });
