"""One picture by every method of a board, between input and target, large enough to see how they differ."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from bokehbench import pictures
from bokehbench.board.standings import Standings
from bokehbench.errors import BokehbenchError
from bokehbench.figures import style
from bokehbench.figures.stored_pictures import Stored, find_stored, picture_file, shared_names
from bokehbench.files import write_atomic
from bokehbench.metrics.columns import find_column

#: Width in pixels, that of a README: photographs at twice the resolution would not stay small files.
PIXELS = 800
#: Cells in a line, few enough to see something; more methods go on in the next line.
MOST_CELLS = 4
#: Width of the closer look as a share of the picture's, and its height as a share of its own width.
ZOOM, FLAT = 0.36, 0.62
MARGIN, HEAD, FOOT = 8, 46, 36


@dataclass(frozen=True)
class Cell:
    """One picture with its heading: who, and the score on this picture."""

    title: str
    score: str
    pixels: np.ndarray


@dataclass(frozen=True)
class Block:
    """One picture by all: input, methods in the order of the ranking, target, of one size; and where to look closer.

    Attributes:
        corner: upper left (row, column) of the window that is shown enlarged.
        size: height and width of that window, pixels.
        by_border: the window was looked for along the border of what is in focus, which is known.
        spread: mean variance between the methods' pictures, (8-bit levels)^2.
    """

    name: str
    cells: tuple[Cell, ...]
    corner: tuple[int, int]
    size: tuple[int, int]
    by_border: bool
    spread: float


def blocks(stored: Sequence[Stored], standings: Standings) -> Iterator[Block]:
    """What the sheet may show: the pictures that all methods have, by name.

    Raises:
        NothingToDraw: there is none.
        BokehbenchError: a picture that cannot be read, whose size is not the target's, or two different targets.
    """
    score = "psnr" if "psnr" in standings.board.columns else standings.board.rank_by
    return (_block(name, stored, score) for name in shared_names(stored))


def _block(name: str, stored: Sequence[Stored], score: str) -> Block:
    first = stored[0].folder
    sharp, target = (_read(picture_file(first, kind, name)) for kind in ("input", "target"))
    column = find_column(score)
    unit = " dB" if column.label.endswith("(dB)") else ""
    cells = [Cell("input", "", sharp)]
    for each in stored:
        output = _read(picture_file(each.folder, "output", name))
        if output.shape != target.shape:
            raise BokehbenchError(
                f"{picture_file(each.folder, 'output', name)} has another size than the target: test it again."
            )
        if not np.array_equal(_read(picture_file(each.folder, "target", name)), target):
            raise BokehbenchError(
                f"{picture_file(each.folder, 'target', name)} is not the target that {stored[0].row.label} was scored "
                "against: test both on the board's own pictures."
            )
        value = each.row.result.per_image[name].get(score, math.nan)
        cells.append(Cell(each.row.label, column.show(value) + unit if math.isfinite(value) else "", output))
    cells.append(Cell("target", "", target))
    mask = picture_file(first, "in_focus", name)
    in_focus = _read(mask)[..., 0] > 127 if mask.is_file() else None
    height, width = target.shape[:2]
    size = min(height, max(4, round(ZOOM * FLAT * width))), min(width, max(6, round(ZOOM * width)))
    variances = variance([cell.pixels for cell in cells[1:]])
    spread = float(variance([cell.pixels for cell in cells[1:-1]]).mean())
    return Block(name, tuple(cells), window(variances, *size, in_focus), size, in_focus is not None, spread)


def variance(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Variance between pictures (H W 3 uint8 each), mean of the channels: H W, (8-bit levels)^2."""
    return np.stack([picture.astype(np.float64) for picture in pictures]).var(axis=0).mean(axis=-1)


