"""Folders of photos with masks: the saliency sets that DeepLens mixes into every batch of its depth stage (Sec. 3.1),
and matting sets, whose masks are alpha."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from bokehbench.data.decoding import PICTURE_SUFFIXES
from bokehbench.data.folders import Record, list_pictures, pair
from bokehbench.errors import BokehbenchError
from bokehbench.remote.mirror import local_folder

LAYOUT = (
    "a saliency set is a folder with NAME.jpg and NAME.png (its mask) side by side, as MSRA10K has them, "
    "with one subfolder whose name ends in -Image and one in -Mask, as DUTS has them, "
    "or with fg/ and alpha/, as Xu et al. 2017 have them"
)
#: Names of the subfolders of photos and of masks.
SUBFOLDERS = (("*-Image", "*-Mask"), ("fg", "alpha"))


def saliency_records(folders: Sequence[str | Path]) -> tuple[list[Record], list[str]]:
    """Records with ``image`` and ``mask`` of all ``folders`` (searched one level down too), and problems.

    Raises:
        BokehbenchError: a folder that is not there or has neither layout.
    """
    records: list[Record] = []
    problems: list[str] = []
    for folder in map(local_folder, folders):
        found = photos_with_masks(folder)
        if found is None:
            raise BokehbenchError(f"{folder} has no image and mask pairs: {LAYOUT}.")
        records += found[0]
        problems += found[1]
    return records, problems


def photos_with_masks(folder: Path) -> tuple[list[Record], list[str]] | None:
    """Records with ``image`` and ``mask`` of a folder, or of the first of its subfolders that has one of the layouts,
    and problems; None where there is none."""
    inner = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return next((pairs for place in (folder, *inner) if (pairs := _pairs(place)) is not None), None)


def _pairs(folder: Path) -> tuple[list[Record], list[str]] | None:
    for names in SUBFOLDERS:
        images, masks = (sorted(path for path in folder.glob(name) if path.is_dir()) for name in names)
        if images and masks:
            return pair({"image": images[0], "mask": masks[0]}, strict=("mask",))
    photos = list_pictures(folder, tuple(s for s in PICTURE_SUFFIXES if s != ".png")).files
    mask_files = list_pictures(folder, (".png",)).files
    if not photos or not mask_files:
        return None
    problems = [f"{path}: has no mask {stem}.png beside it." for stem, path in photos.items() if stem not in mask_files]
    problems += [f"{path}: is the mask of no picture." for stem, path in mask_files.items() if stem not in photos]
    both = [stem for stem in photos if stem in mask_files]
    return [Record(stem, {"image": photos[stem], "mask": mask_files[stem]}) for stem in both], problems


def turn_of(number: int, fraction: float) -> tuple[bool, int]:
    """Whether draw ``number`` is a saliency picture, and how many draws of its kind came before it.

    Saliency draws are spread evenly, so that any batch of n has ``fraction`` * n of them, to one picture.
    """
    share = Fraction(fraction).limit_denominator(1000)
    before, after = (n * share.numerator // share.denominator for n in (number, number + 1))
    return (True, before) if after > before else (False, number - before)
