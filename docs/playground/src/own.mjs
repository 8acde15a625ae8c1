// Points of the visitor: text with commas, semicolons, tabs or blanks between its columns, and points drawn by hand.

import { short, split } from "./data.mjs";

export class OwnDataError extends Error {}

/** @typedef {{number: number, cells: string[], hasDecimalCommas: boolean}} Line a line of the text, from 1 */

/**
 * Read a table: x1, x2 and a class, or x and y. A first line of words is a header.
 * @returns {{rows: number[][], width: number, classes: string[]}}
 */
export function readTable(text) {
  const lines = linesOf(text);
  if (lines.length && lines[0].cells.slice(0, 2).every(isWord)) lines.shift();
  if (lines.length < 4) throw new OwnDataError(`Expected at least 4 rows, got ${lines.length}.`);
  const columns = lines[0].cells.length;
  if (columns !== 2 && columns !== 3) throw new OwnDataError(`Expected 2 or 3 columns, got ${columns}.`);
  const wrong = lines.find(({ cells }) => cells.length !== columns);
  if (wrong) {
    throw new OwnDataError(
      `Expected ${columns} columns in each row, got ${wrong.cells.length} in line ${wrong.number}.`,
    );
  }
  return columns === 3 ? withClasses(lines) : { rows: lines.map(numbersOf), width: 1, classes: [] };
}

/**
 * The lines that are not empty. What separates the columns stands in each of them, except perhaps the header.
 * @returns {Line[]}
 */
function linesOf(text) {
  const lines = text.split(/\r?\n/).map((line, i) => [line.trim(), i + 1]);
  const full = lines.filter(([line]) => line);
  const mark = [";", "\t", ","].find((each) => full.length > 1 && full.slice(1).every(([line]) => line.includes(each)));
  const plain = (cell) => cell.trim().replace(/^"(.*)"$/, "$1");
  return full.map(([line, number]) => ({
    number,
    cells: line.split(mark ?? /\s+/).map(plain),
    hasDecimalCommas: mark === ";" || mark === "\t", // as spreadsheets write them in many countries
  }));
}

const isWord = (cell) => cell !== "" && Number.isNaN(Number(cell.replace(",", ".")));

function withClasses(lines) {
  const classes = [...new Set(lines.map(({ cells }) => cells[2]))].sort();
  if (classes.length !== 2) throw new OwnDataError(`Expected 2 classes in the third column, got ${classes.length}.`);
  const rows = lines.map((line) => [...numbersOf(line), classes.indexOf(line.cells[2])]);
  return { rows, width: 2, classes };
}

/** The first two cells as numbers. An empty cell is none. @param {Line} line */
function numbersOf({ number, cells, hasDecimalCommas }) {
  const texts = cells.slice(0, 2);
  const numbers = texts.map((cell) => (cell === "" ? NaN : Number(hasDecimalCommas ? cell.replace(",", ".") : cell)));
  if (!numbers.every(Number.isFinite)) {
    const got = texts.map((cell) => cell || "nothing").join(" and ");
    throw new OwnDataError(`Expected numbers in line ${number}, got ${got}.`);
  }
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

/** At most so many of the rows, evenly spaced: a table may be sorted by class. */
export function thinned(rows, most) {
  if (rows.length <= most) return rows;
  return Array.from({ length: most }, (_, i) => rows[Math.floor((i * rows.length) / most)]);
}

/** Every fourth point tests, the others train. Points are counted class by class, whose order may be regular. */
export function ownData(rows, width) {
  const order = rows.map((_, i) => i);
  if (width === 2) order.sort((a, b) => rows[a][2] - rows[b][2] || a - b);
  const tests = new Set(order.filter((_, place) => place % 4 === 3));
  const [test, train] = [true, false].map((isTest) => rows.filter((_, i) => tests.has(i) === isTest));
  return split([...train, ...test], width, train.length);
}
