"""From a photo, a point and an aperture to a picture: quick while a slider moves, finished after, full to save."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bokehbench.app.abilities import abilities
from bokehbench.app.intake import read_map_upload, read_upload
from bokehbench.app.open_photo import WORKING_SIDE, OpenPhoto, keep
from bokehbench.data.augment import resize
from bokehbench.data.image_io import write_photo
from bokehbench.errors import BokehbenchError
from bokehbench.models.aperture import Aperture
from bokehbench.models.base import BokehModel
from bokehbench.models.combination import Combination
from bokehbench.models.deeplens import DeepLens
from bokehbench.optics.disparity import focus_at

#: Long side of what methods without a cache render while people try things out.
QUICK_SIDE = 640
#: Of the slider: blur radius as a share of the photo's long side; the first is that of the synthetic scenes.
USUAL_SHARE, LARGEST_SHARE = 0.025, 0.08


class Refocuser:
    """A method behind the page: ``model`` in evaluation mode, on its device.

    Holds no photo: several people share it, one rendering at a time.
    """

    def __init__(self, model: BokehModel) -> None:
        self.abilities = abilities(model)
        self.provider = model.provider if isinstance(model, Combination) else None
        self.model = model.renderer if isinstance(model, Combination) else model
        self.own_depth = not isinstance(model, Combination) or model.source == "own"
        self.name = type(model).__name__
        if isinstance(self.model, Aperture):  # its own map is predicted once, then given back like a user's
            self.model.use_given_disparity = True

    @torch.inference_mode()
    def open(self, upload: Path) -> OpenPhoto:
        """Read a photo and predict its disparity, where the method does.

        Raises:
            BokehbenchError: a file that cannot be rendered, or stored depth without a map of its name.
        """
        photo = read_upload(upload)
        height, width = photo.image.shape[-2:]
        shrink = min(1.0, WORKING_SIDE / max(height, width))
        size = max(1, round(height * shrink)), max(1, round(width * shrink))
        image = resize(photo.image, *size)[None].to(self.model.device)
        folder, path = keep(upload)
        centre = size[1] // 2, size[0] // 2
        return self.use_own_map(OpenPhoto(folder, path, (height, width), photo.notes, image, centre))

    @torch.inference_mode()
    def use_own_map(self, photo: OpenPhoto) -> OpenPhoto:
        """The photo with the map that the method predicts, or with none."""
        predicted = None
        if self.provider is not None:
            predicted = self.provider.disparity(photo.image, [photo.path.stem])
        elif self.own_depth and self.abilities.disparity == "own":
            predicted = self.model.predicted_disparity({"image": photo.image})
        photo.set_map(None if predicted is None else predicted[0], given=False)
        return photo

    def give_map(self, photo: OpenPhoto, upload: Path) -> OpenPhoto:
        """The photo with the user's map, of any size but of the photo's shape.

        Raises:
            BokehbenchError: unreadable, or of another shape.
        """
        disparity = read_map_upload(upload)
        height, width = photo.size
        ratio = disparity.shape[-1] / disparity.shape[-2] / (width / height)
        if not 0.95 < ratio < 1.05:
            raise BokehbenchError(
                f"{upload.name}: is {disparity.shape[-1]} x {disparity.shape[-2]} pixels, of another shape than the "
                f"photo's {width} x {height}: give a map of the same picture."
            )
        photo.set_map(disparity.to(photo.image), given=True)
        return photo

    # What is in focus ------------------------------------------------------------------------------------------

    def focus(self, photo: OpenPhoto) -> float | None:
        """The disparity at the session's point; None where the method takes none or there is no map."""
        if not self.abilities.focus or photo.disparity is None:
            return None
        return float(focus_at(photo.disparity, *photo.point)[0])

    def missing(self, photo: OpenPhoto) -> str:
        """What the page must ask for before it can render; empty = nothing."""
        if self.abilities.disparity == "needed" and photo.map is None:
            return f"{self.name} has no depth network of its own: drop a disparity map of this photo (bright = near)."
        return ""

    # Rendering -------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def quick(self, photo: OpenPhoto, aperture: float | None) -> Tensor | None:
        """A preview of the size of ``photo.image``, 1 3 h w; None: the page shows this setting better already.

        ``aperture`` is a radius in pixels of the photo at full size.
        """
        setting = self.focus(photo), aperture
        if photo.finished == setting:  # a slider's last move arrives after its release
            return None
        photo.finished = None
        height, width = photo.image.shape[-2:]
        if self.abilities.cached:
            result = self._refocus(photo, aperture, preview=True)
        else:
            shrink = min(1.0, QUICK_SIDE / max(height, width))
            size = max(1, round(height * shrink)), max(1, round(width * shrink))
            small = resize(photo.image[0], *size)[None]
            result = self.model.render(small, **self._given(photo, size, aperture))
            photo.finished = setting
        return resize(result[0], height, width, smooth=True)[None]

    @torch.inference_mode()
    def finish(self, photo: OpenPhoto, aperture: float | None) -> Tensor | None:
        """All levels of a method that caches, 1 3 h w; None: there is nothing better than the preview."""
        setting = self.focus(photo), aperture
        if photo.finished == setting:
            return None
        if not self.abilities.cached:
            return self.quick(photo, aperture)
        result = self._refocus(photo, aperture, preview=False)
        photo.finished = setting
        return result

    def _refocus(self, photo: OpenPhoto, aperture: float | None, preview: bool) -> Tensor:
        assert isinstance(self.model, DeepLens)
        radius = None if aperture is None else aperture * photo.scale
        count = self.model.levels(photo.image.shape[-2], photo.image.shape[-1], radius)
        if count not in photo.prepared:
            while len(photo.prepared) > 1:  # features are large
                photo.prepared.pop(next(iter(photo.prepared)))
            photo.prepared[count] = self.model.prepare(photo.image, photo.disparity, count)
        return self.model.refocus(photo.prepared[count], self.focus(photo), radius, preview=preview)

    @torch.inference_mode()
    def save(self, photo: OpenPhoto, aperture: float | None, suffix: str) -> Path:
        """Render the photo's own pixels to a file in the session's folder, in place of an earlier one.

        Colour profile and EXIF stay, as with ``render``.

        Raises:
            BokehbenchError: no memory for it, or a suffix that cannot be written.
        """
        original = read_upload(photo.path)
        try:
            image = original.image[None].to(self.model.device)
            height, width = image.shape[-2:]
            result = self.model.render(image, **self._given(photo, (height, width), aperture))[0].cpu()
        except (MemoryError, RuntimeError) as error:
            if "memory" not in str(error) and not isinstance(error, MemoryError):  # torch has no class for it on a CPU
                raise
            raise BokehbenchError(
                f"{photo.path.name}: there is not enough memory to render it at full size: make it smaller first."
            ) from error
        output = Path(photo.folder.name) / "result" / f"{photo.path.stem}_bokeh{suffix}"
        output.parent.mkdir(exist_ok=True)
        for earlier in output.parent.iterdir():
            earlier.unlink()
        write_photo(output, result, like=original)
        return output

    def _given(self, photo: OpenPhoto, size: tuple[int, int], aperture: float | None) -> dict[str, Any]:
        """Arguments of ``render`` for a copy of the photo of (height, width)."""
        given: dict[str, Any] = {}
        if self.abilities.disparity != "ignored":
            given["disparity"] = photo.map_at(*size)
        if self.abilities.focus:
            given["focus"] = self.focus(photo)
        if self.abilities.aperture and aperture is not None:
            given["aperture"] = aperture * max(size) / max(photo.size)
        return given
