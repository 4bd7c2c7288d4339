"""The thin lens in numbers: what f-number, lens and sensor make of a disparity, in pixels (docs/control_units.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from bokehbench.errors import BokehbenchError, within

#: Of a film picture of 36 x 24 mm, in mm: what focal lengths "in 35 mm film" refer to.
FILM_DIAGONAL = math.hypot(36, 24)
Number = TypeVar("Number", float, Tensor)


@dataclass(frozen=True)
class Camera:
    """A lens, and the part of the sensor that a picture shows; the same for every size that the picture is resized to.

    Attributes:
        focal_length: of the lens, in mm; not that of 35 mm film.
        sensor_width: along the long side of the picture, in mm.

    Raises:
        BokehbenchError: a value that is not above 0.
    """

    focal_length: float
    sensor_width: float

    def __post_init__(self) -> None:
        positive("focal length", self.focal_length, "millimetres")
        positive("sensor width", self.sensor_width, "millimetres")

    @classmethod
    def of_35mm(cls, focal_length: float, equivalent: float, width: int, height: int) -> Camera:
        """From both focal lengths of EXIF, by the diagonal rule: the angle of view along the diagonal is the film's.

        Args:
            focal_length: of the lens, in mm.
            equivalent: the focal length in 35 mm film, in mm.
            width, height: of the picture, in pixels: its shape counts.
        """
        positive("focal length in 35 mm film", equivalent, "millimetres")
        diagonal = FILM_DIAGONAL * focal_length / equivalent
        return cls(focal_length, diagonal * max(width, height) / math.hypot(width, height))

    def cropped(self, share: float) -> Camera:
        """The camera of a crop that is ``share`` as long as the picture; K stays, since the crop has fewer pixels."""
        return Camera(self.focal_length, self.sensor_width * share)

    def pixels_per_mm(self, long_side: float) -> float:
        """Pixels of a picture with this long side, in pixels, per mm of the sensor."""
        return long_side / self.sensor_width

    def metric_k(self, f_number: float, focus: float, long_side: float) -> float:
        """K in px·m: the blur radius in pixels is K · abs(disparity - focus), both in 1/m.

        K = f² s / (2 N (s - f)) · pixels per unit of length, s = 1 / ``focus``.

        Args:
            f_number: N, above 0.
            focus: disparity in focus, 1/m; 0 = infinitely far.
            long_side: of the picture, in pixels; K is proportional to it.

        Raises:
            BokehbenchError: a focus that is negative, or not farther than the focal length.
        """
        positive("f-number", f_number)
        return self._k_at_f1(focus, long_side) / f_number

    def f_number(self, metric_k: float, focus: float, long_side: float) -> float:
        """The f-number that gives this K; the inverse of :meth:`metric_k`, with its errors."""
        positive("K", metric_k, "px·m")
        return self._k_at_f1(focus, long_side) / metric_k

    def _k_at_f1(self, focus: float, long_side: float) -> float:
        focal = self.focal_length / 1000
        if not 0 <= focus < 1 / focal:
            raise BokehbenchError(
                f"A focus at {focus:g} 1/m is impossible for a lens of {self.focal_length:g} mm, which is sharp from 0 "
                f"(infinity) to less than {1 / focal:g}: check the unit of the disparity map."
            )
        return focal**2 / (2 * (1 - focal * focus)) * self.pixels_per_mm(long_side) * 1000


@dataclass(frozen=True)
class Span:
    """The metric disparities, in 1/m, that are 0 and 1 of a stretched map: what leads from one scale to the other.

    Of a crop it may be another than of the whole picture, and then aperture and focus are others, too.

    Attributes:
        low: of the farthest pixel.
        high: of the nearest pixel.
    """

    low: float
    high: float

    def metric(self, stretched: Number) -> Number:
        """A stretched disparity, or a focus, in 1/m."""
        return stretched * (self.high - self.low) + self.low

    def stretched(self, metric: Number) -> Number:
        """A disparity in 1/m on the stretched scale; BokehbenchError for a span of one value."""
        return (metric - self.low) / self._width()

    def aperture(self, metric_k: float) -> float:
        """K in px·m as ``aperture``: pixels at a difference of 1 on the stretched scale, the K of BokehMe and MPIB."""
        return metric_k * (self.high - self.low)

    def metric_k(self, aperture: float) -> float:
        """An ``aperture`` in pixels as K in px·m; BokehbenchError for a span of one value."""
        return aperture / self._width()

    def _width(self) -> float:
        if not self.high > self.low:
            raise BokehbenchError(f"All of the map is at {self.low:g} 1/m: a flat map has no stretched scale.")
        return self.high - self.low


def aperture_at(f_number: float, aperture: float, given_at: float = 1.0) -> float:
    """The aperture at ``f_number``, from that ``given_at`` another f-number.

    aperture(N) = aperture(N0) · N0 / N holds for any kind of disparity, with one scene and one focus.
    """
    positive("f-number", f_number)
    positive("f-number", given_at)
    return aperture * given_at / f_number


def positive(what: str, value: float, unit: str = "") -> None:
    """Raise BokehbenchError unless ``value`` is a finite number above 0."""
    _, _, right, _ = within(what, value, 0)
    if not right or value == 0:
        raise BokehbenchError(f"{what} {value}: give a number above 0{unit and f', in {unit}'}.")
