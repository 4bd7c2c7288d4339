"""Contact sheets: where people would rather look than read."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from bokehbench.files import write_atomic


def sheet(path: Path, rows: list[list[Tensor]], titles: list[str], height: int = 240) -> None:
    """Write a PNG of rows of pictures (C H W in [0, 1], C = 1 or 3) under column titles, each ``height`` px high."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    ratio = max(cell.shape[-1] / cell.shape[-2] for row in rows for cell in row)
    inches = height / 100
    figure, axes = plt.subplots(
        len(rows), len(titles), squeeze=False, dpi=100,
        figsize=(len(titles) * inches * ratio, len(rows) * inches + 0.3), layout="constrained",
    )  # fmt: skip
    for row, cells in zip(axes, rows, strict=True):
        for axis, cell in zip(row, cells, strict=False):
            picture = cell.detach().float().clamp(0, 1).cpu()
            if picture.shape[0] == 1:
                axis.imshow(picture[0].numpy(), cmap="magma", vmin=0, vmax=1, interpolation="antialiased")
            else:
                axis.imshow(picture.permute(1, 2, 0).numpy(), interpolation="antialiased")
        for axis in row:
            axis.set_axis_off()
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=9)
    write_atomic(path, lambda file: figure.savefig(file, format="png"))
    plt.close(figure)


def comparison(path: Path, panels: list[dict[str, Tensor]]) -> None:
    """One row per batch: the first picture of each of its titled panels."""
    sheet(path, [[panel[0] for panel in row.values()] for row in panels], list(panels[0]))
