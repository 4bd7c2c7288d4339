"""The text of a model card: what ``config.json`` tells of weights, and their results on the boards."""

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from bokehbench import __version__
from bokehbench.board.boards import find, names, read_board
from bokehbench.board.results import Result, read_all
from bokehbench.board.standings import reason
from bokehbench.metrics.column import Column
from bokehbench.metrics.columns import find_column
from bokehbench.tables import markdown
from bokehbench.templates import filled

#: Columns that a card shows, of boards that have them.
SHOWN = ("psnr", "ssim", "psnr_border")


def card_text(title: str, paper: str, needs_map: bool, config: Mapping[str, Any]) -> str:
    """Markdown without the hub's head.

    Args:
        title, paper: of the method.
        needs_map: whether a photo comes with a disparity map.
        config: content of the ``config.json`` of these weights.
    """
    record = config["provenance"]
    heads = list(dict.fromkeys(key for stage in record["stages"].values() for key in stage))
    stages = [[name, *(str(stage.get(key, "")) for key in heads)] for name, stage in record["stages"].items()]
    return filled(
        "board", "model_card.md", title=title, paper=paper, needs_map=needs_map, config=config, record=record,
        version=__version__, stages=markdown(["stage", *(head.replace("_", " ") for head in heads)], stages),
        scores=scores(config["weights_hash"]),
    ) + "\n"  # fmt: skip


def scores(weights_hash: str) -> str:
    """A Markdown table of every result on the boards that is of these weights; empty where there is none."""
    columns, rows = [find_column(name) for name in SHOWN], []

    def shown(result: Result, column: Column) -> str:
        values = list(result.values(column.name).values())
        return column.show(fmean(values)) if values else ""

    for folder in map(find, names()):
        board = read_board(folder)
        for result in read_all(folder):
            if result.weights_hash == weights_hash:
                ranked = find_column(board.rank_by)
                by = "" if ranked in columns else f"{ranked.label} {shown(result, ranked)}"
                values = (shown(result, column) for column in columns)
                rows.append([board.name, *values, by, result.id, reason(board, result)])
    heads = ["board", *(column.label for column in columns), "ranked by", "result", "not ranked since"]
    return markdown(heads, rows) if rows else ""
