// Points of the visitor: text with commas, semicolons, tabs or blanks between its columns, and points drawn by hand.

import { short, split } from "./data.mjs";

export class OwnDataError extends Error {}

/**
 * Read a table: x1, x2 and a class, or x and y. A first line of words is a header.
 * @returns {{rows: number[][], width: number, classes: string[]}}
 */
export function readTable(text) {
  const texts = text.split(/\r?\n/).map((line) => line.trim());
  const lines = texts.filter(Boolean).map((line) => line.split(/\s*[,;\t]\s*|\s+/));
  if (lines.length && lines[0].slice(0, 2).some((cell) => Number.isNaN(Number(cell)))) lines.shift();
  if (lines.length < 4) throw new OwnDataError(`Expected at least 4 rows, got ${lines.length}.`);
  const columns = lines[0].length;
  if (columns !== 2 && columns !== 3) throw new OwnDataError(`Expected 2 or 3 columns, got ${columns}.`);
  const wrong = lines.findIndex((line) => line.length !== columns);
  if (wrong >= 0) {
    throw new OwnDataError(`Expected ${columns} columns in each row, got ${lines[wrong].length} in row ${wrong + 1}.`);
  }
  return columns === 3 ? withClasses(lines) : { rows: lines.map(numbersOf), width: 1, classes: [] };
}

function withClasses(lines) {
  const classes = [...new Set(lines.map((line) => line[2]))].sort();
  if (classes.length !== 2) throw new OwnDataError(`Expected 2 classes in the third column, got ${classes.length}.`);
  const rows = lines.map((line, i) => [...numbersOf(line.slice(0, 2), i), classes.indexOf(line[2])]);
  return { rows, width: 2, classes };
}

function numbersOf(cells, i) {
  const numbers = cells.map(Number);
  if (!numbers.every(Number.isFinite))
    throw new OwnDataError(`Expected numbers in row ${i + 1}, got ${cells.join(", ")}.`);
  return numbers;
}

/** Columns of mean 0 and standard deviation 1/2, so that they fill the picture. Classes stay. */
export function standardised(rows) {
  const scales = [0, 1].map((k) => {
    const mean = rows.reduce((sum, row) => sum + row[k], 0) / rows.length;
    const spread = Math.sqrt(rows.reduce((sum, row) => sum + (row[k] - mean) ** 2, 0) / rows.length);
    return [mean, spread || 1];
  });
  return rows.map((row) => row.map((x, k) => (k < 2 ? short((0.5 * (x - scales[k][0])) / scales[k][1]) : x)));
}

/** Every fourth point tests, the others train. */
export function ownData(rows, width) {
  const [test, train] = [0, 1].map((part) => rows.filter((_, i) => (i % 4 === 3) === !part));
  return split([...train, ...test], width, train.length);
}
