"""Large pictures go through BokehMe's networks a strip at a time: the numbers are those of the whole."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bokehbench.nets.bokehme import BokehMeNet
from bokehbench.nets.bokehme.bokeh_me_net import mask
from bokehbench.nets.bokehme.residual_net import ResidualNet, resized, resized_rows
from bokehbench.optics import strips


@pytest.fixture(scope="module")
def net() -> BokehMeNet:
    torch.manual_seed(0)
    return BokehMeNet(8, 8).eval()


def small_strips(patch: pytest.MonkeyPatch) -> list[int]:
    """From now on all is done in the lowest strips; returns a list that their heights are added to."""
    joined, heights = strips.in_strips, []

    def counted(rows, size, halo, step=0, each=1):  # type: ignore[no-untyped-def]
        def noted(start: int, stop: int) -> Tensor:
            heights.append(stop - start)
            return rows(start, stop)

        return joined(noted, size, halo, step, each)

    patch.setattr(strips, "STRIP_PIXELS", 1)
    patch.setattr(strips, "LEAST_HALOS", 1)
    patch.setattr(strips, "RENDERED_PIXELS", 1)
    patch.setattr(strips, "in_strips", counted)
    patch.setattr("bokehbench.nets.bokehme.residual_net.in_strips", counted)
    patch.setattr("bokehbench.nets.bokehme.bokeh_me_net.in_strips", counted)
    return heights


@settings(max_examples=10, deadline=None)
@given(st.integers(40, 90), st.integers(6, 30), st.floats(0, 35), st.integers(0, 99))
@torch.no_grad()
def test_strips_are_the_whole(net: BokehMeNet, height: int, width: int, aperture: float, seed: int) -> None:
    made = torch.Generator().manual_seed(seed)
    image, disparity = (torch.rand(1, channels, height, width, generator=made) for channels in (3, 1))
    defocus = (disparity - 0.4) * aperture
    whole = net(image, defocus, 2.2)
    with pytest.MonkeyPatch.context() as patch:
        heights = small_strips(patch)
        parts = net(image, defocus, 2.2)
        for name in ("classical", "neural", "error", "image"):
            torch.testing.assert_close(getattr(parts, name), getattr(whole, name), atol=1e-6, rtol=0)
    assert len(heights) > 4


@pytest.mark.parametrize("size", [(64, 10), (65, 11), (83, 20)])
@torch.no_grad()
def test_a_network_alone(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    net = ResidualNet(16, guides=3, outputs=3).eval()
    given = torch.rand(2, 3, *size), torch.rand(2, 1, *size), torch.rand(2), torch.rand(2, 3, 29, 7)
    whole = net(*given)
    heights = small_strips(monkeypatch)
    torch.testing.assert_close(net(*given), whole, atol=1e-6, rtol=0)
    assert len(heights) > 2
    assert max(heights) < size[0] // 2


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_rows_of_a_resized_picture(height: int, to: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, to - 1))
    stop = data.draw(st.integers(start + 1, to))
    picture = torch.rand(1, 2, height, 5, generator=torch.Generator().manual_seed(height))
    expected = resized(picture, (to, 8))[..., start:stop, :]
    torch.testing.assert_close(resized_rows(picture, (to, 8), start, stop), expected, atol=1e-6, rtol=0)


def test_the_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    dilated = torch.randn(1, 1, 600, 420, generator=torch.Generator().manual_seed(1))
    whole = mask(dilated)
    heights = small_strips(monkeypatch)
    torch.testing.assert_close(mask(dilated), whole, atol=1e-6, rtol=0)
    assert len(heights) > 4


def test_training_keeps_everything_at_once(net: BokehMeNet, monkeypatch: pytest.MonkeyPatch) -> None:
    heights = small_strips(monkeypatch)
    given = torch.rand(1, 3, 64, 10), torch.rand(1, 1, 64, 10), torch.rand(1)
    net.small(*given).sum().backward()
    assert heights == []
