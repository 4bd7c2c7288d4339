"""One person's photo: what a session keeps between a click and the next."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from bokehbench.app.marker import Point
from bokehbench.data.augment import resize

#: Long side, in pixels, of the copy that is worked on; the file itself is read again to be saved.
WORKING_SIDE = 1280


@dataclass(eq=False)
class OpenPhoto:
    """A photo as it is worked on.

    Attributes:
        folder: of this session alone; deleted with this object, so with the session.
        path: the photo's own file, in ``folder``.
        size: (height, width) of the photo, upright.
        notes: what reading changed (a colour profile).
        image: 1 3 h w in [0, 1], at most ``WORKING_SIDE`` long.
        map: disparity as given or predicted, 1 H W at its own size; None = none yet.
        given: whether ``map`` was given by the user.
        source: what a predicted map is of, or what was changed in reading a given one; empty: the method itself, none.
        no_map: why none could be predicted; empty: one could, or none is needed.
        point: focus, (column, row) in pixels of ``image``.
        prepared: what the method keeps of the copy that previews are made of; None: nothing yet.
        finished: (focus, aperture) that the page shows at full working size; None: a quick preview.
    """

    folder: tempfile.TemporaryDirectory[str]
    path: Path
    size: tuple[int, int]
    notes: tuple[str, ...]
    image: Tensor
    point: Point
    map: Tensor | None = None
    given: bool = False
    source: str = ""
    no_map: str = ""
    prepared: Any = None
    finished: tuple[float | None, float | None] | None = None

    @property
    def scale(self) -> float:
        """Pixels of ``image`` per pixel of the photo."""
        return max(self.image.shape[-2:]) / max(self.size)

    def take(self, column: float, row: float) -> None:
        """Focus on the pixel of ``image`` there, or on the nearest one where it is outside."""
        height, width = self.image.shape[-2:]
        self.point = min(max(int(column), 0), width - 1), min(max(int(row), 0), height - 1)

    def set_map(self, disparity: Tensor | None, given: bool) -> None:
        """Take 1 H W as the map; what was prepared with another is forgotten."""
        self.map, self.given = disparity, given
        self.prepared = self.finished = None

    @property
    def disparity(self) -> Tensor | None:
        """``map`` at the size of ``image``, 1 1 h w."""
        return self.map_at(self.image.shape[-2], self.image.shape[-1])

    def map_at(self, height: int, width: int) -> Tensor | None:
        """The map, 1 1 height width."""
        return None if self.map is None else resize(self.map, height, width, smooth=True)[None].to(self.image)
