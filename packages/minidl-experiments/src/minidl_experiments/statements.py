"""Judgement of the report's statements from the curves of many seeds.

Two settings are compared seed by seed, on the same data and, where the layers' shapes agree, from the same weights. A
statement is held or refuted by the rules and thresholds of `minidl_experiments.rules`, if the mean difference is more
than two standard errors away from its threshold. Otherwise the statement is undecided, as it always is with one seed. A
diverged seed, with nan in its curves, is left out of the differences.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from minidl_experiments import rules
from minidl_experiments.console import loss_words
from minidl_experiments.data import Floats
from minidl_experiments.rules import ALIKE, EARLY, FLOOR, MIDDLE, NEAR, RISE
from minidl_experiments.training import Curves

_UNKNOWN = "unknown, as one of the two trainings diverged with every seed"


@dataclass(frozen=True)
class Verdict:
    """The judgement of a statement.

    Attributes
    ----------
    held : bool or None
        None if the statement is undecided.
    evidence : str
        The numbers as text.
    numbers : dict of str to float
        The numbers by name; accuracies lie between 0 and 1.
    rule : str
        The condition under which the statement is held, as text; empty if the statement was not judged.
    """

    held: bool | None
    evidence: str
    numbers: dict[str, float]
    rule: str = ""


@dataclass(frozen=True)
class Difference:
    """Difference between two settings, seed by seed.

    Attributes
    ----------
    mean, error : float
        Mean of the differences and its standard error, which is infinite for a single seed.
    share : float
        Share of seeds in which the first setting is ahead.
    seeds, lost : int
        Number of seeds, and number of seeds left out because one of the two trainings diverged.
    """

    mean: float
    error: float
    share: float
    seeds: int
    lost: int

    @classmethod
    def of(cls, first: Floats, second: Floats | float) -> Difference:
        """Compare an array of one value per seed with another array or with a number."""
        every = np.asarray(first, np.float64) - second
        left = every[np.isfinite(every)]
        seeds, lost = every.size, every.size - left.size
        if not left.size:
            return cls(np.nan, np.inf, np.nan, seeds, lost)
        error = left.std(ddof=1) / np.sqrt(left.size) if left.size > 1 else np.inf
        return cls(float(left.mean()), float(error), float((left > 0).mean()), seeds, lost)

    def is_above(self, floor: float = 0.0) -> bool | None:
        """Whether the mean is above `floor`; None if undecided."""
        return self.mean > floor if abs(self.mean - floor) > 2 * self.error else None

    def is_below(self, ceiling: float) -> bool | None:
        """Whether the mean is below `ceiling`; None if undecided."""
        above = self.is_above(ceiling)
        return None if above is None else not above


def all_hold(parts: Iterable[bool | None]) -> bool | None:
    """Whether all parts of a statement hold: False if one part is False, else None if one part is undecided."""
    every = list(parts)
    return False if False in every else None if None in every else True


def judge_accuracy(train: Curves, test: Curves) -> Verdict:
    """Judge whether the final accuracy is above 95 % on both sets.

    Parameters
    ----------
    train, test : Curves

    Returns
    -------
    Verdict
    """
    leads = {name: Difference.of(curves.accuracy[-1], 0) for name, curves in (("train", train), ("test", test))}
    numbers = {name: lead.mean for name, lead in leads.items()}
    held = all_hold(lead.is_above(FLOOR) for lead in leads.values())
    words = [f"{name} {100 * lead.mean:.2f}{_error(lead)} %" for name, lead in leads.items()]
    return Verdict(held, ", ".join(words) + _lost(leads.values()), numbers, rules.ACCURACY)


def judge_overfitting(train: Curves, test: Curves) -> Verdict:
    """Judge whether there is no overfitting: alike accuracies on both sets, and a test loss that has not risen.

    Parameters
    ----------
    train, test : Curves

    Returns
    -------
    Verdict
    """
    gap = Difference.of(train.accuracy[-1], test.accuracy[-1])
    losses = [Difference.of(loss, 0).mean for loss in test.loss[:, np.isfinite(test.loss[-1])]]
    lowest = int(np.argmin(losses))
    room = Difference.of(RISE * test.loss[lowest], test.loss[-1])
    return Verdict(
        all_hold([gap.is_below(ALIKE), room.is_above()]),
        f"accuracy {_points(gap)} on the training set against the test set; "
        f"the test loss ends at {loss_words(losses[-1])}, its lowest is {loss_words(losses[lowest])}{_lost([gap])}",
        {"gap": gap.mean, "final_test_loss": losses[-1], "lowest_test_loss": losses[lowest]},
        rules.OVERFITTING,
    )


def judge_border(distances: Floats, wrong: Floats) -> Verdict:
    """Judge whether misclassified points lie in the border area.

    Parameters
    ----------
    distances : array, shape (n,)
        Distances of all points from the true circle, in units of the square's side.
    wrong : array, shape (m,)
        Distances of the misclassified points.

    Returns
    -------
    Verdict
    """
    if not wrong.size:
        return Verdict(None, "no point is misclassified", {}, rules.BORDER)
    mean, mean_wrong, far = float(distances.mean()), float(wrong.mean()), float(np.quantile(wrong, 0.95))
    return Verdict(
        Difference.of(wrong, 0).is_below(NEAR * mean),
        f"mean distance to the circle {mean_wrong:.4f} of misclassified points, {mean:.4f} of all points; "
        f"95 % of misclassified points are within {far:.3f}, all within {wrong.max():.3f}",
        {"mean_misclassified": mean_wrong, "mean_all": mean, "quantile_95": far, "largest": float(wrong.max())},
        rules.BORDER,
    )


def judge_early_lead(leader: Curves, rival: Curves) -> Verdict:
    """Judge whether one optimizer is ahead of another during the first 20 epochs, and at the tenth.

    Parameters
    ----------
    leader, rival : Curves
        Curves of at least 20 epochs.

    Returns
    -------
    Verdict
    """
    early = Difference.of(*(curves.accuracy[:EARLY].mean(axis=0) for curves in (leader, rival)))
    middle = Difference.of(leader.accuracy[MIDDLE - 1], rival.accuracy[MIDDLE - 1])
    overtaken = _overtaken(leader, rival)
    return Verdict(
        all_hold([early.is_above(), middle.is_above()]),
        f"accuracy over these epochs {_words(early)}; at epoch {MIDDLE} {_words(middle)}; "
        + (f"overtaken in epoch {overtaken}" if overtaken else "never overtaken")
        + _lost([early]),
        {"lead": early.mean, "lead_at_10": middle.mean, "share_at_10": middle.share, "overtaken": overtaken},
        rules.EARLY_LEAD,
    )


def judge_final_lead(leader: Curves, rival: Curves) -> Verdict:
    """Judge whether one optimizer ends ahead of another, in accuracy and in loss.

    Parameters
    ----------
    leader, rival : Curves

    Returns
    -------
    Verdict
    """
    accuracy = Difference.of(leader.accuracy[-1], rival.accuracy[-1])
    loss = Difference.of(rival.loss[-1], leader.loss[-1])
    return Verdict(
        all_hold([accuracy.is_above(), loss.is_above()]),
        f"accuracy {_words(accuracy)}; loss {_loss_lead(loss)}{_lost([loss])}",
        {"lead": accuracy.mean, "share": accuracy.share, "loss_lead": loss.mean, "loss_share": loss.share},
        rules.FINAL_LEAD,
    )


def judge_fastest(name: str, accuracies: Mapping[str, Floats]) -> Verdict:
    """Judge whether one setting learns fastest at first: whether its accuracy over the first 20 epochs is highest.

    Parameters
    ----------
    name : str
        One of the keys of `accuracies`.
    accuracies : mapping of str to array, shape (epochs, R)
        Accuracies of at least 20 epochs.

    Returns
    -------
    Verdict
    """
    return _judge_extreme(name, accuracies, sign=1)


def judge_slowest(name: str, accuracies: Mapping[str, Floats]) -> Verdict:
    """Judge whether one setting learns slowest at first; parameters as for `judge_fastest`."""
    return _judge_extreme(name, accuracies, sign=-1)


def judge_alike(accuracies: Mapping[str, Floats]) -> Verdict:
    """Judge whether final accuracies are alike; parameters as for `judge_fastest`, but of any number of epochs."""
    final = {name: Difference.of(accuracy[-1], 0).mean for name, accuracy in accuracies.items()}
    best, worst = (accuracies[pick(final, key=final.__getitem__)][-1] for pick in (max, min))
    spread = Difference.of(best, worst)
    return Verdict(
        spread.is_below(ALIKE),
        f"{_list(final)}: the best against the worst {_points(spread)}{_lost([spread])}",
        {**final, "spread": spread.mean},
        rules.SIMILAR,
    )


def judge_dropout(accuracies: Mapping[float, Floats]) -> Verdict:
    """Judge whether dropout is not needed: whether no p_drop is better than 0 by more than one point.

    Parameters
    ----------
    accuracies : mapping of float to array, shape (R,)
        Final test accuracy for each p_drop, 0 among them.

    Returns
    -------
    Verdict
    """
    leads = {p: Difference.of(accuracy, accuracies[0.0]) for p, accuracy in accuracies.items() if p}
    words = [f"p_drop {p} {_points(lead)}" for p, lead in leads.items()]
    return Verdict(
        all_hold(lead.is_below(ALIKE) for lead in leads.values()),
        f"test accuracy against that without dropout: {', '.join(words)}{_lost(leads.values())}",
        {f"p_drop {p}": lead.mean for p, lead in leads.items()},
        rules.DROPOUT,
    )


def _judge_extreme(name: str, accuracies: Mapping[str, Floats], sign: int) -> Verdict:
    early = {key: accuracy[:EARLY].mean(axis=0) for key, accuracy in accuracies.items()}
    means = {key: Difference.of(values, 0).mean for key, values in early.items()}
    rivals = {key: Difference.of(sign * early[name], sign * early[key]) for key in early if key != name}
    next_to_it = min(rivals, key=lambda key: rivals[key].mean)
    words = _words(Difference.of(early[name], early[next_to_it]))
    return Verdict(
        all_hold(rival.is_above() for rival in rivals.values()),
        f"accuracy over the first {EARLY} epochs: {_list(means)}; against {next_to_it} {words}{_lost(rivals.values())}",
        {**means, "margin": rivals[next_to_it].mean},
        rules.FASTEST if sign > 0 else rules.SLOWEST,
    )


def _overtaken(leader: Curves, rival: Curves) -> int:
    """Return the epoch, counted from 1, from which the rival's mean accuracy stays higher; 0 if there is none."""
    leads = [Difference.of(*pair).mean for pair in zip(leader.accuracy, rival.accuracy, strict=True)]
    ahead = np.flatnonzero(~(np.array(leads) < 0))
    last = int(ahead[-1]) + 1 if ahead.size else 0
    return last + 1 if last < len(leader.accuracy) else 0


