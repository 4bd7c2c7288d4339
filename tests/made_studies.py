"""Tiny studies and made-up raters for tests: ``from made_studies import make_folders, make_study, votes_of``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from makers import blurred, picture, save

from bokehbench.cli import main

#: Names that break pages, shells, Markdown and CSV that are written without care.
ODD = ("a'b\"c", "<img src=x onerror=alert(1)>", "ünï 東京", "x & y #1%20", "$a|b`")
Choose = Callable[[str, str, str], str]


def make_folders(
    root: Path, methods: Sequence[str], names: Sequence[str] = ODD, size: tuple[int, int] = (24, 36)
) -> Path:
    """``input`` and one folder per method; method number n is darker by 10 n."""
    for number, name in enumerate(names):
        sharp = picture(number, size)
        save(root / "input" / f"{name}.jpg", sharp)
        for at, _ in enumerate(methods):
            save(root / f"m{at}" / f"{name}.png", (blurred(sharp) * (1 - 0.05 * at)).astype(np.uint8))
    return root


def build(root: Path, methods: Sequence[str], *more: str) -> int:
    """Run ``study build`` on :func:`make_folders`' folders; the page goes to ``root/study``."""
    words = [word for at, name in enumerate(methods) for word in ("--outputs", f"{name}={root / f'm{at}'}")]
    return main(["study", "build", "--inputs", str(root / "input"), *words, "-o", str(root / "study"), *more])


def make_study(root: Path, methods: Sequence[str], *more: str, names: Sequence[str] = ODD) -> dict:
    """A built study's key as read from its file."""
    make_folders(root, methods, names)
    assert build(root, methods, *more) == 0
    return read_key(root)


def read_key(root: Path) -> dict:
    return json.loads((root / "study-key.json").read_text())


def votes_of(key: dict, rater: str, choose: Choose, count: int, seed: int = 0) -> dict:
    """A file of votes: ``choose(picture, left method, right method)`` gives left, right or none."""
    random = np.random.default_rng(seed)
    results = {}
    for name, (method, shown) in key["results"].items():
        results.setdefault(shown, {})[method] = name
    votes = []
    cells = [(shown, a, b) for shown in results for a in key["methods"] for b in key["methods"] if a < b]
    for at in random.permutation(len(cells))[:count]:
        shown, left, right = cells[at]
        if random.random() < 0.5:
            left, right = right, left
        names = {"left": results[shown][left], "right": results[shown][right]}
        votes.append({**names, "choice": choose(shown, left, right), "seconds": 2 + random.random(), "kind": "pair"})
    head = {"format": "bokehbench-study-votes", "format_version": 1, "study": key["study"], "version": key["version"]}
    return {**head, "rater": rater, "trials": len(votes), "votes": votes}


def write_votes(folder: Path, name: str, content: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path
