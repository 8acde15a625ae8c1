// Learning rates by step, as minidl's schedules have them.

/** For each schedule the rate of step t of `steps`, and the Python that makes it. */
const KINDS = {
  constant: { rate: (lr) => lr, python: (lr) => lr },
  cosine: {
    rate: (lr, steps, t) => (t > steps ? 0 : (lr / 2) * (1 + Math.cos((Math.PI * (t - 1)) / steps))),
    python: (lr, steps) => `minidl.CosineSchedule(${lr}, steps=${steps})`,
  },
  step: {
    rate: (lr, steps, t) => lr * 0.5 ** Math.floor((t - 1) / every(steps)),
    python: (lr, steps) => `minidl.StepSchedule(${lr}, every=${every(steps)}, factor=0.5)`,
  },
  power: {
    rate: (lr, _, t) => lr * t ** -0.5,
    python: (lr) => `minidl.PowerSchedule(${lr}, kappa=0.5)`,
  },
};
const every = (steps) => Math.max(1, Math.floor(steps / 4));

export const SCHEDULES = Object.keys(KINDS);

/** @returns {(t: number) => number} */
export const rateOf = (schedule, lr, steps) => (t) => KINDS[schedule].rate(lr, steps, t);

/** The learning rate of a Python program. */
export const rateInPython = (schedule, lr, steps) => KINDS[schedule].python(lr, steps);
