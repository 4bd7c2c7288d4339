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

    @torch.no_grad()
    def start_blurred(self) -> None:
        """Let every learned feature begin as a picture of its colour, blurred with a window of its own (ours).

        With random filters a feature's colour is arbitrary, so that its weight in Eq. 2 is soon 0 at every pixel, which
        no gradient brings back: of 30 features 4 were left. Windows are Gaussian, off the centre, and take the features
        before them of the same colour; what a filter adds up is 1.
        """
        end = 0
        for layer in self.layers:
            assert isinstance(layer, nn.Conv2d)
            (outputs, inputs, side), end = layer.weight.shape[:3], end + layer.in_channels
            own, seen = torch.arange(end, end + outputs), torch.arange(end - inputs, end)
            radius, features = side // 2, 1 + (end + outputs) // 3
            place = torch.arange(-radius, radius + 1)
            centre, width = (torch.rand(features, 2) * 2 - 1) * radius, 0.5 + torch.rand(features, 1) * radius
            window = torch.exp(-0.5 * ((place - centre[..., None]) / width[..., None]) ** 2)  # features 2 side
            mix = torch.rand(features, features) ** 4  # mostly of a few
            filters = mix[own // 3][:, seen // 3] * (own[:, None] % 3 == seen[None] % 3)
            weight = torch.einsum("oi,oy,ox->oiyx", filters, window[own // 3, 0], window[own // 3, 1])
            layer.weight.copy_(weight / weight.sum((1, 2, 3), keepdim=True).clamp_min(1e-12))  # 0: sees none of it

    def forward(self, images: Tensor) -> Tensor:
        """B 3*images H W -> B 3*channels H W."""
        groups = [images]
        for layer in self.layers:
            assert isinstance(layer, nn.Conv2d)
            groups.append(F.relu_(layer(symmetric_pad(groups[-1], layer.kernel_size[0] // 2))))
        return torch.cat(groups, 1)
