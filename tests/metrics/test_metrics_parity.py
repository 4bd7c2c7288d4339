"""Numbers that scikit-image and TensorFlow computed (../shared/parity/README.md, metrics part)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bokehbench.metrics.ms_ssim import ms_ssim
from bokehbench.metrics.psnr import psnr
from bokehbench.metrics.ssim import ssim


@pytest.fixture(scope="module")
def fixtures(parity_dir):
    with np.load(parity_dir / "metrics.npz") as file:
        return dict(file)


def pictures(fixtures, case, dtype):
    return [
        torch.from_numpy(fixtures[f"{case}.{name}_u8"]).permute(2, 0, 1)[None].to(dtype) / 255
        for name in ("pred", "target")
    ]


@pytest.mark.parametrize("case", ["p1", "p2", "p3"])
def test_scikit_image(fixtures, case):
    pair = pictures(fixtures, case, torch.float64)
    values = {
        "sk_psnr_u8": psnr(*pair),
        "sk_ssim_uniform7_u8": ssim(*pair),
        "sk_ssim_uniform7_float": ssim(*pair),
        "sk_ssim_gauss11_u8": ssim(*pair, "gaussian"),
        "sk_ssim_gauss11_samplecov_u8": ssim(*pair, "gaussian", "sample"),
    }
    for name, value in values.items():
        assert value.item() == pytest.approx(float(fixtures[f"{case}.{name}"]), abs=1e-8), name


@pytest.mark.parametrize("case", ["p1", "p2", "p3", "batch13"])
def test_tensorflow(fixtures, case):
    parts = [pictures(fixtures, c, torch.float32) for c in (("p1", "p3") if case == "batch13" else (case,))]
    pair = [torch.cat([part[i] for part in parts]) for i in range(2)]
    raw = pair[0] * 1.16 - 0.08
    cut = (slice(None), slice(None), slice(32, -32), slice(32, -32))
    groups = {"tf": pair}
    if case != "batch13":
        groups |= {"tf_test": [raw.clamp(0, 1)[cut], pair[1][cut]], "tf_train": [raw, pair[1]]}
    for group, (one, two) in groups.items():
        expected = {name: float(fixtures[f"{case}.{group}_{name}"]) for name in ("psnr", "ssim", "msssim")}
        assert psnr(one, two).mean().item() == pytest.approx(expected["psnr"], abs=2e-5), group
        assert ssim(one, two, "gaussian").mean().item() == pytest.approx(expected["ssim"], abs=1e-4), group
        assert ms_ssim(one, two).mean().item() == pytest.approx(expected["msssim"], abs=2e-5), group


@pytest.mark.parametrize("case", ["p1", "p2", "p3"])
def test_ssim_as_a_loss_has_tensorflows_gradient(fixtures, case):
    prediction, target = pictures(fixtures, case, torch.float32)
    raw = (prediction * 1.16 - 0.08).requires_grad_()
    loss = 10 * (raw - target).abs().mean() + 10 * (1 - ssim(raw, target, "gaussian").mean())
    loss.backward()
    assert loss.item() == pytest.approx(float(fixtures[f"{case}.tf_train_loss1_novgg"]), abs=1e-3)
    mine = raw.grad[0].permute(1, 2, 0)[::7, ::7].numpy()
    theirs = fixtures[f"{case}.tf_train_grad.s7"][0]
    assert np.linalg.norm(mine - theirs) < 0.02 * np.linalg.norm(theirs)
