"""Schedules: their formulas, what they refuse, and what an optimizer and `fit` make of them."""

import copy
import itertools
import math
import pickle

import numpy as np
import pytest

import minidl

# Each schedule with some of its steps and their rates.
RATES = {
    "power": (minidl.PowerSchedule(0.5, 0.5), {1: 0.5, 4: 0.25, 100: 0.05}),
    "step": (minidl.StepSchedule(0.8, 3, 0.5), {1: 0.8, 3: 0.8, 4: 0.4, 6: 0.4, 7: 0.2}),
    "exponential": (minidl.ExponentialSchedule(0.8, 0.5), {1: 0.8, 2: 0.4, 4: 0.1}),
    "cosine": (minidl.CosineSchedule(0.8, 8), {1: 0.8, 3: 0.4 + 0.4 * math.sqrt(0.5), 5: 0.4, 9: 0, 99: 0}),
    "warm-up": (
        minidl.CosineSchedule(0.8, 11, warmup=3, final=0.2),
        {1: 0.2, 2: 0.4, 3: 0.6, 4: 0.8, 8: 0.5, 12: 0.2, 99: 0.2},
    ),
    "one cycle": (
        minidl.OneCycleSchedule(1.0, 11, pct_start=0.5, div_factor=4, final_div_factor=5),
        {1: 0.25, 5: None, 11: 0.05, 99: 0.05},
    ),
    "one cycle without a rise": (
        minidl.OneCycleSchedule(0.8, 5, pct_start=0, final_div_factor=1e300),
        {1: 0.8, 3: 0.4},
    ),
    "one cycle of one step": (minidl.OneCycleSchedule(0.8, 1), {1: 0.8, 2: 0.8}),
    "piecewise": (minidl.PiecewiseSchedule({1: 0.3, 5: 0.2, 7: 0}), {1: 0.3, 4: 0.3, 5: 0.2, 6: 0.2, 7: 0, 99: 0}),
}
SCHEDULES = {name: schedule for name, (schedule, _) in RATES.items()}
by_schedule = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
SPREAD = {
    "power": minidl.PowerSchedule([0.1, 0.2, 0.3], [0.5, 0, 1]),
    "step": minidl.StepSchedule([0.1, 0.2, 0.3], [1, 2, 3], 0.7),
    "exponential": minidl.ExponentialSchedule(0.1, [0.9, 0.5, 1]),
    "cosine": minidl.CosineSchedule([0.1, 0.2, 0.3], [4, 9, 20], warmup=[0, 3, 2]),
    "one cycle": minidl.OneCycleSchedule([0.1, 0.2, 0.3], [4, 9, 20], pct_start=[0, 0.1, 0.3]),
    "piecewise": minidl.PiecewiseSchedule({1: 0.1, 3: [0.3, 0.2, 0.1]}),
    "own": lambda t: np.array([0.1, 0.2, 0.3]) / t,
}


def layer(dtype="float64", rng=0):
    return minidl.Linear(2, 1, dtype=dtype, rng=rng)


def data(rng, n=20):
    return rng.standard_normal((n, 2)), rng.standard_normal((n, 1))


@pytest.mark.parametrize(("schedule", "rates"), RATES.values(), ids=RATES)
def test_the_rates_are_those_of_the_formula(schedule, rates):
    known = {t: value for t, value in rates.items() if value is not None}
    assert [schedule(t) for t in known] == pytest.approx(list(known.values()), rel=1e-14, abs=1e-16)


@by_schedule
def test_it_is_frozen_and_survives_copies(schedule):
    with pytest.raises(AttributeError):
        schedule.lr = 1
    for twin in (copy.deepcopy(schedule), pickle.loads(pickle.dumps(schedule)), eval(repr(schedule), vars(minidl))):  # noqa: S307 - ours
        assert twin == schedule
        assert hash(twin) == hash(schedule)
        assert [twin(t) for t in range(1, 20)] == [schedule(t) for t in range(1, 20)]
    assert schedule != minidl.PowerSchedule(9, 9)


@pytest.mark.parametrize("schedule", SPREAD.values(), ids=SPREAD)
@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_each_replicate_has_its_own_rates(schedule, engine, rng):
    model = minidl.replicate(lambda rng: layer(rng=rng), range(3))
    (x, y), options = data(rng), {"epochs": 2, "batch_size": 5, "engine": engine}
    minidl.fit(model, minidl.MSELoss("mean"), minidl.SGD(model, schedule), x, y, rng=0, **options)
    for r in range(3):
        single = layer(rng=r)
        optimizer = minidl.SGD(single, lambda t, r=r: float(np.broadcast_to(schedule(t), 3)[r]))
        minidl.fit(single, minidl.MSELoss("mean"), optimizer, x, y, rng=0, **options)
        np.testing.assert_allclose(model.values[r], single.values, rtol=1e-12)


