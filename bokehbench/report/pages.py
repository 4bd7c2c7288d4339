"""Templates to pages; everything that comes from files or users is escaped."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

ASSETS = Path(__file__).parent / "assets"


def environment() -> Environment:
    """Jinja with escaping on; an unknown name in a template is an error."""
    return Environment(
        loader=PackageLoader("bokehbench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_page(path: Path, template: str, content: Mapping[str, Any]) -> None:
    """Render ``template`` to ``path``."""
    text = environment().get_template(template).render(content)
    path.write_bytes(text.encode("utf-8", "replace"))  # names of files may hold what UTF-8 cannot


def copy_assets(folder: Path) -> None:
    """Styles and scripts."""
    folder.mkdir(parents=True)
    for file in sorted(ASSETS.iterdir()):
        if file.suffix in (".css", ".js"):
            shutil.copyfile(file, folder / file.name)
