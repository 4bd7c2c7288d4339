"""Features of DeepLens that begin as blurred pictures."""

from __future__ import annotations

import pytest
import torch

from bokehbench.nets.deeplens import DeepLensNet
from bokehbench.nets.deeplens.feature_network import FeatureNetwork


@pytest.mark.parametrize(("channels", "images"), [(31, 1), (32, 2), (10, 1), (16, 2)])
def test_a_flat_colour_stays_and_a_picture_is_only_blurred(channels, images) -> None:
    torch.manual_seed(0)
    network = FeatureNetwork(channels, images)
    network.start_blurred()
    flat = torch.rand(1, 3, 1, 1).expand(1, 3, 24, 24)
    features = network(torch.cat([flat] * images, 1)).reshape(1, channels, 3, 24, 24)
    torch.testing.assert_close(features, flat[:, None].expand_as(features))

    picture = torch.rand(1, 3, 24, 24)
    features = network(torch.cat([picture] * images, 1)).reshape(1, channels, 3, 24, 24)
    assert features.amin() >= picture.amin()
    assert features.amax() <= picture.amax()
    contrast = features[0].std((-2, -1)).mean(-1)
    assert torch.all(contrast[images:] < contrast[0])
    assert len(contrast.unique()) == channels - images + 1, "every feature has a window of its own"


def test_every_feature_is_mixed_at_the_start_and_learns() -> None:
    torch.manual_seed(0)
    net = DeepLensNet(depth_network=False, feature_start="blurred").train()
    image, signed = torch.rand(2, 3, 48, 48), torch.rand(2, 1, 48, 48) * 2 - 1
    weights = net.kernels(image, signed)
    assert (weights > 0).flatten(2).any(2).all()
    (net.lens_blur(image, signed) - image).abs().mean().backward()
    assert all(layer.weight.grad.flatten(1).any(1).all() for layer in net.feature_network.layers)
