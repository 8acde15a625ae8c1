// The training in a thread of its own. It answers each message `frame` with what has changed.

import { activationsOf } from "./config.mjs";
import { loadEngine } from "./engine.mjs";
import { bandOf, layerFacts, outputs, responses } from "./observe.mjs";
import { ownData } from "./own.mjs";
import { toPython } from "./python.mjs";
import { toSafetensors } from "./safetensors.mjs";
import { dataOf, Session } from "./session.mjs";

const [SLICE, PAUSE] = [10, 4]; // milliseconds of training, and between two slices
const SENT_CURVES = ["loss", "testLoss", "accuracy", "testAccuracy"];

// `owed`: epochs that the speed asks for; `sent`: epochs whose curves were sent; `seen`: epoch of the last full frame.
const state = { run: 0, session: null, data: null, running: false, speed: 60, owed: 0, last: 0, sent: 0, seen: -1 };
const LEAST = { outputs: 25, layers: 150 }; // milliseconds between two of them
const costs = { outputs: 0, layers: 0 }; // when each may be made again

const tasks = {
  async load({ bytes }) {
    state.engine = await loadEngine(bytes);
    postMessage({ type: "ready", activations: activationsOf(state.engine) });
  },
  start({ run, config, own }) {
    state.session?.free();
    state.run = run;
    state.data = config.data === "own" ? ownData(own.rows, own.width) : dataOf(state.engine, config);
    state.session = new Session(state.engine, config, state.data);
    Object.assign(state, { owed: 0, sent: 0, seen: -1 });
    Object.assign(costs, { outputs: 0, layers: 0 });
    postMessage({ type: "data", data: state.data });
  },
  run({ running, speed }) {
    Object.assign(state, { running, speed, last: performance.now() });
    if (running) work();
  },
  step() {
    if (!state.session.isOver) state.session.epoch();
  },
  frame() {
    postMessage(snapshot());
  },
  save({ what, address }) {
    const { session, data } = state;
    const metadata = { made_by: "minidl playground", settings: address };
    const makers = {
      python: () => toPython(session.config, data, address.replace(/&points=.*/, "")), // the table has them
      safetensors: () => toSafetensors(session.network, metadata),
    };
    const content = makers[what]();
    postMessage({ type: "saved", what, content });
  },
};

onmessage = ({ data: message }) => {
  try {
    Promise.resolve(tasks[message.type](message)).catch(fail);
  } catch (error) {
    fail(error);
  }
};

function fail(error) {
  postMessage({ type: "failed", message: String(error?.message ?? error) });
}

let waiting = 0;

/** Train for a slice, and again after a pause in which messages are handled and the page can draw. */
function work() {
  clearTimeout(waiting);
  const { session } = state;
  if (!state.running || !session) return;
  const start = performance.now();
  state.owed = Math.min(state.owed + ((start - state.last) * state.speed) / 1000, state.speed);
  state.last = start;
  while (state.owed >= 1 && !session.isOver && performance.now() - start < SLICE) {
    session.epoch();
    state.owed -= 1;
  }
  if (session.isOver) state.running = false;
  else waiting = setTimeout(work, PAUSE);
}

// What takes long is made less often, so that it takes a third of the time at most.
function isDue(name, make) {
  const start = performance.now();
  if (start < costs[name]) return undefined;
  const made = make();
  const end = performance.now();
  costs[name] = end + Math.max(LEAST[name], 2 * (end - start));
  return made;
}

function snapshot() {
  const { session, sent } = state;
  const frame = { type: "frame", run: state.run };
  if (!session) return { ...frame, run: -1 };
  Object.assign(frame, { epoch: session.epochs, isOver: session.isOver, from: sent });
  frame.curves = SENT_CURVES.map((name) => session.curves[name].slice(sent).map(bandOf));
  frame.lost = session.epochs ? session.curves.loss.at(-1).filter((x) => !Number.isFinite(x)).length : 0;
  state.sent = session.epochs;
  if (state.seen === session.epochs) return frame;
  // The last frame of a run shows everything as it is in the end.
  if (!state.running) Object.assign(costs, { outputs: 0, layers: 0 });
  frame.outputs = isDue("outputs", () => {
    const values = session.network.values.view.slice(0, session.network.size);
    return { ...outputs(session), units: responses(session), values };
  });
  frame.layers = isDue("layers", () => layerFacts(session));
  if (frame.outputs && frame.layers) state.seen = session.epochs;
  return frame;
}
