"""No public class without an entry among the cases."""

import inspect

import pytest

import minidl as md
from conformance.loss_cases import LOSSES
from conformance.module_cases import MODULES
from conformance.optimizer_cases import OPTIMIZERS

KINDS = {md.Module: MODULES, md.Loss: LOSSES, md.Optimizer: OPTIMIZERS}


def public_classes():
    for name in md.__all__:
        thing = getattr(md, name)
        for base, cases in KINDS.items():
            if inspect.isclass(thing) and issubclass(thing, base) and not inspect.isabstract(thing):
                yield pytest.param(name, cases, id=name)


def test_there_are_classes_to_cover():
    assert len(list(public_classes())) >= 12


@pytest.mark.parametrize(("name", "cases"), [*public_classes()])
def test_every_public_class_has_an_entry(name, cases):
    assert name in {case.name.replace(",", " ").split()[0] for case in cases}
