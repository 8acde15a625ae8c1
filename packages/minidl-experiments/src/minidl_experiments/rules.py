"""The thresholds of the verdicts on the report's statements, and each rule in words.

A quantity that a rule compares is a mean over the seeds. It counts as above or below a threshold if it is farther from
it than twice its standard error, the number behind ±, and the statement is undecided otherwise.
"""

from __future__ import annotations

EARLY = 20  # "during the first 20 epochs"
MIDDLE = 10  # half-way through these epochs
LATE = 50  # "by epoch 50"
ALIKE = 0.01  # accuracies within one point are alike: the report calls 97.5 and 98.4 % "very similar"
NEAR = 0.25  # near the border: a mean distance below a quarter of the mean distance of all points
RISE = 1.05  # a final test loss above this multiple of its minimum has risen
FLOOR = 0.95  # "higher than 95% in both train and test sets"

_POINTS = f"{100 * ALIKE:g} point"

ACCURACY = f"both accuracies are above {100 * FLOOR:g} %"
OVERFITTING = (
    f"the accuracy on the training set is less than {_POINTS} above that on the test set, "
    f"and the final test loss is below {RISE:g} times that of the epoch in which it is lowest"
)
BORDER = (
    f"the mean distance of misclassified points is below {NEAR:g} times that of all points, "
    "by more than twice its standard error over these points"
)
EARLY_LEAD = f"the accuracy is higher over the first {EARLY} epochs and at epoch {MIDDLE}"
FINAL_LEAD = "the final accuracy is higher and the final loss lower"
FASTEST = f"the accuracy over the first {EARLY} epochs is higher than each of the others"
SLOWEST = f"the accuracy over the first {EARLY} epochs is lower than each of the others"
SIMILAR = f"the best final accuracy is less than {_POINTS} above the worst"
DROPOUT = f"with every p_drop the test accuracy is less than {_POINTS} above that without dropout"
SUCCESS = "the loss of no seed becomes nan"

AGREEMENT = "agrees if the report's accuracies lie in its 5-95 % intervals and all statements are held"
"""The rule of `minidl readings`."""

MARGIN = "± is twice the standard error over the seeds; a mean that close to the threshold of its rule is undecided"
"""The rule of all rules, printed below the verdicts."""
