"""From a photo, a point and an aperture to a picture: quick while a slider moves, finished after, full to save."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bokehbench.app.guard import SESSION
from bokehbench.app.intake import read_map_upload, read_upload
from bokehbench.app.open_photo import WORKING_SIDE, OpenPhoto
from bokehbench.data.augment import resize
from bokehbench.data.image_io import write_photo
from bokehbench.errors import BokehbenchError
from bokehbench.models.base import BokehModel
from bokehbench.optics.disparity import focus_at
from bokehbench.photo_depth import PhotoDepth

#: Long side of what methods without a preview render while people try things out.
QUICK_SIDE = 640
#: Of the slider: blur radius as a share of the photo's long side; the first is that of the synthetic scenes.
USUAL_SHARE, LARGEST_SHARE = 0.025, 0.08


class Refocuser:
    """A method behind the page: ``model`` in evaluation mode, on its device; ``depth`` makes maps of photos.

    Holds no photo: several people share it, one rendering at a time.
    """

    def __init__(self, model: BokehModel, depth: PhotoDepth | None = None) -> None:
        self.model, self.uses, self.name = model, model.uses, model.label
        self.depth = depth or PhotoDepth(model)

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
        # Gradio removes its own copy after a while, and shares it between people
        folder = tempfile.TemporaryDirectory(prefix=SESSION, ignore_cleanup_errors=True)
        path = Path(shutil.copyfile(upload, Path(folder.name) / upload.name))
        centre = size[1] // 2, size[0] // 2
        return self.use_own_map(OpenPhoto(folder, path, (height, width), photo.notes, image, centre))

    @torch.inference_mode()
    def use_own_map(self, photo: OpenPhoto) -> OpenPhoto:
        """The photo with a predicted map, or with none, and then the reason in ``photo.no_map``."""
        names, photo.no_map = [photo.path.stem], ""
        try:
            predicted, photo.source = self.depth(photo.image, names)
        except BokehbenchError as error:
            predicted, photo.no_map = None, str(error)
        if predicted is None and not photo.no_map and self.uses.disparity == "own":
            predicted = self.model.disparity(photo.image, names)
        photo.set_map(None if predicted is None else predicted[0], given=False)
        return photo

    def give_map(self, photo: OpenPhoto, upload: Path) -> OpenPhoto:
        """The photo with the user's map, of any size but of the photo's shape.

        Raises:
            BokehbenchError: unreadable, or of another shape.
        """
        disparity, notes = read_map_upload(upload, photo.size, photo.path)
        photo.set_map(disparity.to(photo.image), given=True)
        photo.source = ", ".join(notes)
        return photo

    # What is in focus ------------------------------------------------------------------------------------------

    def focus(self, photo: OpenPhoto) -> float | None:
        """The disparity at the session's point; None where the method takes none or there is no map."""
        if not self.uses.focus or photo.disparity is None:
            return None
        return float(focus_at(photo.disparity, *photo.point)[0])

    def missing(self, photo: OpenPhoto) -> str:
        """What the page must ask for before it can render; empty = nothing."""
        if self.uses.disparity in ("needed", "own") and photo.map is None:
            why = photo.no_map or f"{self.name} has no depth network of its own."
            return f"{why} Drop a disparity map of this photo (bright = near)."
        return ""

    # Rendering -------------------------------------------------------------------------------------------------

    def quick(self, photo: OpenPhoto, aperture: float | None) -> Tensor | None:
        """A preview of the size of ``photo.image``, 1 3 h w; None: the page shows this setting better already.

        ``aperture`` is a radius in pixels of the photo at full size.
        """
        return self._refocus(photo, aperture, preview=True)

    def finish(self, photo: OpenPhoto, aperture: float | None) -> Tensor | None:
        """What follows the preview of a method that has one, 1 3 h w; None: what is shown is the best there is."""
        return self._refocus(photo, aperture, preview=not self.uses.preview)

    @torch.inference_mode()
    def _refocus(self, photo: OpenPhoto, aperture: float | None, preview: bool) -> Tensor | None:
        """Of the working copy, or of a smaller one with methods that have no preview; prepared once per map."""
        setting = self.focus(photo), aperture
        if photo.finished == setting:  # a slider's last move arrives after its release
            return None
        height, width = photo.image.shape[-2:]
        shrink = 1.0 if self.uses.preview else min(1.0, QUICK_SIDE / max(height, width))
        size = max(1, round(height * shrink)), max(1, round(width * shrink))
        if photo.prepared is None:
            copy = resize(photo.image[0], *size)[None]
            photo.prepared = self.model.prepare(copy, self._map(photo, size), names=[photo.path.stem])
        found = self.model.refocus(photo.prepared, **self._chosen(photo, size, aperture), preview=preview)
        photo.finished = None if preview and self.uses.preview else setting
        return resize(found.image[0], height, width, smooth=True)[None]

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
            rendering = self.model.render(
                image, disparity=self._map(photo, (height, width)), names=[photo.path.stem],
                **self._chosen(photo, (height, width), aperture),
            )  # fmt: skip
            result = rendering.image[0].cpu()
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

    def _map(self, photo: OpenPhoto, size: tuple[int, int]) -> Tensor | None:
        """The map for a copy of the photo of (height, width), where the method looks at one."""
        return None if self.uses.disparity == "ignored" else photo.map_at(*size)

    def _chosen(self, photo: OpenPhoto, size: tuple[int, int], aperture: float | None) -> dict[str, Any]:
        """Focus and aperture, where the method obeys them, for a copy of the photo of (height, width)."""
        if aperture is not None:
            aperture = aperture * max(size) / max(photo.size) if self.uses.aperture else None
        return {"focus": self.focus(photo), "aperture": aperture}
