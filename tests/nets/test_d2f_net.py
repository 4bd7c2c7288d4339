"""The D2F network as a whole: parameter counts, sizes, defocus scale, fusion modes, guards."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from torch import Tensor, nn

from bokehbench.errors import BokehbenchError
from bokehbench.nets.d2f import D2FNet
from bokehbench.nets.d2f.d2f_net import half_size, resize
from bokehbench.nets.d2f.defocus import DefocusHallucination, ResidualUnit
from bokehbench.nets.d2f.fusion import FusionMask, initial_mask, sharpness_threshold
from bokehbench.nets.d2f.radiance import RadianceVirtualization


@pytest.fixture(scope="module")
def net() -> D2FNet:
    torch.manual_seed(0)
    return D2FNet().eval()


def picture(height: int = 128, width: int = 128, batch: int = 1) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(1))


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_parameter_counts_are_the_released_models() -> None:
    official = DefocusHallucination(unused_unit=True)
    assert count(official) == 41_600_513
    assert count(official.refine[3].lateral_unit) == 1_180_160
    assert count(DefocusHallucination()) == 41_600_513 - 1_180_160
    assert count(RadianceVirtualization()) == 353
    assert count(FusionMask()) == 12_913


def test_the_renderer_has_no_state(net: D2FNet) -> None:
    assert not isinstance(net.renderer, nn.Module)
    assert not any(name.startswith("renderer") for name in net.state_dict())


def test_half_size_rounds_to_64_ties_to_even_and_never_to_nothing() -> None:
    assert [half_size(s) for s in (1024, 1536, 128, 192, 201, 333, 320)] == [512, 768, 64, 128, 128, 192, 128]
    assert [half_size(s) for s in (1, 40, 64)] == [64, 64, 64]


@pytest.mark.parametrize(("height", "width"), [(131, 197), (64, 130), (1, 1), (37, 301)])
def test_any_size_comes_back(net: D2FNet, height: int, width: int) -> None:
    with torch.no_grad():
        out = net(picture(height, width))
    assert out["bokeh"].shape == (1, 3, height, width)
    assert out["mask"].shape == out["mask_init"].shape == (1, 1, height, width)
    small = (half_size(height), half_size(width))
    assert out["defocus"].shape == (1, 1, *small)
    assert out["coarse"].shape == out["radiance"].shape == (1, 3, *small)
    for key in ("bokeh", "mask"):
        assert out[key].min() >= 0
        assert out[key].max() <= 1
    assert out["bokeh"].isfinite().all()


def test_pictures_of_a_batch_do_not_touch_each_other(net: D2FNet) -> None:
    images = picture(batch=2)
    with torch.no_grad():
        both, second = net(images), net(images[1:])
    torch.testing.assert_close(both["bokeh"][1:], second["bokeh"], atol=1e-5, rtol=0)


def test_the_scale_multiplies_the_defocus_map_and_stays_within_the_layers(net: D2FNet) -> None:
    image = picture(batch=2)
    with torch.no_grad():
        plain, half, zero, much = (net(image, defocus_scale=s) for s in (1.0, 0.5, 0.0, 100.0))
        each = net(image, defocus_scale=torch.tensor([1.0, 0.5]))
    torch.testing.assert_close(half["defocus"], 0.5 * plain["defocus"])
    assert zero["defocus"].abs().max() == 0
    assert zero["mask_init"].min() == 1
    assert much["defocus"].max() <= 1 + 0.5 / 14 + 1e-6
    torch.testing.assert_close(each["defocus"], torch.cat([plain["defocus"][:1], half["defocus"][1:]]))
    for negative in (-1.0, torch.tensor([1.0, -1.0])):
        with pytest.raises(BokehbenchError, match="scale"):
            net(image, defocus_scale=negative)


@pytest.mark.parametrize(("activation", "bounds"), [("clamp", (0, 1.0358)), ("sigmoid", (0, 1.0358)), ("none", None)])
def test_head_activation_keeps_the_map_in_the_layers_range(activation: str, bounds: tuple[float, float] | None) -> None:
    module = DefocusHallucination(head_activation=activation)  # type: ignore[arg-type]
    linear = torch.tensor([-50.0, -0.5, 0.5, 1.02, 50.0]).view(1, 1, 1, 5)
    activated = module.activate(linear)
    if bounds is None:
        assert torch.equal(activated, linear)
    else:
        assert activated.min() >= bounds[0]
        assert 1.035 < activated.max() <= bounds[1]
    assert module.head[-1].bias.item() == (0 if activation == "sigmoid" else 0.5)


def test_the_residual_unit_adds_the_rectified_input() -> None:
    unit = ResidualUnit(4)
    nn.init.zeros_(unit.conv2.weight)
    nn.init.zeros_(unit.conv2.bias)  # type: ignore[arg-type]
    z = torch.randn(1, 4, 5, 5)
    assert torch.equal(unit(z), z.relu())


def test_initial_mask_follows_the_threshold_rule() -> None:
    low, high = torch.tensor([0.3, 0.05]), torch.tensor([0.9, 0.9])
    assert sharpness_threshold(low, high).tolist() == pytest.approx([0.375, 0.125])
    defocus = torch.tensor([0.3, 0.37, 0.38, 0.9]).view(1, 1, 2, 2)
    assert initial_mask(defocus).flatten().tolist() == [1, 1, 0, 0]
    crop = defocus[..., 1:, :]
    assert initial_mask(crop, torch.tensor([0.3]), torch.tensor([0.9])).flatten().tolist() == [0, 0]


def test_fusion_modes(net: D2FNet) -> None:
    image = picture(150, 140)
    try:
        with torch.no_grad():
            net.fusion_mode = "none"
            none = net(image)
            net.fusion_mode = "initial"
            initial = net(image)
    finally:
        net.fusion_mode = "refined"
    upsampled = resize(none["coarse"], (150, 140)).clamp(0, 1)
    assert torch.equal(none["bokeh"], upsampled)
    assert torch.equal(initial["mask"], initial["mask_init"])
    sharp = initial["mask"].expand_as(image) == 1
    torch.testing.assert_close(initial["bokeh"][sharp], image[sharp])
    torch.testing.assert_close(initial["bokeh"][~sharp], upsampled[~sharp])


def test_every_trainable_parameter_of_stage_one_gets_a_gradient(net: D2FNet) -> None:
    """What DDP asks for; hence no unused unit in block 4."""
    net.zero_grad()
    net.render_coarse(picture())["coarse"].square().mean().backward()
    missing = [n for n, p in net.named_parameters() if p.grad is None and not n.startswith("fusion.")]
    net.zero_grad()
    assert missing == []


def test_frozen_batch_norm_keeps_its_statistics() -> None:
    module = DefocusHallucination(freeze_batch_norm=True).train()
    before = module.encoder.bn1.running_mean.clone()
    with torch.no_grad():
        module(picture(64, 64))
    assert torch.equal(module.encoder.bn1.running_mean, before)
    assert module.training
    assert module.encoder.bn1.weight.requires_grad


def test_sides_that_the_encoder_cannot_halve_are_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 32, got 72 x 64"):
        DefocusHallucination()(picture(72, 64))


def test_missing_imagenet_weights_say_how_to_do_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(BokehbenchError, match=r"--model\.backbone_pretrained false"):
        D2FNet(backbone_pretrained=True)


def test_the_mask_of_a_large_picture_is_computed_in_strips_with_the_same_numbers() -> None:
    fusion = FusionMask().eval()
    nn.init.normal_(fusion.net[-1].weight)
    image, defocus = torch.rand(2, 3, 700, 131), torch.rand(2, 1, 700, 131)
    whole = fusion(image, defocus)
    with torch.no_grad():
        torch.testing.assert_close(fusion(image, defocus), whole, atol=1e-5, rtol=1e-5)


def test_untrained_the_mask_network_says_zero() -> None:
    with torch.no_grad():
        assert not FusionMask()(picture(), torch.rand(1, 1, 128, 128)).any()
