"""The calibrated number of pictures that carry f-numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from makers import picture

from bokehbench.data.fit_aperture import fit_aperture
from bokehbench.data.image_io import to_tensor
from bokehbench.data.rendering import render_reference
from bokehbench.errors import BokehbenchError

SIZE = (128, 160)
#: In a picture 1024 high, at f/1.
AT_F1 = 160.0


class Scene:
    """One scene with a target per f-number; NaN = the number is not known, and the target is something else."""

    def __init__(self, *f_numbers: float) -> None:
        self.f_numbers = f_numbers

    def __len__(self) -> int:
        return len(self.f_numbers)

    def __getitem__(self, index: int) -> dict[str, object]:
        number, image = self.f_numbers[index], to_tensor(picture(1, SIZE))
        disparity, focus = to_tensor(picture(8, SIZE)[..., :1]), torch.tensor(0.5)
        item = {"name": f"{index}", "image": image, "disparity": disparity, "focus": focus}
        if np.isnan(number):
            return item | {"bokeh": image, "f_number": torch.tensor(number)}
        radius = torch.tensor(AT_F1 / abs(number) * SIZE[0] / 1024)
        bokeh = render_reference(image, disparity, focus, radius, "layered")
        return item | {"bokeh": bokeh, "f_number": torch.tensor(number)}


def test_one_number_fits_all_f_numbers_of_a_scene() -> None:
    fit = fit_aperture(Scene(4.0, 2.0, np.nan, 8.0), height=128)  # type: ignore[arg-type]
    assert fit.f_number == 2
    assert fit.aperture_at_f1 == pytest.approx(AT_F1, rel=0.05)
    assert fit.aperture_at_1024 == pytest.approx(AT_F1 / 2, rel=0.05)
    assert fit.error < 1e-5  # the target without a number is left out


def test_the_f_number_may_be_given_where_the_data_does_not_say() -> None:
    given = fit_aperture(Scene(2.0, np.nan), height=128, f_number=50.0)  # type: ignore[arg-type]
    assert given.error < 1e-3
    assert given.f_number == 2
    unknown = fit_aperture(Scene(np.nan), height=128)  # type: ignore[arg-type]
    assert unknown.f_number is None
    assert unknown.aperture_at_f1 is None


def test_an_impossible_f_number_is_refused() -> None:
    with pytest.raises(BokehbenchError, match="f-number of a target -2"):
        fit_aperture(Scene(-2.0), height=128)  # type: ignore[arg-type]
