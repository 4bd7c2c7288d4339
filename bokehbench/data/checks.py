"""What is wrong with a list of files, found before training starts."""

from collections.abc import Callable, Sequence
from typing import Any

from pytorch_lightning.utilities import rank_zero_only
from tqdm import tqdm

from bokehbench.data.decoding import same_shape
from bokehbench.data.folders import MAP_KEYS, Record
from bokehbench.data.image_io import read_values
from bokehbench.data.pixels import quick_size, read_pixels
from bokehbench.errors import BokehbenchError


def record_problems(records: Sequence[Record], load: Callable[[int], object] | None = None) -> list[str]:
    """One sentence per bad file or mismatch. Headers and file ends only, unless ``load`` reads a whole record."""
    problems = []
    hidden = getattr(rank_zero_only, "rank", 0) > 0
    bar = tqdm(records, desc="checking files", unit="picture", delay=2, leave=False, disable=hidden)
    for index, record in enumerate(bar):
        found = _header_problems(record)
        if not found and load is not None:
            found = problem_of(load, index)
        problems += found
    return problems


def problem_of(read: Callable[[Any], object], what: Any) -> list[str]:
    """The sentence of the :class:`BokehbenchError` that ``read(what)`` raises; none where it does not."""
    try:
        read(what)
    except BokehbenchError as error:
        return [str(error)]
    return []


def _header_problems(record: Record) -> list[str]:
    sizes: dict[str, tuple[int, int]] = {}
    problems = []
    for key, path in record.files.items():
        try:
            sizes[key] = quick_size(path, read_values if key in MAP_KEYS else read_pixels)
        except BokehbenchError as error:
            problems.append(str(error))
    if "image" not in sizes:
        return problems
    for key, size in sizes.items():
        fits = same_shape(size, sizes["image"]) if key in MAP_KEYS else size == sizes["image"]
        if not fits:
            height, width = sizes["image"]
            problems.append(
                f"{record.files[key]}: {key} of {size[1]} x {size[0]} does not fit "
                f"{record.files['image']} of {width} x {height}: make them match."
            )
    return problems
