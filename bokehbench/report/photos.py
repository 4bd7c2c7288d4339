"""Pictures in a form that browsers show, without metadata, and their thumbnails."""

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from bokehbench.data.colour import to_8_bit
from bokehbench.data.decoding import open_header, orientation, readable
from bokehbench.data.pixels import read_pixels
from bokehbench.errors import BokehbenchError

#: Long side of thumbnails, pixels.
THUMBNAIL = 160


@dataclass(frozen=True)
class Format:
    """How pictures are stored: ``kind`` jpeg (4:4:4, ``quality``) or png; larger ones shrink to ``long_side`` px."""

    kind: str = "jpeg"
    quality: int = 92
    long_side: int | None = None

    def describe(self) -> str:
        """In words, for the page."""
        stored = f"JPEG files of quality {self.quality}, 4:4:4" if self.kind == "jpeg" else "lossless files"
        return stored + (f", long side at most {self.long_side} px" if self.long_side else "")


@dataclass(frozen=True)
class Job:
    """One file to convert: ``place`` lacks its suffix; ``thumbnails`` are JPEG files to write."""

    source: Path
    place: Path
    thumbnails: Sequence[Path] = ()


#: A converted picture: width and height in pixels, suffix.
Stored = tuple[int, int, str]


def write_photos(jobs: Sequence[Job], style: Format, workers: int | None) -> tuple[dict[Path, Stored], list[str]]:
    """Convert all; what was stored at each place, and one sentence per file that cannot be read.

    ``workers`` are threads, None = one per core (Pillow lets go of the interpreter while it works).
    """
    stored: dict[Path, Stored] = {}
    problems = []
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        running = {pool.submit(convert, job, style): job for job in jobs}
        try:
            for done in tqdm(as_completed(running), total=len(jobs), desc="pictures", unit="picture", disable=not jobs):
                try:
                    stored[running[done].place] = done.result()
                except BokehbenchError as error:
                    problems.append(str(error))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return stored, sorted(problems)


def convert(job: Job, style: Format) -> Stored:
    """Write one picture and its thumbnails.

    The pixels are sRGB, upright and 8 bit. A file that is so already, and carries no metadata, is copied as it is,
    so that a JPEG is not compressed twice.

    Raises:
        BokehbenchError: it cannot be read.
    """
    pixels = read_pixels(job.source)
    copied = _copied_suffix(job.source, style, pixels)
    picture = Image.fromarray(to_8_bit(pixels))
    job.place.parent.mkdir(parents=True, exist_ok=True)
    if style.long_side:
        picture.thumbnail((style.long_side, style.long_side), Image.Resampling.LANCZOS)
    suffix = copied or (".jpg" if style.kind == "jpeg" else ".png")
    place = job.place.with_name(job.place.name + suffix)
    if copied:
        shutil.copyfile(job.source, place)
    else:  # PNG knows none of the options
        picture.save(place, style.kind, quality=style.quality, subsampling=0, optimize=style.kind == "jpeg")
    size = picture.size
    picture.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    for thumbnail in job.thumbnails:
        thumbnail.parent.mkdir(parents=True, exist_ok=True)
        picture.save(thumbnail, "JPEG", quality=82)
    return *size, suffix


def _copied_suffix(source: Path, style: Format, pixels: np.ndarray) -> str:
    """The suffix of a copy, where the file may be shown as it is; else empty."""
    if style.long_side and max(pixels.shape[:2]) > style.long_side:
        return ""
    with readable(source), open_header(source) as image:
        if image.mode not in ("RGB", "L") or orientation(image) != 1:
            return ""
        if image.format == "JPEG":
            bare = all(segment == "APP0" for segment, _ in getattr(image, "applist", [("APP0", b"")]))
            return ".jpg" if bare and "comment" not in image.info else ""
        image.load()  # text after the pixels is only known then
        return ".png" if image.format == "PNG" and style.kind == "png" and not image.info and _is_8_bit(source) else ""
    raise AssertionError("unreachable")


def _is_8_bit(png: Path) -> bool:
    with png.open("rb") as file:
        return file.read(25)[24] == 8
