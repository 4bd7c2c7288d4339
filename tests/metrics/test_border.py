from __future__ import annotations

import pytest
import torch

from bokehbench.batch import Batch
from bokehbench.data import SyntheticDoF
from bokehbench.data.collate import collate
from bokehbench.metrics import Measurement, Sample
from bokehbench.metrics.border import bleeding, border_psnr, changed_by_the_lens
from bokehbench.metrics.measurement import sample_of
from bokehbench.metrics.regions import regions
from bokehbench.models import MODELS

COLUMNS = ("psnr_border", "psnr_border_changed", "bleeding")


def square(side: int = 120) -> torch.Tensor:
    mask = torch.zeros(1, 1, side, side)
    mask[..., 40:80, 40:80] = 1
    return mask


@pytest.fixture
def three() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Input, target (the lens changes all around the square) and what is in focus."""
    image = torch.randint(0, 256, (1, 3, 120, 120), generator=torch.Generator().manual_seed(0)) / 255
    return image, torch.where(square().bool(), image, image.flip(-1)), square()


def test_each_column_sees_errors_on_its_own_side_of_the_border_only(three):
    image, target, in_focus = three
    band = regions(in_focus)["border"]
    changed = changed_by_the_lens(image, target)
    here = target + 0.1 * (band & changed)
    assert border_psnr(here, target, image, in_focus).item() == pytest.approx(20, abs=1e-3)
    assert bleeding(here, target, image, in_focus).item() == 0
    there = target + 0.1 * (band & ~changed)
    assert border_psnr(there, target, image, in_focus).isposinf()
    assert bleeding(there, target, image, in_focus).item() == pytest.approx(25.5, abs=1e-3)
    elsewhere = target + 0.1 * ~band
    assert bleeding(elsewhere, target, image, in_focus).item() == 0
    assert border_psnr(elsewhere, target, image, in_focus).isposinf()


def test_columns_compare_eight_bit_pictures_and_say_what_they_lack(three):
    image, target, in_focus = three
    output = (target + 0.08).clamp(0, 1)
    both = Measurement.named(COLUMNS)
    measured = both.of(Sample(output + 1e-4, target, input=image, in_focus=in_focus))
    rounded = (output * 255).round() / 255
    expected = border_psnr(rounded, target, image, in_focus)
    assert torch.allclose(measured["psnr_border_changed"], expected, atol=1e-3)
    assert torch.allclose(measured["bleeding"], bleeding(rounded, target, image, in_focus), atol=1e-3)
    assert both.of(Sample(output, target, in_focus=in_focus))["bleeding"] == "no input picture"
    nothing = both.of(Sample(image, image, input=image, in_focus=in_focus))
    assert nothing["psnr_border_changed"].isnan().all()  # the lens changes nothing there


def scene(index: int) -> Batch:
    data = SyntheticDoF(size=160, test_samples=8, focus_on="front")
    data.setup("test")
    return collate([data.test_set[index]])


def test_not_blurring_is_worse_than_half_the_blur_and_than_renderers_that_know_the_disparity():
    """Over the whole band it is better than some of them: why claims about depth edges use the other column."""
    scores: dict[str, list[float]] = {}
    for index in range(8):
        batch = scene(index)
        blur = {"focus": batch["focus"], "aperture": batch["aperture"]}
        outputs = {"identity": batch["image"], "half": (batch["image"] + batch["bokeh"]) / 2}
        for name in ("layered", "scatter", "raytraced"):
            outputs[name] = (
                MODELS[name]().eval().render(batch["image"], disparity=batch["true_disparity"], **blur).image
            )
        for name, output in outputs.items():
            measured = Measurement.named(COLUMNS).of(sample_of(output, batch))
            for column in COLUMNS:
                scores.setdefault(f"{name} {column}", []).append(float(measured[column]))
    mean = {key: sum(values) / len(values) for key, values in scores.items()}
    blurred = {key.split()[0]: value for key, value in mean.items() if key.endswith("psnr_border_changed")}
    assert min(blurred, key=lambda name: blurred[name]) == "identity"
    assert blurred["half"] > blurred["identity"] + 3
    assert mean["identity psnr_border"] > mean["scatter psnr_border"]
    # and what the renderer without occlusion does to the subject is seen in the other column
    assert mean["scatter bleeding"] > 2 * mean["raytraced bleeding"]
    assert mean["identity bleeding"] < 0.5
