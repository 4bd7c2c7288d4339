"""One stored measurement: what was run, on what, with which scores. Plain Python: starts without torch."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bokehbench.board.identity import OUTPUTS_ONLY, digest, plain, slug
from bokehbench.board.record import refuse_wrong_types
from bokehbench.errors import BokehbenchError
from bokehbench.files import read_bytes, write_text
from bokehbench.metrics.sample import Tried
from bokehbench.names import as_first_recorded
from bokehbench.provenance import NO_WEIGHTS, UNTRAINED

#: 1: before options were renamed and targets had fingerprints; 2: before results said which network they are of;
#: 3: before they held f-numbers and the lock of the data.
FORMAT = 4
#: Why a result is stored but not ranked.
FLAGS = {
    "incomplete": "not every picture of the split was scored",
    "dirty": "run from a working tree with uncommitted changes",
    "contaminated": "the weights saw pictures of the test split",
    "untrained": "its weights, or those of a part of it, are random: nothing was trained",
    "stopped": "a stage was not trained to its end",
    "matched": "its aperture was chosen for each picture by the score itself",
}
#: Scores closer than this are the same measurement: another device moves single 8-bit levels.
RELATIVE, ABSOLUTE = 1e-4, 1e-4


@dataclass(frozen=True)
class Result:
    """One method, measured once on one board.

    Attributes:
        board, board_version: name and version of the board (its ``board.yaml``).
        method: label of the row, from the model that ran (``type(model).__name__``), never from the command line.
        architecture: constructor arguments that shape the network.
        network: what tells it from the published network (:mod:`bokehbench.board.network`), made from the architecture
            by the method; empty where nothing is published, or the method says nothing.
        weights_hash: SHA-256 of the weights; :data:`identity.NO_WEIGHTS`, or :data:`identity.OUTPUTS_ONLY`.
        inference: settings that change the pictures: focus, aperture, working size, precision ... ; no paths.
        protocol: ``Protocol.describe()``.
        target_hash, prediction_hash: of the target pictures and of the outputs.
        fingerprints: of the targets that the board asks for.
        f_numbers: picture's name -> f-number of its target, where it is known.
        per_image: picture's name -> {column: value}; NaN where a column has no meaning for a picture.
        missing: column -> why it has no values at all (LPIPS without weights).
        training: recipe: stages, steps, data, what the weights came from; empty where nothing was trained.
        variant: what tells it from other results of the method in tables (an experiment's name); no part of the
            identity, empty where nobody said.
        seed: of the training, or None.
        versions: package -> version.
        commit: of bokehbench, 40 hex digits, or "" outside a repository.
        device: in words.
        seconds_per_image: median time of one rendering, without the first; None where unknown.
        peak_memory: bytes; None where unknown.
        parameters: number of weights; None where unknown.
        macs: multiply-adds of one rendering at ``macs_size`` (height, width); None where unknown.
        flags: keys of :data:`FLAGS`.
        date: ISO day.
        data_lock: SHA-256 of the manifest that lay beside the data set (`data lock`), where its files fitted it; empty
            where there was none. No part of the identity.
        tried: picture's name -> aperture in pixels, focus and SSIM of each rendering of a search for the best, first as
            told (:mod:`bokehbench.metrics.matched`); empty without a search. How it went is in ``inference``.
        curves: picture's name -> what its scores were read from, for figures: of control. No part of the identity.
    """

    board: str
    board_version: int
    method: str
    per_image: Mapping[str, Mapping[str, float]]
    weights_hash: str
    protocol: Mapping[str, Any]
    split: str
    target_hash: str
    prediction_hash: str
    architecture: Mapping[str, Any] = field(default_factory=dict)
    network: Mapping[str, Any] = field(default_factory=dict)
    inference: Mapping[str, Any] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    variant: str = ""
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""
    device: str = ""
    seconds_per_image: float | None = None
    peak_memory: int | None = None
    parameters: int | None = None
    macs: int | None = None
    macs_size: tuple[int, int] | None = None
    flags: tuple[str, ...] = ()
    date: str = ""
    fingerprints: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    f_numbers: Mapping[str, float] = field(default_factory=dict)
    data_lock: str = ""
    tried: Mapping[str, Tried] = field(default_factory=dict)
    curves: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def identity(self) -> dict[str, Any]:
        """What makes it this measurement and no other.

        Flags and the pictures' names take part, so that a dirty or incomplete run never stands in the way of the clean,
        whole one. The hashes of targets and outputs do not: where these change, the scores are drift. Options count
        under the names that they first had, so that a new name makes no other measurement.
        """
        names = ("board", "board_version", "method", "architecture", "weights_hash", "inference")
        known = {name: getattr(self, name) for name in names}
        if self.format > 1:
            known |= {name: as_first_recorded(known[name]) for name in ("architecture", "inference")}
        known |= {"protocol": self.protocol.get("name", ""), "flags": sorted(self.flags)}
        known["pictures"] = digest(sorted(self.per_image))
        if self.weights_hash == OUTPUTS_ONLY:
            known["prediction_hash"] = self.prediction_hash
        return known

    @property
    def id(self) -> str:
        """Hash of the identity, 12 hex digits."""
        return digest(self.identity)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the scores, in order of appearance."""
        return tuple(dict.fromkeys(column for scores in self.per_image.values() for column in scores))

    def lineage(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """(method, weights hash, training record) of these weights and of all that they were made from."""
        waiting: list[tuple[str, str, Mapping[str, Any]]] = [(self.method, self.weights_hash, self.training)]
        while waiting:
            yield (one := waiting.pop(0))
            waiting += [(o["method"], o["weights_hash"], o["training"]) for o in one[2].get("origins", ())]

    @property
    def untrained(self) -> bool:
        """Whether these weights, or any that they were made from, are as the constructor drew them."""
        return any(training.get("weights") == UNTRAINED for _, _, training in self.lineage())

    @property
    def training_seconds(self) -> float | None:
        """Wall time of the training and of all that it began with, each once; None where one of them does not tell."""
        records = {weights: training for _, weights, training in self.lineage() if weights != NO_WEIGHTS}
        total = 0.0
        for training in records.values():
            if "effort" in training:
                total += training["effort"]["seconds"]
            elif training.get("stages") or not training.get("origins"):
                return None  # not merely put together from others
        return total

    def values(self, column: str) -> dict[str, float]:
        """Picture's name -> value, without pictures for which the column has none."""
        scores = {name: row.get(column, math.nan) for name, row in sorted(self.per_image.items())}
        return {name: value for name, value in scores.items() if not math.isnan(value)}

    def to_json(self) -> str:
        """Text of the file: sorted keys, one line per picture, ends with a newline."""
        # Eight significant digits: the rest is noise of the summation order and would only make files differ.
        pictures = {
            name: {column: float(f"{value:.8g}") for column, value in row.items()}
            for name, row in self.per_image.items()
        }
        prints = self.fingerprints if self.format > 1 else {}
        by_picture = {"fingerprints": prints, "f_numbers": self.f_numbers, "curves": self.curves, "per_image": pictures}
        by_picture["tried"] = self.tried
        content = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        content = {key: value for key, value in content.items() if key not in by_picture}
        content = {key: value for key, value in content.items() if key != "data_lock" or value}
        content |= {"id": self.id, "flags": sorted(self.flags)}
        parts = [json.dumps(plain(content), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)[:-2]]
        for key, values in by_picture.items():
            lines = [f"  {json.dumps(name, ensure_ascii=False)}: {json.dumps(value, allow_nan=False)}"
                     for name, value in plain(values).items()]  # fmt: skip
            parts += [f' "{key}": {{\n' + ",\n".join(lines) + "\n }"] if values or key == "per_image" else []
        return ",\n".join(parts) + "\n}\n"

    @staticmethod
    def from_json(text: str, where: str = "result") -> Result:
        """Read what :meth:`to_json` wrote; ``where`` names the file in errors.

        Raises:
            BokehbenchError: not a result (it names the field), of a newer format, of unknown flags, or edited by hand:
                the id does not fit.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BokehbenchError(
                f"{where} is not a result of bokehbench ({error}): remove it, or test again."
            ) from error
        format = content.get("format") if isinstance(content, dict) else None
        if isinstance(format, int) and format > FORMAT:
            raise BokehbenchError(f"{where} has format {format}, this bokehbench reads {FORMAT}: update bokehbench.")
        refuse_wrong_types(text, where)
        id = content.pop("id")
        content["per_image"] = {
            name: {column: math.nan if value is None else float(value) for column, value in row.items()}
            for name, row in content["per_image"].items()
        }
        content["flags"] = tuple(content.get("flags", ()))
        content["macs_size"] = tuple(content["macs_size"]) if content.get("macs_size") else None
        result = Result(**content)
        if set(result.flags) - set(FLAGS):
            raise BokehbenchError(f"{where} has unknown flags {result.flags}; known: {', '.join(FLAGS)}.")
        if result.id != id:
            raise BokehbenchError(f"{where} was edited: its identity hashes to {result.id}, not {id}.")
        return result


def place(board_folder: Path, result: Result) -> Path:
    """Where a result lies: ``BOARD/results/METHOD/ID.json``."""
    return board_folder / "results" / slug(result.method) / f"{result.id}.json"


def write(board_folder: Path, result: Result, replace: bool = False) -> Path:
    """Add a result; what is there is changed only where ``replace`` asks for it, and its scores stay the same.

    Two writers at once lose nothing: files appear whole or not at all, and the first of two equal ones stays.

    Raises:
        BokehbenchError: nothing scored, a flag that is not known, or the same identity is there with other scores.
    """
    if not result.per_image:
        raise BokehbenchError(f"{result.method} has no scored picture: there is nothing to add to {result.board}.")
    if set(result.flags) - set(FLAGS):
        raise BokehbenchError(f"Unknown flags {result.flags}; known: {', '.join(FLAGS)}.")
    path = place(board_folder, result)
    if path.exists():
        _refuse_drift(path, result)
        if replace:
            write_text(path, result.to_json())
        return path
    draft = path.parent / f".{path.stem}.{uuid.uuid4().hex}.draft"
    write_text(draft, result.to_json())
    try:
        os.link(draft, path)  # unlike a rename this never replaces what another writer has just put there
    except FileExistsError:
        _refuse_drift(path, result)
    except OSError:  # no hard links on this file system
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def _refuse_drift(path: Path, result: Result) -> None:
    if found := drift(read(path), result):
        shown = "\n  ".join(found[:10]) + (f"\n  ... and {len(found) - 10} more" if len(found) > 10 else "")
        raise BokehbenchError(
            f"Drift: {path} holds the same identity with other scores, it stays as it is. Find out what changed "
            f"(versions, device, data) and raise the board's version if the new scores are right.\n  {shown}"
        )


def drift(old: Result, new: Result) -> list[str]:
    """One line per score that differs by more than rounding: ``4545 psnr: 19.7400 -> 19.8100``.

    A column that only one of the two has is no drift: LPIPS may have had no weights.
    """
    lines = [f"{name}: only in the {'old' if name in old.per_image else 'new'} result"
             for name in sorted(set(old.per_image) ^ set(new.per_image))]  # fmt: skip
    for name in sorted(set(old.per_image) & set(new.per_image)):
        before, after = old.per_image[name], new.per_image[name]
        for column in sorted(set(before) & set(after)):
            a, b = float(before[column]), float(after[column])
            same = math.isnan(a) and math.isnan(b)
            if not same and not math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE):
                lines.append(f"{name} {column}: {a:.4f} -> {b:.4f}")
    return lines


def read(path: Path) -> Result:
    """One result.

    Raises:
        BokehbenchError: unreadable, or not a result.
    """
    try:
        text = read_bytes(path).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise BokehbenchError(f"{path} cannot be read ({error}): check the path.") from error
    return Result.from_json(text, str(path))


def read_stored(board_folder: Path) -> tuple[list[Result], list[str]]:
    """Every result of a board, in the order of their files, and a sentence for each file that is left out.

    That is one that is not a result, or lies where its identity does not belong: one bad file must not hide the rest.
    """
    found, left_out = [], []
    for path in sorted((board_folder / "results").glob("*/*.json")):
        try:
            result = read(path)
        except BokehbenchError as error:
            left_out.append(str(error))
            continue
        if place(board_folder, result) == path:
            found.append(result)
        else:
            left_out.append(f"{path} belongs at {place(board_folder, result)}: move it there.")
    return found, left_out


def read_all(board_folder: Path) -> list[Result]:
    """The results of :func:`read_stored`."""
    return read_stored(board_folder)[0]
