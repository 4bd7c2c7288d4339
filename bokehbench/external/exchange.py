"""A command of somebody else: pictures, maps and settings as the files that it wants, its process, its pictures."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from bokehbench.data.image_io import read_rgb, write_photo
from bokehbench.errors import BokehbenchError
from bokehbench.external.description import Description, MapForm
from bokehbench.files import write_text

GUARD = Path(__file__).with_name("guard.py")
#: Formats of pictures, as Pillow calls them, that keep every pixel.
LOSSLESS = ("PNG", "TIFF", "BMP", "PPM")


def convert(said: Description, disparity: Tensor, focus: float, aperture: float) -> tuple[np.ndarray, float, float]:
    """A map, H W in [0, 1] with 1 = nearest, the disparity in focus and the radius at a difference of 1, converted.

    Returns:
        The map's values (H W float32), the one in focus, and the radius in pixels, blur parameter K or f-number.
    """
    form, factor, (first, last) = said.map, said.factor or 1.0, said.map.range
    low, high = (float(disparity.min()), float(disparity.max())) if form.stretch else (0.0, 1.0)
    span, depth = high - low or 1.0, form.kind == "depth"
    far, near = (1 / last, 1 / first) if depth else (first, last) if form.near == "bright" else (last, first)
    # Both kinds are linear in the disparity: the map's values, or their inverse
    values = far + (near - far) * ((disparity.double().cpu() - low) / span).numpy()
    sharp = far + (near - far) * (focus - low) / span
    if depth:
        values, sharp = 1 / values, 1 / max(sharp, 1e-9)
    radius = aperture * span
    numbers = {"K": radius / factor / abs(near - far), "f_number": factor / max(radius, 1e-3)}  # no infinite f-number
    return values.astype(np.float32), sharp, numbers.get(said.strength, radius / factor)


def write_map(path: Path, form: MapForm, values: np.ndarray) -> None:
    """A map of :func:`convert` in the format that the command reads; PNG spreads the range over all of its levels."""
    if form.format == "npy":
        np.save(path, values)
        return
    if form.format != "pfm":
        kind, (low, high) = np.uint8 if form.format == "png8" else np.uint16, form.range
        values = (np.clip((values - low) / (high - low), 0, 1) * np.iinfo(kind).max).round().astype(kind)
    Image.fromarray(values).save(path)


def write_inputs(
    said: Description, start: str, image: Tensor, disparity: Tensor, focus: float, aperture: float
) -> dict[str, Any]:
    """The files of one picture, 3 H W and H W, whose paths begin with ``start``, and its entry in the manifest."""
    entry: dict[str, Any] = {"name": Path(start).name, "image": f"{start}.{said.image}"}
    if said.image == "npy":
        np.save(entry["image"], image.permute(1, 2, 0).cpu().numpy())
    else:
        write_photo(entry["image"], image)
    values, sharp, strength = convert(said, disparity, focus, aperture)
    if said.map.kind != "none":
        entry["map"] = f"{start}-map.{said.map.format.rstrip('0123456789')}"
        write_map(Path(entry["map"]), said.map, values)
    away = (disparity - focus).abs().cpu()
    if said.focus == "mask":  # what is blurred by a pixel at most
        entry["mask"] = f"{start}-mask.png"
        Image.fromarray((away * aperture <= 1).numpy().astype(np.uint8) * 255).save(entry["mask"])
    elif said.focus == "point":  # where its surroundings are in focus, too
        around = F.avg_pool2d(away[None, None], 9, 1, 4, count_include_pad=False)[0, 0]
        entry["y"], entry["x"] = divmod(int(around.argmin()), around.shape[1])
    elif said.focus == "disparity":
        entry["focus"] = sharp
    return entry if said.strength == "none" else {**entry, "strength": strength}


def read_output(path: Path, like: Tensor) -> Tensor:
    """A command's picture, 3 H W in [0, 1]; BokehbenchError where it is not there, not lossless, or not ``like``."""
    if not path.is_file():
        there = ", ".join(sorted(each.name for each in path.parent.glob("*"))[:5]) or "nothing"
        raise BokehbenchError(f"the command did not write {path.name}; there is {there}.")
    if path.suffix == ".npy":
        picture = torch.from_numpy(np.atleast_3d(np.load(path)).astype(np.float32)).permute(2, 0, 1).clamp(0, 1)
    else:
        picture, kind = read_rgb(path), Image.open(path).format
        if kind not in LOSSLESS:
            raise BokehbenchError(f"{path.name} is {kind}, which changes pixels: let the command write PNG or TIFF.")
    (height, width), (own_height, own_width) = like.shape[-2:], picture.shape[-2:]
    if picture.shape != like.shape:
        raise BokehbenchError(f"{path.name} is {own_width} x {own_height} pixels, and its photo {width} x {height}.")
    return picture.to(like.device)


