"""The seven-level network."""

from collections.abc import Iterator
from typing import Literal

from torch import Tensor, nn

from bokehbench.errors import BokehbenchError
from bokehbench.nets.pynet.blocks import MultiKernelBlock, space_to_depth, to_picture
from bokehbench.nets.pynet.initialisation import COLOURS, initialise, open_encoder
from bokehbench.nets.pynet.levels import TOP_CHANNELS, Encoder, Level3, Level4, Level5, Level6, Level7, UpsamplingHead
from bokehbench.nets.pynet.pictures import MULTIPLE

LEVELS = (7, 6, 5, 4, 3, 2, 1)


class PyNETNet(nn.Module):
    """PyNET for bokeh (Ignatov et al., CVPRW 2020, arXiv 2006.05698): half-size photo in, full-size bokeh out.

    Args:
        width: channels per branch at level 3, 3 or more; 32 is the paper's (47,551,791 parameters).
        depth_input: whether a disparity map (near = bright) is the 4th input channel.
        head_init: "copy" starts from variance-keeping weights, from which :mod:`bokehbench.models.pynet_handover` goes
            on level by level; "official" is the authors' start (normal of deviation 0.01 cut at 2 sigma, biases 0.01),
            known to leave level 1 at flat grey.
        checkpointing: recompute the blocks in the backward pass (about half the memory at 0.8 of the speed).

    Sizes must be multiples of 32 and at least 64 (see :mod:`bokehbench.nets.pynet.pictures` for other photos).
    """

    def __init__(
        self,
        width: int = 32,
        depth_input: bool = True,
        head_init: Literal["official", "copy"] = "copy",
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        if head_init not in ("official", "copy"):
            raise BokehbenchError(f"head_init is '{head_init}': choose 'copy' or 'official'.")
        if width < COLOURS:
            raise BokehbenchError(f"--model.width {width}: PyNET needs {COLOURS} channels per branch or more.")
        self.width, self.depth_input, self.head_init = width, depth_input, head_init
        self.encoder = Encoder(4 * (4 if depth_input else 3), width)
        self.level_7 = Level7(16 * width)
        self.level_6 = Level6(8 * width)
        self.level_5 = Level5(4 * width)
        self.level_4 = Level4(2 * width)
        self.level_3 = Level3(width)
        self.level_2 = UpsamplingHead(width, TOP_CHANNELS)
        self.level_1 = UpsamplingHead(3, 3)
        self.checkpointing = checkpointing
        initialise(self, head_init)
        if head_init == "copy":
            open_encoder(self.encoder.level_3)

    @property
    def checkpointing(self) -> bool:
        """Whether training recomputes the blocks instead of keeping their inside; can be set at any time."""
        return self.encoder.level_3.checkpointing

    @checkpointing.setter
    def checkpointing(self, on: bool) -> None:
        for module in self.modules():
            if isinstance(module, MultiKernelBlock):
                module.checkpointing = on

    def _checked(self, x: Tensor) -> Tensor:
        channels, (height, width) = 4 if self.depth_input else 3, x.shape[-2:]
        if x.shape[1] != channels:
            wants = "RGB and disparity (4 channels)" if self.depth_input else "RGB alone (3 channels)"
            raise BokehbenchError(f"PyNET was built for {wants} but got {x.shape[1]}: set depth_input accordingly.")
        if height % MULTIPLE or width % MULTIPLE or min(height, width) < 2 * MULTIPLE:
            raise BokehbenchError(
                f"PyNET needs sides that are multiples of {MULTIPLE} and at least {2 * MULTIPLE} at half size, not "
                f"{height} x {width}: pad the picture or choose another crop."
            )
        return space_to_depth(x)

    def features(self, x: Tensor, level: int = 3) -> Iterator[tuple[int, Tensor]]:
        """Yield (level, features before the head) from 7 down to ``level`` >= 3.

        Shapes: B 16w H/32 W/32 at level 7, half the channels at twice the size for each finer one.
        """
        skips = self.encoder(self._checked(x))
        current = self.level_7(skips[7])
        yield 7, current
        for finer in range(6, level - 1, -1):
            current = getattr(self, f"level_{finer}")(skips[finer], current)
            yield finer, current

    def logits(self, x: Tensor, levels: tuple[int, ...] = LEVELS) -> dict[int, Tensor]:
        """RGB before tanh, B 3 h w, of each of ``levels``; nothing finer than the finest of them is computed."""
        finest, found = min(levels), {}
        current = x
        for level, current in self.features(x, max(finest, 3)):
            if level in levels:
                found[level] = getattr(self, f"level_{level}").head(current)
        for level in range(2, finest - 1, -1):
            current = getattr(self, f"level_{level}")(current)
            if level in levels:
                found[level] = current
        return found

    def forward(self, x: Tensor, level: int = 1) -> Tensor:
        """The output of one level, with an early exit after it.

        Args:
            x: B (3|4) H W, half-size RGB (and disparity, near = 1) in [0, 1].
            level: 7 (coarsest, H/32 x W/32) to 1 (2H x 2W); level 2 has the input's size.

        Returns:
            B 3 h w, RGB in (-0.08, 1.08), not clipped.
        """
        if level not in LEVELS:
            raise BokehbenchError(f"PyNET has levels 7 (coarsest) to 1, not {level}.")
        return to_picture(self.logits(x, (level,))[level])

    def level_modules(self, level: int) -> list[nn.Module]:
        """The modules on which the output of ``level`` depends, in forward order; training a level trains these.

        Encoder, bodies 7 to ``level`` and that level's head; level 2's head counts at level 1, which starts from it.
        """
        parts: list[nn.Module] = [self.encoder]
        for coarser in range(7, level - 1, -1):
            module = getattr(self, f"level_{coarser}")
            on_path = coarser == level or coarser == 2
            parts += [child for name, child in module.named_children() if name != "head" or on_path]
        return parts
