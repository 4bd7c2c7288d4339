"""``bokehbench render``: a photo in, the same photo with shallow depth of field out."""

import argparse
import os
from contextlib import suppress
from functools import partial
from math import inf, isfinite
from pathlib import Path
from typing import get_args

from tqdm import tqdm

from bokehbench.cluster.in_order import in_order
from bokehbench.cluster.once import Once
from bokehbench.commands.arguments import WEIGHTS_HELP, add_depth, open_model, with_settings
from bokehbench.commands.options import engaged_by, workers
from bokehbench.data.decoding import PICTURE_SUFFIXES
from bokehbench.data.f_number import FNumber
from bokehbench.data.folders import files_in, one_map, output_names
from bokehbench.errors import BokehbenchError
from bokehbench.files import keep_inputs
from bokehbench.method import Method
from bokehbench.optics.disparity import Unit
from bokehbench.remote.mirror import local_folder
from bokehbench.remote.output import Output


def main(argv: list[str]) -> int:
    """Render one photo or a folder of them; a photo that cannot be read is named and the others go on."""
    options = arguments(argv[1:])
    opened = Once[Method](open_model, options)
    method = opened()
    print(f"{method.model.label}, {method.weights}")
    maps, save = options.disparity, options.save_disparity
    jobs = plan(options.photo, options.output.path)
    inputs = [photo for photo, _ in jobs]
    kind, _, folder = (options.depth or "").partition(":")
    stems = {photo.stem for photo, _ in jobs}
    for given in filter(None, (maps, Path(folder) if kind == "folder" else None)):
        inputs += [path for path in given.iterdir() if path.stem in stems] if given.is_dir() else [given]
    for _, output in jobs:
        keep_inputs(output, inputs, "-o")
        if save is not None:
            keep_inputs(map_place(save, output, options.photo.is_dir()), [*inputs, output], "--save-disparity")
    if options.photo.is_dir():
        with suppress(OSError):  # which is said of the files
            for place in filter(None, (options.output.path, save)):
                place.mkdir(parents=True, exist_ok=True)  # here, since workers look for it
    failed = []
    with engaged_by(options):
        render = partial(_render, opened=opened, options=options)
        for sentence, good in in_order(render, jobs, "render", disable=len(jobs) < 2):
            if good:
                tqdm.write(sentence)
            else:
                failed.append(sentence)
    if failed and len(jobs) == 1:
        raise BokehbenchError(failed[0])
    if failed:
        raise BokehbenchError(f"{len(failed)} of {len(jobs)} photos were not rendered:\n  " + "\n  ".join(failed))
    return 0


def _render(job: tuple[Path, Path], opened: Once[Method], options: argparse.Namespace) -> tuple[str, bool]:
    """Write the picture, and the map, of a photo; the sentence about it, and whether it was rendered."""
    (photo, output), maps, method = job, options.disparity, opened()
    settings = {key: getattr(options, key) for key in ("focus", "aperture", "f_number", "disparity_unit")}
    try:
        disparity = one_map(maps, photo) if maps is not None and maps.is_dir() else maps
        bokeh = method(photo, disparity=disparity, **settings)
        bokeh.save(output)
        options.output.put(output)
        if options.save_disparity is not None:
            bokeh.save_disparity(map_place(options.save_disparity, output, options.photo.is_dir()))
    except BokehbenchError as error:
        return str(error) if str(photo) in str(error) else f"{photo}: {error}", False
    return f"{output}: {bokeh.image.shape[1]} x {bokeh.image.shape[0]}, {bokeh.note}", True


def arguments(words: list[str]) -> argparse.Namespace:
    """Parse the options of the verb."""
    parser = argparse.ArgumentParser(prog="bokehbench render", description=__doc__)
    parser.add_argument("photo", type=local_folder, help="a photo, or a folder of photos")
    parser.add_argument("--checkpoint", type=Path, help=WEIGHTS_HELP)
    parser.add_argument("--focus", type=focus, help="X,Y in pixels of the photo, or a disparity in 0..1 (1 = nearest)")
    parser.add_argument("--aperture", type=float, help="blur radius in pixels at a disparity difference of 1")
    parser.add_argument(
        "--f-number", type=float, help="in place of --aperture: needs a metric map, or --aperture-at-f1"
    )
    parser.add_argument("--focal-length", type=float, metavar="MM", help="of the lens; default: EXIF")
    parser.add_argument("--sensor-width", type=float, metavar="MM", help="along the photo's long side; default: EXIF")
    parser.add_argument("--aperture-at-f1", type=float, metavar="PX", help="for relative maps: see `data fit-aperture`")
    maps = "map (bright = near); or a folder of them; default: see --depth"
    parser.add_argument("--disparity", type=local_folder, help=maps)
    parser.add_argument(
        "--disparity-unit", choices=get_args(Unit), help="of a metric --disparity: 1/m, or of a depth map m or mm"
    )
    parser.add_argument("-o", "--output", type=Output, required=True, help="file, or folder where a folder came in")
    parser.add_argument("--save-disparity", type=Path, help="PNG of 16 bits for the map that was used; or folder")
    add_depth(parser)
    workers(parser)
    options = with_settings(parser, words)
    if options.aperture is not None and not 0 <= options.aperture < inf:
        raise BokehbenchError(f"--aperture {options.aperture:g}: give a blur radius in pixels, 0 or more.")
    options.f_number = f_number(options)
    return options


def f_number(options: argparse.Namespace) -> FNumber | None:
    """What ``--f-number`` and its companions say; BokehbenchError where they contradict each other."""
    camera = {key: getattr(options, key) for key in ("focal_length", "sensor_width", "aperture_at_f1")}
    spelt = {key: f"--{key.replace('_', '-')}" for key in camera}
    if options.f_number is None:
        if given := [spelt[key] for key, value in camera.items() if value is not None]:
            raise BokehbenchError(f"{given[0]} says what an f-number means: give --f-number, too.")
        return None
    if options.aperture is not None:
        raise BokehbenchError("--aperture and --f-number say the same: give one of them.")
    return FNumber(options.f_number, **camera)


def focus(text: str) -> float | tuple[float, float]:
    """``120,80`` -> a point; ``0.7`` -> a disparity; BokehbenchError for anything else."""
    with suppress(ValueError):
        match [float(part) for part in text.split(",")]:
            case [x, y] if isfinite(x) and isfinite(y):
                return x, y
            case [disparity] if 0 <= disparity <= 1:
                return disparity
    raise BokehbenchError(f"--focus {text}: give a point X,Y in pixels, or one disparity between 0 and 1.")


def plan(photo: Path, output: Path) -> list[tuple[Path, Path]]:
    """Pairs of input and output files; BokehbenchError for no photos, or an output that is the folder of them."""
    if photo.is_dir():
        photos, notes = files_in(photo)
        if not photos:
            raise BokehbenchError(" ".join([f"{photo} holds no photos ({', '.join(PICTURE_SUFFIXES)}).", *notes]))
        if os.path.realpath(output) == os.path.realpath(photo):
            raise BokehbenchError(f"{output} is the folder of the photos: give another one with -o.")
        for note in notes:
            print(note)
        return [(path, output / f"{name}.png") for path, name in zip(photos, output_names(photos), strict=True)]
    if not photo.exists():
        raise BokehbenchError(f"There is no photo {photo}: check the path.")
    if output.is_dir():
        output = output / f"{photo.stem}.png"
    return [(photo, output)]


def map_place(place: Path, output: Path, several: bool) -> Path:
    """The file for the map that was used: ``place``, or one of the output's name in it."""
    return place / f"{output.stem}.png" if several or place.is_dir() else place
