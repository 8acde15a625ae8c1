"""What every optimizer can do with a gradient before its step: clip its norm, and spare biases from weight decay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl

quick = settings(max_examples=25, deadline=None, derandomize=True)
EXACT = {"rtol": 1e-14, "atol": 1e-15}
KINDS = [minidl.SGD, minidl.RMSprop, minidl.Adam, minidl.AdamW]
by_kind = pytest.mark.parametrize("kind", KINDS)
ENGINES = ["numpy", "auto"]
BIASES = np.r_[6:9, 12:13]


def layers(rng=0, dtype="float64"):
    rng = np.random.default_rng(rng)
    return minidl.Sequential(
        [minidl.Linear(2, 3, std_b=1, dtype=dtype, rng=rng), minidl.Linear(3, 1, std_b=1, dtype=dtype, rng=rng)]
    )


def step(kind, gradient, model=None, **options):
    model = model or layers()
    model.grads[...] = gradient
    optimizer = kind(model, 0.1, **options)
    optimizer.step()
    return model.values


@quick
@given(kind=st.sampled_from(KINDS), clip=st.floats(1e-3, 1e3), seed=st.integers(0, 99), pull=st.sampled_from([0, 0.1]))
def test_a_gradient_is_scaled_to_the_norm_before_decay_is_added(kind, clip, seed, pull):
    gradient = np.random.default_rng(seed).standard_normal(13)
    factor = min(1, clip / (np.linalg.norm(gradient) + 1e-6))
    expected = step(kind, factor * gradient, weight_decay=pull)
    np.testing.assert_allclose(step(kind, gradient, clip=clip, weight_decay=pull), expected, **EXACT)


@by_kind
@pytest.mark.parametrize("clip", [None, np.inf, 1e9])
def test_a_gradient_below_the_norm_stays_to_the_bit(kind, clip, rng):
    gradient = rng.standard_normal(13)
    np.testing.assert_array_equal(step(kind, gradient, clip=clip), step(kind, gradient))


@by_kind
def test_each_replicate_is_clipped_by_its_own_norm_and_limit(kind, rng):
    gradient, clips = rng.standard_normal((3, 13)) * [[1], [10], [100]], [1.0, np.inf, 2.0]
    together = step(kind, gradient, minidl.replicate(layers, range(3)), clip=clips)
    for r in range(3):
        np.testing.assert_array_equal(together[r], step(kind, gradient[r], layers(r), clip=clips[r]))


@pytest.mark.parametrize(("dtype", "size"), [("float16", 1e4), ("float32", 1e25)])
def test_the_square_of_a_large_gradient_does_not_overflow(dtype, size):
    model = layers(dtype=dtype)
    before = model.values.copy()
    after = step(minidl.SGD, size, model, clip=1.0)
    np.testing.assert_allclose(before - after, 0.1 / np.sqrt(13), rtol=0.1)


@by_kind
@pytest.mark.parametrize("clip", [None, 0.5])
def test_biases_do_not_decay_if_they_shall_not(kind, clip, rng):
    gradient, options = rng.standard_normal(13), {"weight_decay": 0.3, "clip": clip}
    spared = step(kind, gradient, decay_biases=False, **options)
    for decay, chosen in ((0.3, np.delete(np.arange(13), BIASES)), (0.0, BIASES)):
        every = step(kind, gradient, **options | {"weight_decay": decay})
        np.testing.assert_array_equal(spared[chosen], every[chosen])


@by_kind
@pytest.mark.parametrize("replicates", [0, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("own_rates", [False, True])
def test_both_engines_clip_and_spare_alike(kind, replicates, dtype, own_rates, rng):
    x, y = rng.standard_normal((20, 2)).astype(dtype), rng.standard_normal((20, 1)).astype(dtype)
    each = (lambda *values: list(values)) if replicates else (lambda value, *_: value)
    options = {"weight_decay": each(0.1, 0, 0.3), "clip": each(0.5, np.inf, 2), "decay_biases": False, "eps": 1e-3}
    options = {name: value for name, value in options.items() if kind is not minidl.SGD or name != "eps"}
    values = []
    for engine in ENGINES:
        model = minidl.replicate(lambda rng: layers(rng, dtype), range(3)) if replicates else layers(dtype=dtype)
        for layer, lr in zip(model, (0.01, 0.02), strict=True):
            layer.lr = lr if own_rates else None
        optimizer = kind(model, None if own_rates else 0.01, **options)
        minidl.fit(model, minidl.MSELoss(), optimizer, x, y, epochs=3, batch_size=6, rng=0, engine=engine)
        values.append(model.values)
    np.testing.assert_allclose(*values, rtol=1e-4 if dtype == "float32" else 1e-11)


def test_a_gradient_that_is_nan_stays_nan():
    model = layers()
    model.grads[...] = [np.nan] + [1.0] * 12
    assert np.isnan(minidl.SGD(model, 0.1, clip=1.0).gradient()).all()


def test_an_optimizer_as_data_has_no_none():
    assert minidl.SGD(layers(), 0.1).state().settings["clip"] == np.inf
    assert minidl.SGD(layers(), 0.1, clip=2).state().settings["clip"] == 2
