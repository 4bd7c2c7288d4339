"""A contact sheet of a split."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from bokehbench.batch import PICTURE_KEYS
from bokehbench.data.base import PictureSet
from bokehbench.errors import BokehbenchError
from bokehbench.f_numbers import written
from bokehbench.pictures import sheet


def write_preview(path: str | Path, pictures: PictureSet, count: int = 4, width: int = 320) -> list[str]:
    """Write ``count`` evenly spaced pictures as columns, one row per batch key, each ``width`` pixels wide.

    Names, focus, aperture and f-number stand above. Returns the names shown.

    Raises:
        BokehbenchError: an empty split, or a path that cannot be written.
    """
    if len(pictures) == 0:
        raise BokehbenchError("There are no pictures to show: see `bokehbench data describe`.")
    if count < 1 or width < 16:
        raise BokehbenchError(f"A preview of {count} pictures {width} wide is empty: give 1 or more, 16 or wider.")
    chosen = sorted({round(i) for i in np.linspace(0, len(pictures) - 1, min(count, len(pictures)))})
    items = [pictures[i] for i in tqdm(chosen, desc="reading", unit="picture", delay=2, leave=False)]
    keys = [key for key in PICTURE_KEYS if any(key in item for item in items)]
    titles = [[item["name"]] for item in items]
    for item, title in zip(items, titles, strict=True):
        title += [f"focus {float(item['focus']):.2f}"] if "focus" in item else []
        title += [f"aperture {float(item['aperture']):.1f} px"] if "aperture" in item else []
        title += [f"f/{written(round(float(item['f_number']), 4))}"] if "f_number" in item else []
    sheet(Path(path), titles, [[item.get(key) for item in items] for key in keys], width)
    return [item["name"] for item in items]