def window(spread: np.ndarray, height: int, width: int, in_focus: np.ndarray | None = None) -> tuple[int, int]:
    """Upper left corner (row, column) of the window of ``height`` x ``width`` pixels in which the pictures differ most.

    The choice knows no method's name and no score: it is the largest sum of the variance between pictures, counted,
    where a mask is given, along the mask's outline alone (in a band half as wide as the window is high).

    Args:
        spread: H W, variance between the pictures of methods and target.
        height, width: at most those of ``spread``.
        in_focus: H W bool.
    """
    from scipy.ndimage import maximum_filter, minimum_filter

    if in_focus is not None and in_focus.any() and not in_focus.all():
        reach = max(3, height // 2)
        near = maximum_filter(in_focus, reach) & ~minimum_filter(in_focus, reach)
        spread = np.where(near, spread, 0.0)
    sums = np.zeros((spread.shape[0] + 1, spread.shape[1] + 1))
    sums[1:, 1:] = spread.cumsum(0).cumsum(1)
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    return int(row), int(column)


def _read(path: Path) -> np.ndarray:
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            return np.asarray(picture.convert("RGB"))
    except OSError as error:
        raise BokehbenchError(f"{path} cannot be read ({error}): run the test again.") from error


def draw(standings: Standings, work: Path | Sequence[Path], path: Path) -> Path:
    """Write the sheet of the :func:`chosen` picture as WebP; returns ``path``.

    Raises:
        NothingToDraw: no pictures that all methods have.
    """
    content = style.photographs(_sheet(standings, chosen(blocks(find_stored(standings, work), standings))))
    write_atomic(path, lambda file: file.write(content))
    return path


def chosen(found: Iterable[Block]) -> Block:
    """The picture on which the methods differ most, whatever their scores."""
    return max(found, key=lambda each: each.spread)


def _sheet(standings: Standings, block: Block) -> Image.Image:
    grids = _grids(block)
    border = " along the border of what is in focus" if block.by_border else ""
    notes = (
        f"Picture {style.short(block.name, 40)}: of those that all methods stored, the one on which they differ most.\n"
        f"Numbers: score on this picture. Closer look: where the methods differ most{border}."
    )
    height = HEAD + FOOT + sum(grid.height for grid in grids)
    sheet = Image.new("RGB", (PIXELS, height), pictures.LIGHT)
    text = ImageDraw.Draw(sheet)
    text.text((MARGIN, 6), standings.board.title, style.INK, pictures.font(14, bold=True))
    what = "input, every method (the board's best first) and target; below each, a closer look"
    text.text((MARGIN, 26), what, style.GREY, pictures.font())
    text.text((MARGIN, height - FOOT + 4), notes, style.GREY, pictures.font(10))
    top = HEAD
    for grid in grids:
        sheet.paste(grid, (MARGIN, top))
        top += grid.height
    return sheet


def _grids(block: Block) -> list[Image.Image]:
    """The cells of a picture, each with its closer look below, in as many lines as they need."""
    in_line = math.ceil(len(block.cells) / math.ceil(len(block.cells) / MOST_CELLS))
    wide = (PIXELS - 2 * MARGIN) // in_line - pictures.GAP
    lines = [block.cells[start : start + in_line] for start in range(0, len(block.cells), in_line)]
    return [
        pictures.grid(
            [[style.short(cell.title, 60), cell.score] for cell in line],
            [[_whole(cell, block, wide) for cell in line], [_closer(cell, block, wide) for cell in line]],
            wide, pictures.LIGHT,
        )
        for line in lines
    ]  # fmt: skip


def _whole(cell: Cell, block: Block, wide: int) -> np.ndarray:
    """The picture, and a frame where the closer look is."""
    picture = _resized(cell.pixels, wide)
    scale = wide / cell.pixels.shape[1]
    row, column, height, width = (round(edge * scale) for edge in (*block.corner, *block.size))
    ImageDraw.Draw(picture).rectangle(
        (column, row, column + width - 1, row + height - 1), outline=style.ORANGE, width=2
    )
    return np.asarray(picture)


def _closer(cell: Cell, block: Block, wide: int) -> np.ndarray:
    (row, column), (height, width) = block.corner, block.size
    return np.asarray(_resized(cell.pixels[row : row + height, column : column + width], wide))


def _resized(pixels: np.ndarray, wide: int) -> Image.Image:
    size = wide, max(1, round(wide * pixels.shape[0] / pixels.shape[1]))
    resample = Image.Resampling.LANCZOS if pixels.shape[1] > wide else Image.Resampling.BICUBIC
    return Image.fromarray(np.ascontiguousarray(pixels)).resize(size, resample)
