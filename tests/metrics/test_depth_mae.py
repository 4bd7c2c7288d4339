from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bokehbench.data import SyntheticDoF
from bokehbench.errors import BokehbenchError
from bokehbench.metrics import DepthMAE
from bokehbench.metrics.depth_mae import depth_mae, spline_fit


def maps(seed: int = 0) -> torch.Tensor:
    return torch.rand(2, 1, 40, 50, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_scale_offset_and_inversion_cost_nothing():
    target = maps()
    for prediction in (target * 7 - 3, 1 - target, target):
        assert torch.allclose(depth_mae(prediction, target), torch.zeros(2, dtype=torch.float64), atol=1e-9)


BENDS = {
    "1 - d": lambda d: 1 - d,
    "√d": torch.sqrt,
    "d²": torch.square,
    "d³": lambda d: d**3,
    "flat": torch.zeros_like,
}


def true_disparities(**options: float) -> torch.Tensor:
    scenes = SyntheticDoF(size=128, disparity_input="clean", num_workers=0, **options).pictures("test")
    return torch.stack([scenes._item(index, bokeh=False)["disparity"] for index in range(100)])


def test_a_bend_costs_what_its_page_says() -> None:
    page = Path(__file__).parents[2] / "docs" / "metrics" / "depth_mae.md"
    rows = [
        line.strip("| \n").split(" | ")
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    ]
    said = {name: [float(value) for value in values] for name, *values in rows if name in BENDS}
    uniform = torch.linspace(0, 1, 10_001, dtype=torch.float64).reshape(1, 1, 1, -1)
    maps_of = (uniform, true_disparities(), true_disparities(slope_probability=1.0))
    for name, bend in BENDS.items():
        measured = [depth_mae(bend(target), target).mean().item() for target in maps_of]
        assert said[name] == pytest.approx(measured, abs=6e-5), name


def test_the_fit_is_the_least_squares_spline():
    prediction, target = maps(1), maps(2) * 0.3 + maps(1) ** 2
    fitted = spline_fit(prediction, target)
    for p, t, f in zip(prediction, target, fitted, strict=True):
        x = ((p - p.min()) / (p.max() - p.min())).flatten().numpy()
        basis = np.stack([np.interp(x, np.linspace(0, 1, 5), row) for row in np.eye(5)], 1)
        coefficients = np.linalg.lstsq(basis, t.flatten().numpy(), rcond=None)[0]
        assert np.allclose(f.flatten(), basis @ coefficients, atol=1e-9)


def test_a_flat_prediction_is_fitted_by_the_mean():
    target = maps()
    expected = (target - target.mean((1, 2, 3), keepdim=True)).abs().mean((1, 2, 3))
    assert torch.allclose(depth_mae(torch.full_like(target, 0.3), target), expected)


def test_predictions_on_a_few_levels_leave_knots_empty_without_harm():
    target = (maps() > 0.5).double()
    assert torch.allclose(depth_mae(target * 0.2, target), torch.zeros(2, dtype=torch.float64), atol=1e-9)


def test_metric_and_bad_input():
    metric = DepthMAE()
    metric.update(maps(1).float(), maps(2).float())
    assert metric.compute() == pytest.approx(depth_mae(maps(1), maps(2)).mean().item(), abs=1e-6)
    with pytest.raises(BokehbenchError, match="at least 2 knots"):
        DepthMAE(knots=1).update(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4))
    with pytest.raises(BokehbenchError, match="same size"):
        depth_mae(maps(), maps()[..., :-1])
