// The table of layers: histograms of outputs and gradients, dead and saturated units.

import { brief, sharp } from "./paint.mjs";

/** Make the rows anew where layers have changed. */
export function makeRows(table, layers) {
  const body = table.tBodies[0];
  const key = layers.map((l) => `${l.units}${l.activation}`).join();
  if (body.dataset.key === key) return body.rows;
  body.dataset.key = key;
  body.replaceChildren(...layers.map(({ units, activation }, i) => {
    const row = document.createElement("tr");
    row.innerHTML = `<th scope="row">${i + 1}: ${units} ${activation}</th><td><canvas role="img"></canvas><small></small></td><td><canvas role="img"></canvas><small></small></td><td></td><td></td>`;
    return row;
  }));
  return body.rows;
}

export function drawLayers(table, layers, colours) {
  if (!layers) return;
  const rows = makeRows(table, layers);
  layers.forEach((layer, i) => {
    const { cells } = rows[i];
    drawHistogram(cells[1], "Outputs", layer.outputs, colours.one, colours);
    drawHistogram(cells[2], "Gradients", layer.gradients, colours.test, colours);
    cells[3].textContent = layer.dead === null ? "–" : `${layer.dead} of ${layer.units}`;
    cells[4].textContent = layer.saturated === null ? "–" : `${Math.round(100 * layer.saturated)} %`;
  });
}

function drawHistogram(cell, name, { least, most, counts }, style, colours) {
  const [canvas, label] = cell.children;
  const { context, width, height } = sharp(canvas);
  const highest = Math.max(...counts);
  context.fillStyle = style;
  counts.forEach((count, i) => {
    const tall = (count / highest) * (height - 2);
    context.fillRect((i * width) / counts.length, height - 1 - tall, width / counts.length - 1, tall);
  });
  context.fillStyle = colours.line;
  context.fillRect(0, height - 1, width, 1);
  label.textContent = `${brief(least)} … ${brief(most)}`;
  canvas.setAttribute("aria-label", `${name} from ${brief(least)} to ${brief(most)}`);
}
