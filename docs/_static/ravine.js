// The animation of docs/ravine.md. Without this script the page shows the whole paths.

const PERIOD = 140; // milliseconds a step

/** Shorten the curves of a picture to the steps so far, and move the marks to their ends. */
function show(picture, step) {
  for (const curve of picture.querySelectorAll("polyline[data-kind]")) {
    const points = curve.whole.slice(0, step + 1);
    const mark = curve.parentElement.querySelector(`.ravine-mark[data-kind="${curve.dataset.kind}"]`);
    curve.setAttribute("points", points.join(" "));
    mark.style.transform = `translate(${points.at(-1).split(",").join("px, ")}px)`;
  }
  for (const loss of picture.querySelectorAll("[data-losses]")) loss.textContent = loss.dataset.losses.split(" ")[step];
}

function animate(picture) {
  const controls = picture.querySelector(".ravine-controls");
  const { play, back, next } = Object.fromEntries([...controls.querySelectorAll("button")].map((b) => [b.name, b]));
  const slider = controls.querySelector("input");
  const count = controls.querySelector("output");
  const last = Number(slider.max);
  let timer = null;

  function go(step) {
    slider.value = step;
    count.value = `step ${slider.value} of ${last}`;
    slider.setAttribute("aria-valuetext", count.value);
    back.disabled = slider.value === "0";
    next.disabled = Number(slider.value) === last;
    show(picture, Number(slider.value));
  }
  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
    count.setAttribute("aria-live", "polite");
  }
  function start() {
    if (Number(slider.value) === last) go(0);
    play.textContent = "Pause";
    count.setAttribute("aria-live", "off"); // a screen reader need not read every step
    timer = setInterval(() => {
      go(Number(slider.value) + 1);
      if (Number(slider.value) === last) stop();
    }, PERIOD);
  }
  function jump(step) {
    stop();
    go(step);
  }

  for (const curve of picture.querySelectorAll("polyline[data-kind]")) {
    curve.whole = curve.getAttribute("points").split(" ");
  }
  for (const box of picture.querySelectorAll("input[type=checkbox]")) {
    box.hidden = false;
    box.addEventListener("change", () => {
      const parts = picture.querySelectorAll(`.drawing [data-kind="${box.dataset.kind}"]`);
      for (const part of parts) part.classList.toggle("ravine-off", !box.checked);
    });
  }
  play.addEventListener("click", () => (timer === null ? start() : stop()));
  back.addEventListener("click", () => jump(Number(slider.value) - 1));
  next.addEventListener("click", () => jump(Number(slider.value) + 1));
  slider.addEventListener("input", () => jump(Number(slider.value)));
  controls.hidden = false;
  go(last);

  // It plays once when it is first seen in full, unless the visitor wants less motion or has begun to use it.
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const seen = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    seen.disconnect();
    if (timer === null && Number(slider.value) === last) start();
  }, { threshold: 0.8 });
  seen.observe(picture.querySelector(".drawing"));
}

document.querySelectorAll(".ravine").forEach(animate);
