"""Distances between floating point numbers, and the table of the largest ones seen."""

from dataclasses import dataclass, field

import numpy as np


def ulps(ours, theirs, unit="element", floor=0.0):
    """Return the largest |ours - theirs| in units in the last place of theirs.

    The unit is the spacing at each element, or, for sums whose terms cancel, at the largest element of the array.
    `floor` is the least size that an ulp is taken of. Infinities and nans must stand in the same places; if they do
    not, the distance is infinite.
    """
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    assert ours.dtype == theirs.dtype, (ours.dtype, theirs.dtype)
    if not theirs.size:
        return 0.0
    finite = np.isfinite(theirs)
    if not np.array_equal(ours[~finite], theirs[~finite], equal_nan=True) or not np.isfinite(ours[finite]).all():
        return np.inf
    if not finite.any():
        return 0.0
    size = np.abs(theirs[finite]) if unit == "element" else np.abs(theirs[finite]).max()
    smallest = max(floor, np.finfo(theirs.dtype).tiny)  # below the normal numbers, libraries may flush to zero
    spacing = np.spacing(np.maximum(size, theirs.dtype.type(smallest))).astype(np.float64)
    distance = np.abs(ours[finite].astype(np.float64) - theirs[finite].astype(np.float64))
    return float((distance / spacing).max())


@dataclass
class Table:
    """Per case and dtype the largest distance seen, with the tolerance that held."""

    rows: dict = field(default_factory=dict)

    def record(self, case, dtype, distance, tolerance):
        seen = self.rows.get((case, dtype), (0.0, tolerance))
        self.rows[case, dtype] = (max(seen[0], distance), tolerance)

    def lines(self):
        width = max(len(case) for case, _ in self.rows)
        yield f"{'case':<{width}} {'dtype':<8} {'largest error (ulp)':>20} {'tolerance':>10}"
        for (case, dtype), (distance, tolerance) in self.rows.items():
            yield f"{case:<{width}} {dtype:<8} {distance:>20.4g} {tolerance:>10.4g}"
