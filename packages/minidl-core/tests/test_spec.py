"""Law 8: a network is also data, and so can be printed, compared and laid out by others."""

import dataclasses
import pickle

import numpy as np
import pytest

import minidl
from minidl import LayerSpec, ParamSpec


def test_a_network_lists_its_layers_and_where_their_parameters_lie(network):
    model = network(lr=0.5)
    assert model.spec() == (
        LayerSpec("Linear", "0", 3, 5, (("lr", 0.5),), (ParamSpec("weight", (5, 3), 0), ParamSpec("bias", (5,), 15))),
        LayerSpec("LeakyReLU", "1", options=(("alpha", 0.1),)),
        LayerSpec("Linear", "2.0", 5, 4, (("bias", False),), (ParamSpec("weight", (4, 5), 20),)),
        LayerSpec("Tanh", "2.1"),
        LayerSpec("Dropout", "2.2", options=(("p_drop", 0.25),)),
        LayerSpec("ReLU", "3"),
        LayerSpec("Linear", "4", 4, 2, (("lr", 0.5),), (ParamSpec("weight", (2, 4), 40), ParamSpec("bias", (2,), 48))),
        LayerSpec("Sigmoid", "5"),
    )


def test_the_spec_finds_every_parameter_in_the_vector(network):
    model = network()
    model.values[...] = np.arange(50)
    state = model.state_dict()
    for record in model.spec():
        for param in record.params:
            found = model.values[param.start : param.stop].reshape(param.shape)
            np.testing.assert_array_equal(found, state[f"{record.path}.{param.name}"])
    assert sum(record.size for record in model.spec()) == 50


def test_a_layer_tells_of_itself_alone(network):
    layer = network()[4]
    (record,) = layer.spec()
    assert (record.path, record.size) == ("", 10)
    assert [(p.name, p.start, p.size) for p in record.params] == [("weight", 0, 8), ("bias", 8, 2)]
    assert [record.path for record in network()[2].spec()] == ["0", "1", "2"]


def test_replicates_have_the_spec_of_one(network):
    assert minidl.replicate(network, range(3)).spec() == network().spec()


def test_records_are_frozen_comparable_and_picklable(network):
    records = network().spec()
    assert pickle.loads(pickle.dumps(records)) == records
    assert hash(records) == hash(network(1).spec())
    with pytest.raises(dataclasses.FrozenInstanceError):
        records[0].kind = "Conv"
    assert str(records[2]) == "Linear(5 -> 4, bias=False)"
    assert str(records[3]) == "Tanh"


def test_summary_is_a_table(network):
    *table, engine = minidl.summary(network()).splitlines()
    assert engine.startswith("engine: n")
    assert table == [
        "layer                              parameters",
        "0      Linear(3 -> 5)                      20",
        "1      LeakyReLU(alpha=0.1)                 0",
        "2.0    Linear(5 -> 4, bias=False)          20",
        "2.1    Tanh                                 0",
        "2.2    Dropout(p_drop=0.25)                 0",
        "3      ReLU                                 0",
        "4      Linear(4 -> 2)                      10",
        "5      Sigmoid                              0",
        "total                                      50",
        "float32, numpy, 200 bytes",
    ]
    many = minidl.replicate(lambda rng: minidl.Linear(40, 30, dtype="float64", rng=rng), range(3))
    assert minidl.summary(many).splitlines()[1:-1] == [
        "       Linear(40 -> 30)       1,230",
        "total                         1,230",
        "3 replicates, float64, numpy, 29,520 bytes",
    ]
