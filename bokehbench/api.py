"""What ``import bokehbench`` offers to Python; lists of names and boards need no torch."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bokehbench.board import boards as _boards
from bokehbench.checkpoints import SUFFIXES, located
from bokehbench.data import DATA, open_data
from bokehbench.errors import BokehbenchError
from bokehbench.metrics.matched import MatchedStrength
from bokehbench.metrics.protocols import DEFAULT, PROTOCOLS, find_protocol
from bokehbench.models import MODELS

if TYPE_CHECKING:
    import pandas

    from bokehbench.board.results import Result
    from bokehbench.data.in_memory import Source
    from bokehbench.method import Method
    from bokehbench.models.base import BokehModel


def methods() -> list[str]:
    """Short names of all methods, ours and those that installed packages register."""
    return sorted(MODELS)


def data_sets() -> list[str]:
    """Short names of all data sets, ours and those that installed packages register."""
    return sorted(DATA)


def protocols() -> list[str]:
    """Names of the protocols that can score."""
    return sorted(PROTOCOLS)


def boards() -> list[str]:
    """Names of the boards: of ``leaderboards`` here, else of those that came with bokehbench."""
    return _boards.names()


def load(what: str | Path, *, device: str = "cpu", depth: str | None = None, **settings: Any) -> Method:
    """A method with its weights, ready for photos.

    Args:
        what: path of a checkpoint, of a folder of weights or of a run's folder; ``USER/REPO`` or ``USER/REPO@REVISION``
            on the Hugging Face Hub; or a method by its short name or as ``PACKAGE.CLASS``: with the weights that come
            with its package, else of its newest run below ``runs``, or without where it needs none.
        device: to render on.
        depth: what photos without a disparity map get, for methods that take one: ``transformers:ID``, ``folder:PATH``,
            ``own`` (the method's own depth network), ``none``; None: see :class:`bokehbench.photo_depth.PhotoDepth`.
        settings: constructor arguments in place of the checkpoint's or the defaults, such as ``layers=32``.

    Raises:
        BokehbenchError: no such checkpoint or method, a setting that it does not have, or a method that needs weights
            where none are.
    """
    from bokehbench.method import open_method, refuse_unknown

    def checked(kind: type[BokehModel]) -> dict[str, Any]:
        refuse_unknown(kind, settings)
        return settings

    path = Path(what)
    named = not (path.suffix in SUFFIXES or path.exists() or "/" in str(what))
    if isinstance(what, str) and (what in MODELS or named):
        return open_method(MODELS.typed(what, "load"), None, checked, device, depth)
    return open_method(None, located(path) if path.is_dir() else path, checked, device, depth)


def fit(method: str, settings: Mapping[str, Any] | None = None, *, config: str | Path | None = None) -> Method:
    """Train a method in this process, as ``bokehbench fit`` does, and give it back with its weights.

    Args:
        method: its short name, or ``PACKAGE.CLASS``.
        settings: options of the command line without their dashes and their values: ``{"data": "pairs", "data.root":
            "FOLDER", "model.rendering.steps": 500}``.
        config: configuration, by name or path; None: the quick one.

    Raises:
        BokehbenchError: what the command line refuses.
    """
    from bokehbench.commands.lightning import run
    from bokehbench.method import Method

    words = ["fit", "--model", method, *(["--config", str(config)] if config else [])]
    for key, value in (settings or {}).items():  # JSON is YAML, too
        words.append(f"--{key}={value if isinstance(value, str | Path) else json.dumps(value)}")
    cli = run(words)
    folder = Path(cli.trainer.log_dir or cli.trainer.default_root_dir)
    last = folder / "checkpoints" / "last.ckpt"
    return Method(cli.model, last if last.is_file() else None)


def score(
    outputs: str | Path | Mapping[str, Source] | Sequence[Source],
    targets: str | Path | Mapping[str, Source] | Sequence[Source],
    *,
    protocol: str = DEFAULT,
    columns: Sequence[str] = (),
) -> pandas.DataFrame:
    """Score pictures against the true ones; no method is needed.

    Args:
        outputs, targets: two folders, paired by file stem as strictly as ``bokehbench score`` does; or pictures by
            name; or two sequences of pictures. A picture is a file, a Pillow image, an array or a tensor.
        protocol: how a paper scored.
        columns: to measure besides those of the protocol.

    Returns:
        One row per picture, named in the index, one column per score, NaN where there is none; ``attrs["missing"]``
        says why there is none, by column.

    Raises:
        BokehbenchError: pictures without a partner, of other sizes, unreadable; an unknown protocol or column.
    """
    from bokehbench.measure.in_memory import score_folders, score_pictures

    how = find_protocol(protocol)
    if isinstance(outputs, str | Path) and isinstance(targets, str | Path):
        return score_folders(Path(outputs), Path(targets), how, columns)
    if isinstance(outputs, str | Path) or isinstance(targets, str | Path):
        raise BokehbenchError("score takes two folders, or pictures twice: give both in the same form.")
    return score_pictures(outputs, targets, how, columns)


def evaluate(
    method: Method | str | Path,
    data: str,
    *,
    protocol: str = DEFAULT,
    columns: Sequence[str] = ("psnr", "ssim"),
    **options: Any,
) -> pandas.DataFrame:
    """Render the test pictures of a data set and score them; for a result on a board see :func:`test`.

    Args:
        method: from :func:`load`, or what that takes.
        data: short name of the data set, or ``PACKAGE.CLASS``.
        protocol: how a paper scored.
        columns: names of scores.
        options: of the data set, such as ``root``.

    Returns:
        As :func:`score`.
    """
    from bokehbench.measure.in_memory import score_test_pictures

    DATA.typed(data)
    how = find_protocol(protocol)
    return score_test_pictures(_loaded(method).model, open_data(data, **options), how, columns)


def test(
    method: Method | str | Path,
    board: str | Path,
    *,
    data: str | None = None,
    variant: str = "",
    output: str | Path | None = None,
    untrained: bool = False,
    matched: bool | Mapping[str, Any] = False,
    **options: Any,
) -> Result:
    """Measure a method on a board: a result, guarded as on the command line.

    Args:
        method: from :func:`load`, or what that takes.
        board: name or folder.
        data: short name of the data set, or ``PACKAGE.CLASS``; None: the board's.
        variant: what tells this result from others of the method.
        output: JSON file to write the result to, for ``bokehbench leaderboard add``; None: none.
        untrained: measure random weights, too; the result says so and is not ranked.
        matched: search each picture's aperture that scores best; True, or settings of
            :class:`~bokehbench.metrics.matched.MatchedStrength`. Only a board that names the search ranks it, and
            there it is the default.
        options: of the data set in place of the board's, such as ``root``.

    Raises:
        BokehbenchError: other pictures or settings than the board's, random weights, or what the command line refuses.
    """
    from bokehbench.measure.in_memory import record_test

    asked = _boards.read_board(_boards.find(str(board))).data
    name = data or asked.get("name")
    if name is None:
        raise BokehbenchError(f"The board {board} names no data set: give data=NAME and its options.")
    if data is not None:
        DATA.typed(data)
    settings = {**(asked.get("arguments") or {} if asked.get("name") == name else {}), **options}
    with tempfile.TemporaryDirectory() as folder:
        path = output or Path(folder) / "result.json"
        model, tested = _loaded(method).model, open_data(name, **settings)
        module, _, kind = tested.recorder.rpartition(".")
        recorder = getattr(import_module(module), kind)(str(board), str(path), variant)
        if not untrained:
            model.refuse_untrained()
        search = MatchedStrength.read(matched, "matched") if isinstance(matched, Mapping) else None
        model.matched = MatchedStrength() if matched and search is None else search
        try:
            return record_test(model, tested, recorder)
        finally:
            model.matched = None


def compare(a: str, b: str, *, board: str | Path, column: str | None = None) -> pandas.DataFrame:
    """Whether the difference of two results on a board is real: paired statistics, one row per score.

    Args:
        a, b: a result's id or its beginning, or a method or label with one result on the board.
        board: name or folder.
        column: one score; None: all of the board's.

    Returns:
        Per score the means of both, ``difference`` (a - b) with its 95 % interval ``low`` and ``high``, pictures on
        which a is better (``wins``), equal (``ties``), worse (``losses``), ``p_bootstrap``, ``p_wilcoxon``, ``real``.

    Raises:
        BokehbenchError: no such board, result or score.
    """
    import pandas

    from bokehbench.board.comparison import compared, read_row

    folder = _boards.find(str(board))
    (_, on, one), (_, _, two) = read_row(a, [folder]), read_row(b, [folder])
    rows = []
    for each in compared(on, one, two, column):
        row: dict[str, Any] = {"score": each.column.name, one.label: each.means[0], two.label: each.means[1]}
        if found := each.found:
            gap = found.difference
            row |= {"difference": gap.mean, "low": gap.low, "high": gap.high}
            row |= {"wins": each.wins, "ties": found.ties, "losses": each.losses}
            row |= {"p_bootstrap": found.p_bootstrap, "p_wilcoxon": found.p_wilcoxon, "real": found.real}
        rows.append(row)
    return pandas.DataFrame(rows).set_index("score")


def _loaded(method: Method | str | Path) -> Method:
    return load(method) if isinstance(method, str | Path) else method
