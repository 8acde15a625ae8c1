// Points of the visitor: drawn in the picture, typed as a table, opened or dropped as a file.

import { MOST_POINTS } from "../address.mjs";
import { short } from "../data.mjs";
import { isInside } from "../observe.mjs";
import { OwnDataError, readTable, standardised, thinned } from "../own.mjs";
import { pointAt } from "./output.mjs";

const NEAR = 0.09;
/** Points with classes as samples, to be shown. */
export const samplesOf = (rows) => ({
  count: rows.length,
  x: rows.flatMap((row) => row.slice(0, 2)),
  y: rows.map((row) => row[2]),
});

export class Points {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(own: {rows: number[][], width: number, classes?: string[]}) => void} changed gets the new points, and the
   *   names of their classes if a table has them
   * @param {(message: string) => void} failed
   */
  constructor(canvas, changed, failed) {
    Object.assign(this, { canvas, own: null, changed, failed, enabled: false, drawing: false });
    const on = (id, event, act) => document.getElementById(id).addEventListener(event, act);
    on("clear", "click", () => this.changed({ rows: [], width: 2 }));
    on("use-table", "click", () => this.#take(document.getElementById("table").value));
    on("file", "change", async (event) => {
      const [file] = event.target.files;
      const text = await file?.text();
      event.target.value = ""; // so that the same file can be opened again after it was changed
      if (text !== undefined) this.#take(text);
    });
    this.#dropping(document.getElementById("table"));
    canvas.addEventListener("pointerdown", (event) => this.#begin(event));
    canvas.addEventListener("pointermove", (event) => this.drawing && this.#draw(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => this.#end());
  }

  /** The points as they are now; they can be drawn where they are shown, in the plane. */
  take(own, isShown) {
    this.own = own;
    this.enabled = isShown && own.width === 2;
    document.getElementById("draw-tools").hidden = !this.enabled;
    this.canvas.classList.toggle("drawing", this.enabled);
  }

  #dropping(area) {
    area.addEventListener("dragover", (event) => {
      event.preventDefault();
      area.classList.add("over");
    });
    area.addEventListener("dragleave", () => area.classList.remove("over"));
    area.addEventListener("drop", async (event) => {
      event.preventDefault();
      area.classList.remove("over");
      const [file] = event.dataTransfer.files;
      this.#take(file ? await file.text() : event.dataTransfer.getData("text"));
    });
  }

  #take(text) {
    document.getElementById("table").value = text.slice(0, 1e5);
    try {
      const { rows, width, classes } = readTable(text);
      const used = thinned(standardised(rows), MOST_POINTS);
      this.changed({ rows: used, width, classes });
      const outside = used.filter((row) => !isInside(row, width)).length;
      const notes = [
        rows.length > MOST_POINTS && `Of ${rows.length} rows ${MOST_POINTS} are used, evenly spaced.`,
        outside && `${outside} of the points lie outside the picture, and are used all the same.`,
      ].filter(Boolean);
      if (notes.length) this.failed(notes.join(" "));
    } catch (error) {
      if (!(error instanceof OwnDataError)) throw error;
      this.failed(`The table was not read. ${error.message}`);
    }
  }

  #begin(event) {
    if (!this.enabled) return;
    this.drawing = true;
    this.canvas.setPointerCapture(event.pointerId);
    this.#draw(event);
  }

  #draw(event) {
    const [x, y] = pointAt(this.canvas, event).map(short);
    const tool = document.querySelector("input[name=tool]:checked").value;
    const near = (row) => Math.hypot(row[0] - x, row[1] - y) < NEAR;
    const { rows } = this.own;
    const change = (changed) => this.changed({ ...this.own, rows: changed });
    if (tool === "erase") return change(rows.filter((row) => !near(row)));
    const isThere = rows.some((row) => near(row) && row[2] === Number(tool));
    if (rows.length < MOST_POINTS && !isThere) change([...rows, [x, y, Number(tool)]]);
  }

  #end() {
    this.drawing = false;
  }
}
