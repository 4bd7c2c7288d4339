"""The one measurement: every column of a sample, or why there is none, each computed once."""

from __future__ import annotations

import pytest
import torch

from bokehbench.metrics import ssim_terms
from bokehbench.metrics.column import NEEDS, NotMeasuredError
from bokehbench.metrics.columns import columns
from bokehbench.metrics.measurement import TOO_SMALL, Measurement, numbers
from bokehbench.metrics.pretrained import NOT_AVAILABLE
from bokehbench.metrics.protocols import DEFAULT, PROTOCOLS
from bokehbench.metrics.psnr import psnr
from bokehbench.metrics.regions import region_psnr, region_ssim
from bokehbench.metrics.sample import Sample
from bokehbench.metrics.ssim import ssim

#: Of pictures, with no weights to download.
BESIDES = [
    name for name in columns()
    if name not in {c for p in PROTOCOLS.values() for c in p.columns} | {"lpips_vgg", "dists"}
]  # fmt: skip


@pytest.fixture
def mask(pair):
    mask = torch.zeros(2, 1, *pair[1].shape[-2:])
    mask[..., 60:120, 70:140] = 1
    return mask


def test_every_column_has_a_value_where_all_that_it_needs_is_there(pair, mask):
    depth = torch.rand(2, 1, *pair[1].shape[-2:])
    kept = pair[1].where(torch.arange(mask.shape[-1]) < 100, pair[1].flip(-1))  # the lens changes a part of it
    tried = [((8.0, 0.5, 0.8), (9.0, 0.5, 0.9))] * 2
    sample = Sample(*pair, input=kept, in_focus=mask, true_disparity=depth, own_disparity=lambda: 1 - depth,
                    control=dict.fromkeys(BESIDES, 0.5), tried=tried)  # fmt: skip
    scores = Measurement.named(BESIDES).of(sample)
    assert list(scores) == BESIDES
    assert all(torch.is_tensor(each) and each.shape == (2,) and each.isfinite().all() for each in scores.values())
    assert scores["depth_mae"].max() < 1e-3, "an inverted map is fitted"
    assert (scores["psnr_gain"] >= psnr(*pair)).all()


@pytest.mark.parametrize("name", columns())
def test_what_lacks_is_a_reason_and_not_a_number(pair, name):
    needs = columns()[name].needs
    lacking = Sample(pair[0])
    reason = Measurement.named([name]).of(lacking)[name]
    assert reason == NEEDS[needs[0]]


def test_a_methods_own_reason_is_told(pair):
    def refuse():
        raise NotMeasuredError("its depth network was not trained")

    sample = Sample(*pair, true_disparity=pair[1][:, :1], own_disparity=refuse)
    assert Measurement.named(["depth_mae"]).of(sample) == {"depth_mae": "its depth network was not trained"}


def test_scores_are_those_of_the_functions(pair, mask):
    scores = Measurement.of_protocol(DEFAULT, ["psnr_border", "ssim_border"]).of(Sample(*pair, in_focus=mask))
    assert torch.equal(scores["psnr"], psnr(*pair))
    assert torch.allclose(scores["ssim"], ssim(*pair), atol=1e-6)
    assert torch.allclose(scores["ssim_gaussian"], ssim(*pair, "gaussian"))
    assert torch.allclose(scores["psnr_border"], region_psnr(*pair, mask)["border"])
    assert torch.allclose(scores["ssim_border"], region_ssim(*pair, mask)["border"])


def test_what_columns_share_is_computed_once(pair, mask, monkeypatch):
    bands, seen = ssim_terms.bands, []
    monkeypatch.setattr(ssim_terms, "bands", lambda *given: seen.append(1) or bands(*given))
    sample = Sample(*pair, in_focus=mask)
    measurement = Measurement.named(["ssim", "ssim_in_focus", "ssim_out_of_focus", "ssim_border"])
    measurement.of(sample)
    measurement.of(sample.under(PROTOCOLS["dmshn"]))
    assert len(seen) == 1


def test_diagnosing_columns_do_not_depend_on_the_protocol(pair, mask):
    sample = Sample(*pair, in_focus=mask)
    ours, theirs = (Measurement.named(BESIDES, name).of(sample) for name in (DEFAULT, "pynet"))
    assert all(torch.equal(ours[name], theirs[name]) for name in numbers(ours))


def test_too_small_pictures_are_a_reason_with_their_names_and_size(pair):
    small = Sample(*(picture[..., :40, :48] for picture in pair), names=["a", "b"])
    for strict in (True, False):
        for reason in Measurement.of_protocol("pynet").of(small, strict).values():
            assert reason.startswith("n/a: pictures of 48 x 40 pixels (a, b) are too small: protocol 'pynet' leaves")
    registered = Measurement.named(["psnr_registered", "psnr_gain"]).of(small)
    assert "needs 81 on each side" in registered["psnr_registered"]
    assert registered["psnr_gain"].isfinite().all()


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize("size", [(1, 1), (2, 9), (5, 300)])
def test_no_protocol_or_column_ends_a_run_for_a_small_picture(protocol, size):
    """Of every column a number, NaN or a reason, whatever the picture's size."""
    noise = [torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1)]
    maps = {"in_focus": noise[0][:, :1] > 0.5, "true_disparity": noise[1][:, :1]}
    sample = Sample(*noise, input=noise[0], own_disparity=lambda: noise[0][:, :1], names=["tiny"], **maps)
    for name, value in Measurement.of_protocol(protocol, columns()).of(sample).items():
        assert isinstance(value, torch.Tensor) or not value.startswith(TOO_SMALL) or "(tiny)" in value, name


def test_a_protocol_without_a_column_says_so(pair):
    reason = Measurement.named(["ssim_gaussian", "lpips"], "bokehme").of(Sample(*pair))
    assert reason == {"ssim_gaussian": "the protocol bokehme has no ssim_gaussian",
                      "lpips": "the protocol bokehme has no LPIPS"}  # fmt: skip
    assert NOT_AVAILABLE.startswith("n/a")


def test_means_are_the_protocols():
    values = [20.0, 30.0, float("nan")]
    assert Measurement.of_protocol(DEFAULT).mean("psnr", values) == 25.0
    assert Measurement.of_protocol("pooled").mean("psnr", [20.0, 30.0]) == pytest.approx(22.596, abs=1e-3)
    assert Measurement.of_protocol("pooled").mean("ssim", [0.2, 0.4]) == pytest.approx(0.3)
