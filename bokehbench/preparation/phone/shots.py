"""Which files of a folder show one shot, and which photos are so alike that a split must not part them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bokehbench.data.decoding import same_shape
from bokehbench.preparation.phone.phone_file import PhoneFile

#: Correlation of small pictures from which two of one moment, or of no known moment, show the same.
SAME_MOMENT, SAME_PICTURE = 0.9, 0.98
#: Seconds between photos of one burst.
BURST = 2.0
#: The photo to import, and the phone's blurred rendering of the same shot where that is another file.
Shot = tuple[PhoneFile, ...]


def shot_name(path: Path) -> str:
    """What names of one shot have in common: IMG_E12 is IMG_12, X.PORTRAIT-02.ORIGINAL is X."""
    return re.sub(r"_E(?=\d+$)", "_", re.sub(r"\.PORTRAIT.*$", "", path.stem.upper()))


def candidates(files: Sequence[PhoneFile]) -> dict[Path, list[PhoneFile]]:
    """Blurred renderings -> the files that may be their originals, by what their headers say.

    Those have the same shape, and the same name (IMG_E1234 and IMG_1234, or another suffix) without another time, or
    the same time to the fraction of a second.
    """
    found = {each.path: [file for file in files if _may_be_original(file, each)] for each in files if each.blurred}
    return {path: originals for path, originals in found.items() if originals}


def _may_be_original(file: PhoneFile, blurred: PhoneFile) -> bool:
    if file.blurred or not same_shape(file.size, blurred.size):
        return False
    apart = None if file.time is None or blurred.time is None else abs(file.time - blurred.time)
    if shot_name(file.path) == shot_name(blurred.path):
        return apart is None or apart < 1
    return apart == 0 and bool((file.time or 0) % 1)


def find_shots(files: Sequence[PhoneFile], signatures: Mapping[Path, np.ndarray]) -> list[Shot]:
    """The shots of a folder: each blurred rendering with the candidate that shows the same best, where one does.

    ``signatures`` are those of all :func:`candidates`, both sides.
    """
    by_path, partner = {each.path: each for each in files}, dict[Path, PhoneFile]()
    for path, originals in candidates(files).items():
        alike = {
            float(signatures[path] @ signatures[each.path]): each for each in originals if each.path not in partner
        }
        if alike and max(alike) >= SAME_MOMENT:
            partner[alike[max(alike)].path] = by_path[path]
    taken = {blurred.path for blurred in partner.values()}
    return [(each, *filter(None, [partner.get(each.path)])) for each in files if each.path not in taken]


def groups(names: Sequence[str], signatures: np.ndarray, files: Mapping[str, PhoneFile]) -> dict[str, int]:
    """Name -> a number that photos which are nearly the same share, such as those of a burst.

    ``signatures`` are those of ``names``, in rows; ``files`` are their sources, as far as they are known.
    """
    number = list(range(len(names)))
    for one in range(len(names)):
        alike = signatures[:one] @ signatures[one]
        for other in np.flatnonzero(alike >= SAME_MOMENT).tolist():
            if alike[other] >= SAME_PICTURE or _in_sequence(files.get(names[one]), files.get(names[other])):
                old, new = number[one], number[other]
                number = [new if each == old else each for each in number]
    return dict(zip(names, number, strict=True))


def _in_sequence(one: PhoneFile | None, other: PhoneFile | None) -> bool:
    """Whether two photos follow each other: in time, or where that is not known in their numbers."""
    if one is None or other is None:
        return False
    if one.time is not None and other.time is not None:
        return abs(one.time - other.time) <= BURST
    first, second = (re.fullmatch(r"(.*?)(\d+)", shot_name(each.path)) for each in (one, other))
    return bool(first and second and first[1] == second[1] and abs(int(first[2]) - int(second[2])) <= 1)
