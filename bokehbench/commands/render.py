"""``bokehbench render``: a photo in, the same photo with shallow depth of field out."""

from __future__ import annotations

import argparse
import inspect
from pathlib import Path
from typing import Any

import jsonargparse
import torch
from torch import Tensor
from tqdm import tqdm

from bokehbench.data.augment import resize
from bokehbench.data.image_io import read_map, read_photo, write_photo
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel
from bokehbench.models.combination import Combination
from bokehbench.models.load import load_model
from bokehbench.names import class_name

PHOTOS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff")


def main(argv: list[str]) -> int:
    """Render one photo or a folder of them; a photo that cannot be read is named and the others go on."""
    options = arguments(argv[1:])
    expected = class_name(options.model, MODELS, "model") if options.model else None
    kind = MODELS.get(expected.lower()) if expected else None
    if kind is not None and not kind.trainable and options.checkpoint is None:
        model, source = kind(**settings(options.settings, kind)).eval(), "which needs no weights"
    else:
        checkpoint = options.checkpoint or newest_checkpoint(expected)
        model = load_model(checkpoint, expected, lambda kind: settings(options.settings, kind))
        source = f"weights of {checkpoint}"
    model.to(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    print(f"{type(model).__name__}, {source}")
    jobs = plan(options.photo, options.output)
    failed = []
    for photo, output in tqdm(jobs, desc="render", disable=len(jobs) < 2):
        try:
            used = render_file(model, photo, output, options)
        except BokehbenchError as error:
            if len(jobs) == 1:
                raise
            failed.append(str(error))
            continue
        tqdm.write(f"{output}: {used}")
    if failed:
        raise BokehbenchError(f"{len(failed)} of {len(jobs)} photos were not rendered:\n  " + "\n  ".join(failed))
    return 0


def arguments(words: list[str]) -> argparse.Namespace:
    """Parse the options of the verb."""
    epilog = "--model.KEY VALUE sets an option of the method: `bokehbench test --model NAME --help` lists them."
    parser = argparse.ArgumentParser(prog="bokehbench render", description=__doc__, epilog=epilog)
    parser.add_argument("photo", type=Path, help="a photo, or a folder of photos")
    parser.add_argument("--model", help=f"one of {', '.join(sorted(MODELS))}; default: what the checkpoint holds")
    parser.add_argument("--checkpoint", type=Path, help="default: the newest of your own runs of --model")
    parser.add_argument("--focus", type=focus, help="X,Y in pixels of the photo, or a disparity in 0..1 (1 = nearest)")
    parser.add_argument("--aperture", type=float, help="blur radius in pixels at a disparity difference of 1")
    parser.add_argument(
        "--disparity", type=Path, help="map to use in place of the method's own, bright = near; or folder"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="file, or folder where a folder came in")
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ...; default: a GPU where there is one")
    rest, found = take_settings(words)
    options = parser.parse_args(rest)
    options.settings = found
    if options.aperture is not None and options.aperture < 0:
        raise BokehbenchError(f"--aperture {options.aperture:g}: a blur radius is 0 or more.")
    return options


def settings(words: list[str], kind: type[BokehModel]) -> dict[str, Any]:
    """``--model.KEY=VALUE`` as constructor arguments of a method, types checked as ``test`` does.

    Raises:
        BokehbenchError: the method has no such setting, or the value is none of its values.
    """
    known = [key for key in inspect.signature(kind).parameters if key not in ("stages", "weights")]
    found = {word.partition("=")[0].removeprefix("--model."): word for word in words}
    for key in found:
        if key not in known:
            raise BokehbenchError(f"--model.{key}: {kind.__name__} has no such setting; {nearest(key, known)}.")
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(kind, "model", skip=set(inspect.signature(kind).parameters) - set(found))
    try:
        parsed = parser.parse_args(list(found.values()))
    except jsonargparse.ArgumentError as error:
        raise BokehbenchError(
            f"{error} (`bokehbench test --model {kind.__name__.lower()} --help` lists them)"
        ) from None
    return {key: parsed.model[key] for key in found}


def take_settings(words: list[str]) -> tuple[list[str], list[str]]:
    """Split off ``--model.KEY VALUE`` and ``--model.KEY=VALUE``, as ``--model.KEY=VALUE``.

    Raises:
        BokehbenchError: a setting without a value.
    """
    rest, found, waiting = [], [], list(words)
    while waiting:
        word = waiting.pop(0)
        if not word.startswith("--model."):
            rest.append(word)
        elif "=" in word:
            found.append(word)
        elif waiting:
            found.append(f"{word}={waiting.pop(0)}")
        else:
            raise BokehbenchError(f"{word} needs a value.")
    return rest, found


def focus(text: str) -> float | tuple[float, float]:
    """``120,80`` -> a point; ``0.7`` -> a disparity.

    Raises:
        BokehbenchError: neither.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 2:
        return numbers[0], numbers[1]
    if len(numbers) == 1 and 0 <= numbers[0] <= 1:
        return numbers[0]
    raise BokehbenchError(f"--focus {text}: give a point X,Y in pixels, or one disparity between 0 and 1.")


def newest_checkpoint(model: str | None) -> Path:
    """The last checkpoint that ``fit`` wrote below ``runs/``.

    Raises:
        BokehbenchError: there is none.
    """
    found = list(Path("runs").glob(f"{model.lower() if model else '*'}/*/checkpoints/last.ckpt"))
    if not found:
        name = model.lower() if model else "deeplens"
        raise BokehbenchError(
            f"No checkpoint: train one with `bokehbench fit --model {name}`, or give one with --checkpoint."
        )
    return max(found, key=lambda path: path.stat().st_mtime)


def plan(photo: Path, output: Path) -> list[tuple[Path, Path]]:
    """Pairs of input and output files.

    Raises:
        BokehbenchError: nothing there, or an output that would overwrite its input.
    """
    if photo.is_dir():
        photos = sorted(path for path in photo.iterdir() if path.suffix.lower() in PHOTOS)
        if not photos:
            raise BokehbenchError(f"{photo} holds no photos ({', '.join(PHOTOS)}).")
        if output.resolve() == photo.resolve():
            raise BokehbenchError(f"{output} is the folder of the photos: give another one with -o.")
        stems = [path.stem for path in photos]
        names = [path.stem if stems.count(path.stem) == 1 else path.name.replace(".", "_") for path in photos]
        return [(path, output / f"{name}.png") for path, name in zip(photos, names, strict=True)]
    if not photo.exists():
        raise BokehbenchError(f"There is no photo {photo}: check the path.")
    if output.is_dir():
        output = output / f"{photo.stem}.png"
    if output.resolve() == photo.resolve():
        raise BokehbenchError(f"{output} is the photo itself: give another name with -o.")
    return [(photo, output)]


@torch.inference_mode()
def render_file(model: BokehModel, path: Path, output: Path, options: argparse.Namespace) -> str:
    """Render one photo; size, orientation, colour profile and EXIF stay. Returns what was used, for people."""
    photo = read_photo(path)
    image = photo.image[None].to(model.device)
    disparity = given_disparity(path, options.disparity, image)
    names = {"names": [path.stem]} if isinstance(model, Combination) else {}  # stored maps are found by name
    result = model.render(image, disparity=disparity, focus=options.focus, aperture=options.aperture, **names)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_photo(output, result[0].cpu(), like=photo)
    used = model.describe_rendering(image, disparity, options.focus, options.aperture)
    return f"{image.shape[-1]} x {image.shape[-2]}, {used}"


def given_disparity(path: Path, place: Path | None, image: Tensor) -> Tensor | None:
    """The user's map for a photo, at the photo's size: a file, or the file of the same stem in a folder.

    Raises:
        BokehbenchError: a folder without a map for this photo.
    """
    if place is None:
        return None
    if place.is_dir():
        found = sorted(candidate for candidate in place.iterdir() if candidate.stem == path.stem)
        if not found:
            raise BokehbenchError(f"{place} has no disparity map named like {path.name}.")
        place = found[0]
    height, width = image.shape[-2:]
    return resize(read_map(place), height, width, smooth=True)[None].to(image.device)
