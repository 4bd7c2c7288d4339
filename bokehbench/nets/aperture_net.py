"""DeepLens' depth network alone, with what turns its output into disparity: the network of the Aperture baseline."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.nets.deeplens.depth_network import DepthNetwork
from bokehbench.nets.numerics import Numerics
from bokehbench.optics import minmax

Output = Literal["sigmoid", "minmax"]


class ApertureNet(nn.Module):
    """Picture to disparity, differentiable: B 3 H W in [0, 1] -> B 1 H W in [0, 1].

    Args:
        depth_size: side of the square that the network sees, in pixels.
        backbone_pretrained: ImageNet weights for the network's body (downloads them).
        output: ``sigmoid``: absolute disparity; ``minmax``: stretched per picture, as DeepLens does.
    """

    def __init__(self, depth_size: int = 320, backbone_pretrained: bool = False, output: Output = "sigmoid") -> None:
        super().__init__()
        self.depth_size, self.output = depth_size, output
        self.depth = DepthNetwork(Numerics.named("modern"), pretrained=backbone_pretrained, segmentation_head=False)

    def predict_disparity(self, image: Tensor) -> Tensor:
        """The whole picture as a square through the network, resized back; 1 = nearest where training made it so."""
        square = (self.depth_size, self.depth_size)
        small = image if image.shape[-2:] == square else F.interpolate(image, square, mode="bilinear", antialias=True)
        raw = self.depth(small).float()
        if raw.shape[-2:] != image.shape[-2:]:
            raw = F.interpolate(raw, image.shape[-2:], mode="bilinear")
        return minmax(raw) if self.output == "minmax" else raw.sigmoid()

    forward = predict_disparity
