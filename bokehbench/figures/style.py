"""One look for all figures, and files that are the same bytes whenever and wherever they are made.

Matplotlib is imported inside functions: the verbs that list figures start without it.
"""

import io
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from bokehbench.board.identity import OUTPUTS_ONLY
from bokehbench.board.results import Result
from bokehbench.errors import BokehbenchError
from bokehbench.files import write_atomic
from bokehbench.provenance import NO_WEIGHTS

#: Inches: at 100 dots per inch, the width of a README's column.
WIDTH = 8.0
#: Twice the column's resolution, for sharp text on today's screens.
DPI = 200
#: Bytes of a file; figures lie in the repository.
LIMIT = 150_000
#: Okabe and Ito's colours (2008), told apart with every kind of colour blindness; yellow is too pale for lines.
BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
CYCLE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
INK, GREY, PALE = "#222222", "#767676", "#DDDDDD"
INTERVALS = (
    "Lines: 95 % bootstrap intervals over pictures, wide because pictures differ; "
    "whether two methods differ is in the board's win matrix."
)


class NothingToDraw(BokehbenchError):
    """A figure that a board cannot give; the sentence says why."""


#: Kind of method -> its colour, and what it is called below a title.
KINDS = {"trained": BLUE, "not trained": VERMILLION, "outputs of others": GREEN}


def kind(result: Result) -> str:
    """Key of :data:`KINDS`."""
    return {NO_WEIGHTS: "not trained", OUTPUTS_ONLY: "outputs of others"}.get(result.weights_hash, "trained")


def paint(path: Path, height: float, draw: Callable[[Any], None]) -> Path:
    """Let ``draw`` fill a figure that is ``height`` inches high and write it as a small PNG; returns ``path``.

    Raises:
        BokehbenchError: the place cannot be written to.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Fonts, sizes and colours; a person's matplotlibrc must not change committed files
    with matplotlib.rc_context(fname=Path(__file__).with_name("style.mplstyle")), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # shown as a box; no font has them all
        figure = Figure(figsize=(WIDTH, height), dpi=DPI)
        FigureCanvasAgg(figure)
        draw(figure)
        page = io.BytesIO()
        figure.savefig(page, format="png", dpi=DPI, metadata={"Software": None})
    picture = Image.open(page).convert("RGB")
    # All colours, or a palette of the most that stay within the limit.
    palettes = (picture if n is None else picture.quantize(n, Image.Quantize.MEDIANCUT) for n in (None, 256, 128, 64))
    content = _small(partial(each.save, format="PNG", optimize=True) for each in palettes)
    write_atomic(path, lambda file: file.write(content))
    return path


def _small(tries: Iterable[Callable[[io.BytesIO], object]]) -> bytes:
    """What the first of ``tries`` writes that stays within :data:`LIMIT`, else the last."""
    content = b""
    for write in tries:
        file = io.BytesIO()
        write(file)
        content = file.getvalue()
        if len(content) <= LIMIT:
            break
    return content


def photographs(picture: Image.Image) -> bytes:
    """WebP of the best quality of 92 ... 84 that stays within :data:`LIMIT`.

    A palette makes bands of blurred backgrounds, which are what our photographs are about, and PNG without a palette is
    six times as large.
    """
    save = partial(picture.save, format="WEBP", method=6, use_sharp_yuv=True)
    return _small(partial(save, quality=quality) for quality in range(92, 83, -2))


def head(figure: Any, title: str, below: str = "") -> None:
    """The title, and a line in grey below it, at the upper left."""
    height = figure.get_figheight()
    figure.text(0.012, 1 - 0.10 / height, title, fontsize=10.5, fontweight="bold", va="top")
    figure.text(0.012, 1 - 0.32 / height, below, fontsize=8, color=GREY, va="top")


def foot(figure: Any, *lines: str) -> None:
    """Notes in grey at the lower left."""
    figure.text(0.012, 0.06 / figure.get_figheight(), "\n".join(lines), fontsize=7.5, color=GREY, va="bottom")


def kinds_line(figure: Any, kinds: set[str], y: float) -> None:
    """Names of the kinds that occur in their colours, where there are several, at the right of height ``y`` inches."""
    if len(kinds) < 2:
        return
    x = 1 - 0.012
    for name in reversed([known for known in KINDS if known in kinds]):
        text = figure.text(x, y / figure.get_figheight(), f"● {name}", fontsize=8, color=KINDS[name], ha="right")
        x -= (text.get_window_extent().width + 24) / figure.bbox.width


def short(text: str, most: int = 34) -> str:
    """``text`` in one line of at most ``most`` characters."""
    text = "".join(one if one.isprintable() else " " for one in text)
    return text if len(text) <= most else text[: most - 1] + "…"
