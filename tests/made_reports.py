"""A board with pictures of one colour each, and its report: ``from made_reports import make_report``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from made_boards import make_board, make_result
from PIL import Image

from bokehbench.board import leaderboard
from bokehbench.cli import main

COLOURS = {"input": (200, 40, 40), "Good": (40, 40, 200), "Bad": (40, 200, 40), "target": (50, 40, 205)}
NAMES = ("a", "b", "c")
#: PSNR of the first picture; each further one is 1 dB better.
PSNR = {"Good": 30.0, "Bad": 20.0}


def add_results(board: Path, names: Sequence[str], **fields: object) -> None:
    """``Good`` is 10 dB above ``Bad`` on every picture, and slower."""
    for method, psnr in PSNR.items():
        scores = {name: {"psnr": psnr + number, "ssim": psnr / 40} for number, name in enumerate(names)}
        result = make_result(
            method, names=[], per_image=scores, prediction_hash="p" + method, seconds_per_image=psnr / 100, seed=7,
            device="a CPU", commit="c" * 40, versions={"torch": "9.9"}, missing={"lpips": "n/a: weights not available"},
            **fields,
        )  # fmt: skip
        leaderboard.add(board, result)


def make_pictures(root: Path, names: Sequence[str], size: tuple[int, int] = (60, 40)) -> None:
    """A folder per method, and ``input`` and ``target``, each of one colour."""
    for place, colour in COLOURS.items():
        (root / place).mkdir(parents=True, exist_ok=True)
        for name in names:
            Image.new("RGB", size, colour).save(root / place / f"{name}.png")


def make_report(
    root: Path, names: Sequence[str] = NAMES, pictures: Sequence[str] | None = None, size: tuple[int, int] = (60, 40)
) -> Path:
    """The report of a board of ``names``, of which ``pictures`` (default: all) are there as files; lossless."""
    board = make_board(root, ids=None, count=len(names))
    add_results(board, names)
    make_pictures(root, names if pictures is None else pictures, size)
    assert report(board, root / "report", root) == 0
    return root / "report"


def report(board: Path, output: Path, root: Path | None = None, *more: str) -> int:
    """Run the command, with the folders of ``root``."""
    words = ["report", str(board), "-o", str(output), "--format", "png", *more]
    if root is not None:
        words += ["--inputs", str(root / "input"), "--targets", str(root / "target")]
        words += [word for method in PSNR for word in ("--outputs", f"{method}={root / method}")]
    return main(words)


def open_index(page: Any, folder: Path) -> None:
    """The board's page in a browser, with its grid."""
    page.goto((folder / "index.html").as_uri())
    page.wait_for_selector("#grid a")


def open_picture(page: Any, folder: Path, **hash: object) -> None:
    """A picture's page in a browser, with its pictures."""
    page.goto("about:blank")
    page.goto(f"{(folder / 'picture.html').as_uri()}#" + "&".join(f"{key}={value}" for key, value in hash.items()))
    page.wait_for_selector("body[data-shown]")
    loaded = "[...document.querySelectorAll('#stages img')].every((image) => image.complete && image.naturalWidth)"
    page.wait_for_function(loaded)
