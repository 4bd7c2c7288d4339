"""The pictures of a study: one input and one result per method and name, all of one size, read without torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from bokehbench.counted import counted
from bokehbench.data.colour import to_8_bit
from bokehbench.data.decoding import picture_size
from bokehbench.data.folders import Listing, list_pictures
from bokehbench.data.pixels import read_pixels
from bokehbench.errors import BokehbenchError


@dataclass(frozen=True)
class PictureSet:
    """One scene: its name (the file stem), its input and every method's result."""

    name: str
    input: Path
    results: Mapping[str, Path]


def gather(inputs: Path, methods: Mapping[str, Path]) -> tuple[list[PictureSet], list[str]]:
    """The scenes of ``inputs`` with every method's result of the same stem, and notes on what is left out.

    Raises:
        BokehbenchError: fewer than two methods, two of one folder, a folder without pictures, a result that is missing
            or has another size, with its name.
    """
    if len(methods) < 2:
        raise BokehbenchError("a study compares methods: give --outputs METHOD=FOLDER at least twice.")
    if len({folder.resolve() for folder in methods.values()}) < len(methods):
        raise BokehbenchError("two methods have the same folder: give each method its own outputs.")
    listing = _listing(inputs, "--inputs")
    theirs = {name: _listing(folder, f"--outputs {name}=") for name, folder in methods.items()}
    problems = list(listing.problems)
    notes = []
    for name, other in theirs.items():
        problems += other.problems
        problems += [
            f"{methods[name]} ({name}) has no result for {path.name}: add it, or remove the input."
            for stem, path in listing.files.items()
            if stem not in other.files
        ]
        if extra := len(set(other.files) - set(listing.files)):
            notes.append(f"{name}: {counted(extra, 'result')} without an input left out")
    _refuse(problems)
    sets = []
    for stem, path in listing.files.items():
        results = {name: other.files[stem] for name, other in theirs.items()}
        size = _size(path, problems)
        for other_path in results.values():
            found = _size(other_path, problems)
            if size is not None and found is not None and found != size:
                problems.append(
                    f"{other_path} is {found[1]} x {found[0]} pixels and its input {path} {size[1]} x {size[0]}: "
                    "bring them to one size."
                )
        if size is not None:
            sets.append(PictureSet(stem, path, results))
    _refuse(problems)
    return sets, notes


def _listing(folder: Path, option: str) -> Listing:
    if not folder.is_dir():
        raise BokehbenchError(f"{option}: {folder} is not a folder: give a folder of pictures.")
    listing = list_pictures(folder)
    if not listing.files:
        raise BokehbenchError(f"{option}: {folder} holds no pictures: give a folder of pictures.")
    return listing


def _size(path: Path, problems: list[str]) -> tuple[int, int] | None:
    try:
        return picture_size(path)
    except BokehbenchError as error:
        problems.append(str(error))
        return None


def _refuse(problems: Sequence[str]) -> None:
    if not problems:
        return
    more = f"\n  ... and {len(problems) - 20} more" if len(problems) > 20 else ""
    listed = problems[0] if len(problems) == 1 else "".join(f"\n  {each}" for each in problems[:20]) + more
    raise BokehbenchError(f"no study was built: {listed}")


def read(path: Path, longest: int | None = None) -> Image.Image:
    """The picture as an upright 8-bit sRGB image without metadata, its longer side at most ``longest`` pixels.

    Raises:
        BokehbenchError: it cannot be decoded.
    """
    image = Image.fromarray(to_8_bit(read_pixels(path)))
    if longest is None or max(image.size) <= longest:
        return image
    width, height = (max(1, round(side * longest / max(image.size))) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def damage(image: Image.Image) -> Image.Image:
    """A copy that nobody who looks can prefer: a mosaic of about 24 tiles across."""
    tile = max(2, max(image.size) // 24)
    small = (max(1, image.width // tile), max(1, image.height // tile))
    return image.resize(small, Image.Resampling.BOX).resize(image.size, Image.Resampling.NEAREST)
