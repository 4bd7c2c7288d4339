"""Write a contact sheet: image, target, disparity, mask."""

from pathlib import Path
from typing import Any

from bokehbench.commands.data import COUNT
from bokehbench.data.base import SPLITS, BokehDataModule
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.files import keep_inputs


def add_options(parser: Any) -> None:
    """Which pictures, and where to."""
    parser.add_argument("-o", "--output", type=str, default="preview.png", help="picture to write")
    parser.add_argument("--split", type=str, default=None, help="train, val, test or predict")
    parser.add_argument("--count", type=COUNT, default=4, help="number of pictures")
    parser.add_argument("--width", type=COUNT, default=320, help="pixels per picture")


def run(data: BokehDataModule, options: Any) -> None:
    """Of the split that was named, or the first one that has pictures."""
    from bokehbench.data.preview import write_preview

    output, root = Path(options.output), data.root
    if root is not None:  # its own of before may lie beside the folders
        keep_inputs(
            output, [path for path in root.rglob("*") if path.name == output.name and path.parent != root], "-o"
        )
    splits = [options.split] if options.split else SPLITS
    if options.split and options.split not in SPLITS:
        raise BokehbenchError(f"--split: there is no split '{options.split}'; {nearest(options.split, SPLITS)}.")
    for split in splits:
        pictures = data.pictures(split)
        if pictures is not None and len(pictures):
            names = write_preview(options.output, pictures, options.count, options.width)
            print(f"{Path(options.output).resolve()}: {split} pictures {', '.join(names)}")
            return
    raise BokehbenchError(f"{type(data).__name__} has no {options.split or ''} pictures to show.")
