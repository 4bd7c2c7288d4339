"""Whether a map has its photo's shape, as both are seen. Starts without torch."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from bokehbench.data.decoding import open_header, orientation, readable, same_shape

#: The photo that a map belongs to: its file or Pillow image says how it is turned.
Photo = Path | Image.Image | None


def turn_to_fit(shape: Sequence[int], size: Sequence[int], photo: Photo, turned: int = 1) -> int | None:
    """The EXIF orientation that brings a map to the photo's shape: 1 as it is, the photo's own; None: neither."""
    if same_shape(shape, size):
        return 1
    if photo is None or turned != 1 or not same_shape((shape[1], shape[0]), size):
        return None
    turn = orientation_of(photo)
    return turn if turn >= 5 else None


def orientation_of(picture: Path | Image.Image) -> int:
    """EXIF orientation of a picture, from the header alone; 1 for arrays."""
    if isinstance(picture, Image.Image):
        return orientation(picture)
    if picture.suffix.lower() == ".npy":
        return 1
    with readable(picture), open_header(picture) as image:
        return orientation(image, header_only=True)
    raise AssertionError("unreachable")


def other_shape(what: str, shape: Sequence[int], photo: Photo, size: Sequence[int]) -> str:
    """The one sentence about a map that has another shape than its photo; sizes are the files', upright."""
    named = photo if isinstance(photo, Path) else "the photo"
    how = "turned upright as the photo is" if same_shape((shape[1], shape[0]), size) else "uncropped"
    return (
        f"{what} of {shape[1]} x {shape[0]} does not fit {named} of {size[1]} x {size[0]}, it is of another shape: "
        f"give a map of the same picture, {how}."
    )
