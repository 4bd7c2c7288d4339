"""The same pictures by every method of a board, between input and target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bokehbench.board.standings import Standings
from bokehbench.errors import BokehbenchError
from bokehbench.figures import style
from bokehbench.figures.stored_pictures import Stored, find_stored, picture_file, shared_names
from bokehbench.figures.zoom import window
from bokehbench.metrics.columns import find_column

#: Width in pixels, that of a README: photographs at twice the resolution would not stay small files.
PIXELS = 800
#: Cells in a line; more methods go on in the next line.
MOST_CELLS = 6
#: Width of the closer look as a share of the picture's, and its height as a share of its own width.
ZOOM, FLAT = 0.36, 0.62
MARGIN, GAP, TITLE, HEAD, FOOT = 8, 4, 30, 46, 36


@dataclass(frozen=True)
class Cell:
    """One picture with its heading: who, and the score on this picture."""

    title: str
    score: str
    pixels: np.ndarray


@dataclass(frozen=True)
class Block:
    """One picture by all: input, methods in the order of the ranking, target; and where to look closer.

    Attributes:
        name: of the picture.
        cells: all of the same size.
        corner: upper left (row, column) of the window that is shown enlarged.
        size: height and width of that window, pixels.
        by_border: the window was looked for along the border of what is in focus, which is known.
    """

    name: str
    cells: tuple[Cell, ...]
    corner: tuple[int, int]
    size: tuple[int, int]
    by_border: bool


def blocks(stored: Sequence[Stored], standings: Standings, most: int) -> list[Block]:
    """What the sheet shows: the first ``most`` pictures that all methods have.

    Raises:
        NothingToDraw: there is none.
        BokehbenchError: a picture that cannot be read, whose size is not the target's, or two different targets.
    """
    score = "psnr" if "psnr" in standings.board.columns else standings.board.rank_by
    return [_block(name, stored, score) for name in shared_names(stored, most)]


def _block(name: str, stored: Sequence[Stored], score: str) -> Block:
    first = stored[0].folder
    sharp, target = (_read(picture_file(first, kind, name)) for kind in ("input", "target"))
    outputs = [_read(picture_file(each.folder, "output", name)) for each in stored]
    for each, output in zip(stored, outputs, strict=True):
        if output.shape != target.shape:
            raise BokehbenchError(
                f"{picture_file(each.folder, 'output', name)} has another size than the target: test it again."
            )
        if not np.array_equal(_read(picture_file(each.folder, "target", name)), target):
            raise BokehbenchError(
                f"{picture_file(each.folder, 'target', name)} is not the target that {stored[0].row.label} was scored "
                "against: test both on the board's own pictures."
            )
    column = find_column(score)
    unit = " dB" if column.label.endswith("(dB)") else ""
    titles = []
    for each in stored:
        value = each.row.result.per_image[name].get(score, math.nan)
        titles.append((each.row.label, column.show(value) + unit if math.isfinite(value) else ""))
    cells = [Cell("input", "", sharp), *(Cell(*title, output) for title, output in zip(titles, outputs, strict=True))]
    mask = picture_file(first, "in_focus", name)
    in_focus = _read(mask)[..., 0] > 127 if mask.is_file() else None
    height, width = target.shape[:2]
    size = min(height, max(4, round(ZOOM * FLAT * width))), min(width, max(6, round(ZOOM * width)))
    corner = window([*outputs, target], *size, in_focus)
    return Block(name, (*cells, Cell("target", "", target)), corner, size, in_focus is not None)


def _read(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB"))
    except OSError as error:
        raise BokehbenchError(f"{path} cannot be read ({error}): run the test again.") from error


def draw(standings: Standings, work: Path | Sequence[Path], path: Path, most: int = 3) -> Path:
    """Write the sheet: up to ``most`` pictures, fewer where the file would grow beyond :data:`style.LIMIT`.

    Raises:
        NothingToDraw: no pictures that all methods have.
    """
    stored = find_stored(standings, work)
    data = blocks(stored, standings, most)
    while True:
        layout = Layout(data)
        style.paint(path, layout.height / 100, lambda figure: _fill(figure, standings, layout), PIXELS / 100, dpi=100)  # noqa: B023
        if path.stat().st_size <= style.LIMIT or len(data) == 1:
            return path
        data = data[:-1]


class Layout:
    """Pixels of everything on the sheet; ``height`` is the sheet's."""

    def __init__(self, data: Sequence[Block]) -> None:
        self.data = data
        count = len(data[0].cells)
        self.lines = math.ceil(count / MOST_CELLS)
        self.in_line = math.ceil(count / self.lines)
        self.wide = (PIXELS - 2 * MARGIN - GAP * (self.in_line - 1)) // self.in_line
        self.wide = min(self.wide, 200)
        shape = [block.cells[0].pixels.shape for block in data]
        self.high = [round(self.wide * height / width) for height, width, _ in shape]
        self.zoomed = [round(self.wide * block.size[0] / block.size[1]) for block in data]
        self.line = [TITLE + a + GAP + b + 2 * GAP for a, b in zip(self.high, self.zoomed, strict=True)]
        self.height = HEAD + FOOT + self.lines * sum(self.line)

    def corner(self, block: int, cell: int) -> tuple[int, int]:
        """Left and top of a cell's picture, from the sheet's upper left."""
        line, place = divmod(cell, self.in_line)
        top = HEAD + self.lines * sum(self.line[:block]) + line * self.line[block] + TITLE
        return MARGIN + place * (self.wide + GAP), top


