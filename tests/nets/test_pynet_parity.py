"""All seven outputs, gradients and training quantities against what the authors' own graph computes (fixtures)."""

from __future__ import annotations

import importlib.util
import math
from types import ModuleType

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bokehbench.nets.pynet import PyNETNet
from bokehbench.nets.pynet.blocks import to_picture
from bokehbench.weights.pynet import from_official


def all_outputs(net: PyNETNet, x: torch.Tensor) -> dict[int, torch.Tensor]:
    return {level: to_picture(z) for level, z in net.logits(x).items()}


# largest absolute difference that float32 rounding may reach, by level
TOLERANCE = {7: 1e-4, 6: 1e-4, 5: 1e-4, 4: 3e-4, 3: 3e-4, 2: 6e-4, 1: 6e-4}


@pytest.fixture(scope="module")
def recipe(parity_dir) -> ModuleType:
    spec = importlib.util.spec_from_file_location("parity_recipe", parity_dir / "recipe.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def expected(parity_dir) -> dict[str, np.ndarray]:
    with np.load(parity_dir / "pynet.npz") as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def net(recipe, parity_dir) -> PyNETNet:
    arrays = {row["name"]: array for row, array in recipe.variables(parity_dir / "pynet_variables.csv")}
    with torch.device("meta"):
        net = PyNETNet()
    net.load_state_dict(from_official(arrays), assign=True)
    return net


def picture(expected: dict, case: str, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.from_numpy(expected[f"{case}.input_u8"]).to(dtype).permute(0, 3, 1, 2).contiguous() / 255


def nhwc(x: Tensor) -> np.ndarray:
    return x.detach().permute(0, 2, 3, 1).numpy()


def take(x: np.ndarray, key: str) -> np.ndarray:
    """The part of B H W C that a fixture key stores."""
    tail = key.split(".")[-1]
    if tail == "br64":
        return x[:, -64:, -64:]
    step = int(tail[1:]) if tail[0] == "s" and tail[1:].isdigit() else 1
    return x[:, ::step, ::step]


def keys(expected: dict, case: str, tensor: str, double: bool) -> list[str]:
    """The stored parts of one tensor, of the float64 or the float32 run."""
    parts = {key: key.split(".") for key in expected}
    same = [key for key, p in parts.items() if p[:2] == [case, tensor] and p[-1] not in ("stat", "dev")]
    found = [key for key in same if ("f64" in parts[key]) == double]
    assert found, (case, tensor)
    return found


@pytest.mark.parametrize("case", ["a", "b", "c"])
def test_all_seven_outputs(net, expected, case):
    with torch.no_grad():
        outputs = all_outputs(net, picture(expected, case))
    for level, output in outputs.items():
        for key in keys(expected, case, f"out_l{level}", double=False):
            difference = np.abs(take(nhwc(output), key) - expected[key])
            assert difference.max() < TOLERANCE[level], key
            assert difference.mean() < 3e-5, key


@pytest.fixture(scope="module")
def double(net) -> PyNETNet:
    twin = PyNETNet().double()
    twin.load_state_dict(net.state_dict())
    return twin


def test_double_precision_outputs_and_gradients(double, recipe, expected):
    x = picture(expected, "c", torch.float64).requires_grad_()
    outputs = all_outputs(double, x)
    for level, output in outputs.items():
        for key in keys(expected, "c", f"out_l{level}", double=True):
            assert np.abs(take(nhwc(output), key) - expected[key]).max() < 1e-6, key
    for level in (7, 1):
        noise = torch.from_numpy(recipe.noise(f"pynet.R{level}", nhwc(outputs[level]).shape)).permute(0, 3, 1, 2)
        (gradient,) = torch.autograd.grad((outputs[level] * noise).sum(), x, retain_graph=True)
        (key,) = keys(expected, "c", f"grad{level}_in", double=True)
        assert np.abs(take(nhwc(gradient), key) - expected[key]).max() < 1e-6 * np.abs(expected[key]).max(), key


@pytest.mark.parametrize(("level", "limit"), [(7, 0.03), (1, 0.06)])
def test_single_precision_gradients(net, recipe, expected, level, limit):
    x = picture(expected, "a").requires_grad_()
    output = net(x, level)
    noise = torch.from_numpy(recipe.noise(f"pynet.R{level}", nhwc(output).shape)).permute(0, 3, 1, 2)
    first = net.encoder.level_3.kernel_3.conv_1.weight
    gradient, on_weight = torch.autograd.grad((output * noise).sum(), (x, first))
    (key,) = keys(expected, "a", f"grad{level}_in", double=True)
    assert relative(take(nhwc(gradient), key), expected[key]) < limit
    if level == 1:
        assert relative(on_weight.permute(2, 3, 1, 0).numpy(), expected["a.grad1_w0.f64"]) < limit


def relative(found: np.ndarray, wanted: np.ndarray) -> float:
    """L2 distance over L2 size."""
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """TensorFlow's SSIM: 11x11 Gaussian of sigma 1.5, valid region, data range 1, mean over everything."""
    line = torch.exp(-((torch.arange(11.0) - 5) ** 2) / (2 * 1.5**2))
    window = (line[:, None] * line / line.sum() ** 2).expand(3, 1, 11, 11)
    mean_a, mean_b, aa, bb, ab = (F.conv2d(t, window, groups=3) for t in (a, b, a * a, b * b, a * b))
    luminance = (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4)
    structure = (2 * (ab - mean_a * mean_b) + 9e-4) / (aa - mean_a**2 + bb - mean_b**2 + 9e-4)
    return (luminance * structure).mean()


@pytest.mark.parametrize("case", ["a", "c"])
def test_training_quantities(net, expected, case):
    x = picture(expected, case)
    with torch.no_grad():
        coarse, out = net(x, 7), net(x, 1)
    out.requires_grad_()
    target = x[:, :3].repeat_interleave(2, 2).repeat_interleave(2, 3)
    l1, mse, similarity = (out - target).abs().mean(), ((out - target) ** 2).mean(), ssim(out, target)
    loss = 10 * l1 + 10 * (1 - similarity)
    values = {
        "l1": l1,
        "mse": mse,
        "ssim": similarity,
        "psnr": torch.tensor(-10 * math.log10(mse.item())),
        "loss_novgg": loss,
    }
    for name, value in values.items():
        assert value.item() == pytest.approx(float(expected[f"{case}.train1_{name}"]), rel=1e-4), name
    coarse_loss = 100 * (coarse - F.avg_pool2d(x[:, :3], 32)).abs().mean()
    assert coarse_loss.item() == pytest.approx(float(expected[f"{case}.train7_loss"]), rel=1e-4)
    if case == "a":
        (gradient,) = torch.autograd.grad(loss, out)
        key = "a.train1_dloss_dout.f64.s5"
        assert relative(take(nhwc(gradient), key), expected[key]) < 0.06
