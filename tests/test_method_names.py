"""No method is known by name outside its own files: the package asks a method what it is and what it obeys."""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from pathlib import Path

import pytest

import bokehbench
from bokehbench.models import MODELS

PACKAGE = Path(bokehbench.__file__).parent
METHODS = [kind.__name__ for kind in MODELS.values()]
#: Readers of a method's published weights, and networks: folders that are named after it belong to it.
OWN_ROOMS = ("models", "nets", "weights")
#: Short names that are also words of photography and mathematics: a sentence may hold them.
WORDS = {"aperture", "combination", "compositional", "external", "gaussian", "identity", "layered", "scatter"}
#: Rooms where such a word, alone in a string, can only be a method; "aperture" is a key of batches everywhere.
ABOVE_METHODS = {"app", "board", "commands", "measure", "report", "study", "suite", "sweep"}
#: What may be said of a method in a file that is not its own, and why.
ALLOWED = {
    ("models/__init__.py", None): "the registry of what is built in",
    ("cli.py", "DeepLens"): "commands to begin with",
    ("commands/benchmark.py", "DeepLens"): "the help's example",
    ("commands/sweep.py", "DeepLens"): "the help's example",
    ("commands/app.py", "Layered"): "what the page opens with where nobody has trained anything",
    ("commands/method.py", "External"): "the verb for such methods",
    ("commands/data/fit_aperture.py", "Layered"): "the optics that a data set renders with, not the method",
    ("photo_depth.py", "Combination"): "what --depth of predict stands for",
    ("data/ebb.py", "PyNET"): "where the data set is from",
    ("data/blb.py", "BokehMe"): "the same",
    ("commands/data/import_phone.py", "DeepLens"): "whose split is the default",
    ("data/iphone_depth.py", "RayTraced"): "the optics that targets are rendered with, not the method",
    ("data/rendering.py", "RayTraced"): "the same",
    ("commands/data/fit_aperture.py", "RayTraced"): "the same",
    ("losses.py", "PyNET"): "losses are named after their papers",
    ("metrics/protocols.py", "PyNET"): "so are protocols",
    ("metrics/protocols.py", "BokehMe"): "the same",
    ("models/baselines/scatter.py", "BokehMe"): "the paper that its renderer is from",
    ("optics/scatter.py", "Scatter"): "the renderer that the method is one of",
    ("models/aperture.py", "DeepLens"): "the paper that it is a baseline of",
    ("nets/aperture_net.py", "DeepLens"): "its depth network, as in that paper",
}


def is_own(path: Path, method: str) -> bool:
    """Whether a file belongs to ``method``: the class' module and those that are named after it."""
    parts = [part.removesuffix(".py").lstrip("_").lower() for part in path.relative_to(PACKAGE).parts]
    if Path(inspect.getfile(MODELS[method])) == path:
        return True
    return parts[0] in OWN_ROOMS and any(part.split("_")[0] == method.lower() for part in parts[1:])


def is_mention(text: str, sentence: bool, method: str, place: str) -> bool:
    """Whether an identifier, or a string (``sentence``), names ``method``."""
    short = method.lower()
    if short in WORDS and sentence:
        alone = text == short != "aperture" and place.split("/")[0] in ABOVE_METHODS
        return text == method or alone
    names = (method,) if short in WORDS else (method, short)
    return any(re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", text) for name in names)


def docstrings(tree: ast.AST) -> set[int]:
    """The ids of the strings that stand alone as statements."""
    return {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


@cache
def said(source: str) -> list[tuple[int, str, bool]]:
    """Identifiers, imported names and strings of a file: line, text, whether it is a string; no docstrings."""
    tree = ast.parse(source)
    left_out = docstrings(tree)
    found: list[tuple[int, str, bool]] = []
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="nn")):  # torch's layers, nn.Identity among them
                pass
            case ast.Name(id=text) | ast.Attribute(attr=text) | ast.FunctionDef(name=text) | ast.ClassDef(name=text):
                found.append((node.lineno, text, False))
            case ast.Constant(value=str(text)) if id(node) not in left_out:
                found.append((node.lineno, text, True))
            case ast.ImportFrom(module=text):
                found += [(node.lineno, f"{text}.{alias.name}", False) for alias in node.names]
            case ast.Import():
                found += [(node.lineno, alias.name, False) for alias in node.names]
    return found


def mentions(source: str, method: str, place: str) -> list[str]:
    found = said(source)
    return [
        f"line {line}: {text[:80]!r}" for line, text, sentence in found if is_mention(text, sentence, method, place)
    ]


@pytest.mark.parametrize("method", METHODS)
def test_no_method_is_named_outside_its_own_files(method) -> None:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        if is_own(path, method) or {(place, None), (place, method)} & ALLOWED.keys():
            continue
        if lines := mentions(path.read_text(), method, place):
            found[place] = lines
    assert not found


def test_every_permission_is_used() -> None:
    for place, method in ALLOWED:
        source = (PACKAGE / place).read_text()
        assert any(mentions(source, each, place) for each in ([method] if method else METHODS)), place


@pytest.mark.parametrize(
    "code",
    [
        "if isinstance(model, DeepLens): pass",
        "from bokehbench.models.deeplens import Prepared",
        "NAMES = ('deeplens', 'x')",
        "MODELS['deeplens']",
        "print('train DeepLens first')",
    ],
)
def test_the_search_finds_what_it_is_for(code) -> None:
    assert mentions(code, "DeepLens", "suite/suite.py")
    assert not mentions(f'"""Of the code {code}."""\n# {code}\n', "DeepLens", "suite/suite.py")


def test_a_word_of_the_language_is_a_method_only_where_it_stands_alone() -> None:
    assert mentions("LEFT_OUT = {'combination'}", "Combination", "suite/suite.py")
    assert mentions("isinstance(model, Combination)", "Combination", "app/refocuser.py")
    assert not mentions("'a combination of both'", "Combination", "suite/suite.py")
    assert not mentions("window = 'gaussian'", "Gaussian", "metrics/ssim.py")
