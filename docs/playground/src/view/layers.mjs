// The table of layers: histograms of outputs and gradients, dead and saturated units.

import { brief } from "./paint.mjs";

const [WIDE, TALL] = [150, 34];
const DRAWING = `<svg role="img" viewBox="0 0 ${WIDE} ${TALL}" preserveAspectRatio="none"><path/></svg>`;
const PICTURE = `<td>${DRAWING}<small></small></td>`;

/** Make the rows anew where layers have changed. */
export function makeRows(table, layers) {
  const body = table.tBodies[0];
  const key = layers.map((l) => `${l.units}${l.activation}`).join();
  if (body.dataset.key === key) return body.rows;
  body.dataset.key = key;
  body.replaceChildren(
    ...layers.map(({ units, activation }, i) => {
      const row = document.createElement("tr");
      row.innerHTML = `<th scope="row">${i + 1}: ${units} ${activation}</th>${PICTURE}${PICTURE}<td></td><td></td>`;
      return row;
    }),
  );
  return body.rows;
}

export function drawLayers(table, layers) {
  if (!layers) return;
  const rows = makeRows(table, layers);
  layers.forEach((layer, i) => {
    const { cells } = rows[i];
    drawHistogram(cells[1], "Outputs", layer.outputs);
    drawHistogram(cells[2], "Gradients", layer.gradients);
    cells[3].textContent = layer.dead === null ? "–" : `${layer.dead} of ${layer.units}`;
    cells[4].textContent = layer.saturated === null ? "–" : `${Math.round(100 * layer.saturated)} %`;
  });
}

function drawHistogram(cell, name, { least, most, counts }) {
  const [drawing, label] = cell.children;
  const highest = Math.max(1, ...counts); // there are no counts where a number is infinite
  const step = WIDE / counts.length;
  const bars = Array.from(
    counts,
    (count, i) => `M${i * step} ${TALL}v${(-TALL * count) / highest}h${step - 1}V${TALL}z`,
  );
  drawing.firstChild.setAttribute("d", bars.join(""));
  label.textContent = `${brief(least)} … ${brief(most)}`;
  drawing.setAttribute("aria-label", `${name} from ${brief(least)} to ${brief(most)}`);
}