def _fill(figure: Any, standings: Standings, layout: Layout) -> None:
    what = "input, every method (the board's best first) and target; below each, a closer look"
    style.head(figure, standings.board.title, what)
    names = ", ".join(style.short(block.name, 30) for block in layout.data)
    border = " along the border of what is in focus" if all(block.by_border for block in layout.data) else ""
    style.foot(
        figure,
        f"Pictures: {names}: the first by name that all methods have. Numbers: score on this picture.",
        f"Closer look: where the methods differ most{border}.",
    )
    from matplotlib.patches import Rectangle

    for number, block in enumerate(layout.data):
        row, column = block.corner
        scale = layout.wide / block.cells[0].pixels.shape[1]
        for place, cell in enumerate(block.cells):
            left, top = layout.corner(number, place)
            axes = _picture(figure, layout, cell.pixels, (left, top, layout.wide, layout.high[number]))
            wide, high = block.size[1] * scale, block.size[0] * scale
            axes.add_patch(Rectangle((column * scale, row * scale), wide, high, fill=False, ec=style.ORANGE, lw=1.1))
            crop = cell.pixels[row : row + block.size[0], column : column + block.size[1]]
            under = top + layout.high[number] + GAP
            _picture(figure, layout, crop, (left, under, layout.wide, layout.zoomed[number]))
            y = 1 - (top - 3) / layout.height
            figure.text(left / PIXELS, y, f"{style.short(cell.title, 22)}\n{cell.score}".rstrip(), fontsize=7.5,
                        va="bottom", linespacing=1.25)  # fmt: skip


def _picture(figure: Any, layout: Layout, pixels: np.ndarray, box: tuple[int, int, int, int]) -> Any:
    """Axes of exactly ``box`` (left, top, wide, high) pixels that show the picture, resized to it."""
    left, top, wide, high = box
    axes = figure.add_axes((left / PIXELS, 1 - (top + high) / layout.height, wide / PIXELS, high / layout.height))
    resample = Image.Resampling.LANCZOS if pixels.shape[1] > wide else Image.Resampling.BICUBIC
    resized = np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize((wide, high), resample))
    axes.imshow(resized, interpolation="none", extent=(0, wide, high, 0), aspect="auto")
    axes.set_axis_off()
    return axes
