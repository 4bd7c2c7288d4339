"""DeepLens' feature network: what Eq. 2 mixes (spec 3.2)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.errors import BokehbenchError
from bokehbench.nets.blocks import glorot_
from bokehbench.nets.numerics import symmetric_pad

#: Rows beyond its own that one output row sees: 1 + 2 + 2 + 2.
HALO = 7


class FeatureNetwork(nn.Module):
    """Four convolutions (3x3, then three 5x5; symmetric padding, ReLU, no norm) on raw images in [0, 1].

    ``images`` pictures of three channels go in (1 for the lens blur, 2 for the upsampling); the output is the
    concatenation of the input and all four layers, B 3*channels H W, where colour c owns channels c, c+3, c+6, ...

    The paper fixes only ``channels`` = 32; the release has 31 and 32 with layers of 30, 30, 15 and 15. Other counts
    keep those proportions (ours): with n = channels - images learned features per colour the layers have n, n,
    ceil(n/2) and floor(n/2) channels, which sum to 3 n. Fewer than two learned features raise BokehbenchError.
    """

    def __init__(self, channels: int = 31, images: int = 1) -> None:
        super().__init__()
        n = channels - images
        if n < 2:
            raise BokehbenchError(
                f"DeepLens needs at least {images + 2} feature channels here, not {channels}: "
                f"raise --model.{'channels' if images == 1 else 'upsampling_channels'}."
            )
        widths = (3 * images, n, n, n - n // 2, n // 2)
        self.layers = nn.ModuleList(nn.Conv2d(widths[i], widths[i + 1], 3 if i == 0 else 5) for i in range(4))
        glorot_(self)

    def forward(self, images: Tensor) -> Tensor:
        """B 3*images H W -> B 3*channels H W."""
        groups = [images]
        for layer in self.layers:
            assert isinstance(layer, nn.Conv2d)
            groups.append(F.relu_(layer(symmetric_pad(groups[-1], layer.kernel_size[0] // 2))))
        return torch.cat(groups, 1)
