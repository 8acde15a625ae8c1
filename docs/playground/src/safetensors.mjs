// The network as a file of the format safetensors: the length of a header, the header as JSON, and the numbers. Under
// "minidl" its metadata describe the layers as `minidl.save` does, so that `minidl.load` builds the network.

/**
 * @param {import("./network.mjs").Network} network
 * @param {Record<string, string>} metadata
 * @returns {Uint8Array} little-endian, as the format wants it and WebAssembly has it
 */
export function toSafetensors(network, metadata = {}) {
  const { replicates, size } = network;
  const values = network.values.view;
  const lead = replicates > 1 ? [replicates] : [];
  const header = { __metadata__: { ...metadata, minidl: JSON.stringify(descriptionOf(network)) } };
  const parts = [];
  let start = 0;
  for (const [name, at, shape] of parametersOf(network)) {
    const count = shape.reduce((a, b) => a * b);
    for (let r = 0; r < replicates; ++r) parts.push(values.subarray(r * size + at, r * size + at + count));
    const end = start + 4 * replicates * count;
    header[name] = { dtype: "F32", shape: [...lead, ...shape], data_offsets: [start, end] };
    start = end;
  }
  return joined(header, parts, start);
}

function descriptionOf({ layers, replicates }) {
  const inside = { in_features: layers[0].in, out_features: layers.at(-1).out };
  const children = Object.fromEntries(layers.map((layer, i) => [i, recordOf(layer)]));
  return {
    format: 1,
    minidl: "playground",
    dtype: "float32",
    replicate_shape: replicates > 1 ? [replicates] : [],
    network: { kind: "Sequential", ...inside, children },
  };
}

function recordOf(layer) {
  const { kind, in: n, out } = layer;
  if (kind === "Linear") return { kind, in_features: n, out_features: out, params: { weight: [out, n], bias: [out] } };
  const options = { ...layer.settings };
  if (kind === "GELU") options.approximate = options.approximate ? "tanh" : "none"; // a number for the kernels
  return { kind, options };
}

function parametersOf({ layers }) {
  return layers.flatMap((layer, i) =>
    layer.weight < 0
      ? []
      : [
          [`${i}.weight`, layer.weight, [layer.out, layer.in]],
          [`${i}.bias`, layer.bias, [layer.out]],
        ],
  );
}

function joined(header, parts, bytes) {
  const text = JSON.stringify(header);
  const words = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8)); // numbers begin aligned
  const file = new Uint8Array(8 + words.length + bytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(words.length), true);
  file.set(words, 8);
  let at = 8 + words.length;
  for (const part of parts) {
    file.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += part.byteLength;
  }
  return file;
}
