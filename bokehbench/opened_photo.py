"""A photo that was read and prepared, and what a method makes of it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from bokehbench.data.f_number import FNumber
from bokehbench.data.image_io import Photo, to_pixels, write_photo
from bokehbench.data.in_memory import Source
from bokehbench.data.maps import write_map
from bokehbench.errors import BokehbenchError
from bokehbench.models.base import BokehModel
from bokehbench.models.doors import check_settings
from bokehbench.models.renders import Focus
from bokehbench.optics import Disparity
from bokehbench.photo_depth import PhotoDepth


@dataclass(frozen=True, eq=False)
class Bokeh:
    """A photo with shallow depth of field; a notebook shows it.

    Attributes:
        image: H W 3 float32 in [0, 1], gamma-encoded sRGB.
        disparity: H W float32 in [0, 1], 1 = nearest: the map that was used; None where there was none.
        focus: the disparity in focus; None where it could not be chosen.
        aperture: blur radius in pixels of the photo at a disparity difference of 1; None where it could not be chosen.
        note: the same in words, and what else people should know.
        photo: as it was read.
    """

    image: np.ndarray
    disparity: np.ndarray | None
    focus: float | None
    aperture: float | None
    note: str
    photo: Photo

    def save(self, path: str | Path) -> None:
        """Write the picture, 8 bit, with colour profile and EXIF of the photo.

        Raises:
            BokehbenchError: a suffix that cannot be written, or a place that cannot.
        """
        write_photo(path, torch.from_numpy(self.image).permute(2, 0, 1), like=self.photo)

    def save_disparity(self, path: str | Path) -> None:
        """Write the map that was used as PNG of 16 bits, bright = near.

        Raises:
            BokehbenchError: there was none, another suffix, or a place that cannot be written to.
        """
        if self.disparity is None:
            raise BokehbenchError(f"{path}: no disparity map was used, so there is none to write.")
        write_map(Path(path), torch.from_numpy(self.disparity))

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        Image.fromarray(to_pixels(torch.from_numpy(self.image).permute(2, 0, 1))).save(file, "PNG")
        return file.getvalue()


@dataclass(frozen=True, eq=False)
class OpenPhoto:
    """A photo of which all is known that focus and aperture do not change, from :meth:`bokehbench.method.Method.open`.

    Attributes:
        model: renders it.
        photo: as it was read from ``source``; its notes tell of the maps, too.
        prepared: what ``model`` made of photo and map.
        disparity: the map that was given, as ``model`` got it; None: none was.
        depth: where the map is from that was not given.
    """

    model: BokehModel
    photo: Photo
    prepared: Any
    source: Source
    disparity: Disparity | None
    depth: PhotoDepth

    @torch.inference_mode()
    def refocus(
        self, focus: Focus = None, aperture: float | None = None, f_number: float | FNumber | None = None
    ) -> Bokeh:
        """Render with another focus, another aperture; arguments as of :meth:`bokehbench.method.Method.__call__`."""
        words = ""
        if f_number is not None:
            if aperture is not None:
                raise BokehbenchError("aperture and f_number say the same: give one of them.")
            wanted = f_number if isinstance(f_number, FNumber) else FNumber(f_number)
            aperture, words = self._aperture(wanted, focus)
        made = self.model.refocus(self.prepared, focus, aperture)
        return Bokeh(
            made.image[0].permute(1, 2, 0).float().cpu().contiguous().numpy(),
            None if made.disparity is None else made.disparity[0, 0].float().cpu().numpy(),
            None if made.focus is None else float(made.focus[0]),
            None if made.aperture is None else float(made.aperture[0]),
            ", ".join(filter(None, (made.note, words, *self.photo.notes))),
            self.photo,
        )

    def _aperture(self, f_number: FNumber, focus: Focus) -> tuple[float, str]:
        """As :meth:`FNumber.aperture`, for this photo and its map."""
        check_settings(self.photo.image[None], focus, None)
        size, given = (self.photo.image.shape[-2], self.photo.image.shape[-1]), self.disparity
        used = getattr(self.prepared, "disparity", None)
        extent = 1.0 if used is None else float(used.max() - used.min())
        if given is None and used is not None and f_number.aperture_at_f1 is None:
            metric = self.depth.measured(self.photo.image[None].to(used.device))
            given = metric and metric.stretched()
        if given is None:
            return f_number.aperture(self.source, size, None, None, extent)
        in_focus = float(self.model.focus_disparity(given.values[None], focus, size))
        return f_number.aperture(self.source, size, given.span, in_focus, extent)
