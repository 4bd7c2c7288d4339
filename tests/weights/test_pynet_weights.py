"""The authors' checkpoint order, found from the modules alone."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch

from bokehbench.errors import BokehbenchError
from bokehbench.nets.pynet import PyNETNet
from bokehbench.weights.pynet import from_official, load_official, official_names, official_order


def arrays_of(net: PyNETNet) -> dict[str, np.ndarray]:
    """What the authors' file would hold for ``net``'s weights."""
    state = net.state_dict()
    order = official_order(net)
    values = (state[name].numpy() for name in order)
    permuted = (v.transpose(2, 3, 1, 0) if v.ndim == 4 else v for v in values)
    return dict(zip(official_names(len(order)), permuted, strict=True))


@pytest.fixture(scope="module")
def net() -> PyNETNet:
    torch.manual_seed(0)
    net = PyNETNet(width=3)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter)
    return net


def test_weights_come_back_through_the_authors_layout(net, tmp_path):
    np.savez(tmp_path / "w.npz", **arrays_of(net))
    state = load_official(tmp_path / "w.npz")
    assert list(state) == list(net.state_dict())
    for name, value in net.state_dict().items():
        assert torch.equal(state[name], value), name
    PyNETNet(width=3).load_state_dict(state)


def test_the_depthless_variant_is_recognised(tmp_path):
    state = from_official(arrays_of(PyNETNet(width=3, depth_input=False)))
    PyNETNet(width=3, depth_input=False).load_state_dict(state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a | {"generator/Variable_440": np.zeros(3)}, "unknown.*generator/Variable_440"),
        (lambda a: a | {"discriminator/Variable": np.zeros(3)}, "unknown.*discriminator/Variable"),
        (lambda a: {k: v for k, v in a.items() if k != "generator/Variable_17"}, "missing.*generator/Variable_17"),
        (lambda a: a | {"generator/Variable_60": np.zeros((3, 3, 2, 2))}, "generator/Variable_60.*shape"),
        (lambda a: a | {"generator/Variable": np.zeros((7, 7, 3, 64))}, "no PyNET-bokeh"),
        (lambda a: {}, "no PyNET-bokeh"),
    ],
)
def test_a_foreign_file_is_refused_by_name(net, change, message):
    with pytest.raises(BokehbenchError, match=message):
        from_official(change(arrays_of(net)))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BokehbenchError, match=r"absent\.npz"):
        load_official(tmp_path / "absent.npz")


def test_order_and_shapes_are_the_released_graphs(parity_dir):
    with torch.device("meta"):
        net = PyNETNet()
    state, order = net.state_dict(), official_order(net)
    with open(parity_dir / "pynet_variables.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == official_names(len(order))
    for row, name in zip(rows, order, strict=True):
        shape = tuple(int(s) for s in row["shape"].split("x"))
        mine = tuple(state[name].shape)
        assert shape == (tuple(mine[i] for i in (2, 3, 1, 0)) if len(mine) == 4 else mine), (row, name)
        assert f"level_{row['level']}." in name, (row, name)
        assert (row["role"] == "shift") == (name.endswith(("norm_1.bias", "norm_2.bias")))
