"""Every known difference is still one."""

import pytest

from conformance.loss_cases import LOSSES
from conformance.module_cases import MODULES

KNOWN = [
    pytest.param(case, difference, id=f"{case}-{difference}")
    for case in (*MODULES, *LOSSES)
    for difference in case.differences
]


@pytest.mark.parametrize(("case", "difference"), KNOWN)
def test_both_do_as_the_data_says(case, difference):
    assert difference.reason
    difference.show(case)
