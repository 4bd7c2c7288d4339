"""What is wrong with a list of files, found before training starts."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from pytorch_lightning.utilities import rank_zero_only

from bokehbench.cluster.in_order import in_order
from bokehbench.counted import some
from bokehbench.data.decoding import turn_to_fit
from bokehbench.data.folders import MAP_KEYS, Record
from bokehbench.data.maps import read_values
from bokehbench.data.pixels import quick_size, read_pixels
from bokehbench.errors import BokehbenchError

#: Files that go to a worker at a time.
CHUNK = 16


def record_problems(
    records: Sequence[Record], load: Callable[[int], object] | None = None
) -> tuple[list[str], list[str]]:
    """One sentence per bad file or mismatch, and notes. Headers only, unless ``load`` reads a whole record."""
    problems, turned = [], list[str]()
    for found, odd in checked(partial(_of_record, load=load), list(enumerate(records))):
        problems += found
        turned += odd
    notes = [f"the maps of {some(turned)} are turned as their photos' EXIF says."] if turned else []
    return problems, notes


def checked(check: Callable[[Any], Any], files: Sequence[Any]) -> Iterator[Any]:
    """What ``check`` says of each of the files, in their order, by the workers that are engaged."""
    hidden = getattr(rank_zero_only, "rank", 0) > 0
    return in_order(check, files, "checking files", chunk=CHUNK, delay=2, leave=False, disable=hidden)


def _of_record(numbered: tuple[int, Record], load: Callable[[int], object] | None) -> tuple[list[str], list[str]]:
    """Problems of a record, and its name where a map of it is turned as the photo is."""
    index, record = numbered
    turned = list[str]()
    found = _header_problems(record, turned)
    return found or (problem_of(load, index) if load else []), turned


def problem_of(read: Callable[[Any], object], what: Any) -> list[str]:
    """The sentence of the :class:`BokehbenchError` that ``read(what)`` raises; none where it does not."""
    try:
        read(what)
    except BokehbenchError as error:
        return [str(error)]
    return []


def _header_problems(record: Record, turned: list[str]) -> list[str]:
    """Sentences; names of records with a map that is turned as the photo is are added to ``turned``."""
    sizes: dict[str, tuple[int, int]] = {}
    problems = []
    for key, path in record.files.items():
        try:
            sizes[key] = quick_size(path, read_values if key in MAP_KEYS else read_pixels)
        except BokehbenchError as error:
            problems.append(str(error))
    if "image" not in sizes:
        return problems
    photo, wanted = record.files["image"], sizes["image"]
    for key, size in sizes.items():
        path = record.files[key]
        if key in MAP_KEYS:
            try:
                if turn_to_fit(path, size, wanted, photo) != 1:
                    turned.append(record.name)
            except BokehbenchError as error:
                problems.append(str(error))
        elif size != wanted:
            problems.append(
                f"{path}: {key} of {size[1]} x {size[0]} does not fit {photo} of {wanted[1]} x {wanted[0]}: "
                "make them match."
            )
    return problems
