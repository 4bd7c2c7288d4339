"""Fingerprints of a board's targets, by which results on other pictures are refused."""

from __future__ import annotations

from pathlib import Path

from tqdm import tqdm

from bokehbench.board.boards import Board, write_fingerprints
from bokehbench.errors import BokehbenchError
from bokehbench.fingerprint import fingerprint
from bokehbench.measure.verification import test_data

#: Pictures, spread over the split; the first is among them, so that a test on other pictures ends at once.
COUNT = 5


def pin(folder: Path, board: Board, root: Path | None = None) -> Path:
    """Write ``targets.json`` from the board's own data; returns the file.

    Raises:
        BokehbenchError: the board names no data, or it is not there, or has other pictures than the board says.
    """
    data = test_data(board, root)
    pictures = data.pictures("test")
    if pictures is None or len(pictures) != board.count:
        found = 0 if pictures is None else len(pictures)
        raise BokehbenchError(f"{board.name} has {board.count} pictures and its data {found}: give --root.")
    places = sorted({round(n * (board.count - 1) / (COUNT - 1)) for n in range(COUNT)})
    items = [pictures[place] for place in tqdm(places, desc="targets", unit="picture")]
    return write_fingerprints(folder, {item["name"]: fingerprint(item["bokeh"]) for item in items})