def test_an_array_per_replicate_is_that_of_single_schedules_to_the_bit():
    together = minidl.CosineSchedule([0.1, 0.2], [30, 40], warmup=[3, 0])
    singles = minidl.CosineSchedule(0.1, 30, warmup=3), minidl.CosineSchedule(0.2, 40)
    for t in range(1, 50):
        assert together(t).tolist() == [single(t) for single in singles]


@pytest.mark.parametrize("schedule", [*SCHEDULES.values(), lambda t: 0.3 / t], ids=[*SCHEDULES, "own"])
@pytest.mark.parametrize("kind", [minidl.SGD, minidl.RMSprop, minidl.Adam, minidl.AdamW])
def test_every_step_takes_the_rate_of_its_t(schedule, kind, rng):
    scheduled, fixed = kind(layer(), schedule), kind(layer(), 0.0)
    rates = list(itertools.islice(scheduled.adaptive_lr(), 12))
    assert rates == [schedule(t) for t in range(1, 13)]
    assert scheduled.next_rates(12).tolist() == rates
    for rate in rates:
        fixed.lr = rate
        scheduled.model.grads[...] = fixed.model.grads[...] = rng.standard_normal(3)
        scheduled.step()
        fixed.step()
        np.testing.assert_array_equal(scheduled.model.values, fixed.model.values)


def test_kappa_and_eta_are_a_power_schedule():
    by_names, by_schedule = minidl.SGD(layer(), kappa=0.6, eta=0.1), minidl.SGD(layer(), minidl.PowerSchedule(0.1, 0.6))
    np.testing.assert_array_equal(by_names.next_rates(100), by_schedule.next_rates(100))


@pytest.mark.parametrize("schedule", [minidl.CosineSchedule(0.1, 12), lambda t: 0.1 / t], ids=["cosine", "own"])
def test_both_engines_take_it_and_go_on_where_they_ended(schedule, rng):
    pytest.importorskip("minidl_native")
    x, y = data(rng)
    values = []
    for engine, parts in (("numpy", [3]), ("native", [3]), ("native", [1, 2])):
        model = minidl.Sequential([layer()])
        optimizer, order = minidl.Adam(model, schedule), np.random.default_rng(0)
        for epochs in parts:
            history = minidl.fit(
                model, minidl.MSELoss(), optimizer, x, y, epochs=epochs, batch_size=5, rng=order, engine=engine
            )
            assert history.engine == engine
        assert optimizer.t == 12
        values.append(model.values)
    np.testing.assert_allclose(values[1:], [values[0]] * 2, rtol=1e-12)
    np.testing.assert_array_equal(values[1], values[2])


def test_a_number_replaces_a_schedule_and_a_schedule_a_number():
    optimizer = minidl.Adam(layer(), minidl.StepSchedule(0.5, 10, 0.1))
    assert repr(optimizer).startswith("Adam(lr=StepSchedule(lr=0.5, every=10, factor=0.1), beta1")
    optimizer.lr = 0.25
    assert optimizer.next_rate() == 0.25
    optimizer.lr = abs
    assert optimizer.next_rate() == 1
    assert repr(optimizer).startswith("Adam(lr=abs, beta1")


BAD_RATES = {
    "nan": (lambda t: math.nan if t == 3 else 0.1, ValueError, r"<lambda> at step 3: .* got nan"),
    "negative": (lambda t: 0.2 - 0.1 * t, ValueError, r"<lambda> at step 3: .*>= 0, got -0.1"),
    "infinite": (lambda t: 0.1 if t < 3 else math.inf, ValueError, "at step 3: .* got inf"),
    "a shape": (lambda t: [0.1, 0.1] if t == 3 else 0.1, ValueError, r"at step 3: .* one number, got shape \(2,\)"),
    "no number": (lambda t: "small" if t == 3 else 0.1, TypeError, "at step 3: .* a number, got 'small'"),
    "a division": (lambda t: 0.1 / (3 - t), ValueError, "at step 3: expected a learning rate, got ZeroDivisionError"),
}


