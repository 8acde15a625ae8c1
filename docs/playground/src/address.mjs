// Points of the visitor in the address of the page, with the names of their classes.

import { short } from "./data.mjs";

export const MOST_POINTS = 1000;
const START = [
  [-0.6, 0.4, 1],
  [-0.4, 0.6, 1],
  [-0.5, 0.2, 1],
  [-0.2, 0.5, 1],
  [0.5, -0.3, 0],
  [0.4, -0.6, 0],
  [0.7, -0.5, 0],
  [0.3, -0.2, 0],
];

/** The points of an address, and the names of their classes. @param {URLSearchParams} given */
export function pointsFrom(given) {
  const rows = (given.get("points") ?? "")
    .split("_")
    .map((row) => row.split(",").map(Number))
    .filter((row) => row.every(Number.isFinite));
  const width = rows[0]?.length === 2 ? 1 : 2;
  const fit = rows.filter((row) => row.length === width + 1 && (width === 1 || row[2] === 0 || row[2] === 1));
  if (fit.length < 4) return { rows: START, width: 2 };
  const names = given.getAll("class");
  const classes = width === 2 && names.length === 2 ? names : [];
  return { rows: fit.slice(0, MOST_POINTS).map((row) => row.map(short)), width, classes };
}

/** What `pointsFrom` reads. The names stand behind the points, since a program that is saved has neither. */
export function addressOf({ rows, classes = [] }) {
  const points = rows.map((row) => row.join(",")).join("_");
  return [`points=${points}`, ...classes.map((name) => `class=${encodeURIComponent(name)}`)].join("&");
}
