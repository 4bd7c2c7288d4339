"""Imports run one way: optics -> nets -> models, optics -> data, metrics and losses -> models, all below commands."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import bokehbench

PACKAGE = Path(bokehbench.__file__).parent
#: Room -> what of ours it may import besides itself, ``errors`` and ``counted``. One not listed may import all but the
#: top.
ALLOWED = {
    "errors": set(),
    "counted": set(),
    "batch": set(),
    "files": set(),
    "optics": set(),
    "losses": {"metrics", "optics"},
    "perceptual": {"checkpoints", "losses"},
    "nets": {"optics"},
    "weights": {"checkpoints", "nets"},
    "metrics": {"batch", "optics"},
    "data": {"batch", "files", "names", "optics", "pictures"},
    "depth": {"batch", "data", "files", "optics"},
    "app": {"data", "models", "optics"},
    "models": {"batch", "depth", "files", "losses", "metrics", "nets", "optics", "perceptual", "weights"},
}
#: The top: imported by nobody below.
TOP = {"commands", "cli", "__main__"}
#: Programs outside of the top: a process of its own, started by the benchmark's runner, that runs a command line.
PROGRAMS = {"bokehbench.suite.step"}
#: Modules that start at once: neither they nor what they import, however deep, may load torch.
WITHOUT_TORCH = (
    "bokehbench",
    "bokehbench.cli",
    "bokehbench.commands.leaderboard",
    "bokehbench.commands.report",
    "bokehbench.commands.study",
    "bokehbench.board.results",
    "bokehbench.board.leaderboard",
)
HEAVY = {"torch", "torchvision", "torchmetrics", "pytorch_lightning", "timm", "kornia", "wandb"}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(module: str, when_loaded: bool = False) -> set[str]:
    """Modules that ``module`` imports; with ``when_loaded`` only those that its own import runs."""
    tree = ast.parse(MODULES[module].read_text())
    found: set[str] = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import in line {node.lineno}"
            assert node.module is not None
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES.keys()
            found |= inner or {node.module}
        if when_loaded and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if when_loaded and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        waiting += ast.iter_child_nodes(node)
    return found


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def ours(names: set[str]) -> set[str]:
    return {name for name in names if name.split(".")[0] == "bokehbench"}


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module) -> None:
    here = room(module)
    met = {room(name) for name in ours(imports(module))} - {here, "errors", "counted", ""}
    above = met & TOP
    assert not above or here in TOP or module in PROGRAMS, f"{module} imports the top: {above}"
    assert not ours(imports(module)) & PROGRAMS, f"{module} imports a program"
    if here in ALLOWED:
        assert met <= ALLOWED[here], f"{module} may not import {met - ALLOWED[here]}"


@pytest.mark.parametrize("start", [name for name in WITHOUT_TORCH if name in MODULES])
def test_starts_without_torch(start) -> None:
    waiting, seen = [start], set()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        names = imports(module, when_loaded=True)
        heavy = {name.split(".")[0] for name in names} & HEAVY
        assert not heavy, f"{start} loads {heavy} through {module}"
        waiting += [name for name in ours(names) if name in MODULES]
        waiting += [parent for parent in [module.rpartition(".")[0]] if parent]


def test_the_walk_finds_what_is_there() -> None:
    """Lest the tests above pass because nothing was read."""
    assert "torch" in imports("bokehbench.batch")
    assert "bokehbench.weights.deeplens" in imports("bokehbench.models.deeplens")
    assert "bokehbench.weights.deeplens" not in imports("bokehbench.models.deeplens", when_loaded=True)
