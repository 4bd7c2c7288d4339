"""Loss terms of D2F's training (spec 5). Only "a Poisson gradient constraint" is published: every formula is ours."""

from typing import Literal

from torch import Tensor

from bokehbench.nets.d2f.fusion import fuse


def forward_differences(image: Tensor) -> tuple[Tensor, Tensor]:
    """Horizontal B C H W-1 and vertical B C H-1 W differences, next minus this."""
    return image[..., 1:] - image[..., :-1], image[..., 1:, :] - image[..., :-1, :]


def poisson_gradient_loss(
    fused: Tensor,
    image: Tensor,
    rendering: Tensor,
    mask_init: Tensor,
    form: Literal["gradient", "laplacian"] = "gradient",
) -> Tensor:
    """Mean |grad F - v| with v = M0 grad I + (1 - M0) grad B^ (mixed gradients; M0 and B^ detached).

    Inside M0 the fused picture must have the original's gradients, outside the rendering's, so the mask may switch
    only where the two agree. ``form="laplacian"``: mean |lap F - div v| over the inner pixels.
    All B 3 H W in [0, 1] but ``mask_init`` B 1 H W; gives a scalar.
    """
    rendering, mask_init = rendering.detach(), mask_init.detach()
    (fx, fy), (ix, iy), (bx, by) = (forward_differences(t) for t in (fused, image, rendering))
    error_x = fx - fuse(ix, bx, mask_init[..., :-1])
    error_y = fy - fuse(iy, by, mask_init[..., :-1, :])
    if form == "laplacian":
        # Divergence by backward differences, so that div grad is the five-point Laplacian.
        divergence = (error_x[..., 1:] - error_x[..., :-1])[..., 1:-1, :]
        divergence = divergence + (error_y[..., 1:, :] - error_y[..., :-1, :])[..., 1:-1]
        return divergence.abs().mean()
    return (error_x.abs().sum() + error_y.abs().sum()) / (error_x.numel() + error_y.numel())


def initial_mask_loss(mask: Tensor, mask_init: Tensor) -> Tensor:
    """Mean |M - M0|, both B 1 H W, a scalar: the warm-up target that starts the mask near the defocus map's own."""
    return (mask - mask_init.detach()).abs().mean()


def initial_mask_weight(epochs_done: float, *, start: float = 0.1, over_epochs: float = 2.0) -> float:
    """The warm-up term's weight: ``start`` decaying linearly to 0 after ``over_epochs`` (fractions allowed)."""
    return start * max(0.0, 1 - epochs_done / over_epochs)


def range_penalty(linear: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Mean |x - clamp(x, low, high)|, a scalar: pulls a clamped output back to where the clamp has a gradient."""
    return (linear - linear.detach().clamp(low, high)).abs().mean()
