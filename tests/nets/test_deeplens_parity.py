"""DeepLens against numbers that the authors' own graph computed (../shared/parity, not part of the project)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor

from bokehbench.nets.deeplens import DeepLensNet, area_resize
from bokehbench.weights.deeplens import convert

APERTURES = {"a1": 1.0, "a05": 0.5}


class Fixture:
    """One case of deeplens.npz: inputs as RGB tensors, expectations and how to sample them."""

    def __init__(self, archive: dict[str, np.ndarray], case: str) -> None:
        self.stored = {key.removeprefix(f"{case}."): value for key, value in archive.items() if key[0] == case}
        self.levels = [self.image(f"{level}_u8") for level in ("low", "mid", "hi")]

    def image(self, key: str) -> Tensor:
        """BGR bytes, H W 3 -> RGB in [0, 1], 1 3 H W."""
        value = self.stored[key].astype(np.float32) / np.float32(255)
        return torch.from_numpy(value[..., ::-1].copy()).permute(2, 0, 1)[None]

    def whole(self, key: str) -> Tensor:
        return torch.from_numpy(self.stored[key]).permute(0, 3, 1, 2)

    def errors(self, key: str, value: Tensor) -> Tensor:
        """|value - expected| wherever ``key`` was stored; value is 1 C H W in the graph's channel order."""
        found = []
        for name, stored in self.stored.items():
            head, _, tail = name.rpartition(".")
            if name == key:
                sampled = value
            elif head == key and tail == "br64":
                sampled = value[..., -64:, -64:]
            elif head == key and tail[0] == "s" and tail[1:].isdigit():
                sampled = value[..., :: int(tail[1:]), :: int(tail[1:])]
            else:
                continue
            expected = torch.from_numpy(stored).permute(0, 3, 1, 2)
            assert sampled.shape == expected.shape
            found.append((sampled - expected).abs().flatten())
        assert found, f"{key} is not in the fixtures"
        return torch.cat(found)


@pytest.fixture(scope="module")
def recipe(parity_dir: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("parity_recipe", parity_dir / "recipe.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def net(parity_dir: Path, recipe: ModuleType) -> DeepLensNet:
    variables = {row["name"]: value for row, value in recipe.variables(parity_dir / "deeplens_variables.csv")}
    net = DeepLensNet(numerics="official", segmentation_head=False)
    net.load_state_dict(convert(variables, "parity recipe"))
    return net.eval()


@pytest.fixture(scope="module", params=["a", "b"])
def fixture(request: pytest.FixtureRequest, parity_dir: Path) -> Fixture:
    return Fixture(dict(np.load(parity_dir / "deeplens.npz")), request.param)


@pytest.fixture(autouse=True)
def _no_grad():
    with torch.no_grad():
        yield


def test_depth_network(net: DeepLensNet, fixture: Fixture) -> None:
    seen: dict[str, Tensor] = {}
    hooks = [
        net.depth.body.register_forward_hook(lambda _m, _i, out: seen.update(enc_conv1=out[0], enc_res4f=out[2])),
        net.depth.pyramid.register_forward_hook(lambda _m, _i, out: seen.update(enc_spp=out)),
        net.depth.register_forward_hook(lambda _m, _i, out: seen.update(depth_raw=out)),
    ]
    depth = net.predict_disparity(fixture.levels[0])
    for hook in hooks:
        hook.remove()
    for key, value in seen.items():
        assert fixture.errors(key, value).max() < 1e-4, key
    assert fixture.errors("depth", depth).max() < 2e-5
    x, y = fixture.stored["focus_xy"]
    assert abs(depth[0, 0, y, x] - float(fixture.stored["focal_depth"])) < 2e-5


def test_features(net: DeepLensNet, fixture: Fixture) -> None:
    assert fixture.errors("F", net.features(fixture.levels[0])).max() < 1e-4


@pytest.mark.parametrize("aperture", APERTURES)
def test_end_to_end(net: DeepLensNet, fixture: Fixture, aperture: str) -> None:
    low = fixture.levels[0]
    depth = net.predict_disparity(low)
    x, y = fixture.stored["focus_xy"]
    signed = (depth - depth[..., y, x].view(1, 1, 1, 1)) * APERTURES[aperture]
    assert fixture.errors(f"{aperture}.signed_depth", signed).max() < 2e-5
    assert fixture.errors(f"{aperture}.K", net.kernels(low, signed)).max() < 1e-4
    results = net(fixture.levels, signed)
    assert fixture.errors(f"{aperture}.dof_low", results[0].flip(1)).max() < 2e-5
    for key, result in zip(("dof_mid", "dof_hi"), results[1:], strict=True):
        errors = fixture.errors(f"{aperture}.{key}", result.flip(1))
        assert (errors < 2e-5).float().mean() > 0.99, key
        assert errors.max() < 2e-3, key


@pytest.mark.parametrize("aperture", APERTURES)
def test_first_upsampling_step_from_stored_inputs(net: DeepLensNet, fixture: Fixture, aperture: str) -> None:
    low, mid, _ = fixture.levels
    result, signed = fixture.whole(f"{aperture}.dof_low"), fixture.whole(f"{aperture}.signed_depth")
    upsampled = net.upsample(low, result.flip(1), signed, mid)
    assert fixture.errors(f"{aperture}.dof_mid", upsampled.flip(1)).max() < 2e-5
    signed_mid = net.numerics.resize(signed, (mid.shape[2], mid.shape[3]))
    assert fixture.errors(f"{aperture}.signed_depth_mid", signed_mid).max() < 2e-5

    network = net.upsampling_network
    coarse = network.coarse(torch.cat((low.flip(1), result, signed), 1))
    features, weights = network.fine(coarse, net.numerics.upsampling_input(result), mid.flip(1), 0, mid.shape[2])
    assert fixture.errors(f"{aperture}.sr1_W", weights).max() < 1e-4
    if aperture == "a1":
        lr9 = network.lr9(net.numerics.resize(coarse, (mid.shape[2], mid.shape[3])))
        assert fixture.errors("a1.sr1_lr9", lr9).max() < 1e-4
        assert fixture.errors("a1.sr1_fea", features).max() < 1e-4


def test_second_upsampling_step_from_stored_inputs(net: DeepLensNet, fixture: Fixture) -> None:
    _, mid, high = fixture.levels
    signed = net.numerics.resize(fixture.whole("a1.signed_depth"), (mid.shape[2], mid.shape[3]))
    result = net.upsample(mid, fixture.whole("a1.dof_mid").flip(1), signed, high)
    assert fixture.errors("a1.dof_hi", result.flip(1)).max() < 2e-5


def test_pyramid_of_an_odd_image(parity_dir: Path) -> None:
    case = Fixture(dict(np.load(parity_dir / "deeplens.npz")), "b")
    image = case.levels[2]
    for key in ("pyr_mid", "pyr_low"):
        image = area_resize(image, (image.shape[2] // 2, image.shape[3] // 2))
        expected = torch.from_numpy(case.stored[f"{key}.s5"])
        assert (image[0].flip(0).permute(1, 2, 0)[::5, ::5] - expected).abs().max() < 1e-6
