from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from bokehbench.errors import BokehbenchError
from bokehbench.metrics import ProtocolScores
from bokehbench.metrics.luma import studio_luma
from bokehbench.metrics.measurement import Measurement
from bokehbench.metrics.ms_ssim import ms_ssim
from bokehbench.metrics.prepare import prepare
from bokehbench.metrics.protocols import DEFAULT, PROTOCOLS, find_protocol
from bokehbench.metrics.psnr import psnr
from bokehbench.metrics.sample import Sample
from bokehbench.metrics.ssim import ssim
from bokehbench.metrics.ssim_3d import ssim_3d


def score(protocol, prediction, target):
    return Measurement.of_protocol(protocol).of(Sample(prediction, target))


PAPERS = {"dmshn", "pynet", "ebokehnet", "bokehlicious", "ntire23", "basicsr"}


@pytest.fixture(autouse=True)
def _no_download(monkeypatch, tmp_path):
    from bokehbench.metrics import pretrained as module

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    module._load.cache_clear()
    yield
    module._load.cache_clear()


@pytest.fixture(scope="module")
def large():
    """One pair of 300 x 427, floats that are not on 8-bit levels."""
    generator = torch.Generator().manual_seed(0)
    small = torch.rand(1, 3, 38, 54, generator=generator)
    target = torch.nn.functional.interpolate(small, (300, 427), mode="bicubic").mul(0.8).add(0.1).clamp(0.05, 0.9)
    return (target + 0.05 * torch.randn(target.shape, generator=generator)), target


def test_ours_is_the_default_and_every_paper_has_a_preset():
    assert DEFAULT == next(iter(PROTOCOLS)) == ProtocolScores().protocol.name
    assert set(PROTOCOLS) >= PAPERS
    for name, protocol in PROTOCOLS.items():
        assert protocol.name == name
        assert protocol.columns[0] == "psnr"
        assert protocol.describe()["name"] == name
    with pytest.raises(BokehbenchError, match="did you mean 'pynet'"):
        find_protocol("pinet")


def test_names_are_listed_without_torch():
    code = "import sys; from bokehbench.metrics.protocols import PROTOCOLS; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_default_scores_8_bit_rgb_with_both_windows(large):
    one, two = (x.clamp(0, 1).mul(255).round() / 255 for x in large)
    scores = score(find_protocol(DEFAULT), *large)
    assert list(scores) == ["psnr", "ssim", "ssim_gaussian", "lpips"]
    assert torch.allclose(scores["psnr"], psnr(one, two))
    assert torch.allclose(scores["ssim"], ssim(one, two))
    assert torch.allclose(scores["ssim_gaussian"], ssim(one, two, "gaussian"))


def test_pynet_crops_and_stretches_its_targets(large):
    one, two = prepare(find_protocol("pynet"), *large)
    assert one.shape == two.shape == (1, 3, 300 - 64, 384 - 64)
    whole = large[1]
    stretched = ((whole - whole.min()) / (whole.max() - whole.min()) * 255 + 0.5).floor() / 255
    assert torch.allclose(two, stretched[..., 32:-32, 32:352])
    assert torch.equal(one, large[0].clamp(0, 1)[..., 32:-32, 32:352])
    assert torch.equal(score(find_protocol("pynet"), *large)["ms_ssim"], ms_ssim(one, two))


def test_ebokehnet_crops_the_centre_and_its_script_pads_zeros_back():
    two = torch.rand(1, 3, 100, 1600, generator=torch.Generator().manual_seed(0))
    one = (two * 0.9).contiguous()
    cropped = [x[..., 80:1520] for x in (one, two)]
    assert torch.equal(score(find_protocol("ebokehnet"), one, two)["psnr"], psnr(*cropped))
    assert prepare(find_protocol("ebokehnet-script"), one, two)[0].shape == one.shape
    gained = 10 * np.log10(1600 / 1440)
    padded = score(find_protocol("ebokehnet-script"), one, two)["psnr"]
    assert padded.item() == pytest.approx(psnr(*cropped).item() + gained, abs=1e-4)


def test_bokehlicious_crops_the_centre_to_multiples_of_four(large):
    one, _ = prepare(find_protocol("bokehlicious"), *large)
    assert torch.equal(one, large[0].clamp(0, 1)[..., 2:426])


def test_ntire23_truncates_and_takes_the_outputs_maximum(large):
    one, two = ((x.clamp(0, 1) * 255).floor() / 255 for x in large)
    value = score(find_protocol("ntire23"), *large)["psnr"]
    assert value.item() == pytest.approx(psnr(one, two, peak=one.max()).item(), abs=1e-4)


def test_basicsr_resizes_with_lanczos_and_misjudges_black_pictures(large):
    one, two = prepare(find_protocol("basicsr"), *large)
    levels = (large[1][0].permute(1, 2, 0) * 255).round().byte().numpy()
    expected = np.asarray(Image.fromarray(levels).resize((1536, 1024), Image.Resampling.LANCZOS))
    assert np.array_equal((two[0].permute(1, 2, 0) * 255).round().byte().numpy(), expected)
    assert score(find_protocol("basicsr"), *large)["ssim"].item() == pytest.approx(ssim_3d(one, two).item())
    black = torch.zeros(1, 3, 1024, 1536)
    assert score(find_protocol("basicsr"), black, black + 2 / 255)["psnr"].item() == pytest.approx(-6.02, abs=0.01)


def test_the_traps_are_there_to_be_seen(large):
    scores = ProtocolScores("pooled")
    scores.update(*large)
    scores.update(large[1] * 0.5, large[1])
    mean = scores.per_image["psnr"].mean()
    assert scores.compute()["psnr"] < mean
    one, two = (x.clamp(0, 1).mul(255).round() / 255 for x in large)
    luma_psnr = score(find_protocol("y-channel"), *large)["psnr"]
    assert torch.allclose(luma_psnr, psnr(studio_luma(one), studio_luma(two)))


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_scores_over_batches_keep_every_image(large):
    scores = ProtocolScores("dmshn")
    scores.update(torch.cat([large[0]] * 2), torch.cat([large[1]] * 2))
    scores.update(*large)
    assert {name: len(values) for name, values in scores.per_image.items()} == {"psnr": 3, "ssim": 3, "lpips": 3}
    scores.reset()
    with pytest.raises(BokehbenchError, match="has scored no picture"):
        scores.compute()


def test_bad_pictures_are_refused(large):
    with pytest.raises(BokehbenchError, match="RGB pictures"):
        score(find_protocol(DEFAULT), large[0][:, :1], large[1][:, :1])
    for small in ([each[..., :64, :64] for each in large], [each[..., :63] for each in large]):
        assert all("leaves nothing" in value for value in score(find_protocol("pynet"), *small).values())
