"""A method with its weights, ready for photos: what ``bokehbench.load`` gives."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bokehbench.data.augment import resize
from bokehbench.data.image_io import Photo, to_pixels, write_photo
from bokehbench.data.in_memory import Source, map_of, photo_of
from bokehbench.data.maps import write_map
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.machine import usable_device
from bokehbench.models.base import BokehModel
from bokehbench.models.load import Changes, construct, load_model, newest_checkpoint, shipped
from bokehbench.models.rendering import Prepared
from bokehbench.models.renders import Focus
from bokehbench.models.uses import Uses
from bokehbench.names import options_of
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
    """A photo of which all is known that focus and aperture do not change; see :meth:`Method.open`."""

    method: Method
    photo: Photo
    prepared: Any

    @torch.inference_mode()
    def refocus(self, focus: Focus = None, aperture: float | None = None) -> Bokeh:
        """Render with another focus, another aperture; arguments as of :meth:`Method.__call__`."""
        made = self.method.model.refocus(self.prepared, focus, aperture)
        return Bokeh(
            made.image[0].permute(1, 2, 0).float().cpu().contiguous().numpy(),
            None if made.disparity is None else made.disparity[0, 0].float().cpu().numpy(),
            None if made.focus is None else float(made.focus[0]),
            None if made.aperture is None else float(made.aperture[0]),
            ", ".join((made.note, *self.photo.notes)),
            self.photo,
        )


class Method:
    """A method and its weights.

    Args:
        model: in evaluation mode; the Lightning module behind it, for batches of tensors and for research.
        checkpoint: that the weights are from; None: none.
        depth: what photos without a disparity map get, see :class:`bokehbench.photo_depth.PhotoDepth`.

    Raises:
        BokehbenchError: there is no such depth.
    """

    def __init__(self, model: BokehModel, checkpoint: Path | None = None, depth: str | None = None) -> None:
        self.model, self.checkpoint = model.eval(), checkpoint
        self.depth = PhotoDepth(self.model, depth)

    def __repr__(self) -> str:
        return f"<{self.name}, {self.weights}, {self.model.device}>"

    @property
    def weights(self) -> str:
        """Where they are from, in words."""
        if self.checkpoint is None:
            return "no checkpoint" if self.model.trainable else "which needs no weights"
        if self.checkpoint != self.model.pretrained:
            return f"weights of {self.checkpoint}"
        return shipped(type(self.model), self.model.provenance)

    @property
    def name(self) -> str:
        """As in tables."""
        return self.model.label

    @property
    def run(self) -> Path:
        """The folder of the run that the checkpoint is of; BokehbenchError where there is no checkpoint."""
        if self.checkpoint is None or self.checkpoint.suffix != ".ckpt":
            raise BokehbenchError(f"{self.name} ({self.weights}) is of no run.")
        return self.checkpoint.resolve().parents[1]

    @property
    def uses(self) -> Uses:
        """What it obeys of focus, aperture and disparity."""
        return self.model.uses

    def to(self, device: str | torch.device) -> Method:
        """Move it, to ``"cuda"`` for instance; returns itself. BokehbenchError for a device that cannot be used."""
        self.model.to(usable_device(str(device)))
        return self

    def __call__(
        self,
        photo: Source,
        *,
        focus: Focus = None,
        aperture: float | None = None,
        disparity: Source | None = None,
        mask: Source | None = None,
    ) -> Bokeh:
        """Give a photo shallow depth of field.

        Args:
            photo: a file, a Pillow image, an array H W 3, or a tensor 3 H W; see
                :func:`bokehbench.data.in_memory.photo_of`.
            focus: a point (x, y) in pixels of the photo, or a disparity in [0, 1]; None: the method's default.
            aperture: blur radius in pixels of the photo at a disparity difference of 1; None: the method's default.
            disparity: map, larger = nearer: file, array H W, tensor, of the photo's shape, stretched to [0, 1] where it
                is of another range; None: :attr:`depth`, where the method takes a map.
            mask: of the subject, 1 = in focus, for methods that look at one.

        Raises:
            BokehbenchError: a photo or a map that cannot be used, a focus outside, or no map where one is needed.
        """
        return self.open(photo, disparity=disparity, mask=mask).refocus(focus, aperture)

    def save_pretrained(self, folder: str | Path, *, half: bool = False, licence: str = "") -> None:
        """Write the weights as a folder: ``model.safetensors``, ``config.json`` and a model card with their scores.

        Args:
            folder: new, or one of weights, whose place it takes.
            half, licence: as of :class:`bokehbench.sharing.Weights`.

        Raises:
            BokehbenchError: a method without weights, or a place that cannot be written to or holds other things.
        """
        from bokehbench.sharing import Weights  # the hub's client takes half a second to load

        Weights(self.model, half, licence).save_pretrained(folder)

    def push_to_hub(self, repository: str, *, half: bool = False, licence: str = "", **options: Any) -> str:
        """Write the same folder to ``USER/REPO`` on the Hugging Face Hub, as who is logged in there.

        Args:
            repository: made where it is not there yet.
            half, licence: as :meth:`save_pretrained`.
            options: others of ``huggingface_hub.ModelHubMixin.push_to_hub``, such as ``private`` or ``token``.

        Returns:
            The address of the commit.

        Raises:
            BokehbenchError: a method without weights, or the hub did not take them.
        """
        from bokehbench.sharing import Weights

        weights = Weights(self.model, half, licence)
        try:
            return weights.push_to_hub(repository, **options)
        except BokehbenchError:
            raise
        except Exception as error:  # of the hub's client, or of what it speaks HTTP with
            raise BokehbenchError(
                f"{repository} was not written on the Hugging Face Hub ({type(error).__name__}): check the name and "
                "the network, and log in with `hf auth login`."
            ) from error

    @torch.inference_mode()
    def open(self, photo: Source, *, disparity: Source | None = None, mask: Source | None = None) -> OpenPhoto:
        """Read a photo, and do once what focus and aperture do not change: ``open(photo).refocus(focus=...)``."""
        read = photo_of(photo)
        device = self.model.device
        size = (read.image.shape[-2], read.image.shape[-1])
        notes = list(read.notes)

        def on_photo(given: Source, what: str) -> Tensor:
            values, found = map_of(given, size, what, photo)
            notes.extend(found)
            return resize(values, *size, smooth=True)[None].to(device)

        image, source = read.image[None].to(device), ""
        more: dict[str, Any] = {} if mask is None else {"mask": on_photo(mask, "mask")}
        names = [Path(photo).stem] if isinstance(photo, str | Path) else None
        if disparity is not None:
            used = on_photo(disparity, "disparity map")
        elif mask is not None and self.uses.mask:
            used = None
        else:
            used, source = self.depth(image, names)
        prepared = self.model.prepare(image, used, names=names, **more)
        if source and isinstance(prepared, Prepared):
            prepared = replace(prepared, source=source)
        return OpenPhoto(self, replace(read, notes=tuple(notes)), prepared)


def open_method(
    kind: type[BokehModel] | None,
    checkpoint: Path | None,
    changes: Changes,
    device: str = "cpu",
    depth: str | None = None,
) -> Method:
    """A method with the weights of a checkpoint, those that come with it, of the newest run, or without any.

    ``changes`` gives, for its class, constructor arguments in place of the checkpoint's or the defaults; ``depth`` is
    that of :class:`Method`.

    Raises:
        BokehbenchError: no checkpoint, or one of another method; no such depth.
    """
    usable_device(device)
    if kind is not None and not kind.trainable and checkpoint is None:
        return Method(construct(kind, changes(kind)), depth=depth).to(device)
    checkpoint = checkpoint or (kind and kind.pretrained) or newest_checkpoint(kind)
    return Method(load_model(checkpoint, kind, changes), checkpoint, depth).to(device)


def refuse_unknown(kind: type[BokehModel], settings: Iterable[str], prefix: str = "") -> None:
    """Raise BokehbenchError for a setting that a method does not have; ``prefix`` stands before its name."""
    known = options_of(kind).keys() - {"stages", "weights"}
    for key in settings:
        if key not in known:
            raise BokehbenchError(f"{prefix}{key}: {kind.__name__} has no such setting; {nearest(key, known)}.")
