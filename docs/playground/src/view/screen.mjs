// Everything on the page that shows the training: pictures in turn, numbers, and words for those who hear the page.

import { drawCurves } from "./curves.mjs";
import { isClasses } from "./form.mjs";
import { drawLayers } from "./layers.mjs";
import { drawNetwork } from "./network.mjs";
import { drawOutput } from "./output.mjs";
import { brief, readColours } from "./paint.mjs";

export const $ = (id) => document.getElementById(id);

const PARTS = {
  output: ({ data, outputs }, colours) => drawOutput($("output"), { data, outputs, shown: $("shown").value, colours }),
  network: ({ config, data, outputs }, colours) => drawNetwork($("network"), { config, data, outputs, colours }),
  loss({ curves, epoch }, colours) {
    drawCurves($("loss-curve"), { name: "Loss", curves: curves.slice(0, 2), isShare: false, epoch, colours });
  },
  accuracy({ curves, epoch }, colours) {
    if ($("accuracy-curve").hidden) return;
    drawCurves($("accuracy-curve"), { name: "Accuracy", curves: curves.slice(2), isShare: true, epoch, colours });
  },
  layers: ({ layers }) => drawLayers($("layers"), layers),
};

// Milliseconds between two drawings of a part: the eye does not need more, and the page stays quick.
const PAUSES = { output: 33, network: 100, loss: 125, accuracy: 125, layers: 250 };
const SILENCE = 4000; // milliseconds between two announcements

export class Screen {
  /** @param {object} state what is shown: config, own, data, outputs, layers, curves, epoch, running */
  constructor(state) {
    this.state = state;
    this.stale = new Set();
    this.drawnAt = Object.fromEntries(Object.keys(PARTS).map((name) => [name, -1e9]));
    this.saidAt = 0;
    this.recolour();
  }

  /** Something has changed: draw each part again, in its turn. */
  refresh() {
    for (const name of Object.keys(PARTS)) this.stale.add(name);
  }

  recolour() {
    this.colours = readColours();
    this.refresh();
  }

  /** Draw the part that is overdue most. One part for each frame of the screen, so that no frame takes long. */
  draw(now) {
    const overdue = (name) => (now - this.drawnAt[name]) / PAUSES[name];
    const due = [...this.stale].filter((name) => overdue(name) >= 1).sort((a, b) => overdue(b) - overdue(a));
    if (!due.length) return;
    const [name] = due;
    this.drawnAt[name] = now;
    this.stale.delete(name);
    PARTS[name](this.state, this.colours);
    if (name === "layers") this.#say(now);
  }

  #say(now) {
    const { config, own, curves, epoch, running } = this.state;
    const [loss, testLoss, , accuracy] = curves.map((curve) => curve.at(-1)?.[0] ?? NaN);
    const percent = Number.isFinite(accuracy) ? `${(100 * accuracy).toFixed(1)} %` : "–";
    const texts = {
      epoch: `${epoch} of ${config.epochs}`,
      loss: brief(loss),
      "test-loss": brief(testLoss),
      accuracy: percent,
    };
    for (const [id, text] of Object.entries(texts)) if ($(id).textContent !== text) $(id).textContent = text;
    if (running && now - this.saidAt < SILENCE) return;
    this.saidAt = now;
    const right = isClasses(config, own) ? `, test accuracy ${percent}` : "";
    const words = epoch
      ? `Epoch ${epoch}: loss ${brief(loss)}, test loss ${brief(testLoss)}${right}`
      : "Not trained yet";
    if ($("said").textContent === words) return;
    $("said").textContent = words;
    $("output").setAttribute("aria-label", `Output of the network. ${words}.`);
    $("loss-curve").setAttribute("aria-label", `Loss by epoch. ${words}.`);
    const layers = config.layers.map((layer) => `${layer.units} ${layer.activation}`).join(", then ");
    $("network").setAttribute("aria-label", `Network with ${layers || "no hidden"} units.`);
  }

  /** Say below the picture what its colours mean. */
  legend() {
    const { zero, middle, one } = this.colours;
    const ramp = Object.assign(document.createElement("span"), { className: "ramp" });
    ramp.style.background = `linear-gradient(90deg, ${zero}, ${middle}, ${one})`;
    const { config, own } = this.state;
    const names = config.data === "own" && own.classes?.length ? own.classes.map((name) => `, ${name}`) : ["", ""];
    const words = !isClasses(config, own)
      ? ["points of training and (small) test, and the output with its spread over the replicates"]
      : $("shown").value === "spread"
        ? ["spread 0 ", ramp, " 0.5, small: test points"]
        : [`class 0${names[0]} (rings) `, ramp, ` class 1${names[1]} (disks), small: test points; the line: one half`];
    $("output-legend").replaceChildren(...words);
  }
}
