"""Distances between floating point numbers, and the table of the largest ones seen."""

from dataclasses import dataclass, field

import numpy as np


def each_ulp(ours, theirs, unit="element", floor=0.0):
    """Return |ours - theirs| of every element in units in the last place of theirs.

    The unit is the spacing at each element, or, for sums whose terms cancel, at the largest element of the array.
    `floor` is the least size that an ulp is taken of. Infinities and nans must stand in the same places; where they do
    not, the distance is infinite.
    """
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    assert ours.dtype == theirs.dtype, (ours.dtype, theirs.dtype)
    finite = np.isfinite(theirs) & np.isfinite(ours)
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    distance = np.where(same, 0.0, np.inf)
    size = np.abs(theirs[finite])
    if unit == "array" and size.size:
        size = np.abs(theirs[np.isfinite(theirs)]).max()
    smallest = max(floor, np.finfo(theirs.dtype).tiny)  # below the normal numbers, libraries may flush to zero
    spacing = np.spacing(np.maximum(size, theirs.dtype.type(smallest))).astype(np.float64)
    distance[finite] = np.abs(ours[finite].astype(np.float64) - theirs[finite].astype(np.float64)) / spacing
    return distance


def ulps(ours, theirs, unit="element", floor=0.0):
    """Return the largest distance of `each_ulp`, 0 for none."""
    return float(each_ulp(ours, theirs, unit, floor).max(initial=0.0))


def assert_within(tolerance, what, ours, theirs, unit="element", floor=0.0):
    """Fail unless every element is within `tolerance` ulp of torch's, and say which one is the farthest off."""
    __tracebackhide__ = True  # pytest shows the line of the test instead
    distance = each_ulp(ours, theirs, unit, floor)
    if not distance.max(initial=0.0) <= tolerance:
        raise AssertionError(f"{what}\n{words_of_worst(tolerance, ours, theirs, distance, unit)}")


def words_of_worst(tolerance, ours, theirs, distance, unit):
    """Return the worst element in words: where it is, both values, how far apart, and how many others are off."""
    worst = tuple(int(i) for i in np.unravel_index(np.argmax(distance), distance.shape))
    digits = {"float64": 17, "float32": 9, "float16": 5}[theirs.dtype.name]  # enough to tell neighbours apart
    return (
        f"  worst element {list(worst)} of {theirs.dtype} {theirs.shape}: {distance[worst]:.4g} ulp "
        f"of {'it' if unit == 'element' else 'the largest element'}, tolerance {tolerance:g}\n"
        f"    ours    {ours[worst]:.{digits}g}\n"
        f"    torch's {theirs[worst]:.{digits}g}\n"
        f"  {np.count_nonzero(~(distance <= tolerance))} of {distance.size} elements are beyond the tolerance"
    )


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
