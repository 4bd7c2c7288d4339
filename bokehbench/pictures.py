"""Pictures side by side under titles: where people would rather look than read. Starts without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bokehbench.errors import BokehbenchError
from bokehbench.files import write_atomic

if TYPE_CHECKING:
    from torch import Tensor

#: Pixels between pictures, and of a line of text.
GAP, LINE = 6, 14
DARK, LIGHT = "#181818", "#FFFFFF"


@lru_cache
def font(size: int = 11, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib: the same letters on every machine."""
    import matplotlib

    name = f"DejaVuSans{'-Bold' if bold else ''}.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


def shown(picture: Tensor, scale: float) -> np.ndarray:
    """A picture C H W in [0, 1] as H W 3 uint8, ``scale`` times as large; one channel in magma's colours, NaN black."""
    from torch.nn.functional import interpolate

    picture = picture.detach().float().nan_to_num(0).cpu()
    size = [max(1, round(edge * scale)) for edge in picture.shape[-2:]]
    if tuple(size) != picture.shape[-2:]:
        picture = interpolate(picture[None], size, mode="bicubic", align_corners=False, antialias=True)[0]
    pixels = picture.clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
    if pixels.shape[-1] == 3:
        return pixels
    from matplotlib import colormaps

    return np.asarray(colormaps["magma"](pixels[..., 0], bytes=True)[..., :3])


def grid(
    titles: Sequence[Sequence[str]], rows: Sequence[Sequence[np.ndarray | None]], width: int, ground: str = DARK
) -> Image.Image:
    """A column of pictures below each title.

    Args:
        titles: per column the parts of its title, which share lines where they fit; what is too long is cut.
        rows: a picture H ``width`` 3 uint8 for each column; None leaves a gap.
        width: of every picture, pixels.
        ground: colour behind the pictures, :data:`DARK` or :data:`LIGHT`.
    """
    lines = [_lines(parts, width) for parts in titles]
    heights = [max(len(cell) for cell in row if cell is not None) for row in rows]
    top = LINE * max(map(len, lines)) + 3
    step = width + GAP
    picture = Image.new("RGB", (step * len(titles), top + sum(heights) + GAP * len(rows)), ground)
    draw = ImageDraw.Draw(picture)
    for column, texts in enumerate(lines):
        for number, text in enumerate(texts):
            place = column * step + 2, 1 + number * LINE
            draw.text(place, text, fill=LIGHT if ground == DARK else DARK, font=font())
    for row, height in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            if cell is not None:
                picture.paste(Image.fromarray(cell), (column * step, top))
        top += height + GAP
    return picture


def sheet(path: Path, titles: Sequence[Sequence[str]], rows: Sequence[Sequence[Tensor | None]], width: int) -> None:
    """Write a :func:`grid` of pictures C H W in [0, 1] (C = 1 or 3) as PNG, JPEG or what else Pillow writes.

    Raises:
        BokehbenchError: a suffix that cannot be written, or a place that cannot.
    """
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind is None:
        raise BokehbenchError(f"{path}: cannot write '{path.suffix}' files: use .png.")
    cells = [[None if cell is None else shown(cell, width / cell.shape[-1]) for cell in row] for row in rows]
    picture = grid(titles, cells, width)
    write_atomic(path, lambda file: picture.save(file, kind))


def comparison(path: Path, panels: Sequence[Mapping[str, Tensor]]) -> None:
    """One row per batch: the first picture of each of its titled panels (B C H W)."""
    sheet(path, [[title] for title in panels[0]], [[panel[0] for panel in row.values()] for row in panels], 320)


def _lines(parts: Sequence[str], width: int) -> list[str]:
    """The parts in as few lines as fit into ``width`` pixels."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}  {part}" if lines else part
        lines[-1:] = [longer] if _fits(longer, width) else [*lines[-1:], part]
    return [_cut(line, width) for line in lines]


def _fits(text: str, width: int) -> bool:
    return font().getlength(text) <= width - 4


def _cut(text: str, width: int) -> str:
    if _fits(text, width):
        return text
    return next((cut for end in range(len(text) - 1, 0, -1) if _fits(cut := f"{text[:end]}…", width)), "")
