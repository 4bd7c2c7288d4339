"""Large pictures are rendered a strip at a time: the numbers are those of the whole."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from bokehbench.models.baselines.gaussian import Gaussian
from bokehbench.models.baselines.layered import Layered
from bokehbench.nets.bokehme.bokeh_me_net import classically
from bokehbench.optics import compositional, layered, scatter, signed_defocus, strips

RENDERERS = {
    "layered": lambda *given: layered(*given, layers=8),
    "layered, reflected": lambda *given: layered(*given, layers=8, padding="reflect", alphas="tent", kernel="soft"),
    "scatter": lambda image, *given: scatter(image, signed_defocus(*given)),
    "scatter, coarse": lambda image, *given: scatter(image, signed_defocus(*given), step=2.0),
    "scatter, exact": lambda image, *given: scatter(image, signed_defocus(*given), step=None),
    "BokehMe's classical": lambda image, *given: classically(image, signed_defocus(*given), 2.2, 0.25),
    "compositional": compositional,
    "compositional, coarse": lambda *given: compositional(*given, step=2.5, padding="zero"),
    "layered, the method": lambda *given: Layered(layers=8).blur(*given),
    "gaussian": lambda *given: Gaussian().blur(*given),
}


def scene(height: int = 61, width: int = 23) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    made = torch.Generator().manual_seed(3)
    image, disparity = (torch.rand(2, channels, height, width, generator=made) for channels in (3, 1))
    disparity = torch.nn.functional.avg_pool2d(disparity, 5, 1, 2, count_include_pad=False)
    return image, disparity, torch.tensor([0.3, 0.6]), torch.tensor([4.0, 9.0])


@pytest.mark.parametrize("name", RENDERERS)
def test_strips_are_the_whole(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    given = scene()
    whole = RENDERERS[name](*given)
    made: list[int] = []
    joined = strips.in_strips

    def counted(rows, size, halo, step=0, each=1):  # type: ignore[no-untyped-def]
        def noted(start: int, stop: int) -> Tensor:
            made.append(stop - start)
            return rows(start, stop)

        return joined(noted, size, halo, step, each)

    monkeypatch.setattr(strips, "in_strips", counted)
    monkeypatch.setattr(strips, "RENDERED_PIXELS", 1)
    torch.testing.assert_close(RENDERERS[name](*given), whole, atol=1e-6, rtol=0)
    assert len(made) > 2
    assert all(rows < 61 for rows in made)


def test_a_blur_larger_than_the_picture_is_rendered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    image, disparity, focus, _ = scene(20, 23)
    whole = layered(image, disparity, focus, 30.0)
    monkeypatch.setattr(strips, "RENDERED_PIXELS", 1)
    torch.testing.assert_close(layered(image, disparity, focus, 30.0), whole, atol=0, rtol=0)


@pytest.mark.parametrize("name", ["layered", "scatter", "compositional"])
def test_gradients_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """They keep everything anyway, so that there are no strips."""
    found = []
    for _ in range(2):
        image, *rest = scene(31, 17)
        RENDERERS[name](image.requires_grad_(), *rest).square().sum().backward()
        found.append(image.grad)
        monkeypatch.setattr(strips, "RENDERED_PIXELS", 1)
    assert torch.equal(*found)


def test_progress_is_shown_where_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(strips, "RENDERED_PIXELS", 1)
    monkeypatch.setattr(strips, "PATIENCE", math.inf)
    layered(*scene())
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(strips, "PATIENCE", 0.0)
    layered(*scene())
    assert "rendering" in capsys.readouterr().err