@pytest.mark.parametrize(("schedule", "error", "words"), BAD_RATES.values(), ids=BAD_RATES)
@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_a_schedule_that_gives_no_rate_is_named_before_the_step(schedule, error, words, engine, rng, unchanged):
    model, (x, y) = layer(), data(rng, 10)
    optimizer = minidl.RMSprop(model, schedule)
    options = {"batch_size": 5, "rng": 0, "engine": engine}
    minidl.fit(model, minidl.MSELoss(), optimizer, x, y, epochs=1, **options)
    with unchanged(model.values, optimizer.v), pytest.raises(error, match=f"RMSprop: .*{words}"):
        minidl.fit(model, minidl.MSELoss(), optimizer, x, y, epochs=1, **options)
    model.grads[...] = 1
    with unchanged(optimizer, model.values), pytest.raises(error, match=words):
        optimizer.step()


@pytest.mark.parametrize("kappa", [-1e5, [-1e5, 1.0]])
def test_an_extreme_kappa_is_a_value_error(kappa):
    model = minidl.replicate(lambda rng: layer(rng=rng), range(2)) if np.ndim(kappa) else layer()
    optimizer = minidl.SGD(model, kappa=kappa, eta=0.1)
    optimizer.t = 1
    with pytest.raises(ValueError, match=r"SGD: .*step 2: expected a learning rate, got OverflowError"):
        optimizer.step()
    optimizer.lr, optimizer.kappa, optimizer.eta = None, None, None
    optimizer.lr = minidl.PowerSchedule(0.1, kappa)
    with pytest.raises(ValueError, match=r"SGD: PowerSchedule\(.*\) at step 2: expected a learning rate, got Overflow"):
        optimizer.next_rates(3)


BAD_SCHEDULES = {
    "PowerSchedule: expected eta to be finite and >= 0, got -1": lambda: minidl.PowerSchedule(-1, 1),
    "PowerSchedule: expected kappa to be finite, got inf": lambda: minidl.PowerSchedule(1, math.inf),
    "StepSchedule: expected every to be at least 1, got 0": lambda: minidl.StepSchedule(1, 0, 1),
    "StepSchedule: expected every to be an integer, got 1.0": lambda: minidl.StepSchedule(1, [1, 1.5], 1),
    "ExponentialSchedule: expected factor to be finite and >= 0, got nan": lambda: minidl.ExponentialSchedule(
        1, math.nan
    ),
    "ExponentialSchedule: expected lr to be a number, got None": lambda: minidl.ExponentialSchedule(None, 1),
    "CosineSchedule: expected a warmup of fewer steps than 5, got 5": lambda: minidl.CosineSchedule(1, 5, warmup=5),
    "CosineSchedule: expected arrays of one shape": lambda: minidl.CosineSchedule([1, 2], 5, final=[0, 0, 0]),
    "OneCycleSchedule: expected pct_start to be in .*, got 1": lambda: minidl.OneCycleSchedule(1, 5, pct_start=1),
    "OneCycleSchedule: expected div_factor to be .* > 0, got 0": lambda: minidl.OneCycleSchedule(1, 5, div_factor=0),
    r"PiecewiseSchedule: expected steps that rise from 1, got \[\]": lambda: minidl.PiecewiseSchedule({}),
    r"PiecewiseSchedule: expected steps that rise from 1, got \[2\]": lambda: minidl.PiecewiseSchedule({2: 1}),
    r"PiecewiseSchedule: expected steps that rise from 1, got \[1, 1\]": lambda: minidl.PiecewiseSchedule(
        [1, 1], [1, 1]
    ),
    "PiecewiseSchedule: expected 2 rates, .* got 1": lambda: minidl.PiecewiseSchedule([1, 2], [1]),
    "PiecewiseSchedule: expected rates to be finite and >= 0": lambda: minidl.PiecewiseSchedule({1: -1}),
    "PiecewiseSchedule: expected one mapping or two lists": lambda: minidl.PiecewiseSchedule({1: 1}, [1]),
    "PiecewiseSchedule: expected a mapping .*, got 5, None": lambda: minidl.PiecewiseSchedule(5),
    "Adam: expected lr to be a number, got <class 'int'>": lambda: minidl.Adam(layer(), int),
    "SGD: expected lr, or kappa and eta": lambda: minidl.SGD(layer(), abs, kappa=1, eta=1),
}


@pytest.mark.parametrize(("words", "make"), BAD_SCHEDULES.items(), ids=range(len(BAD_SCHEDULES)))
def test_bad_settings_are_refused(words, make):
    with pytest.raises((ValueError, TypeError), match=f"^{words}"):
        make()


def test_a_layers_own_rate_beside_a_schedule_is_refused():
    model = minidl.Sequential([minidl.Linear(2, 2, lr=0.1)])
    with pytest.raises(ValueError, match="expected layers without learning rates of their own"):
        minidl.Adam(model, minidl.CosineSchedule(0.1, 10))
