"""A learning rate with warm-up and cosine.

Steps are counted from t = 1. During the first `warmup` steps the rate rises in
a line:

    rate = lr t / (warmup + 1)        for t <= warmup

From then on it follows half a cosine from lr down to 0 at step `steps` + 1:

    part = (t - 1 - warmup) / (steps - warmup)
    rate = lr (1 + cos(pi part)) / 2        for part < 1

and it is 0 afterwards.
"""

import math


def rate(t, lr, steps, warmup):
    """Return the learning rate of step t."""
    if t <= warmup:
        return lr * t / (warmup + 1)
    part = (t - 1 - warmup) / (steps - warmup)
    return lr * (1 + math.cos(math.pi * part)) / 2 if part < 1 else 0.0
