"""Depth of iPhones: auxiliary images of HEIC files, and of JPEG files with several pictures (MPF)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bokehbench.data.decoding import MAX_PIXELS, same_shape, upright
from bokehbench.errors import BokehbenchError
from bokehbench.preparation.phone.boxes import depth_item
from bokehbench.preparation.phone.depth import METRIC, RELATIVE, Depth, NoDepth, codes_inside, inverse
from bokehbench.preparation.phone.jpeg import pictures_behind, xmp_trees
from bokehbench.preparation.phone.xmp import parse, properties

#: Namespaces of Apple's properties start so.
APPLE = "http://ns.apple.com/"
MATTE = "urn:com:apple:photo:2018:aux:portraiteffectsmatte"


def open_heic(path: Path) -> Any:
    """The HEIC file of pillow-heif, not decoded yet; its pictures come upright. BokehbenchError: not installed."""
    try:
        from pillow_heif import open_heif
    except ImportError as error:
        raise BokehbenchError('HEIC is read with pillow-heif: pip install "bokehbench[phone]".') from error
    heic = open_heif(path)
    if heic.size[0] * heic.size[1] > MAX_PIXELS:
        raise ValueError(f"it claims {heic.size[0]} x {heic.size[1]} pixels")
    return heic


def heic_depth(path: Path) -> Depth:
    """The depth of a HEIC file, which is turned by its own ``irot``.

    Raises:
        NoDepth: it has none.
        BokehbenchError: the depth map is of another shape than the photo, or cannot be decoded.
        ValueError, OSError: corrupt boxes or XMP.
    """
    heic, item = open_heic(path), depth_item(path.read_bytes())
    maps, size = heic.info.get("depth_images", []), heic.size[::-1]
    if not maps:
        if item is not None:
            raise BokehbenchError("its depth map is in a form that pillow-heif cannot decode: update pillow-heif.")
        raise NoDepth("holds no depth map.")
    packet, bits = item or (b"", 0)
    said = properties([parse(packet)], APPLE) if packet else {}
    known = maps[0].info["metadata"]
    if not packet and known.get("representation_type") in (2, 3):  # ITU-T H.265, table G.7: depth, or by a curve
        raise ValueError("its depth map is neither disparity nor inverse depth")
    if "d_min" in known and "d_max" in known:
        said = {"FloatMinValue": known["d_min"], "FloatMaxValue": known["d_max"]} | said
    mattes = [_codes(heic.get_aux_image(number)) for number in heic.info.get("aux", {}).get(MATTE, [])]
    return _depth("Apple HEIC", _codes(maps[0], bits), said, mattes, size)


def _codes(image: Any, bits: int = 0) -> np.ndarray:
    """An auxiliary image as H W float32 in [0, 1]; deeper than 8 bits it has its ``bits`` at the top of 16."""
    if image.size[0] * image.size[1] > MAX_PIXELS:
        raise ValueError("a map in it claims too many pixels")
    codes = np.atleast_3d(image.to_pillow())[..., 0]  # the array of the image itself is padded to its row stride
    largest = 255 if codes.dtype == np.uint8 else (1 << 16) - (1 << 16 - (bits or 10))
    return codes.astype(np.float32) / np.float32(largest)


def jpeg_depth(data: bytes, size: tuple[int, int], turn: int) -> Depth:
    """The depth among the pictures behind the first of a JPEG file, chosen by its own XMP; NoDepth: there is none.

    ``size`` is (height, width) of the photo as seen; ``turn`` its EXIF orientation, by which the map is turned, too.
    """
    found: dict[str, tuple[np.ndarray, dict[str, str]]] = {}
    for start, end in pictures_behind(data):
        said = properties(xmp_trees(data, start), APPLE)
        kind = "depth" if said.get("AuxiliaryImageType") == "disparity" else said.get("AuxiliaryImageType", "")
        if kind in ("depth", MATTE):
            found.setdefault(kind, (upright(codes_inside(data[start:end]), turn), said))
    if "depth" not in found:
        raise NoDepth("holds no depth map.")
    return _depth("Apple JPEG", *found["depth"], [found[MATTE][0]] if MATTE in found else [], size)


def _depth(
    form: str, codes: np.ndarray, said: Mapping[str, str], mattes: list[np.ndarray], size: tuple[int, int]
) -> Depth:
    """Codes in [0, 1], 1 = nearest, in the scale that Apple's properties give them.

    Without a range the codes are the disparity, of no scale. A map of *depth*, whose range is in metres, is inverted.
    """
    values, unit = codes, RELATIVE
    if "FloatMinValue" in said and "FloatMaxValue" in said:
        low, high = float(said["FloatMinValue"]), float(said["FloatMaxValue"])
        if not np.isfinite([low, high]).all() or low >= high:
            raise ValueError(f"its depth range of {low:g} to {high:g} is none")
        values, unit = (low + codes.astype(np.float64) * (high - low)).astype(np.float32), METRIC
        values = inverse(values) if said.get("AuxiliaryImageType") == "depth" else values
    matrix, more = said.get("IntrinsicMatrix", "").split(), {}
    longer = max(float(said.get(f"IntrinsicMatrixReference{side}", 0)) for side in ("Width", "Height"))
    if len(matrix) == 9 and longer > 0:
        more["focal_by_long_side"] = round(float(matrix[0]) / longer, 6)
    if "SimulatedAperture" in said:
        more["simulated_f_number"] = float(said["SimulatedAperture"])
    matte = np.rint(mattes[0] * 255).astype(np.uint8) if mattes and same_shape(mattes[0].shape, size) else None
    return Depth(form, values, unit, said.get("Accuracy", ""), matte=matte, more=more).fitting(size)
