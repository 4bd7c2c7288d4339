"""BokehMe against the released code, filled with the same deterministic weights (../shared/parity)."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from bokehbench.models.bokehme import brightened
from bokehbench.nets.bokehme import BokehMeNet, Passes
from bokehbench.nets.bokehme.bokeh_me_net import mask
from bokehbench.nets.bokehme.residual_net import resized
from bokehbench.optics import dilated_defocus, scatter
from bokehbench.weights.bokehme import NETWORKS, official_name

#: Of the passes of cases with one, two and three of them.
NAMES = {1: ("last",), 2: ("mid0", "last"), 3: ("mid0", "mid1", "last")}


class Parity(NamedTuple):
    recipe: ModuleType
    expected: dict[str, np.ndarray]
    net: BokehMeNet

    def compare(self, case: str, got: dict[str, Tensor], atol: float) -> None:
        """Every fixture that ``got`` answers, sub-sampled as the fixture is; each must have one."""
        found = set()
        for key, theirs in self.expected.items():
            first, tensor, *rest = key.split(".")
            if first == case and tensor in got and "f64" not in rest and rest[-1:] not in (["stat"], ["dev"]):
                stride = int(rest[-1][1:]) if rest else 1
                ours = got[tensor].detach().double().numpy()[..., ::stride, ::stride]
                np.testing.assert_allclose(ours.squeeze(), theirs.squeeze(), atol=atol, rtol=0, err_msg=key)
                found.add(tensor)
        assert found == set(got)


@pytest.fixture(scope="module")
def parity(parity_dir: Path) -> Parity:
    spec = importlib.util.spec_from_file_location("bokehme_parity_recipe", parity_dir / "recipe.py")
    assert spec is not None
    assert spec.loader is not None
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    official = {row["name"]: value for row, value in recipe.variables(parity_dir / "bokehme_variables.csv")}
    net = BokehMeNet().eval()
    names = {f"{NETWORKS[name.split('.')[0]]}.{official_name(name)}": name for name in net.state_dict()}
    assert names.keys() == official.keys()
    net.load_state_dict({names[name]: torch.from_numpy(np.asarray(value)) for name, value in official.items()})
    with np.load(parity_dir / "bokehme.npz") as archive:
        return Parity(recipe, dict(archive), net)


def inputs(parity: Parity, case: str) -> tuple[Tensor, Tensor, float]:
    """Picture, signed defocus in pixels, and gamma."""
    image, disparity = (
        torch.from_numpy(parity.expected[f"{case}.{key}_u8"].astype(np.float32) / np.float32(255))
        for key in ("image", "disp")
    )
    disparity = ((disparity - disparity.min()) / (disparity.max() - disparity.min()))[None, None]
    image = image.permute(2, 0, 1)[None]
    aperture, focus, gamma = (float(value) for value in parity.expected[f"{case}.params"])
    if case == "b":
        image = brightened(image, disparity - focus, 0.4)
        parity.compare("b", {"highlight": image}, 1e-5)
    return image, aperture * (disparity - focus), gamma


def test_sizes_of_the_networks(parity: Parity) -> None:
    counts = [sum(p.numel() for p in net.parameters()) for net in (parity.net.small, parity.net.upsampling)]
    assert counts == [923_664, 240_076]


@pytest.mark.parametrize("case", ["a", "b", "c"])
@torch.no_grad()
def test_the_pipeline_and_all_between(parity: Parity, case: str) -> None:
    image, defocus, gamma = inputs(parity, case)
    units, dilated = defocus / 10, dilated_defocus(defocus)
    parity.compare(case, {"defocus": units}, 1e-5)
    assert (dilated.numpy() == parity.expected[f"{case}.dilate"]).all()
    passes = Passes.of(*image.shape[-2:], float(units.abs().max()))
    sizes = [passes.low, *(size for _, size in passes.upsamplings)]
    assert sizes == [tuple(size) for size in parity.expected[f"{case}.sizes"]]
    low = resized(image, passes.low), resized(units, passes.low) / passes.shrink
    picture, logit = parity.net.rendered_small(*low, torch.tensor([(gamma - 1) / 4]))
    parity.compare(case, {"low_image": low[0], "low_defocus": low[1]}, 1e-5)
    parity.compare(case, {"arnet_bokeh": picture, "arnet_error": logit.sigmoid()}, 1e-4)
    made = parity.net.upsampled(image, units, gamma, dilated / 10.0)
    for name, (scale, size), (neural, error) in zip(
        NAMES[len(passes.upsamplings)], passes.upsamplings, made, strict=True
    ):
        parity.compare(case, {f"{name}_bokeh": neural, "error": error}, 1e-4)
        ours, theirs = mask(resized(scale * dilated / 10.0, size)), f"{case}.{name}_mask"
        stride = next(
            (int(k.rpartition(".s")[2]) for k in parity.expected if k.startswith(f"{theirs}.s") and "stat" not in k), 1
        )
        expected = parity.expected[theirs if stride == 1 else f"{theirs}.s{stride}"]
        wrong = np.abs(ours.numpy()[..., ::stride, ::stride].squeeze() - expected.squeeze()) > 1e-5
        assert wrong.mean() <= 1e-3, "ties at one unit are free"
    fused = parity.net(image, defocus, gamma, step=None)
    whole = fused.classical * (1 - fused.error) + fused.neural * fused.error
    parity.compare(case, {"classical": fused.classical}, 1e-5)
    parity.compare(case, {"fused": whole}, 1e-4)


def test_the_classical_renderer_alone(parity: Parity) -> None:
    image = torch.from_numpy(np.clip(0.5 + 0.25 * parity.recipe.noise("bokehme.ramp", (3, 40, 56)), 0, 1))[None]
    defocus = torch.from_numpy(parity.expected["r.defocus_px"])[None, None]
    parity.compare("r", {"scatter": scatter(image, defocus, step=None, leak=True)}, 1e-4)
    for name, blades in (("hex", 6), ("penta", 5)):
        shaped = scatter(image, defocus, step=None, leak=True, blades=blades, rotation=-math.pi / 2)
        parity.compare("r", {f"scatter_{name}": shaped}, 1e-5)
    assert (dilated_defocus(defocus).numpy() == parity.expected["r.scatter_dilate"]).all()
    quick = scatter(image, defocus, leak=True).numpy()
    assert np.abs(quick - parity.expected["r.scatter"]).max() < 6e-3


@pytest.mark.parametrize(("case", "noise"), [("n", "nets"), ("m", "nets2")])
def test_both_networks_and_their_gradients(parity: Parity, case: str, noise: str) -> None:
    odd = case == "n"
    sizes = {"ar": (37, 53) if odd else (32, 40), "iu": (45, 61) if odd else (36, 44)}
    coarse_size = (23, 31) if odd else (18, 22)

    def made(name: str, channels: int, size: tuple[int, int], scale: float, offset: float) -> Tensor:
        drawn = parity.recipe.noise(f"bokehme.{noise}.{name}", (2, channels, *size)).astype(np.float64)
        return torch.from_numpy((offset + scale * drawn).astype(np.float64)).requires_grad_()

    net, planes = (
        parity.net.double(),
        torch.from_numpy(parity.expected[f"{case}.gammas"].astype(np.float64)).reshape(-1),
    )
    try:
        net.zero_grad()
        image, defocus = made("ar.image", 3, sizes["ar"], 0.25, 0.5), made("ar.defocus", 1, sizes["ar"], 0.5, 0.0)
        picture, logit = net.rendered_small(image, defocus, planes[:1].expand(2))
        error = logit.sigmoid()
        parity.compare(case, {"ar_bokeh": picture, "ar_error": error}, 1e-4)
        against = [torch.from_numpy(parity.recipe.noise(f"bokehme.{noise}.R.{key}", tuple(x.shape))).double()
                   for key, x in (("bokeh", picture), ("error", error))]  # fmt: skip
        ((picture * against[0]).sum() + (error * against[1]).sum()).backward()
        got = {"ar_grad_image": image.grad, "ar_grad_defocus": defocus.grad}
        got |= {"ar_grad_conv0": net.small.head.weight.grad[:8], "ar_grad_conv1": net.small.tail.weight.grad[:8]}
        image, defocus = made("iu.image", 3, sizes["iu"], 0.25, 0.5), made("iu.defocus", 1, sizes["iu"], 0.5, 0.0)
        coarse = made("iu.coarse", 3, coarse_size, 0.25, 0.5)
        refined = net.upsampling(image, defocus, planes[-1:].expand(2), coarse)
        parity.compare(case, {"iu_bokeh": refined}, 1e-4)
        against = torch.from_numpy(parity.recipe.noise(f"bokehme.{noise}.R.refined", tuple(refined.shape))).double()
        (refined * against).sum().backward()
        got |= {"iu_grad_image": image.grad, "iu_grad_defocus": defocus.grad, "iu_grad_coarse": coarse.grad,
                "iu_grad_conv0": net.upsampling.head.weight.grad[:8]}  # fmt: skip
        for name, ours in got.items():
            key = next(k for k in parity.expected if k.startswith(f"{case}.{name}.f64") and not k.endswith("stat"))
            stride = int(key.rpartition(".s")[2]) if key.rpartition(".")[2][0] == "s" else 1
            theirs = parity.expected[key].astype(np.float64)
            difference = ours.numpy()[..., ::stride, ::stride] - theirs if stride > 1 else ours.numpy() - theirs
            assert np.linalg.norm(difference) <= 1e-6 * np.linalg.norm(theirs), name
    finally:
        net.float()
