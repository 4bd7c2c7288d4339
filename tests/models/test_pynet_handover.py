"""First weights, and how levels 3 (as the photo), 2 and 1 (as what the coarser level gives) begin."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.models.pynet_handover import smooth_pictures, start_level
from bokehbench.nets.pynet import PyNETNet
from bokehbench.nets.pynet.blocks import to_picture


def all_outputs(net: PyNETNet, x: torch.Tensor) -> dict[int, torch.Tensor]:
    return {level: to_picture(z) for level, z in net.logits(x).items()}


def psnr(a: Tensor, b: Tensor) -> float:
    return -10 * (a - b).square().mean().log10().item()


def doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear")


def inside(x: Tensor) -> Tensor:
    """Without the frame that zero padding darkens, which a rendering's margin cuts off."""
    return x[..., 2:-2, 2:-2]


def outputs(net: PyNETNet, x: Tensor, level: int) -> Tensor:
    with torch.no_grad():
        return net(x, level)


def pictures() -> tuple[Tensor, Tensor]:
    """Half-size input (2 4 64 64) and the full-size picture that it is half of (2 3 128 128)."""
    full = smooth_pictures(4, count=2, size=128, seed=3)
    return F.avg_pool2d(full, 2), full[:, :3]


def train(net: PyNETNet, level: int, x: Tensor, full: Tensor, steps: int) -> Tensor:
    """A few steps of one level; returns that level's target."""
    target = F.avg_pool2d(full, 2 ** (level - 1))
    optimiser = torch.optim.Adam(list(torch.nn.ModuleList(net.level_modules(level)).parameters()), 3e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        (net(x, level) - target).abs().mean().backward()
        optimiser.step()
    return target


def test_the_official_law():
    torch.manual_seed(0)
    net = PyNETNet(width=4, head_init="official")
    kernels = torch.cat([p.flatten() for p in net.parameters() if p.ndim == 4])
    assert kernels.abs().max() <= 0.02
    assert kernels.std().item() == pytest.approx(0.0088, rel=0.02)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            assert torch.all(module.bias == 0.01)
        if isinstance(module, nn.GroupNorm):
            assert torch.all(module.weight == 1)
            assert torch.all(module.bias == 0)


def test_the_default_law_keeps_features_alive_at_every_level():
    torch.manual_seed(0)
    net, (x, _) = PyNETNet(width=8), pictures()
    with torch.no_grad():
        for level, features in net.features(x):
            assert 0.1 < features.std() < 30, level
        for level, output in all_outputs(net, x).items():
            assert (output - 0.5).abs().mean() < 0.2, level


def test_official_levels_start_grey_and_start_level_leaves_them_so():
    torch.manual_seed(0)
    net, (x, _) = PyNETNet(width=4, head_init="official"), pictures()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    for level in (7, 3, 2, 1):
        start_level(net, level, x)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert outputs(net, x, 1).std() < 1e-3


def test_coarse_levels_are_left_alone():
    net, (x, _) = PyNETNet(width=4), pictures()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    for level in (7, 6, 5, 4):
        start_level(net, level, x)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


@pytest.mark.parametrize("width", [4, 8])
@pytest.mark.parametrize("depth_input", [True, False])
def test_level_3_begins_as_the_photo(width, depth_input):
    torch.manual_seed(0)
    net, (x, full) = PyNETNet(width, depth_input), pictures()
    if not depth_input:
        x = x[:, :3]
    photo = F.avg_pool2d(full, 4)
    assert psnr(outputs(net, x, 3), photo) < 25
    start_level(net, 3)
    assert psnr(outputs(net, x, 3), photo) > 33


def test_level_3_begins_as_the_photo_after_training_of_the_coarser_levels():
    torch.manual_seed(0)
    net, (x, full) = PyNETNet(width=8), pictures()
    for level in (5, 4):
        train(net, level, x, full, 20)
    coarser = outputs(net, x, 4)
    start_level(net, 3)
    assert psnr(outputs(net, x, 3), F.avg_pool2d(full, 4)) > 28
    assert torch.equal(outputs(net, x, 4), coarser)


def test_every_part_of_level_3_can_learn_from_its_start():
    torch.manual_seed(0)
    net, (x, full) = PyNETNet(width=4), pictures()
    start_level(net, 3)
    train(net, 3, x, full.flip(1), 2)  # at the first step the new channels' weights in the head are zero
    for parameter in torch.nn.ModuleList(net.level_modules(3)).parameters():
        parameter.grad = None
    (net(x, 3) - F.avg_pool2d(full, 4)).abs().mean().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in net.level_3.parameters())


def test_level_2_is_an_exact_copy_where_the_topology_allows_it():
    """A level-3 head without neighbours fits into the transposed kernel; the frame alone feels the zero padding."""
    torch.manual_seed(0)
    net, (x, _) = PyNETNet(width=4), pictures()
    with torch.no_grad():
        centre = net.level_3.head.weight[:, :, 1, 1].clone()
        net.level_3.head.weight.zero_()
        net.level_3.head.weight[:, :, 1, 1] = 10 * centre
    with torch.no_grad():
        wanted = doubled(net.logits(x, (3,))[3])
    start_level(net, 2, x)
    with torch.no_grad():
        found = net.logits(x, (2,))[2]
    assert wanted.std() > 0.05
    torch.testing.assert_close(found[..., 1:-1, 1:-1], wanted[..., 1:-1, 1:-1], atol=2e-3, rtol=0)


def test_each_level_begins_about_where_the_coarser_one_ended():
    torch.manual_seed(0)
    net, (x, full) = PyNETNet(width=4), pictures()
    start_level(net, 3)
    target = train(net, 3, x, full, 60)
    ended = psnr(outputs(net, x, 3), target)
    assert ended > 25  # it has learnt something worth keeping
    for level, loss in ((2, 1.0), (1, 0.5)):
        coarser = outputs(net, x, level + 1)
        start_level(net, level, x)
        start = outputs(net, x, level)
        target = F.avg_pool2d(full, 2 ** (level - 1))
        as_it_ended = min(psnr(inside(doubled(coarser)), inside(target)), psnr(coarser, F.avg_pool2d(target, 2)))
        assert psnr(inside(start), inside(target)) > as_it_ended - loss
        target = train(net, level, x, full, 15)


def test_the_start_does_not_need_pictures_and_is_repeatable():
    torch.manual_seed(0)
    net, (x, full) = PyNETNet(width=4), pictures()
    train(net, 3, x, full, 10)
    coarser, trained = outputs(net, x, 3), {name: value.clone() for name, value in net.state_dict().items()}
    starts = []
    for _ in range(2):
        net.load_state_dict(trained)
        start_level(net, 2)
        starts.append(outputs(net, x, 2))
    assert torch.equal(*starts)
    assert psnr(starts[0], doubled(coarser)) > 25


def test_the_spare_channels_of_level_2_can_learn():
    torch.manual_seed(0)
    net, (x, full) = PyNETNet(width=4), pictures()
    start_level(net, 2, x)
    (net(x, 2) - F.avg_pool2d(full, 2)).abs().mean().backward()
    assert net.level_2.head.weight.grad[:, 6:].abs().max() > 0
