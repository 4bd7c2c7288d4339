"""A contact sheet of a split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

from bokehbench.batch import PICTURE_KEYS
from bokehbench.data.augment import Item, resize
from bokehbench.data.base import PictureSet
from bokehbench.data.image_io import to_pixels, write_photo
from bokehbench.errors import BokehbenchError

GAP, LINE = 6, 13
FONT = ImageFont.load_default(11)
MAPS = ("disparity", "true_disparity", "mask")


def write_preview(path: str | Path, pictures: PictureSet, count: int = 4, width: int = 320) -> list[str]:
    """Write ``count`` evenly spaced pictures as columns, one row per batch key, each ``width`` pixels wide.

    Names, focus and aperture stand above. Returns the names shown.

    Raises:
        BokehbenchError: an empty split, or a path that cannot be written.
    """
    if len(pictures) == 0:
        raise BokehbenchError("There are no pictures to show: see `bokehbench data describe`.")
    if count < 1 or width < 16:
        raise BokehbenchError(f"A preview of {count} pictures {width} wide is empty: give 1 or more, 16 or wider.")
    chosen = sorted({round(i) for i in np.linspace(0, len(pictures) - 1, min(count, len(pictures)))})
    items = [pictures[i] for i in tqdm(chosen, desc="reading", unit="picture", delay=2, leave=False)]
    rows = [key for key in PICTURE_KEYS if any(key in item for item in items)]
    height = max(_height(item["image"], width) for item in items)
    captions = [_caption(item, width) for item in items]
    top_of_pictures = LINE * max(map(len, captions)) + 3
    size = top_of_pictures + len(rows) * (height + GAP), len(items) * (width + GAP)
    sheet = np.full((*size, 3), 24, dtype=np.uint8)
    for column, item in enumerate(items):
        for row, key in enumerate(rows):
            if key in item:
                pixels = to_pixels(resize(item[key], _height(item[key], width), width, smooth=key in MAPS))
                top, left = top_of_pictures + row * (height + GAP), column * (width + GAP)
                sheet[top : top + len(pixels), left : left + width] = pixels
    _write(path, sheet, captions, width + GAP)
    return [item["name"] for item in items]


def _height(picture: torch.Tensor, width: int) -> int:
    return max(1, round(picture.shape[-2] / picture.shape[-1] * width))


def _caption(item: Item, width: int) -> list[str]:
    """Name, focus and aperture in as few lines as fit into ``width`` pixels; what is longer is cut."""
    # Pillow's own font has no more than Latin-1.
    parts = [item["name"].encode("latin-1", "replace").decode("latin-1")]
    parts += [f"focus {float(item['focus']):.2f}"] if "focus" in item else []
    parts += [f"aperture {float(item['aperture']):.1f} px"] if "aperture" in item else []
    lines = [parts[0]]
    for part in parts[1:]:
        longer = f"{lines[-1]}  {part}"
        lines[-1:] = [longer] if _fits(longer, width) else [lines[-1], part]
    return [_cut(line, width) for line in lines]


def _fits(text: str, width: int) -> bool:
    return FONT.getlength(text) <= width - 4


def _cut(text: str, width: int) -> str:
    if _fits(text, width):
        return text
    return next((cut for end in range(len(text) - 1, 0, -1) if _fits(cut := f"{text[:end]}..", width)), "")


def _write(path: str | Path, sheet: np.ndarray, captions: list[list[str]], step: int) -> None:
    picture = Image.fromarray(sheet)
    draw = ImageDraw.Draw(picture)
    for column, lines in enumerate(captions):
        for number, text in enumerate(lines):
            draw.text((column * step + 2, 1 + number * LINE), text, fill="white", font=FONT)
    write_photo(path, torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255)
