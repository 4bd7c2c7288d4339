"""Imports run one way: optics -> nets -> models, optics -> data, metrics and losses -> models, all below commands."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import bokehbench

PACKAGE = Path(bokehbench.__file__).parent
#: Room or file at the top -> what of ours it may import besides itself, ``errors`` and ``counted``, which all may.
ALLOWED = {
    # plain Python
    "errors": set(),
    "counted": set(),
    "archive": set(),
    "checkpoints": {"archive", "files"},
    "experiments": {"settings_files"},
    "f_numbers": set(),
    "files": set(),
    "lazy": set(),
    "machine": {"refusals"},
    "names": set(),
    "ranks": set(),
    "refusals": set(),
    "remote": {"files", "refusals"},
    "registry": set(),
    "repository": set(),
    "run_folder": set(),
    "settings_files": {"files"},
    "stopping": set(),
    "tables": set(),
    "templates": set(),
    "status_file": {"files"},
    "pictures": {"files"},
    "provenance": {"registry", "repository"},
    "fingerprint": {"lazy"},
    "batch": {"lazy"},
    # computing
    "optics": set(),
    "nets": {"optics"},
    "weights": {"checkpoints", "nets"},
    "metrics": {"batch", "lazy", "optics", "registry", "settings_files"},
    "losses": {"metrics"},
    "perceptual": {"checkpoints"},
    "data": {"batch", "cluster", "f_numbers", "files", "names", "optics", "pictures", "registry", "remote", "stopping"},
    "depth": {"cluster", "data", "files", "optics", "remote"},
    "preparation": {"cluster", "data", "files", "optics", "pictures", "tables"},
    "external": {"data", "experiments", "files"},
    "models": {"batch", "checkpoints", "depth", "external", "losses", "machine", "metrics", "names", "nets", "optics",
               "perceptual", "provenance", "registry", "weights"},
    "trainer": {"batch", "checkpoints", "data", "models", "refusals", "run_folder"},
    # results
    "board": {"f_numbers", "files", "fingerprint", "metrics", "names", "provenance", "repository", "settings_files",
              "tables", "templates"},
    "figures": {"board", "files", "metrics", "pictures", "provenance"},
    "measure": {"batch", "board", "cluster", "data", "f_numbers", "figures", "files", "fingerprint", "machine",
                "metrics", "models", "names", "provenance", "repository", "run_folder", "tables"},
    "callbacks": {"batch", "data", "f_numbers", "figures", "files", "measure", "metrics", "models", "pictures",
                  "remote", "run_folder", "status_file", "stopping", "tables"},
    "cluster": set(),
    "suite": {"board", "checkpoints", "cluster", "data", "experiments", "figures", "files", "metrics", "models",
              "ranks", "settings_files", "status_file", "tables"},
    "sweep": {"checkpoints", "experiments", "files", "models", "refusals", "settings_files", "stopping", "suite",
              "tables"},
    "report": {"board", "data", "figures", "files", "metrics", "templates"},
    "study": {"board", "data", "figures", "files", "settings_files", "tables", "templates"},
    "submit": {"batch", "board", "cluster", "data", "figures", "files", "measure", "metrics"},
    "app": {"data", "files", "models", "optics", "photo_depth", "pictures", "stopping"},
    "exporting": {"models"},
    # the top
    "photo_depth": {"data", "depth", "models", "optics", "provenance", "registry"},
    "sharing": {"board", "checkpoints", "files", "models", "registry"},
    "opened_photo": {"data", "models", "optics", "photo_depth"},
    "method": {"data", "machine", "models", "names", "opened_photo", "optics", "photo_depth", "sharing"},
    "api": {"board", "checkpoints", "commands", "data", "measure", "method", "metrics", "models"},
    "verbs": {"registry"},
    "cli": {"files", "ranks", "refusals", "status_file", "stopping", "verbs"},
    "__main__": {"cli"},
    "commands": {"app", "board", "callbacks", "checkpoints", "cluster", "data", "depth", "experiments", "exporting",
                 "figures", "files", "machine", "measure", "method", "metrics", "models", "names", "optics",
                 "photo_depth", "preparation", "provenance", "ranks", "refusals", "registry", "remote", "report",
                 "sharing", "stopping", "study", "submit", "suite", "sweep", "tables", "templates", "trainer", "verbs"},
    # the recorder's former address, which people type
    "benchmark": {"measure"},
}  # fmt: skip
#: Modules that start at once: neither they nor what they import, however deep, may load torch.
WITHOUT_TORCH = (
    "bokehbench",
    "bokehbench.api",
    "bokehbench.cli",
    "bokehbench.commands.leaderboard",
    "bokehbench.commands.report",
    "bokehbench.commands.score",
    "bokehbench.commands.study",
    "bokehbench.commands.submit",
    "bokehbench.data",
    "bokehbench.models",
    "bokehbench.provenance",
    *(f"bokehbench.board.{path.stem}" for path in sorted((PACKAGE / "board").glob("[a-z]*.py"))),
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
    assert not here or here in ALLOWED, f"{here} has no row in ALLOWED"
    assert met <= ALLOWED.get(here, set()), f"{module} may not import {met - ALLOWED[here]}"


def test_every_row_is_of_something_and_allows_no_more_than_is_used() -> None:
    rooms = {room(module) for module in MODULES} - {""}
    assert rooms == set(ALLOWED)
    used = {here: set() for here in rooms}
    for module in MODULES:
        used.setdefault(room(module), set()).update({room(name) for name in ours(imports(module))})
    for here, allowed in ALLOWED.items():
        assert allowed <= used[here], f"{here} does not import {allowed - used[here]}"


def test_no_two_rooms_and_no_two_files_import_each_other() -> None:
    TopologicalSorter(ALLOWED).prepare()
    files = {module: ours(imports(module)) & MODULES.keys() - {module} for module in MODULES}
    TopologicalSorter(files).prepare()


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
    assert "torch" in imports("bokehbench.lazy")
    assert "bokehbench.weights.deeplens" in imports("bokehbench.models.deeplens", when_loaded=True)
    assert "torch" in imports("bokehbench.checkpoints")
    assert "torch" not in imports("bokehbench.checkpoints", when_loaded=True)
