"""The documentation site: ``sphinx-build -W -c docs . site`` (``pip install -e ".[docs]"``).

Sphinx reads the Markdown pages where they lie in the repository (its source folder is the root), so that every link
works both there and in the site. Not mkdocs-material, whose end of life its authors announced for May 2027.
"""

from __future__ import annotations

import bokehbench

project = "bokehbench"
version = release = bokehbench.__version__
copyright = "the authors of bokehbench"

extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["README.md", "docs/**", "benchmarks/README.md"]
exclude_patterns = ["docs/*.ipynb"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

html_theme = "furo"
html_title = f"bokehbench {release}"
html_show_sphinx = False
