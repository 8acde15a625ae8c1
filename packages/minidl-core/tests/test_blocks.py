"""Long vectors are worked on in blocks: every element once, with the setting of its replicate, as in one go."""

import numpy as np
import pytest

import minidl
from minidl.arrays import blocks

SHAPES = [(1,), (10,), (11,), (1, 10), (4, 3), (7, 5), (3, 10), (3, 25), (1, 25), (30, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("each", [False, True], ids=["one setting", "one per replicate"])
def test_every_element_is_met_once_with_its_setting(monkeypatch, shape, each):
    monkeypatch.setattr(blocks, "BLOCK", 10)
    replicates = shape[:-1]
    lr = 1.0 + np.arange(np.prod(replicates)).reshape(*replicates, 1) if each and replicates else 2.0
    values, step = np.zeros(shape), np.arange(np.prod(shape)).reshape(shape) + 1.0
    sizes = []
    for value, part, (rate,) in blocks.blocks((values, step), (lr,)):
        sizes.append(value.size)
        value += rate * part
    np.testing.assert_array_equal(values, lr * step)
    assert max(sizes) <= 10
    assert sum(sizes) == values.size


@pytest.mark.parametrize("block", [3, 17, 50, 51, 10_000])
@pytest.mark.parametrize("replicates", [0, 3])
@pytest.mark.parametrize("kind", ["update", "momentum", "adam"])
def test_a_training_in_blocks_is_a_training_in_one_go(monkeypatch, network, rng, block, replicates, kind):
    def trained():
        model = minidl.replicate(network, range(3)) if replicates else network()
        lr = np.array([0.1, 0.2, 0.3]) if replicates else 0.1
        optimizer = {
            "update": lambda: minidl.SGD(model, lr, weight_decay=0.1),
            "momentum": lambda: minidl.SGD(model, lr, momentum=0.9, nesterov=True),
            "adam": lambda: minidl.Adam(model, lr, beta1=lr, eps=lr),
        }[kind]()
        for g in gradients:
            model.grads[...] = g
            optimizer.step()
        return model.values

    gradients = rng.standard_normal((3, 50)).astype(np.float32)
    whole = trained()
    monkeypatch.setattr(blocks, "BLOCK", block)
    np.testing.assert_array_equal(trained(), whole)


def test_a_vector_longer_than_a_block_is_stepped_whole():
    layer = minidl.Linear(200, 170, rng=0)
    assert layer.values.size > blocks.BLOCK
    before = layer.values.copy()
    layer.grads[...] = np.arange(layer.grads.size)
    layer.update(0.5)
    np.testing.assert_array_equal(layer.values, before - np.float32(0.5) * np.arange(before.size, dtype=np.float32))
