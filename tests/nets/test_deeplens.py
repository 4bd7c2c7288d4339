"""What DeepLens' networks promise, apart from the authors' numbers (test_deeplens_parity)."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bokehbench.errors import BokehbenchError
from bokehbench.nets.deeplens import DeepLensNet, dead_fraction, mix
from bokehbench.nets.deeplens.depth_network import residual_body
from bokehbench.nets.numerics import Numerics
from bokehbench.optics import strips

NUMERICS = ("modern", "official")


@pytest.fixture(scope="module", params=NUMERICS)
def net(request: pytest.FixtureRequest) -> DeepLensNet:
    torch.manual_seed(0)
    return DeepLensNet(numerics=request.param).eval()


def values(module: nn.Module | None) -> int:
    """Parameters and running statistics, without PyTorch's batch counters."""
    assert module is not None
    return sum(v.numel() for name, v in module.state_dict().items() if not name.endswith("num_batches_tracked"))


def test_counts_equal_the_released_checkpoint(net: DeepLensNet) -> None:
    segmentation = values(net.depth.segmentation)
    assert values(net.depth) - segmentation == 9_498_945
    assert segmentation == values(net.depth.head) == 74_305
    assert values(net.kernel_network) == 526_943
    assert values(net.feature_network) == 40_275
    assert values(net.upsampling_network) == 1_477_085
    assert values(net) - segmentation == 11_543_248
    trainable = sum(p.numel() for name, p in net.named_parameters() if "segmentation" not in name)
    assert trainable == 11_502_800


