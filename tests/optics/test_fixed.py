"""The renderers as programs of fixed length: the same pictures."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from bokehbench import optics
from bokehbench.models import MODELS
from bokehbench.nets.d2f.d2f_net import half_size
from bokehbench.nets.deeplens import area_resize
from bokehbench.nets.deeplens.pyramid import area_product
from bokehbench.nets.pynet.pictures import even
from bokehbench.optics import fixed
from bokehbench.optics.weighted_layers import RADII


def scene(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    relief = F.interpolate(torch.rand(1, 1, 5, 6), (height, width), mode="bilinear")
    return torch.rand(1, 3, height, width), relief


@pytest.mark.parametrize("name", ["compositional", "layered", "scatter"])
@pytest.mark.parametrize(("size", "aperture"), [((37, 52), 0.0), ((37, 52), 7.3), ((20, 17), 12.0)])
def test_equals_the_renderer_that_looks_at_values(name, size, aperture) -> None:
    light, disparity = scene(*size)
    focus, px, method = torch.tensor([0.4]), torch.tensor([aperture]), MODELS[name]()
    away = method.fixed(12)(light, disparity, focus, px) - method.spread(light, disparity, focus, px)
    assert away.abs().max() < 2e-5


@pytest.mark.parametrize("kernel", ["soft", "hard"])
@pytest.mark.parametrize("power", [1, 8])
def test_weighted_layers_equal_also_where_weights_are_small(kernel, power) -> None:
    image, defocus = scene(64, 96)
    weight = torch.rand(1, 3, 64, 96) ** power + 1e-4
    wanted = optics.weighted_layers(image, defocus, weight, kernel=kernel)
    found = fixed.weighted_layers(image, defocus, weight, radii=RADII, sharpness=100.0, kernel=kernel)
    assert (found - wanted).abs().max() < 1e-4


def test_waves_are_the_fourier_transform_and_back() -> None:
    for height, width in ((6, 8), (7, 9)):
        maps = torch.rand(2, height, width, dtype=torch.float64)
        waves = fixed.Waves(height, width, maps.dtype)
        torch.testing.assert_close(torch.complex(*waves.spectra(maps)), torch.fft.rfft2(maps))
        torch.testing.assert_close(waves.maps(*waves.spectra(maps)), maps)


def test_rules_for_sizes_are_the_former_ones_in_whole_numbers() -> None:
    assert [half_size(n) for n in range(1, 3000)] == [max(64, 64 * round(n / 2 / 64)) for n in range(1, 3000)]
    picture = torch.rand(1, 3, 33, 50)
    torch.testing.assert_close(area_product(picture, (16, 25)), area_resize(picture, (16, 25)))
    assert torch.equal(even(picture), F.pad(picture, (0, 0, 0, 1), mode="replicate"))
