"""PyNET's architecture: parameter counts, sizes, wiring, gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bokehbench.errors import BokehbenchError
from bokehbench.nets.pynet import LEVELS, PyNETNet
from bokehbench.nets.pynet.blocks import Upsample, space_to_depth, to_picture
from bokehbench.nets.pynet.levels import Level3, Level4, Level5, Level6, Level7


def all_outputs(net: PyNETNet, x: torch.Tensor) -> dict[int, torch.Tensor]:
    return {level: to_picture(z) for level, z in net.logits(x).items()}


# Tables 3.2 to 3.8 of the architecture at width 32.
BLOCKS = {
    "encoder": {"level_3": 13_888, "level_4": 55_680, "level_5": 221_952, "level_6": 886_272},
    "level_7": {"a": 3_542_016, "b": 4_721_664, "c": 4_721_664, "d": 4_721_664, "head": 13_827},
    "level_6": {
        "up": 2 * 1_179_648,
        "a": 1_771_008,
        "b": 1_181_184,
        "c": 1_181_184,
        "d": 1_181_184,
        "e": 1_771_008,
        "head": 6_915,
    },
    "level_5": {"up": 2 * 294_912} | {f"x{i}": 1_672_704 for i in (1, 2, 3, 4)} | {"x5": 738_048, "head": 3_459},
    "level_4": {"up": 2 * 73_728, "y0": 418_560}
    | {f"y{i}": 1_361_024 for i in (1, 2, 3, 4)}
    | {"y5": 697_088, "y6": 147_840, "head": 1_731},
    "level_3": {"up": 2 * 18_432, "z0": 104_576, "z1": 340_160, "z2": 672_000}
    | {f"z{i}": 839_936 for i in (3, 4, 5)}
    | {"z6": 425_152, "z7": 174_208, "z8": 46_144, "head": 867},
    "level_2": {"up": 2_304, "head": 219},
    "level_1": {"up": 81, "head": 84},
}
TRAINABLE = {  # table 3.9: level -> (parameters, tensors)
    7: (18_898_627, 62),
    6: (28_336_579, 104),
    5: (36_351_811, 178),
    4: (43_205_123, 316),
    3: (47_523_171, 426),
    2: (47_524_827, 427),
    1: (47_524_992, 430),
}


@pytest.fixture(scope="module")
def full() -> PyNETNet:
    with torch.device("meta"):
        return PyNETNet()


@pytest.fixture
def small() -> PyNETNet:
    torch.manual_seed(0)
    return PyNETNet(width=4)


def size_of(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_every_block_has_the_tabled_number_of_parameters(full):
    found = {n: {c: size_of(m) for c, m in child.named_children()} for n, child in full.named_children()}
    assert found == BLOCKS
    assert size_of(full) == 47_551_791
    assert len(list(full.parameters())) == 440


@pytest.mark.parametrize("level", LEVELS)
def test_trainable_parameters_of_a_level(full, level):
    parameters = list(torch.nn.ModuleList(full.level_modules(level)).parameters())
    assert (sum(p.numel() for p in parameters), len(parameters)) == TRAINABLE[level]


@pytest.mark.parametrize("level", LEVELS)
def test_exactly_these_parameters_receive_a_gradient(small, level):
    torch.manual_seed(1)
    small(torch.rand(1, 4, 64, 64), level).sum().backward()
    with_gradient = {name for name, p in small.named_parameters() if p.grad is not None}
    listed = {id(p) for p in torch.nn.ModuleList(small.level_modules(level)).parameters()}
    assert with_gradient == {name for name, p in small.named_parameters() if id(p) in listed}


def test_sizes_range_and_early_exit(small):
    torch.manual_seed(1)
    x = torch.rand(2, 4, 64, 96)
    with torch.no_grad():
        outputs = all_outputs(small, x)
        assert list(outputs) == list(LEVELS)
        for level, output in outputs.items():
            assert output.shape == (2, 3, 128 >> (level - 1), 192 >> (level - 1))
            assert output.min() > -0.08
            assert output.max() < 1.08
            torch.testing.assert_close(small(x, level), output)


def test_instance_norm_is_at_levels_7_to_4_only(full):
    normed = {name.rsplit(".kernel", 1)[0] for name, m in full.named_modules() if isinstance(m, nn.GroupNorm)}
    blocks = {name.rsplit(".kernel", 1)[0] for name, _ in full.named_modules() if ".kernel_3.conv_1" in name}
    assert normed == {block for block in blocks if "level_3" not in block}


@pytest.mark.parametrize(
    ("level", "residual"),
    [
        (Level7, {"b", "c"}),
        (Level6, {"b", "c"}),
        (Level5, {"x1", "x2", "x3"}),
        (Level4, {"y1", "y2", "y3"}),
        (Level3, {"z3", "z4", "z5"}),
    ],
)
def test_residual_sums_are_around_the_tabled_blocks_only(level, residual):
    """A block with zero last convolutions cuts the way of u (level 7: of the input), unless a sum leads past it."""
    blocks = [name for name, _ in level(4).named_children() if name not in ("up", "head")]
    passable = set()
    for name in blocks:
        torch.manual_seed(0)
        module = level(4)
        for parameter in module.parameters():
            nn.init.normal_(parameter, std=0.3)
        for branch in getattr(module, name).children():
            for layer in (branch.conv_2, branch.norm_2):
                for parameter in layer.parameters():
                    nn.init.zeros_(parameter)
        if level is Level7:
            start = torch.rand(1, 2, 4, 4, requires_grad=True)
            out = module(start)
        else:
            start = module.up.u
            out = module(torch.rand(1, 4, 8, 8), torch.rand(1, 8, 4, 4))
        (gradient,) = torch.autograd.grad(out.square().sum(), start)
        if gradient.abs().max() > 0:
            passable.add(name)
    assert passable == residual


def test_upsampling_is_a_scatter_that_drops_the_last_row_and_column():
    torch.manual_seed(0)
    up = Upsample(2, 3)
    nn.init.normal_(up.weight)
    x = torch.randn(1, 2, 3, 4)
    wanted = torch.zeros(3, 7, 9)
    for i in range(3):
        for j in range(4):
            wanted[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += torch.einsum("c,cohw->ohw", x[0, :, i, j], up.weight)
    wanted = nn.functional.leaky_relu(wanted, 0.2)[:, :6, :8]
    torch.testing.assert_close(up(x)[0], wanted)


def test_space_to_depth_orders_rows_then_columns_then_channels():
    x = torch.arange(2 * 2 * 2.0).reshape(1, 2, 2, 2)  # value = 4 channel + 2 row + column
    assert space_to_depth(x).flatten().tolist() == [0, 4, 1, 5, 2, 6, 3, 7]


def test_checkpointing_changes_neither_output_nor_gradients(small):
    torch.manual_seed(1)
    x, gradients, outputs = torch.rand(1, 4, 64, 64), [], []
    for on in (False, True):
        small.checkpointing = on
        assert small.checkpointing is on
        small.zero_grad()
        out = small(x)
        out.square().sum().backward()
        outputs.append(out.detach())
        gradients.append([p.grad for p in torch.nn.ModuleList(small.level_modules(1)).parameters()])
    torch.testing.assert_close(outputs[0], outputs[1])
    torch.testing.assert_close(gradients[0], gradients[1])


def test_variant_without_depth():
    net = PyNETNet(width=4, depth_input=False)
    assert net(torch.rand(1, 3, 64, 64), 7).shape == (1, 3, 2, 2)
    with pytest.raises(BokehbenchError, match="depth_input"):
        net(torch.rand(1, 4, 64, 64))


def test_wrong_use_is_refused_in_a_sentence(small):
    for shape in ((1, 4, 64, 80), (1, 4, 32, 64)):
        with pytest.raises(BokehbenchError, match="multiples of 32"):
            small(torch.rand(shape))
    with pytest.raises(BokehbenchError, match="levels 7"):
        small(torch.rand(1, 4, 64, 64), 0)
    with pytest.raises(BokehbenchError, match="depth_input"):
        small(torch.rand(1, 3, 64, 64))
    with pytest.raises(BokehbenchError, match="head_init"):
        PyNETNet(width=4, head_init="zero")
    with pytest.raises(BokehbenchError, match="channels per branch"):
        PyNETNet(width=2)