@torch.no_grad()
@pytest.mark.parametrize("size", [(64, 20), (67, 91)])
def test_any_size(net: DeepLensNet, size: tuple[int, int]) -> None:
    high = torch.rand(2, 3, *size)
    low = torch.rand(2, 3, size[0] // 2, size[1] // 2)
    disparity = net.predict_disparity(low)
    assert disparity.shape == (2, 1, *low.shape[-2:])
    assert torch.all(disparity.amin((1, 2, 3)) == 0)
    assert torch.allclose(disparity.amax((1, 2, 3)), torch.ones(2), atol=1e-5)
    features = net.features(low)
    assert features.shape == (2, 93, *low.shape[-2:])
    assert net.kernels(low, disparity).shape == (2, 31, *low.shape[-2:])
    results = net([low, high], disparity - 0.5, features)
    assert [r.shape for r in results] == [low.shape, high.shape]


@torch.no_grad()
def test_batches_do_not_mix(net: DeepLensNet) -> None:
    image, signed = torch.rand(2, 3, 40, 33), torch.rand(2, 1, 40, 33)
    both = net.lens_blur(image, signed)
    assert torch.allclose(both[1:], net.lens_blur(image[1:], signed[1:]), atol=1e-6)


@torch.no_grad()
def test_aperture_zero_forgets_the_disparity(net: DeepLensNet) -> None:
    image, disparity = torch.rand(1, 3, 40, 33), torch.rand(1, 1, 40, 33)
    first, second = (net.lens_blur(image, (d - 0.4) * 0.0) for d in (disparity, 1 - disparity))
    assert torch.equal(first, second)


@torch.no_grad()
def test_constant_features_stay_constant_up_to_the_border(net: DeepLensNet) -> None:
    features = net.features(torch.full((1, 3, 20, 17), 0.3))
    assert torch.allclose(features, features[..., :1, :1].expand_as(features), atol=1e-5)


@torch.no_grad()
def test_one_hot_weights_pick_an_image(net: DeepLensNet) -> None:
    low, high = torch.rand(1, 3, 20, 16), torch.rand(1, 3, 40, 32)
    weights = torch.zeros(1, 31, 20, 16)
    weights[:, 0] = 0.7
    assert torch.allclose(net.numerics.order(mix(net.features(low), weights)), low, atol=1e-6)
    network = net.upsampling_network
    features, weights = network.fine(torch.rand(1, 32, 20, 16), low, high, 0, 40)
    assert features.shape[1] == 3 * weights.shape[1] == 96
    resized = net.numerics.resize(low, (40, 32)) / net.numerics.upsampling_scale
    for image, expected in enumerate((resized, high)):
        weights.zero_()[:, image] = 2.0
        assert torch.allclose(mix(features, weights), expected, atol=1e-6)


@pytest.mark.parametrize("height", [100, 101, 102, 103])
@torch.no_grad()
def test_strips_change_nothing(net: DeepLensNet, height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    low, high = torch.rand(1, 3, height, 37), torch.rand(1, 3, 2 * height + 1, 75)
    signed = torch.rand(1, 1, height, 37) - 0.5
    with torch.enable_grad():  # which makes them work on the whole at once
        kernels, upsampled = net.kernels(low, signed), net.upsample(low, low, signed, high)
    assert kernels.requires_grad
    monkeypatch.setattr(strips, "STRIP_PIXELS", 1)
    monkeypatch.setattr(strips, "LEAST_HALOS", 1)
    assert torch.allclose(net.kernels(low, signed), kernels, atol=1e-5)
    assert torch.allclose(net.upsample(low, low, signed, high), upsampled, atol=1e-5)


def test_merged_bottleneck_equals_the_concatenation() -> None:
    """In training, where the norms see the batch, and in eval mode, where they are folded."""
    network = DeepLensNet(segmentation_head=False).kernel_network.double()
    coarse, fine = torch.randn(2, 256, 5, 6, dtype=torch.double), torch.randn(2, 64, 33, 41, dtype=torch.double)
    block = network.res4a
    for training in (True, False):
        block.train(training)
        merged = block.merge(network.numerics.resize(block.shrink(coarse), (33, 41)), fine)
        literal = block(torch.cat((network.numerics.resize(coarse, (33, 41)), fine), 1))
        assert torch.allclose(merged, literal, atol=1e-10)


def test_training_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    net = DeepLensNet(depth_size=64).train()
    high, low = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 32, 32)
    result = net([low, high], torch.rand(2, 1, 32, 32) - 0.5)
    disparity, mask = net.depth.forward_with_segmentation(high)
    assert mask.shape == disparity.shape == (2, 1, 64, 64)
    loss = sum((value**2).mean() for value in (*result, disparity, mask))
    assert isinstance(loss, Tensor)
    loss.backward()
    assert [name for name, p in net.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []


@pytest.mark.parametrize("channels", [4, 8, 33, 64])
def test_channel_count_is_free(channels: int) -> None:
    net = DeepLensNet(channels=channels, upsampling_channels=channels, segmentation_head=False)
    low = torch.rand(1, 3, 16, 16)
    assert net.features(low).shape[1] == 3 * channels
    assert net.upsample(low, low, low[:, :1], torch.rand(1, 3, 32, 32)).shape == (1, 3, 32, 32)


def test_two_maps_lie_between_their_images() -> None:
    """Eq. 3: a convex mix of A and Lup, nothing learned."""
    net = DeepLensNet(two_map=True, segmentation_head=False).eval()
    low, result, high = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16), torch.rand(1, 3, 32, 32)
    out = net.upsample(low, result, low[:, :1], high)
    pair = torch.stack((net.numerics.resize(result, (32, 32)), high))
    assert torch.all(out >= pair.amin(0) - 1e-6)
    assert torch.all(out <= pair.amax(0) + 1e-6)


@torch.no_grad()
def test_output_bias_leaves_no_dead_pixels() -> None:
    torch.manual_seed(0)
    image, signed = torch.rand(1, 3, 32, 32), torch.rand(1, 1, 32, 32)
    assert DeepLensNet(segmentation_head=False).eval().dead_fraction(image, signed) == 0
    assert DeepLensNet(segmentation_head=False, output_bias=-100.0).eval().dead_fraction(image, signed) == 1
    assert dead_fraction(torch.tensor([0.0, 1.0]).view(1, 1, 1, 2).expand(1, 4, 1, 2)) == 0.5


@torch.no_grad()
def test_depth_size_is_free() -> None:
    net = DeepLensNet(depth_size=50, segmentation_head=False).eval()
    assert net.predict_disparity(torch.rand(1, 3, 37, 61)).shape == (1, 1, 37, 61)


def test_modern_clamps_and_official_cuts_to_8_bits() -> None:
    values = torch.tensor([-3.0, 0.25, 256.2, 300.0]).view(1, 1, 2, 2) / 255
    official = Numerics.named("official").upsampling_input(values)
    assert official.flatten().tolist() == [253.0, 0.0, 0.0, 44.0]  # as TensorFlow casts on a CPU
    net = DeepLensNet(segmentation_head=False).eval()
    low, high, signed = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 16, 16), torch.zeros(1, 1, 8, 8)
    assert torch.equal(net.upsample(low, low + 2, signed, high), net.upsample(low, torch.ones_like(low), signed, high))


def test_errors_name_the_option() -> None:
    with pytest.raises(BokehbenchError, match="modern"):
        DeepLensNet(numerics="moden")
    with pytest.raises(BokehbenchError, match=r"--model\.channels"):
        DeepLensNet(channels=2)
    with pytest.raises(BokehbenchError, match=r"--model\.upsampling_channels"):
        DeepLensNet(upsampling_channels=3)
    with pytest.raises(BokehbenchError, match=r"--model\.backbone_pretrained false"):
        residual_body(Numerics.named("official"), pretrained=True)


def test_pretrained_weights_without_a_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(BokehbenchError, match=r"--model\.backbone_pretrained false"):
        residual_body(Numerics.named("modern"), pretrained=True)


def test_relu_after_projection_only() -> None:
    """Trap 6: the kernel network's projections have a ReLU of their own, the depth network's have not."""
    net = DeepLensNet(segmentation_head=False)
    branch = net.kernel_network.res2a.branch1
    assert branch is not None
    assert branch.train()(torch.randn(2, 64, 8, 8)).min() == 0
    assert net.depth.body.layer1[0].downsample.train()(torch.randn(2, 64, 8, 8)).min() < 0
