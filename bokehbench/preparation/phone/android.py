"""Depth of Android phones in JPEG files: GDepth and Dynamic Depth, which say what they hold in XMP."""

import base64
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

import numpy as np
from PIL import Image

from bokehbench.data.decoding import upright
from bokehbench.errors import BokehbenchError
from bokehbench.preparation.phone.depth import METRIC, UNNAMED, Depth, codes_inside, inverse, photo_inside
from bokehbench.preparation.phone.jpeg import end_of
from bokehbench.preparation.phone.xmp import RDF, properties

GOOGLE, DYNAMIC = "http://ns.google.com/photos/1.0/", "http://ns.google.com/photos/dd/1.0/"
#: Units of depth by their names in lower case: how many are a metre.
PER_METRE = {"m": 1.0, "meters": 1.0, "mm": 1000.0, "millimeters": 1000.0}
#: Names in the trailer of Samsung's photos.
SAMSUNG = (b"DualShot_DepthMap_1", b"SingeShot_DepthMap_1")


def android_depth(
    data: bytes, trees: Sequence[Element], size: tuple[int, int], turn: int, min_confidence: float
) -> Depth | None:
    """The depth of a JPEG file, ``data``, by its XMP, ``trees``; None where that names none.

    ``size`` is (height, width) of the photo as seen; ``turn`` its EXIF orientation, by which the map is turned, too.
    Values of less than ``min_confidence``, which is in [0, 1], become NaN.

    Raises:
        BokehbenchError: a Samsung file, whose map is not read, or a map of another shape than the photo.
        ValueError, OSError: numbers or parts of the file that cannot be.
    """
    said, form = properties(trees, f"{GOOGLE}depthmap/"), "GDepth"
    if "Data" in said:
        texts = said["Data"], properties(trees, f"{GOOGLE}image/").get("Data"), said.get("Confidence")
        content, original, confidence = (None if text is None else base64.b64decode(text) for text in texts)
    elif maps := [each for each in _all(trees, "camera", "DepthMap") if each.get("ItemSemantic", "Depth") == "Depth"]:
        said, form, items = maps[0], "Dynamic Depth", _items(data, trees)
        images = [each for each in _all(trees, "camera", "Image") if each.get("ItemSemantic") == "Original"]
        content, confidence = items.get(said.get("DepthURI", "")), items.get(said.get("ConfidenceURI", ""))
        original = items.get(images[0].get("ItemURI", "")) if images else None
    elif b"SEFT" in data[-64:] and any(name in data for name in SAMSUNG):
        raise BokehbenchError(
            "its depth is in a Samsung trailer, whose size and scale differ by model: it is not read."
        )
    else:
        return None
    if content is None:
        raise ValueError("its depth map is not among its items")
    codes = codes_inside(content)
    values, unit = _disparity(codes, said)
    if confidence is not None:
        trust = Image.fromarray(codes_inside(confidence)).resize(codes.shape[::-1], Image.Resampling.NEAREST)
        values = np.where(np.asarray(trust) < min_confidence, np.float32(np.nan), values)
    point = properties(trees, f"{GOOGLE}focus/")
    where = [float(point[name]) for name in ("FocalPointX", "FocalPointY") if name in point]
    focus = turned(where[0], where[1], turn) if len(where) == 2 else None
    photo = None if original is None else photo_inside(original, size, turn)
    accuracy = "absolute" if unit == METRIC else "relative"
    return Depth(form, upright(values, turn), unit, accuracy, photo, focus=focus).fitting(size)


def _all(trees: Sequence[Element], namespace: str, name: str) -> list[dict[str, str]]:
    """The properties of each structure of Dynamic Depth with this name."""
    found = [each for tree in trees for each in tree.iter(f"{{{DYNAMIC}{namespace}/}}{name}")]
    return [properties([each], DYNAMIC) for each in found]


def _items(data: bytes, trees: Sequence[Element]) -> dict[str, bytes]:
    """URI -> content of the items behind the photo, one behind the other."""
    items, place = dict[str, bytes](), end_of(data)
    folders = [folder for tree in trees for folder in tree.iter(f"{{{DYNAMIC}container/}}Directory")]
    for number, entry in enumerate(entry for folder in folders for entry in folder.iter(f"{RDF}li")):
        item = properties([entry], DYNAMIC)
        length = int(item.get("Length", 0)) if number else 0  # the first is the photo itself
        padding = int(item.get("Padding", 0))
        if min(length, padding) < 0 or place + length + padding > len(data):
            raise ValueError("its items are longer than the file")
        items[item.get("DataURI", "")] = data[place : place + length]
        place += length + padding
    return items


def _disparity(codes: np.ndarray, said: Mapping[str, str]) -> tuple[np.ndarray, str]:
    """Codes in [0, 1], 0 = nearest, as disparity, and its unit (developers.google.com/depthmap-metadata)."""
    near, far = float(said.get("Near", "nan")), float(said.get("Far", "nan"))
    form, unit, v = said.get("Format", "")[:40], said.get("Units", "").lower()[:40], codes.astype(np.float64)
    if not 0 <= near < far < np.inf or (near == 0 and form == "RangeInverse"):
        raise ValueError(f"its depth range of {near:g} to {far:g} is none")
    if form not in ("RangeInverse", "RangeLinear") or (unit and unit not in PER_METRE):
        raise ValueError(f"its depth has the format '{form}' and the unit '{unit}', which are not known")
    depth = near + v * (far - near) if form == "RangeLinear" else far * near / (far - v * (far - near))
    return inverse(depth / PER_METRE.get(unit, 1.0)), METRIC if unit else UNNAMED


def turned(x: float, y: float, orientation: int) -> tuple[float, float]:
    """A point in [0, 1] of the picture as stored -> of the picture as seen (EXIF 2.32, tag 0x0112)."""
    x, y = (y, x) if orientation >= 5 else (x, y)
    y = 1 - y if orientation in (3, 4, 7, 8) else y
    return (1 - x if orientation in (2, 3, 6, 7) else x), y
