// Files and texts that leave the page.

export function download(name, content, type) {
  const link = Object.assign(document.createElement("a"), {
    download: name,
    href: URL.createObjectURL(new Blob([content], { type })),
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Copy a text, and say so on the button. */
export async function copy(text, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Copying is not allowed here";
  }
  setTimeout(() => (button.textContent = before), 1500);
}

/** All pictures of the page on one, one below the other. */
export function savePicture(canvases, background) {
  const gap = 16;
  const shown = canvases.filter((canvas) => canvas.clientWidth);
  const sheet = document.createElement("canvas");
  sheet.width = Math.max(...shown.map((canvas) => canvas.width)) + 2 * gap;
  sheet.height = shown.reduce((sum, canvas) => sum + canvas.height + gap, gap);
  const context = sheet.getContext("2d");
  context.fillStyle = background;
  context.fillRect(0, 0, sheet.width, sheet.height);
  let y = gap;
  for (const canvas of shown) {
    context.drawImage(canvas, gap, y);
    y += canvas.height + gap;
  }
  sheet.toBlob((blob) => download("playground.png", blob, "image/png"), "image/png");
}
