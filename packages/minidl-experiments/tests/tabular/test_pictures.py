"""Pictures of a training."""

import pytest
from matplotlib.figure import Figure

from minidl_experiments.tabular.pictures import _name_classes


@pytest.mark.parametrize(("count", "shown"), [(2, 2), (12, 12), (30, 30), (40, 40), (41, 21), (500, 39)])
def test_classes_have_their_names(count, shown):
    """Beside a matrix of very many, at equal distances."""
    axes, names = Figure().add_subplot(), [f"class {i}" for i in range(count)]
    _name_classes(axes, names)
    for axis in (axes.xaxis, axes.yaxis):
        labels = [label.get_text() for label in axis.get_ticklabels()]
        assert labels == [names[int(place)] for place in axis.get_ticklocs()]
        assert len(labels) == shown
