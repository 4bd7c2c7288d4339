"""What is right: photos, maps, data sets, a board, results and checkpoints, made once by those who make them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytorch_lightning
import torch
from faults import SIZE
from made_boards import make_board, make_result
from makers import make_pairs, make_rgbd, picture, ramp, save
from methods import SMALL, TRAINABLE, options, tiny

from bokehbench.board import leaderboard
from bokehbench.models import MODELS
from bokehbench.models.uses import Uses

#: Methods that start without a command of their own.
NAMES = sorted(name for name in MODELS if not MODELS[name].of_command)


DECLARATION = """
data: [{name: own, split: all, description: made}]
overlap: none
code_licence: MIT
weights_licence: none
contact: a@example.org
"""


def make(root: Path) -> dict[str, str]:
    """Words of command lines that begin with ``@`` -> what they stand for."""
    known = {
        "@photo": save(root / "photo.png", picture(1, SIZE)),
        "@map": save(root / "map.png", ramp(SIZE)),
        "@pairs": make_pairs(root / "pairs", names=("a", "b"), size=SIZE, disparity=True),
        "@rgbd": make_rgbd(root / "rgbd", size=SIZE),
        "@board": make_board(root),
        "@result": root / "result.json",
        "@declared": root / "declared.yaml",
    }
    for method in ("A", "B"):
        leaderboard.add(known["@board"], make_result(method))
    leaderboard.render(known["@board"])
    known["@result"].write_text(make_result("C").to_json())
    known["@declared"].write_text(DECLARATION)
    for name in TRAINABLE:
        known[f"@{name}.ckpt"] = root / f"{name}.ckpt"
        write_checkpoint(known[f"@{name}.ckpt"], name)
    return {word: str(path) for word, path in known.items()}


def write_checkpoint(path: Path, name: str) -> None:
    """As ``fit`` writes it, of weights that were not trained."""
    torch.manual_seed(0)
    model = tiny(name)
    content = {"state_dict": model.state_dict(), "hyper_parameters": dict(SMALL.get(name, {})),
               "pytorch-lightning_version": pytorch_lightning.__version__,
               "bokehbench": {"model": type(model).__name__, "stages": [], "stage": None}}  # fmt: skip
    torch.save(content, path)


@cache
def uses(name: str) -> Uses:
    """What a method obeys."""
    return tiny(name).uses


def method(name: str) -> tuple[str, ...]:
    """Options that choose a method with weights."""
    return ("--checkpoint", f"@{name}.ckpt") if name in TRAINABLE else tuple(options(name))
