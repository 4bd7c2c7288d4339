"""Figures of a board: small files for ``docs/images``, made from its results and a suite's work folder."""

from collections.abc import Callable
from pathlib import Path

from bokehbench.board.standings import read_standings
from bokehbench.errors import BokehbenchError
from bokehbench.figures.style import NothingToDraw

__all__ = ["NothingToDraw", "draw"]


def draw(
    board_folder: Path, out: Path, work: Path | None = None, report: Callable[[str], None] | None = None
) -> list[Path]:
    """Write every figure that a board can give to ``out/BOARD-FIGURE``; returns the files.

    ``contact`` and ``training`` need the pictures and the training logs in ``work``, the folder of a suite
    (``runs/suites/SUITE``), the others the board's results alone. ``report`` is called with one sentence for each
    figure that is left out.

    Raises:
        BokehbenchError: a file of the board that is not right, no folder ``work``, or ``out`` cannot be written to.
    """
    from bokehbench.figures import channels, contact_sheet, dose_response, edges, quality_time, training_curves

    if work is not None and not work.is_dir():
        raise BokehbenchError(f"--work {work} is no folder: give the one of the benchmark (runs/suites/SUITE).")
    standings = read_standings(board_folder)
    figures: dict[str, Callable[[Path], Path | list[Path]]] = {
        "time.png": lambda path: quality_time.draw(standings, path),
        "edges.png": lambda path: edges.draw(standings, path),
        "channels.png": lambda path: channels.draw(standings, path),
        "dose.png": lambda path: dose_response.draw(standings, path),
        "contact.webp": lambda path: contact_sheet.draw(standings, work or (), path),
        "training.png": lambda path: training_curves.draw_all(training_curves.read_runs(work), path),
    }
    written: list[Path] = []
    for name, make in figures.items():
        try:
            made = make(out / f"{standings.board.name}-{name}")
            written += made if isinstance(made, list) else [made]
        except NothingToDraw as reason:
            if report is not None:
                report(str(reason))
    return written
