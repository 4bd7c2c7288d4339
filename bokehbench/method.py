"""A method with its weights, ready for photos: what ``bokehbench.load`` gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from bokehbench.data.augment import resize
from bokehbench.data.f_number import FNumber
from bokehbench.data.in_memory import Source, disparity_of, map_of, photo_of
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.machine import usable_device
from bokehbench.models.base import BokehModel
from bokehbench.models.load import Changes, construct, load_model, newest_checkpoint, shipped
from bokehbench.models.rendering import Prepared
from bokehbench.models.renders import Focus
from bokehbench.models.uses import Uses
from bokehbench.names import options_of
from bokehbench.opened_photo import Bokeh, OpenPhoto
from bokehbench.optics.disparity import Unit
from bokehbench.photo_depth import PhotoDepth


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
        f_number: float | FNumber | None = None,
        disparity: Source | None = None,
        disparity_unit: Unit | None = None,
        mask: Source | None = None,
    ) -> Bokeh:
        """Give a photo shallow depth of field.

        Args:
            photo: a file, a Pillow image, an array H W 3, or a tensor 3 H W; see
                :func:`bokehbench.data.in_memory.photo_of`.
            focus: a point (x, y) in pixels of the photo, or a disparity in [0, 1]; None: the method's default.
            aperture: blur radius in pixels of the photo at a disparity difference of 1; None: the method's default.
            f_number: in place of the aperture, with a metric map and the camera of EXIF, or with what
                :class:`~bokehbench.data.f_number.FNumber` says of camera or calibration.
            disparity: map, larger = nearer: file, array H W, tensor, of the photo's shape, stretched to [0, 1] where it
                is of another range; None: :attr:`depth`, where the method takes a map.
            disparity_unit: of a metric map: ``"1/m"``, or ``"m"`` or ``"mm"`` of a depth map; it is stretched to
                [0, 1], which a number in ``focus`` refers to. None: the map is relative.
            mask: of the subject, 1 = in focus, for methods that look at one.

        Raises:
            BokehbenchError: a photo or a map that cannot be used, a focus outside, no map where one is needed, or
                no metric one for an f-number.
        """
        opened = self.open(photo, disparity=disparity, disparity_unit=disparity_unit, mask=mask)
        return opened.refocus(focus, aperture, f_number)

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
    def open(
        self,
        photo: Source,
        *,
        disparity: Source | None = None,
        disparity_unit: Unit | None = None,
        mask: Source | None = None,
    ) -> OpenPhoto:
        """Read a photo, and do once what focus and aperture do not change: ``open(photo).refocus(focus=...)``."""
        if disparity_unit is not None and disparity is None:
            raise BokehbenchError(f"The unit {disparity_unit} is of a disparity map, and none was given: give both.")
        read = photo_of(photo)
        device = self.model.device
        size = (read.image.shape[-2], read.image.shape[-1])
        notes = list(read.notes)

        image, source, given = read.image[None].to(device), "", None
        more: dict[str, Any] = {}
        if mask is not None:
            values, found = map_of(mask, size, "mask", photo)
            notes.extend(found)
            more["mask"] = resize(values, *size, smooth=True)[None].to(device)
        names = [Path(photo).stem] if isinstance(photo, str | Path) else None
        if disparity is not None:
            given, found = disparity_of(disparity, size, disparity_unit, photo)
            notes.extend(found)
            given = given.stretched() if given.kind == "metric" else given
            given = replace(given, values=resize(given.values, *size, smooth=True))
            used = given.values[None].to(device)
        elif mask is not None and self.uses.mask:
            used = None
        else:
            used, source = self.depth(image, names)
        prepared = self.model.prepare(image, used, names=names, **more)
        if source and isinstance(prepared, Prepared):
            prepared = replace(prepared, source=source)
        return OpenPhoto(self.model, replace(read, notes=tuple(notes)), prepared, photo, given, self.depth)


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
