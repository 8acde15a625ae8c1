// Runs in the page, and returns a list of its faults.
async () => {
  if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
  const faults = [];
  const width = window.innerWidth;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const folded = all("article details:not([open])");
  for (const details of folded) details.open = true;

  const pageWidth = document.documentElement.scrollWidth;
  if (pageWidth > width) faults.push(`overflow: the page is ${pageWidth} wide, the window ${width}`);

  const scrolls = (element) => ["auto", "scroll", "hidden"].includes(getComputedStyle(element).overflowX);
  const inside = (element) => {
    for (let e = element.parentElement; e && e.tagName !== "ARTICLE"; e = e.parentElement) if (scrolls(e)) return true;
    return false;
  };
  const wide = all("article *").filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width > 0 && box.right > width + 1 && !scrolls(e) && !inside(e);
  });
  if (wide.length) faults.push(`overflow: ${wide.length} elements, first <${wide[0].tagName}> ${wide[0].textContent.slice(0, 60)}`);

  // Code and formulas must fit into their blocks. Tables and drawings may scroll, if a shadow shows it.
  const cut = (selector) => all(selector).filter((e) => e.clientWidth && e.scrollWidth > e.clientWidth + 1);
  for (const [what, selector] of [["code", "article pre"], ["formula", "article div.math"]]) {
    const found = cut(selector);
    if (found.length) faults.push(`cut off: ${found.length} blocks of ${what}, first ${found[0].textContent.trim().slice(0, 60)}`);
  }
  const unmarked = cut("article *").filter((e) => scrolls(e) && !getComputedStyle(e).backgroundImage.includes("gradient"));
  if (unmarked.length) faults.push(`scrolls without a shadow: ${unmarked.length} elements, first <${unmarked[0].tagName}> ${unmarked[0].className}`);

  for (const image of all("img")) {
    await image.decode().catch(() => {});
    if (!image.naturalWidth) faults.push(`image missing: ${image.src}`);
    if (!image.hasAttribute("alt")) faults.push(`image without alternative text: ${image.src}`);
  }

  for (const error of all("mjx-merror, [data-mjx-error], [data-mml-node=merror], mjx-container [fill=red]")) faults.push(`formula: ${(error.closest("mjx-container") || error).textContent.slice(0, 80)}`);
  const raw = all(".math").filter((e) => !e.querySelector("mjx-container"));
  if (raw.length) faults.push(`formula not set: ${raw[0].textContent.slice(0, 80)}`);
  for (const details of folded) details.open = false;
  return faults;
};
