"""Whether a method does what it says that it obeys, looked for on synthetic scenes: sentences about what is wrong."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from scipy.stats import spearmanr
from torch import Tensor

from bokehbench.data import open_data
from bokehbench.data.collate import collate
from bokehbench.models.base import BokehModel

SCENES, SIZE, APERTURE = 4, (80, 112), 12.0
#: A step of 8 bits and what rounding adds to it; where the mean difference is below a quarter of it, there is none.
LEVEL = 1.1 / 255


@torch.inference_mode()
def problems(model: BokehModel) -> Iterator[str]:
    """One sentence for each thing that is wrong; BokehbenchError where it does not render."""
    data = open_data("syntheticdof", size=SIZE, aperture=APERTURE, test_samples=SCENES, disparity_input="clean",
                     slope_probability=0.0, highlight_gain=0.0, num_workers=0)  # fmt: skip
    scenes = data.pictures("test")
    assert scenes is not None
    batch = collate([scenes[index] for index in range(SCENES)])
    image, disparity = batch["image"], batch["disparity"]
    near, far = disparity.amax((1, 2, 3)), disparity.amin((1, 2, 3))

    def rendered(focus: Tensor, aperture: float = APERTURE) -> Tensor:
        return model.render(image, disparity=disparity, focus=focus, aperture=aperture).image

    front = rendered(near)
    if (front - rendered(near)).abs().max() > LEVEL:
        yield "It is not deterministic: the same photo and settings gave two pictures."
    behind = rendered(far) if model.uses.focus else front
    if model.uses.focus and (front - behind).abs().mean() < LEVEL / 4:
        yield "The focus is ignored: with the nearest and with the farthest in focus it gave the same picture."
    elif model.uses.focus:
        pairs = (front, near), (behind, far)
        right, swapped = ([_agreement(image, *pair, seen) for pair in pairs] for seen in (disparity, 1 - disparity))
        if sum(swapped) > sum(right) or _covered(image, front, behind, disparity, near):
            yield "Near and far are swapped: the nearest, in focus, is blurred, or covered by what lies behind it."
        elif min(right) < 0.2:
            yield "Sharpness does not follow the focus: what is in focus is hardly sharper than the rest."
    narrow = rendered(near, APERTURE / 4) if model.uses.aperture else front
    if model.uses.aperture and (front - narrow).abs().mean() < LEVEL / 4:
        yield "The strength is ignored: a quarter of the aperture gave the same picture."
    elif _detail(narrow).mean() < _detail(front).mean():
        yield "The strength is inverted: a quarter of the aperture gave a more blurred picture."


def _detail(picture: Tensor) -> Tensor:
    """Mean absolute gradient in blocks of 8 x 8 pixels, B 1 h w."""
    down, across = picture.diff(dim=2)[..., 1:], picture.diff(dim=3)[..., 1:, :]
    return F.avg_pool2d((down.abs() + across.abs()).mean(1, keepdim=True), 8)


def _agreement(image: Tensor, output: Tensor, focus: Tensor, disparity: Tensor) -> float:
    """Rank correlation of the detail that is kept with how small the circle of confusion is, where there is detail."""
    radius = F.avg_pool2d((disparity - focus[:, None, None, None]).abs()[..., 1:, 1:], 8)
    seen = (before := _detail(image)) > before.median()
    return float(spearmanr(_detail(output)[seen] / before[seen], -radius[seen]).statistic)


def _covered(image: Tensor, front: Tensor, behind: Tensor, disparity: Tensor, near: Tensor) -> bool:
    """Whether what lies behind the nearest objects covers their rim, whichever is in focus, and not the reverse.

    In a renderer without an order of depth, each covers the other.
    """
    objects = (disparity >= near[:, None, None, None] - 1e-4).float()
    rims = [part * F.max_pool2d(1 - part, 5, 1, 2) for part in (objects, 1 - objects)]
    (a, b), (c, d) = ([((each - image).abs() * rim).sum() / rim.sum() for rim in rims] for each in (front, behind))
    return bool((a > 0.5 * b) & (d < 0.5 * c))