def run(description: Description, words: Sequence[str], values: Mapping[str, str], work: Path) -> str:
    """Run ``words``, with ``values`` for their placeholders; nothing of it outlives this process (``guard.py``).

    Returns what it printed. BokehbenchError: it failed (with the last line of its errors), or took too long.
    """
    folder, seconds = description.source.parent / description.filled(description.folder), description.seconds
    if not folder.is_dir():
        raise BokehbenchError(f"there is no folder {folder}: correct 'folder' in {description.source.name}.")
    python = description.filled(description.interpreter) or sys.executable
    filled = [description.filled(word, {**values, "python": python}) for word in words]
    variables = {key: description.filled(value) for key, value in description.environment.items()}
    said, errors = work / "stdout.txt", work / "stderr.txt"  # files, since a pipe that nobody empties stops a command
    with said.open("wb") as out, errors.open("wb") as err:
        guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(GUARD), *filled], stdin=subprocess.PIPE, stdout=out, stderr=err,
            cwd=folder, env={**os.environ, **variables}, start_new_session=True,
        )  # fmt: skip
    try:
        status = guard.wait(seconds)
    except subprocess.TimeoutExpired:
        late = f"the command did not end within {seconds:g} s and was killed: raise 'seconds' if it needs more."
        raise BokehbenchError(late) from None
    finally:
        guard.communicate()  # closes its standard input: the command ends, if it has not
    if status != 0:
        last = (errors.read_text(errors="replace").strip() or "nothing").splitlines()[-1]
        raise BokehbenchError(f"the command ended with exit status {status}; the last line of its errors: {last[:500]}")
    return said.read_text(errors="replace")


def reported_version(description: Description) -> str:
    """What the description says, or the first line that its command prints; errors as of :func:`run`."""
    if isinstance(description.version, str):
        return description.version
    with tempfile.TemporaryDirectory() as work:
        return run(description, description.version, {}, Path(work)).strip().partition("\n")[0]


def render(said: Description, image: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
    """The pictures of a command, B 3 H W in [0, 1], of B 3 H W, B 1 H W, B and B; BokehbenchError where it fails."""
    settings = zip(image, disparity[:, 0], focus.tolist(), aperture.tolist(), strict=True)
    with tempfile.TemporaryDirectory(prefix="bokehbench-") as work:
        general = {"manifest": f"{work}/manifest.json", "outputs": f"{work}/outputs"}
        Path(general["outputs"]).mkdir()
        entries = [write_inputs(said, f"{work}/{number:04d}", *each) for number, each in enumerate(settings, 1)]
        for entry in entries:
            entry["output"] = said.filled(said.output, {**general, "name": entry["name"]})
        found: list[Tensor] = []
        try:
            for call in [entries] if said.calls == "batch" else [[entry] for entry in entries]:
                write_text(Path(general["manifest"]), json.dumps({"format": 1, **general, "pictures": call}, indent=1))
                run(said, said.command, {**{key: str(value) for key, value in call[0].items()}, **general}, Path(work))
                found += [read_output(Path(each["output"]), image[0]) for each in call]
        except BokehbenchError as error:
            which = f"picture {len(found) + 1} of" if said.calls == "picture" else "batch of"
            raise BokehbenchError(f"{said.title}, {which} {len(image)}: {error}") from error
    return torch.stack(found)
