"""The authors' variable names against our networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bokehbench.errors import BokehbenchError
from bokehbench.nets.deeplens import DeepLensNet
from bokehbench.weights.deeplens import load_official, official_names

KERNEL = "Network/Network/SR/lr1_1/weights"


@pytest.fixture(scope="module")
def net() -> DeepLensNet:
    torch.manual_seed(0)
    return DeepLensNet(numerics="official", segmentation_head=False)


@pytest.fixture(scope="module")
def variables(net: DeepLensNet) -> dict[str, np.ndarray]:
    """The network's own values under the official names, in TensorFlow's layout."""
    state = {name: value.numpy() for name, value in net.state_dict().items()}
    return {
        theirs: state[ours].transpose(2, 3, 1, 0) if state[ours].ndim == 4 else state[ours]
        for theirs, ours in official_names().items()
    }


def test_the_mapping_is_complete(net: DeepLensNet) -> None:
    names = official_names()
    ours = {name for name in net.state_dict() if not name.endswith("num_batches_tracked")}
    assert len(names) == 488
    assert set(names.values()) == ours


def test_npz_round_trip(net: DeepLensNet, variables: dict[str, np.ndarray], tmp_path: Path) -> None:
    np.savez(tmp_path / "official.npz", **variables)  # type: ignore[arg-type]
    state = load_official(tmp_path / "official.npz")
    DeepLensNet(numerics="official", segmentation_head=False).load_state_dict(state, strict=True)
    assert all(torch.equal(state[name], value) for name, value in net.state_dict().items())


def test_wrong_variables_are_refused_by_name(variables: dict[str, np.ndarray], tmp_path: Path) -> None:
    path = tmp_path / "wrong.npz"
    for wrong, message in (
        (variables | {"global_step": np.zeros(1)}, "unknown 'global_step'"),
        ({name: value for name, value in variables.items() if name != KERNEL}, f"missing '{KERNEL}'"),
        (variables | {KERNEL: np.zeros((3, 3, 7, 31))}, f"'{KERNEL}' has shape .3, 3, 7, 31., not .3, 3, 7, 32."),
    ):
        np.savez(path, **wrong)  # type: ignore[arg-type]
        with pytest.raises(BokehbenchError, match=message):
            load_official(path)
