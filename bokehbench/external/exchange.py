"""Pictures, maps and settings as files for a command, in the kind that it wants; and its pictures read back."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from bokehbench.data.image_io import read_rgb, write_photo
from bokehbench.errors import BokehbenchError
from bokehbench.external.command import run
from bokehbench.external.description import Description, MapForm
from bokehbench.files import write_text

#: Formats of pictures, as Pillow calls them, that keep every pixel.
LOSSLESS = ("PNG", "TIFF", "BMP", "PPM")
#: A smaller radius is written as this to a command that takes f-numbers.
SMALLEST_RADIUS = 1e-3


def convert(
    description: Description, disparity: Tensor, focus: float, aperture: float
) -> tuple[np.ndarray, float, float]:
    """A map, H W in [0, 1] with 1 = nearest, the disparity in focus and the radius at a difference of 1, converted.

    Returns:
        The map's values (H W float32), the one in focus, and the radius in pixels, blur parameter K or f-number.
    """
    form, factor = description.map, description.factor or 1.0
    low, span = 0.0, 1.0
    if form.stretch:
        low, span = float(disparity.min()), float(disparity.max() - disparity.min()) or 1.0
    depth, (first, last) = form.kind == "depth", form.range
    far, near = (1 / last, 1 / first) if depth else (first, last) if form.near == "bright" else (last, first)
    # Both kinds are linear in the disparity: the map's values, or their inverse
    values = far + (near - far) * ((disparity.double().cpu() - low) / span).numpy()
    sharp = far + (near - far) * (focus - low) / span
    if depth:
        values, sharp = 1 / values, 1 / max(sharp, 1e-9)
    radius = aperture * span
    numbers = {"K": radius / factor / abs(near - far), "f_number": factor / max(radius, SMALLEST_RADIUS)}
    return values.astype(np.float32), sharp, numbers.get(description.strength, radius / factor)


def write_map(path: Path, form: MapForm, values: np.ndarray) -> None:
    """A map of :func:`convert` in the format that the command reads; PNG spreads the range over all of its levels."""
    if form.format == "npy":
        np.save(path, values)
    elif form.format == "pfm":
        head = f"Pf\n{values.shape[1]} {values.shape[0]}\n-1.0\n"
        path.write_bytes(head.encode() + values[::-1].astype("<f4").tobytes())
    else:
        kind, (low, high) = np.uint8 if form.format == "png8" else np.uint16, form.range
        levels = np.clip((values - low) / (high - low), 0, 1) * np.iinfo(kind).max
        Image.fromarray(levels.round().astype(kind)).save(path)


def write_inputs(
    description: Description, start: str, image: Tensor, disparity: Tensor, focus: float, aperture: float
) -> dict[str, Any]:
    """The files of one picture, 3 H W and H W, whose paths begin with ``start``, and its entry in the manifest."""
    form = description.map
    entry: dict[str, Any] = {"name": Path(start).name, "image": f"{start}.{description.image}"}
    if description.image == "npy":
        np.save(entry["image"], image.permute(1, 2, 0).cpu().numpy())
    else:
        write_photo(entry["image"], image)
    values, sharp, strength = convert(description, disparity, focus, aperture)
    if form.kind != "none":
        entry["map"] = f"{start}-map.{form.format.rstrip('0123456789')}"
        write_map(Path(entry["map"]), form, values)
    away = (disparity - focus).abs().cpu()
    if description.focus == "mask":
        entry["mask"] = f"{start}-mask.png"  # what is blurred by a pixel at most
        Image.fromarray((away * aperture <= 1).numpy().astype(np.uint8) * 255).save(entry["mask"])
    elif description.focus == "point":  # where its surroundings are in focus, too
        around = F.avg_pool2d(away[None, None], 9, 1, 4, count_include_pad=False)[0, 0]
        entry["y"], entry["x"] = divmod(int(around.argmin()), around.shape[1])
    elif description.focus == "disparity":
        entry["focus"] = sharp
    return entry if description.strength == "none" else {**entry, "strength": strength}


def read_output(path: Path, like: Tensor) -> Tensor:
    """A command's picture, 3 H W in [0, 1] on the device of ``like``.

    Raises:
        BokehbenchError: it is not there, of a format that changes pixels, or of another size than ``like``.
    """
    if not path.is_file():
        there = ", ".join(sorted(each.name for each in path.parent.glob("*"))[:5]) or "nothing"
        raise BokehbenchError(f"the command did not write {path.name}; there is {there}.")
    if path.suffix == ".npy":
        picture = torch.from_numpy(np.load(path, allow_pickle=False).astype(np.float32)).permute(2, 0, 1).clamp(0, 1)
    else:
        picture = read_rgb(path)
        with Image.open(path) as image:
            if image.format not in LOSSLESS:
                raise BokehbenchError(f"{path.name} is {image.format}, which changes pixels: let it write PNG or TIFF.")
    if picture.shape != like.shape:
        (height, width), (own_height, own_width) = like.shape[-2:], picture.shape[-2:]
        raise BokehbenchError(f"{path.name} is {own_width} x {own_height} pixels, and its photo {width} x {height}.")
    return picture.to(like.device)


def render(description: Description, image: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
    """The pictures of a command, B 3 H W in [0, 1]; see :meth:`bokehbench.models.base.BokehModel.blur`.

    Raises:
        BokehbenchError: it failed; the sentence names the picture.
    """
    settings = zip(image, disparity[:, 0], focus.tolist(), aperture.tolist(), strict=True)
    with tempfile.TemporaryDirectory(prefix="bokehbench-") as work:
        general = {"manifest": f"{work}/manifest.json", "outputs": f"{work}/outputs"}
        Path(general["outputs"]).mkdir()
        entries = [write_inputs(description, f"{work}/{n:04d}", *each) for n, each in enumerate(settings, 1)]
        for entry in entries:
            entry["output"] = description.filled(description.output, {**general, "name": entry["name"]})
        calls = [entries] if description.calls == "batch" else [[entry] for entry in entries]
        found: list[Tensor] = []
        running = True
        try:
            for call in calls:
                running = True
                write_text(Path(general["manifest"]), json.dumps({"format": 1, **general, "pictures": call}, indent=1))
                run(description, description.command, general | {k: str(v) for k, v in call[0].items()}, Path(work))
                running = False
                for each in call:
                    found.append(read_output(Path(each["output"]), image[0]))
        except BokehbenchError as error:
            done = sum(Path(each["output"]).is_file() for each in entries) if running else len(found)
            raise BokehbenchError(f"{description.title}, picture {done + 1} of {len(image)}: {error}") from error
    return torch.stack(found)
