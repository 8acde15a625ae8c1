// A training as a Python program, which minidl runs to the same numbers.

import { rateInPython } from "./schedules.mjs";

/** @param {import("./config.mjs").Config} config @param {import("./data.mjs").Data} data @param {string} address */
export function toPython(config, data, address = "") {
  const { replicates, seed } = config;
  const n = data.train.count;
  const lines = [
    `"""A training of minidl's playground${address ? `, ${address}` : ""}."""`,
    "",
    "import minidl",
    "import numpy as np",
    "",
    ...dataLines(config, data),
    "",
    "def build(rng):",
    "    return minidl.Sequential([",
    ...layerLines(config, data),
    "    ])",
    "",
    "",
    ...modelLines(replicates, seed),
    "",
    `loss = minidl.${config.loss}("mean")`,
    `optimizer = ${optimizerLine(config, data)}`,
    "history = minidl.fit(",
    `    model, loss, optimizer, x[:${n}], y[:${n}], epochs=${config.epochs}, batch_size=${config.batch}, rng=rng,`,
    `    validation=(x[${n}:], y[${n}:])${data.isClasses ? ", accuracy=True" : ""},`,
    ")",
    'print("training loss", history.loss[-1], "test loss", history.val_loss[-1])',
    "",
  ];
  return lines.join("\n");
}

function dataLines(config, { train, test, width }) {
  const rowOf = ({ x, y }, i) => [...x.slice(i * width, (i + 1) * width), y[i]].map((v) => Number(v.toFixed(4)));
  const rows = [train, test].flatMap((part) => Array.from({ length: part.count }, (_, i) => rowOf(part, i)));
  const perLine = 8;
  const text = Array.from({ length: Math.ceil(rows.length / perLine) }, (_, i) =>
    rows
      .slice(i * perLine, (i + 1) * perLine)
      .map((row) => row.join(","))
      .join(" "),
  );
  const target = config.loss === "CrossEntropyLoss" ? `table[:, ${width}].astype(int)` : `table[:, ${width}:]`;
  return [
    'TABLE = """',
    ...text,
    '"""',
    'table = np.array([row.split(",") for row in TABLE.split()], np.float32)',
    `x, y = table[:, :${width}].copy(), ${target.endsWith(":]") ? `${target}.copy()` : target}`,
    "",
  ];
}

function layerLines(config, { width }) {
  const lines = [];
  const init = config.init === "he" ? "" : `, init="${config.init}"`;
  const linear = (n, out) => `        minidl.Linear(${n}, ${out}${init}, rng=rng),`;
  for (const { units, activation, dropout } of config.layers) {
    lines.push(linear(width, units), `        minidl.${activation}(),`);
    if (dropout) lines.push(`        minidl.Dropout(${dropout}, rng=rng),`);
    width = units;
  }
  return [...lines, linear(width, config.loss === "CrossEntropyLoss" ? 2 : 1)];
}

function modelLines(replicates, seed) {
  if (replicates === 1) return [`rng = np.random.default_rng(${seed})`, "model = build(rng)"];
  return [
    `rng = [np.random.default_rng(seed) for seed in range(${seed}, ${seed + replicates})]`,
    "model = minidl.replicate(build, rng)",
  ];
}

function optimizerLine(config, data) {
  const steps = config.epochs * Math.ceil(data.train.count / config.batch);
  const settings = [`model, ${rateInPython(config.schedule, config.lr, steps)}`];
  if (config.optimizer === "SGD" && config.momentum) settings.push(`momentum=${config.momentum}`);
  if (config.decay || config.optimizer === "AdamW") settings.push(`weight_decay=${config.decay}`);
  return `minidl.${config.optimizer}(${settings.join(", ")})`;
}
