"""The documentation site: ``python -m sphinx -W -b html -c docs . site`` (``pip install -e ".[docs]"``).

Sphinx reads the Markdown pages where they lie in the repository (its source folder is the root), so that every link
works both there and in the site. Not mkdocs-material, whose end of life its authors announced for May 2027.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import bokehbench
from bokehbench.data import DATA
from bokehbench.metrics.columns import columns
from bokehbench.models import MODELS
from bokehbench.registry import Classes, class_path

project = "bokehbench"
version = release = bokehbench.__version__
copyright = "the authors of bokehbench"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**", "benchmarks/README.md"]
exclude_patterns = ["docs/*.ipynb"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # the attributes of a dataclass are then not described twice

html_theme = "furo"
html_title = f"bokehbench {release}"
html_show_sphinx = False


class Registered(SphinxDirective):
    """``.. registered:: methods``: what bokehbench itself registers, so that no page lists names."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The entries of one registry, as reStructuredText of autodoc."""
        return self.parse_text_to_nodes("\n".join(LISTS[self.arguments[0]]()))


def classes(registry: Classes[Any]) -> list[str]:
    """Classes by their docstrings, which describe the options ``--model.X`` or ``--data.X``; the paper of a method."""
    lines = []
    for offer in registry.ours.values():
        kind = offer.load()
        lines += [f".. autoclass:: {class_path(kind)}", "   :no-members:", ""]
        lines += [f"   Paper: {kind.paper}.", ""] if hasattr(kind, "paper") else []
    return lines


def scores() -> list[str]:
    """The columns: name, heading, explanation."""
    found = columns().values()
    return [f"- ``{each.name}``: {each.label}{each.about and '; '}{each.about}" for each in found]


#: What may be listed -> what makes the lines.
LISTS = {"methods": lambda: classes(MODELS), "data": lambda: classes(DATA), "columns": scores}


def unambiguous(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """A docstring before napoleon reads it.

    In the first line of an attribute's text it would take what stands before a colon for a type, and in a section
    ``Attributes`` two names before one text for one name.
    """
    if what in ("attribute", "data", "property"):
        lines[:0] = ["..", ""]  # an empty comment
    elif "Attributes:" in lines:
        before, after = lines[: lines.index("Attributes:")], lines[lines.index("Attributes:") :]
        lines[:] = [*before, *(each for line in after for each in apart(line))]


def apart(line: str) -> list[str]:
    """``a, b: text`` as ``a: text`` and ``b: text``."""
    field = re.fullmatch(r"( +)(\w+(?:, \w+)+): (.*)", line)
    return [f"{field[1]}{key}: {field[3]}" for key in field[2].split(", ")] if field else [line]


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_directive("registered", Registered)
    app.connect("autodoc-process-docstring", unambiguous, priority=400)  # napoleon has 500
