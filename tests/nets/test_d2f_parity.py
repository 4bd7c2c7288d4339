"""D2F against the released inference graph, filled with the same deterministic weights (../shared/parity)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from bokehbench.nets.d2f import D2FNet
from bokehbench.nets.d2f.d2f_net import half_size, resize
from bokehbench.nets.d2f.fusion import initial_mask
from bokehbench.weights.d2f import official_name


class Parity(NamedTuple):
    recipe: ModuleType
    expected: dict[str, np.ndarray]
    net: D2FNet


@pytest.fixture(scope="module")
def parity(parity_dir: Path) -> Parity:
    spec = importlib.util.spec_from_file_location("d2f_parity_recipe", parity_dir / "recipe.py")
    assert spec is not None
    assert spec.loader is not None
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    official = {row["name"]: value for row, value in recipe.variables(parity_dir / "d2f_variables.csv")}
    net = D2FNet(head_activation="none", unused_unit=True).eval()
    names = {official_name(name): name for name in net.state_dict()}
    assert names.keys() == official.keys()
    net.load_state_dict({names[name]: torch.from_numpy(np.asarray(value)) for name, value in official.items()})
    with np.load(parity_dir / "d2f.npz") as archive:
        return Parity(recipe, dict(archive), net)


def picture(parity: Parity, case: str, dtype: type = np.float32) -> Tensor:
    return torch.from_numpy(parity.expected[f"{case}.input_u8"].astype(dtype) / dtype(255)).permute(2, 0, 1)[None]


def ramp(parity: Parity, case: str) -> Tensor:
    return torch.from_numpy(parity.expected[f"{case}.ramp_D"])[None, None]


def halved(image: Tensor) -> Tensor:
    return resize(image, (half_size(image.shape[-2]), half_size(image.shape[-1])))


def pairs(parity: Parity, case: str, got: dict[str, Tensor]) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(key, ours, theirs) for every float32 fixture that ``got`` answers, sub-sampled as the fixture is."""
    found = []
    for key, theirs in parity.expected.items():
        first, tensor, *rest = key.split(".")
        if first != case or tensor not in got or "f64" in rest or rest[-1:] in (["stat"], ["dev"]):
            continue
        found.append((key, take(got[tensor], rest), theirs.astype(np.float64)))
    assert {key.split(".")[1] for key, _, _ in found} == set(got)
    return found


def take(value: Tensor, rest: list[str]) -> np.ndarray:
    picked = value.detach().double().numpy()
    if rest and rest[-1] == "br64":
        return picked[..., -64:, -64:]
    if rest and rest[-1][0] == "s" and rest[-1][1:].isdigit():
        return picked[..., :: int(rest[-1][1:]), :: int(rest[-1][1:])]
    return picked


@pytest.mark.parametrize("case", ["a", "b", "c"])
def test_every_output_of_the_pipeline(parity: Parity, case: str) -> None:
    image = picture(parity, case)
    full = (image.shape[-2], image.shape[-1])
    with torch.no_grad():
        out = parity.net(image)
        half = halved(image)
        raw_mask = parity.net.fusion(image, resize(out["defocus"], full))
        got = {
            "half_in": half,
            "g": parity.net.radiance.net(half),
            "defocus": out["defocus"],
            "weight": out["radiance"],
            "bokeh_half": out["coarse"],
            "bokeh_full": resize(out["coarse"], full),
            "mask_init": out["mask_init"],
            "mask_raw": raw_mask,
            "composite": out["bokeh"],
        }
    for key, ours, theirs in pairs(parity, case, got):
        if "mask_init" in key:
            assert (ours != theirs).mean() <= 1e-4, key
        else:
            np.testing.assert_allclose(ours, theirs, atol=2e-5, rtol=0, err_msg=key)


@pytest.mark.parametrize("case", ["a", "b", "c"])
def test_renderer_and_fusion_from_a_given_ramp(parity: Parity, case: str) -> None:
    image, defocus = picture(parity, case), ramp(parity, case)
    half = halved(image)
    with torch.no_grad():
        upsampled = resize(torch.cat([defocus, 0.3 + 0.6 * defocus]), (image.shape[-2], image.shape[-1]))
        got = {
            "ramp_bokeh": parity.net.renderer(half, parity.net.radiance(half), defocus),
            "ramp_bokeh_w1": parity.net.renderer(half, torch.ones_like(half), defocus),
            "fuse_mask_init": initial_mask(upsampled),
            "fuse_mask_raw": parity.net.fusion(image.expand(2, -1, -1, -1), upsampled),
        }
    for key, ours, theirs in pairs(parity, case, got):
        if "mask_init" in key:
            assert (ours != theirs).mean() <= 1e-4, key
        else:
            limit = 5e-5 if "ramp_bokeh_w1" in key or "mask_raw" in key else 2e-5
            np.testing.assert_allclose(ours, theirs, atol=limit, rtol=0, err_msg=key)


def distance(parity: Parity, key: str, gradient: Tensor | None) -> float:
    """Relative L2 distance to a fixture of every third row and column."""
    assert gradient is not None
    theirs = parity.expected[f"{key}.f64.s3"].astype(np.float64)
    ours = take(gradient, ["s3"])
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_of_the_renderer(parity: Parity, dtype: type) -> None:
    half = halved(picture(parity, "a", dtype))
    with torch.no_grad():
        weight = parity.net.radiance(half.float()).to(half.dtype) if dtype is np.float32 else exact_weight(parity, half)
    leaves = [t.requires_grad_() for t in (half, weight, ramp(parity, "a").to(half.dtype))]
    noise = torch.from_numpy(parity.recipe.noise("d2f.R", half.shape)).to(half.dtype)
    (parity.net.renderer(*leaves) * noise).sum().backward()
    for name, leaf in zip(("ramp_grad_x", "ramp_grad_w", "ramp_grad_D"), leaves, strict=True):
        assert distance(parity, f"a.{name}", leaf.grad) < 1e-3, name


def exact_weight(parity: Parity, half: Tensor) -> Tensor:
    """The radiance weights in float64."""
    try:
        return parity.net.radiance.double()(half)
    finally:
        parity.net.radiance.float()


def test_gradients_through_the_whole_first_stage(parity: Parity) -> None:
    half = halved(picture(parity, "a", np.float64)).requires_grad_()
    try:
        out = parity.net.double().render_coarse(half)
        for key, value, noise in (("D", out["defocus"], "d2f.RD"), ("B", out["coarse"], "d2f.R")):
            contract = torch.from_numpy(parity.recipe.noise(noise, value.shape)).double()
            (gradient,) = torch.autograd.grad((value * contract).sum(), half, retain_graph=key == "D")
            assert distance(parity, f"a.stage1_grad_{key}_x", gradient) < 1e-3, key
    finally:
        parity.net.float()