def _words(lead: Difference) -> str:
    return _points(lead) + (f", ahead in {100 * lead.share:.0f} % of seeds" if np.isfinite(lead.share) else "")


def _loss_lead(lead: Difference) -> str:
    """Return a difference of losses as text; the first setting is ahead if its loss is lower."""
    if not np.isfinite(lead.mean):
        return _UNKNOWN
    error = f" ± {loss_words(2 * lead.error)}" if np.isfinite(lead.error) else ""
    return f"{'lower' if lead.mean >= 0 else 'higher'} by {loss_words(abs(lead.mean))}{error}"


def _points(lead: Difference) -> str:
    if not np.isfinite(lead.mean):
        return _UNKNOWN
    return f"{100 * lead.mean:+.2f}{_error(lead)} points"


def _error(lead: Difference) -> str:
    return f" ± {200 * lead.error:.2f}" if np.isfinite(lead.error) else ""


def _lost(leads: Iterable[Difference]) -> str:
    """Return the number of diverged seeds as text; empty if none diverged."""
    worst = max(leads, key=lambda lead: lead.lost)
    return f"; {worst.lost} of {worst.seeds} diverged" if worst.lost else ""


def _list(accuracies: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {100 * accuracy:.2f} %" for name, accuracy in accuracies.items())
