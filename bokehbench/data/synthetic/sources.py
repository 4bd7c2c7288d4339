"""Folders of users' own backgrounds and cut-outs, RGBA or photos with masks, as sources of scenes."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor

from bokehbench.data.checks import checked, problem_of, record_problems
from bokehbench.data.decoding import PICTURE_SUFFIXES, open_header, readable
from bokehbench.data.folders import Record, files_in
from bokehbench.data.image_io import read_rgb, to_tensor
from bokehbench.data.pixels import quick_size, read_rgba
from bokehbench.data.records import RecordSet
from bokehbench.data.saliency import photos_with_masks
from bokehbench.data.synthetic.noise import Generator, chance, log_uniform, uniform
from bokehbench.data.synthetic.procedural import Cutout
from bokehbench.errors import BokehbenchError
from bokehbench.optics.linear_light import to_linear
from bokehbench.remote.mirror import local_folder

#: Folders with fewer pictures are too small to hold any out: all splits share them.
FEWEST_TO_SPLIT = 10


def list_files(folder: str | Path, option: str) -> list[Path]:
    """The picture files of a folder in an order that depends on their names alone.

    Raises:
        BokehbenchError: no such folder, or no picture in it; names ``option``.
    """
    folder = local_folder(folder)
    if not folder.is_dir():
        raise BokehbenchError(f"{option} {folder}: no such folder: give a folder of pictures.")
    files, _ = files_in(folder)
    if not files:
        raise BokehbenchError(f"{option} {folder}: has no pictures ({', '.join(PICTURE_SUFFIXES)}): add some.")
    return sorted(files, key=_order)


def list_cutouts(folder: str | Path, option: str) -> tuple[Sequence[Path | Record], list[str]]:
    """The RGBA pictures of a folder, or its photos with masks where it has one of the layouts of
    :mod:`bokehbench.data.saliency`, ordered as by :func:`list_files`; and problems.

    Raises:
        BokehbenchError: no such folder, or no cut-out in it; names ``option``.
    """
    place = local_folder(folder)
    found = photos_with_masks(place)
    deeper = found and found[0] and found[0][0].files["image"].parent != place
    if not found or not found[0] or (deeper and files_in(place)[0]):
        return list_files(place, option), []
    return sorted(found[0], key=lambda record: _order(record.files["image"])), found[1]


def _order(path: Path) -> tuple[int, str]:
    return zlib.crc32(path.name.encode()), path.name


def split_files(files: Sequence[Any], split: str) -> list[Any]:
    """A tenth of the files each for "val" and "test", the rest for "train"; all for each, if they are very few."""
    if len(files) < FEWEST_TO_SPLIT:
        return list(files)
    tenth = len(files) // 10
    return list({"test": files[:tenth], "val": files[tenth : 2 * tenth]}.get(split, files[2 * tenth :]))


@dataclass(frozen=True)
class Photos:
    """Backgrounds from photos of any size: a random part, at least two thirds of what fits, sometimes mirrored."""

    files: Sequence[Path]

    def backdrop(self, rng: Generator, height: int, width: int) -> Tensor:
        """Linear RGB in [0, 1], 3 height width."""
        picture = read_rgb(self.files[int(rng.integers(len(self.files)))])
        rows, columns = picture.shape[-2:]
        scale = min(rows / height, columns / width) * uniform(rng, 2 / 3, 1)
        part_rows, part_columns = max(int(height * scale), 1), max(int(width * scale), 1)
        top, left = int(uniform(rng, 0, rows - part_rows + 1)), int(uniform(rng, 0, columns - part_columns + 1))
        picture = picture[:, top : top + part_rows, left : left + part_columns]
        if chance(rng, 0.5):
            picture = picture.flip(-1)
        return to_linear(_resize(picture, height, width))

    def problems(self, deep: bool = False) -> list[str]:
        """One sentence per unreadable photo."""
        look = partial(problem_of, read_rgb if deep else quick_size)
        return [problem for found in checked(look, self.files) for problem in found]


@dataclass(frozen=True)
class Cutouts:
    """Foreground objects from RGBA pictures or photos with masks, cut to their visible part, at random scale, sometimes
    mirrored. ``found`` are problems that were met while listing them."""

    files: Sequence[Path | Record]
    found: Sequence[str] = ()

    def cutout(self, rng: Generator, height: int, width: int) -> Cutout:
        """An object whose long side is 0.3 to 1 times the scene's short side."""
        rgba = read_cutout(self.files[int(rng.integers(len(self.files)))])
        size = log_uniform(rng, 0.3, 1) * min(height, width) / max(rgba.shape[-2:])
        rows, columns = (max(round(n * size), 1) for n in rgba.shape[-2:])
        if chance(rng, 0.5):
            rgba = rgba.flip(-1)
        alpha = rgba[3:]
        # Colour must not bleed in from transparent pixels, whose colour is arbitrary: resize it premultiplied.
        scaled = _resize(torch.cat([to_linear(rgba[:3]) * alpha, alpha]), rows, columns)
        colour = (scaled[:3] / scaled[3:].clamp_min(1e-4)).clamp_(0, 1)
        standing = bool((alpha[0, -1] > 0.5).float().mean() > 0.2)
        return Cutout(colour, scaled[3], standing)

    def problems(self, deep: bool = False) -> list[str]:
        """One sentence per picture that is unreadable or has no transparent part, or whose mask is of another shape."""
        records = [each for each in self.files if isinstance(each, Record)]
        problems, _ = record_problems(records, partial(_read_nth, records) if deep else None)
        look = partial(problem_of, read_cutout if deep else _quick_alpha)
        for found in checked(look, [path for path in self.files if isinstance(path, Path)]):
            problems += found
        return [*self.found, *problems]


def _read_nth(files: Sequence[Path | Record], number: int) -> Tensor:
    return read_cutout(files[number])


def read_cutout(source: Path | Record) -> Tensor:
    """A cut-out as 4 h w in [0, 1], RGB and alpha, upright, not premultiplied, cut to the box of its visible pixels.

    Args:
        source: an RGBA picture, whose colours are taken as sRGB; or a photo and its mask, which is alpha as it is: hard
            edges of a binary one become soft when the cut-out is scaled.

    Raises:
        BokehbenchError: unreadable, without transparency, fully transparent, or a mask of another shape.
    """
    if isinstance(source, Record):
        item, path = RecordSet([source]).load(0), source.files["mask"]
        rgba = torch.cat([item["image"], item["mask"]])
    else:
        _require_alpha(source)
        rgba, path = to_tensor(read_rgba(source)), source
    visible = rgba[3] > 0.02
    if not bool(visible.any()):
        raise BokehbenchError(f"{path}: is transparent everywhere: replace or remove this file.")
    if bool((rgba[3] > 0.98).all()):
        raise BokehbenchError(f"{path}: is opaque everywhere, so there is no cut-out: replace or remove this file.")
    rows, columns = visible.any(1).nonzero(), visible.any(0).nonzero()
    return rgba[:, int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]


def _require_alpha(path: Path) -> None:
    with readable(path), open_header(path) as image:
        if "A" not in image.getbands() and "transparency" not in image.info:
            raise BokehbenchError(f"{path}: has no alpha channel: save the cut-out as an RGBA PNG.")


def _quick_alpha(path: Path) -> None:
    quick_size(path)
    _require_alpha(path)


def _resize(picture: Tensor, height: int, width: int) -> Tensor:
    return functional.interpolate(picture[None], (height, width), mode="bilinear", antialias=True)[0]
