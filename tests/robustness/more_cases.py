"""The cases of tables, configurations and results."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import faults
from cases import PAIRS, QUICK, Case, Words, bad
from faults import HTML
from made_boards import HEAD, make_board, make_result
from makers import make_pairs

TABLES = {
    "no columns of ours": b"picture,where\na,1\n", "a column too many": b"name,focus,aperture,f-number\na,0.5,3,2\n",
    "no name": b"focus,aperture\n0.5,3\n", "infinite": b"name,focus,aperture\na,0.5,inf\n",
    "text for a number": b"name,focus,aperture\na,near,3\n", "empty": b"", "a page of HTML": HTML,
    "bytes": bytes(range(128, 256)),
    "focus of 7": b"name,focus,aperture\na,7,3\n", "negative": b"name,focus,aperture\na,0.5,-3\n",
    "a stranger's name": b"name,focus,aperture\nzebra,0.5,3\n", "two rows": b"name,focus,aperture\na,0,3\na,1,3\n",
}  # fmt: skip
REPORTED = {
    "no columns of ours": b"a,b\n1,2\n", "empty": b"", "bytes": bytes(range(128, 256)),
    "not a number": HEAD.encode() + b"A,2020,PSNR,high,dB,Tiny30,dmshn,S1,,\n",
    "no source": HEAD.encode() + b"A,2020,PSNR,25,dB,Tiny30,dmshn,,,\n",
    "an unknown protocol": HEAD.encode() + b"A,2020,PSNR,25,dB,Tiny30,nope,S1,,\n",
    "too few cells": HEAD.encode() + b"A,2020\n", "too many cells": HEAD.encode() + b"A,2020,PSNR,25,dB,T,,S1,,,,,\n",
}  # fmt: skip


def table(content: bytes) -> Callable[[Path], Words]:
    def make(folder: Path) -> Words:
        root = make_pairs(folder / "pairs", names=("a", "b"), size=faults.SIZE, disparity=True)
        (root / "focus_aperture.csv").write_bytes(content)
        return {"@root": str(root)}

    return make


def board_file(name: str, content: bytes) -> Callable[[Path], Words]:
    """A board of its own in which one file is bad."""

    def make(folder: Path) -> Words:
        board = make_board(folder)
        (board / name).write_bytes(content)
        return {"@own": str(board)}

    return make


def tables() -> Iterator[Case]:
    for what, content in TABLES.items():
        for words in (("data", "check", *PAIRS), ("test", "--model=layered", *PAIRS, *QUICK)):
            if words[0] == "data" or what not in ("focus of 7", "a stranger's name", "two rows"):
                yield Case("tables", what, words, ("focus_aperture.csv",), table(content))
    for what, content in REPORTED.items():
        for verb in (
            ("leaderboard", "render", "@own"),
            ("leaderboard", "check", "@own"),
            ("report", "@own", "-o", "@here/r"),
        ):
            yield Case("tables", f"published, {what}", verb, ("reported.csv",), board_file("reported.csv", content))


def configurations() -> Iterator[Case]:
    for what, maker in faults.YAML.items():
        harmless = what in ("empty",)  # a configuration that says nothing is one
        for verb in ("fit", "test", "predict"):
            if not harmless:
                words = (verb, "--model=deeplens", "--config=@bad", *QUICK)
                yield Case("configurations", what, words, ("a.yaml", "modle"), bad(maker))
        for words in (
            ("benchmark", "@bad", "--folder=@here/work"), ("sweep", "@bad", "--folder=@here/work", "--trials=1"),
            ("method", "check", "@bad"), ("render", "@photo", "--model", "@bad", "-o", "@out.png"),
            ("submit", "pack", "@result", "--declaration=@bad", "-o", "@out.zip"),
        ):  # fmt: skip
            yield Case("configurations", what, words, ("a.yaml",), bad(maker))
        if what not in ("missing", "a folder"):

            def make(folder: Path, maker: Callable[[Path], Path] = maker) -> Words:
                board = make_board(folder)
                shutil.copyfile(maker(folder), board / "board.yaml")
                return {"@own": str(board)}

            for words in (("leaderboard", "render", "@own"), ("report", "@own", "-o", "@here/report")):
                yield Case("configurations", f"board, {what}", words, ("board.yaml",), make)


RESULTS: dict[str, object] = {
    "not JSON": b"{", "empty": b"", "a list": b"[]", "a number": b"3", "null": b"null", "a page of HTML": HTML,
    "bytes": bytes(range(128, 256)), "deep": b"[" * 100_000, "half a surrogate": b'{"format": 3, "id": "\\ud800"}',
    "another format": {"format": 99}, "format of text": {"format": "3"}, "an unknown flag": {"flags": ["odd"]},
    "an unknown field": {"speed": 3}, "another id": {"id": "0" * 12}, "another device": {"device": ["cpu"]},
    "seconds of text": {"seconds_per_image": "fast"}, "training of a list": {"training": [1]},
    "origins of numbers": {"training": {"origins": [3]}}, "network of a word": {"network": "x"},
    "scores of text": {"per_image": {"0000": {"psnr": "high"}}}, "scores of a list": {"per_image": [1]},
    "no pictures": {"per_image": {}}, "missing of numbers": {"missing": {"lpips": 3}}, "huge": {"parameters": 10**400},
    "versions of lists": {"versions": {"torch": []}}, "fingerprints of text": {"fingerprints": {"0000": ["x"]}},
}  # fmt: skip


def result_file(content: object) -> bytes:
    """Bytes as they are; of a dict the file of a result with other fields."""
    if isinstance(content, bytes):
        return content
    return json.dumps(json.loads(make_result("C").to_json()) | dict(content)).encode()  # type: ignore[call-overload]


def stored(content: object) -> Callable[[Path], Words]:
    """A board with a bad file among its results."""

    def make(folder: Path) -> Words:
        board = make_board(folder)
        (board / "results" / "c").mkdir(parents=True)
        (board / "results" / "c" / "a.json").write_bytes(result_file(content))
        return {"@own": str(board)}

    return make


def results() -> Iterator[Case]:
    for what, content in RESULTS.items():
        maker = bad(lambda folder, content=content: faults.of_bytes("a.json", result_file(content))(folder))
        yield Case(
            "results", what, ("leaderboard", "add", "--board=@board", "@bad"), ("a.json", "scored picture"), maker
        )
        pack = ("submit", "pack", "@bad", "-o", "@out.zip", "--declaration=@declared")
        yield Case("results", what, pack, ("a.json", "pictures"), maker)
        for words in (("leaderboard", "render", "@own"), ("leaderboard", "check", "@own")):
            yield Case("results", f"stored, {what}", words, ("a.json",), stored(content))
        report = ("report", "@own", "-o", "@here/report")
        yield Case("results", f"stored, {what}", report, ("a.json",), stored(content), noted=True)
    for what, maker in {**faults.FEW_CHECKPOINTS, "a zip of nothing": faults.CHECKPOINTS["a zip of nothing"]}.items():
        yield Case(
            "results",
            f"bundle, {what}",
            ("submit", "check", "@bad", "--board=@board"),
            ("a.ckpt", "bundle"),
            bad(maker),
        )
