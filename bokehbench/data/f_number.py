"""An f-number as the aperture of one photo: by its camera and a metric map, or by one calibrated number."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from bokehbench.data.decoding import open_header, readable
from bokehbench.data.focus import REFERENCE_HEIGHT
from bokehbench.data.in_memory import Source
from bokehbench.errors import BokehbenchError
from bokehbench.optics.thin_lens import Camera, Span, aperture_at, positive

Tag = ExifTags.Base
#: Millimetres of EXIF's FocalPlaneResolutionUnit.
UNITS = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}


@dataclass(frozen=True)
class FNumber:
    """What a photo is rendered with in place of an aperture in pixels.

    Attributes:
        value: the f-number, above 0.
        focal_length: of the lens, in mm; None: EXIF's.
        sensor_width: along the long side of the photo, in mm; None: from EXIF.
        aperture_at_f1: the aperture at f/1 of a picture 1024 high, in pixels at a disparity difference of 1 of the
            stretched map: what a relative map needs, ``bokehbench data fit-aperture`` estimates and a metric one makes
            needless.

    Raises:
        BokehbenchError: a value that is not above 0, or a calibrated number together with a lens.
    """

    value: float
    focal_length: float | None = None
    sensor_width: float | None = None
    aperture_at_f1: float | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None:
                positive("f-number" if name == "value" else name.replace("_", " "), value)
        if self.aperture_at_f1 is not None and (self.focal_length or self.sensor_width):
            raise BokehbenchError("Give either aperture at f1, or focal length and sensor width: they say the same.")

    def aperture(
        self, photo: Source, size: tuple[int, int], span: Span | None, focus: float | None, extent: float = 1.0
    ) -> tuple[float, str]:
        """Blur radius in pixels at a difference of 1 of the map's numbers, and what it was computed from, in words.

        Args:
            photo: whose EXIF tells what was not given.
            size: of the photo, (height, width).
            span: of the metric map that was stretched for the method; None: the map is relative.
            focus: on the stretched scale; None: not known.
            extent: largest less smallest value of the map that is rendered with; 1 of a stretched one.

        Raises:
            BokehbenchError: what is missing, and how to get it.
        """
        height, width = size
        if self.aperture_at_f1 is not None:
            aperture = aperture_at(self.value, self.aperture_at_f1 * height / REFERENCE_HEIGHT)
            return aperture / (extent or 1.0), f"f/{self.value:g}, {self.aperture_at_f1:g} px at f/1"
        if span is None or focus is None:
            raise BokehbenchError(
                f"f/{self.value:g} needs a metric disparity map (--disparity MAP --disparity-unit 1/m, m or mm; or "
                "--depth of a network that predicts metres): a relative one has lost its scale, and needs one number, "
                "--aperture-at-f1 PX, which `bokehbench data fit-aperture` estimates from pairs of the same camera and "
                "depth network."
            )
        camera = self.camera(photo, height, width)
        in_focus = span.metric(focus)
        aperture = span.aperture(camera.metric_k(self.value, in_focus, max(size)))
        lens = f"{camera.focal_length:g} mm lens, sensor {camera.sensor_width:.1f} mm wide"
        return aperture, f"f/{self.value:g}, {lens}, focus at {1 / in_focus if in_focus else float('inf'):.3g} m"

    def camera(self, photo: Source, height: int, width: int) -> Camera:
        """Lens and sensor, as given or from the photo's EXIF.

        Raises:
            BokehbenchError: neither knows one of them.
        """
        known = exif_numbers(photo)
        focal = self.focal_length or known.get(Tag.FocalLength)
        if focal is None:
            raise BokehbenchError("The photo's EXIF has no focal length: give it with --focal-length MM.")
        equivalent, sensor = known.get(Tag.FocalLengthIn35mmFilm), self.sensor_width
        if sensor is None:
            sensor = _sensor_width(known, max(height, width))
            # Equal focal lengths are of a full-frame camera, or of software that did not know
            if equivalent is not None and (sensor is None or equivalent != focal):
                sensor = Camera.of_35mm(known.get(Tag.FocalLength, focal), equivalent, width, height).sensor_width
        if sensor is None:
            raise BokehbenchError(
                "The photo's EXIF does not tell how large the sensor is (it has neither FocalLengthIn35mmFilm nor a "
                "FocalPlaneXResolution that fits this size): give the width along the long side with --sensor-width MM."
            )
        return Camera(focal, sensor)


def exif_numbers(photo: Source) -> dict[int, float]:
    """Numbers above 0 of a photo's inner EXIF block, by tag; empty where there is none, or none that can be read."""
    if isinstance(photo, str | Path):
        with readable(Path(photo)), open_header(Path(photo)) as image:
            return exif_numbers(image)
    found: dict[int, float] = {}
    if isinstance(photo, Image.Image):
        try:
            inner: dict[int, Any] = dict(photo.getexif().get_ifd(ExifTags.IFD.Exif))
        except Exception:  # Pillow's readers raise struct.error, SyntaxError, KeyError, ValueError, TypeError ...
            return {}
        for tag, value in inner.items():
            try:
                number = float(value)
            except (TypeError, ValueError, ZeroDivisionError):
                continue
            if 0 < number < 2**31:  # 0 and 2^32 - 1 stand for "unknown"
                found[tag] = number
    return found


def _sensor_width(known: dict[int, float], long_side: int) -> float | None:
    """From the pixels per unit of length on the sensor; None for a photo of another size than was taken."""
    pixels = max(known.get(Tag.ExifImageWidth, 0), known.get(Tag.ExifImageHeight, 0))
    unit = UNITS.get(int(known.get(Tag.FocalPlaneResolutionUnit, 2)))
    if pixels != long_side or unit is None or Tag.FocalPlaneXResolution not in known:
        return None
    return long_side / known[Tag.FocalPlaneXResolution] * unit
