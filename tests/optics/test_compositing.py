from __future__ import annotations

import pytest
import torch
from slow_optics import composited

from bokehbench.errors import BokehbenchError
from bokehbench.optics import composite, disk, polygon, soft_disk

KERNELS = [soft_disk(3), disk(2.3), polygon(1.5, 3), soft_disk(1), soft_disk(0)]


def scene(height: int = 7, width: int = 9, batch: int = 2, channels: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    made = torch.Generator().manual_seed(0)
    stack = torch.rand(batch, channels, height, width, generator=made, dtype=torch.float64)
    masks = torch.rand(batch, len(KERNELS), height, width, generator=made, dtype=torch.float64)
    return stack, masks


@pytest.mark.parametrize("padding", ["zero", "reflect", "replicate"])
@pytest.mark.parametrize("low_memory", [False, True])
def test_equals_one_layer_after_the_other(padding, low_memory):
    stack, masks = scene()
    light, covered = composite(stack, masks, KERNELS, padding, low_memory=low_memory)
    for b in range(2):
        expected = composited(stack[b], masks[b], [k.double() for k in KERNELS], padding)
        torch.testing.assert_close(light[b], expected[0])
        torch.testing.assert_close(covered[b], expected[1])


@pytest.mark.parametrize("padding", ["zero", "reflect", "replicate"])
@pytest.mark.parametrize("low_memory", [False, True])
def test_gradients(padding, low_memory):
    stack, masks = (one.requires_grad_() for one in scene(3, 4, 1))
    assert torch.autograd.gradcheck(
        lambda z, a: composite(z, a, KERNELS, padding, low_memory=low_memory), (stack, masks)
    )


def test_layers_without_a_pixel_change_nothing_but_still_have_gradients():
    stack, masks = scene(4, 5, 1)
    masks[:, 1] = 0
    with torch.no_grad():
        skipped = composite(stack, masks, KERNELS)
    kept = composite(stack, masks.clone().requires_grad_(), KERNELS)
    torch.testing.assert_close(skipped, tuple(one.detach() for one in kept))
    assert torch.autograd.gradcheck(lambda a: composite(stack, a, KERNELS), masks.requires_grad_())


def test_kernels_larger_than_the_picture_reflect_again():
    stack, masks = scene(4, 3, 1)
    kernels = [soft_disk(r) for r in (9, 6, 4, 3, 0)]
    expected = composited(stack[0], masks[0], [k.double() for k in kernels], "reflect")
    torch.testing.assert_close(composite(stack, masks, kernels)[0][0], expected[0])
    assert torch.autograd.gradcheck(lambda z: composite(z, masks, kernels), stack.requires_grad_())


def test_is_linear_in_the_stack_and_covers_at_most_once():
    stack, masks = scene(30, 40)
    light, covered = composite(stack, masks, KERNELS)
    torch.testing.assert_close(composite(3 * stack, masks, KERNELS)[0], 3 * light)
    assert covered.min() > 0
    assert covered.max() < 1 + 1e-9


def test_stays_in_float32_under_autocast():
    stack, masks = (one.float() for one in scene())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        light, _ = composite(stack, masks, KERNELS)
    torch.testing.assert_close(light, composite(stack, masks, KERNELS)[0])


def test_wrong_calls_are_refused():
    stack, masks = scene()
    with pytest.raises(BokehbenchError, match="5 layer masks do not fit 4 kernels"):
        composite(stack, masks, KERNELS[1:])
    with pytest.raises(BokehbenchError, match="padding 'full'"):
        composite(stack, masks, KERNELS, "full")
