// The steps that links lead to, and a value that each computes, printed as JSON.
import { readFileSync } from "node:fs";

import { fromHash } from "../src/config.mjs";
import { walk } from "../src/walk.mjs";

const links = JSON.parse(readFileSync(0, "utf8"));
const found = links.map((link) => {
  const { title, lines } = walk(fromHash(link)).steps[Number(new URLSearchParams(link).get("step"))];
  return [title, lines[0].value];
});
console.log(JSON.stringify(found));
