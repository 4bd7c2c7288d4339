"""One shot of a phone to the files of a data set, and its row in ``import.csv``."""

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from bokehbench.data.colour import to_8_bit
from bokehbench.data.image_io import WRITE_OPTIONS
from bokehbench.errors import BokehbenchError
from bokehbench.files import write_atomic
from bokehbench.preparation.phone.depth import Depth, NoDepth
from bokehbench.preparation.phone.phone_file import LENS, PhoneFile, read_depth, read_picture
from bokehbench.preparation.phone.shots import Shot

Row = Mapping[str, str | float | None]
#: Columns of the table. Sizes are width x height; the focus is x and y in [0, 1] of the photo.
HEADS = (
    *("name", "source", "source_sha256", "form", "kind", "unit", "accuracy", "d_min", "d_max", "missing", *LENS),
    *("focal_by_long_side", "simulated_f_number", "focus", "photo", "size", "source_size", "depth_size", "rendered"),
)
#: What the table says of a photo that the phone has blurred.
BLURRED = "blurred rendering"


@dataclass(frozen=True)
class Settings:
    """How photos are imported.

    Attributes:
        root: of the data set.
        long_side: of the photos, at most, in pixels; maps keep their size.
        min_confidence: values of less are missing; in [0, 1].
        allow_rendered: take the phone's blurred rendering as the photo where there is no original.
    """

    root: Path
    long_side: int = 1500
    min_confidence: float = 0.1
    allow_rendered: bool = False


def digest(path: Path) -> str:
    """By which a file is known again: 16 digits of its SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def import_shot(shot: Shot, name: str, settings: Settings) -> Row:
    """Write the photo, its map, and where they are there the rendering and the matte; the row of the table.

    Photos are upright, sRGB, 8 bits, and have no metadata. The map is disparity in the file's scale.

    Raises:
        NoDepth: no depth map, or no unblurred photo.
        BokehbenchError: a file that cannot be read, or another one in its place.
    """
    holder, depth = _depth_of(shot, settings.min_confidence)
    pixels, source, rendered = _pictures(shot, holder, depth, settings.allow_rendered)
    photo, root = _reduced(pixels, settings.long_side), settings.root
    _write_new(root / "depth" / f"{name}.npy", lambda file: np.save(file, depth.values))
    if depth.matte is not None:
        _save(root / "masks" / f"{name}.png", Image.fromarray(depth.matte))
    if rendered is not None:
        _save(root / "rendered" / f"{name}.jpg", _reduced(read_picture(rendered), settings.long_side))
    _save(root / "images" / f"{name}.jpg", photo)  # the last: a data set lists its photos
    focus = depth.focus or holder.focus or shot[0].focus
    height, width = depth.values.shape
    return {
        "name": name,
        "source": holder.path.name,
        "source_sha256": digest(holder.path),
        "form": depth.form,
        "kind": "disparity",
        "unit": depth.unit,
        "accuracy": depth.accuracy,
        "d_min": float(np.nanmin(depth.values)),
        "d_max": float(np.nanmax(depth.values)),
        "missing": round(float(np.isnan(depth.values).mean()), 6),
        **shot[0].lens,
        **holder.lens,
        **depth.more,
        "focus": None if focus is None else f"{focus[0]:.4f} {focus[1]:.4f}",
        "photo": source,
        "size": f"{photo.width}x{photo.height}",
        "source_size": f"{pixels.shape[1]}x{pixels.shape[0]}",
        "depth_size": f"{width}x{height}",
        "rendered": "yes" if rendered else "no",
    }


def _depth_of(shot: Shot, min_confidence: float) -> tuple[PhoneFile, Depth]:
    """The first file of the shot that holds depth, and that."""
    for file in shot[:-1]:
        try:
            return file, read_depth(file, min_confidence)
        except NoDepth:
            continue
    return shot[-1], read_depth(shot[-1], min_confidence)


def _pictures(
    shot: Shot, holder: PhoneFile, depth: Depth, allow_rendered: bool
) -> tuple[np.ndarray, str, PhoneFile | None]:
    """The photo's pixels, where they come from, and the file whose own picture is the blurred rendering, if any is."""
    if depth.original is not None:
        return depth.original, "original inside the file", holder
    photo, rendered = shot[0], shot[1] if len(shot) > 1 else None
    if not photo.blurred:
        source = "the file's own picture" if photo is holder else f"original in {photo.path.name}"
        return read_picture(photo), source, rendered
    if allow_rendered:
        return read_picture(photo), BLURRED, None
    raise NoDepth(
        f"{photo.path}: has only the phone's blurred rendering: export the unmodified original of this shot into "
        "the same folder, or take the rendering all the same with --allow-rendered."
    )


def _reduced(pixels: np.ndarray, long_side: int) -> Image.Image:
    """H W 3 pixels as an 8-bit picture whose longer side is at most ``long_side``."""
    picture = Image.fromarray(to_8_bit(pixels))
    share = min(1.0, long_side / max(picture.size))
    size = max(1, round(picture.width * share)), max(1, round(picture.height * share))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _save(path: Path, picture: Image.Image) -> None:
    _write_new(path, lambda file: picture.save(file, **WRITE_OPTIONS[path.suffix]))  # type: ignore[arg-type]


def _write_new(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file that is not there; the same content may be, of an import that was stopped."""
    content = io.BytesIO()
    write(content)
    if not path.exists():
        write_atomic(path, lambda file: file.write(content.getvalue()))
    elif path.read_bytes() != content.getvalue():
        raise BokehbenchError(
            f"{path}: is there already, with other content: move it away, or choose another --output."
        )
