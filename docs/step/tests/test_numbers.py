import numpy as np

import minidl

PARAMETERS = ("w11", "w12", "w21", "w22", "b1", "b2", "u1", "u2", "c")
MINUS = "\N{MINUS SIGN}"
EXACT = {"rtol": 1e-12, "atol": 1e-12}  # float64, summed in another order


class Network:
    """The network of the page, made of minidl's modules, with its numbers and its mask."""

    def __init__(self, config):
        self.config = config
        numbers, p = config["numbers"], config["numbers"]["p"]
        rng = generator_of(config["mask"], p) if config["dropout"] else None
        self.dropout = minidl.Dropout(p, rng=rng) if config["dropout"] else minidl.Identity()
        self.hidden = minidl.Linear(2, 2, dtype="float64", rng=0)
        self.activation = getattr(minidl, config["activation"])()
        self.output = minidl.Linear(2, 1, dtype="float64", rng=0)
        self.model = minidl.Sequential([self.hidden, self.activation, self.dropout, self.output])
        self.model.values[...] = [numbers[name] for name in PARAMETERS]
        self.x, self.y = np.array([[numbers["x1"], numbers["x2"]]]), np.array([[numbers["y"]]])
        self.loss = minidl.MSELoss()

    def optimizer(self):
        """Return the optimizer of the page, with what it remembers."""
        if self.config["optimizer"] == "SGD":
            return minidl.SGD(self.model, self.config["numbers"]["lr"])
        adam = minidl.Adam(self.model, self.config["numbers"]["lr"])
        adam.t, adam.m, adam.v = self.config["t"], np.array(self.config["m"]), np.array(self.config["v"])
        return adam


def generator_of(mask, p):
    """Return a generator that draws this mask first."""
    seed = next(s for s in range(100_000) if (uniform(np.random.default_rng(s)) >= p).tolist() == [[*map(bool, mask)]])
    return np.random.default_rng(seed)


def uniform(rng):
    return rng.random((1, 2), dtype=np.float32)


def numbers_of(values, *names):
    return np.array([[values[name] for name in names]])


def test_forward_and_backward_are_those_of_minidl_value_by_value(rounds):
    for one in rounds:
        network, values = Network(one["config"]), one["values"]
        z = network.hidden.forward(network.x)
        h = network.activation.forward(z)
        d = network.dropout.forward(h)
        f = network.output.forward(d)
        loss = network.loss.forward(f, network.y)
        behind = ("d1", "d2") if one["config"]["dropout"] else ("h1", "h2")
        df = network.loss.backward()
        dd = network.output.backward(df)
        dh = network.dropout.backward(dd)
        dz = network.activation.backward(dh)
        dx = network.hidden.backward(dz)
        for names, array in ((("z1", "z2"), z), (("h1", "h2"), h), (behind, d), (("f",), f)):
            np.testing.assert_allclose(numbers_of(values, *names), array, **EXACT)
        np.testing.assert_allclose(values["L"], loss, **EXACT)
        pairs = ((("f",), df), (behind, dd), (("h1", "h2"), dh), (("z1", "z2"), dz), (("x1", "x2"), dx))
        for names, array in (*pairs, (PARAMETERS, network.model.grads[None])):
            np.testing.assert_allclose(numbers_of(values, *(f"g.{name}" for name in names)), array, **EXACT)


def test_the_step_and_the_loss_after_it_are_those_of_minidl(rounds):
    for one in rounds:
        network, values = Network(one["config"]), one["values"]
        optimizer = network.optimizer()
        network.loss.forward(network.model.forward(network.x), network.y)
        network.model.backward(network.loss.backward())
        optimizer.step()
        new = numbers_of(values, *(f"new.{name}" for name in PARAMETERS))[0]
        np.testing.assert_allclose(new, network.model.values, **EXACT)
        for moment in ("m", "v") if one["config"]["optimizer"] == "Adam" else ():
            theirs = numbers_of(values, *(f"{moment}.{name}" for name in PARAMETERS))[0]
            np.testing.assert_allclose(theirs, getattr(optimizer, moment), **EXACT)
        after = Network(one["config"])  # whose generator draws the same mask again
        after.model.values[...] = network.model.values
        loss = after.loss.forward(after.model.forward(after.x), after.y)
        np.testing.assert_allclose(values["new.L"], loss, rtol=1e-11, atol=1e-12)  # f - y cancels where f is close to y


def test_the_gradients_are_those_of_differences(rounds):
    eps = 1e-6
    for one in rounds[::3]:
        for index, name in enumerate(PARAMETERS):
            losses = []
            for sign in (1, -1):
                network = Network(one["config"])
                network.model.values[index] += sign * eps
                losses.append(float(network.loss.forward(network.model.forward(network.x), network.y)))
            slope = (losses[0] - losses[1]) / (2 * eps)
            np.testing.assert_allclose(one["values"][f"g.{name}"], slope, rtol=1e-5, atol=1e-6)


def test_each_filled_formula_has_the_value_beside_it(rounds):
    for one in rounds:
        for line in one["formulas"]:
            np.testing.assert_allclose(line["value"], line["again"], **EXACT, err_msg=line["filled"])


def test_each_gradient_is_the_sum_of_incoming_gradients_times_local_derivatives(rounds):
    for one in rounds:
        for total, factors in one["products"]:
            np.testing.assert_allclose(total, sum(incoming * local for incoming, local in factors), **EXACT)


def test_the_address_holds_all_numbers(rounds):
    for one in rounds:
        usual = {} if one["config"]["dropout"] else {"mask": [1, 0]}
        assert one["reread"] == one["config"] | usual


def test_numbers_are_short(shown):
    powers = ["1.235·10⁶", "1.235·10⁻⁹", f"{MINUS}2·10⁻⁷"]
    assert shown["shown"] == ["0", "0", "1.5", f"{MINUS}0.1235", "0.3333", *powers, "123500", "Infinity", "NaN"]
