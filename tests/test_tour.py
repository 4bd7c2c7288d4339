"""The notebook of the docs runs from top to bottom, and the site builds without warnings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_the_tour_runs_from_top_to_bottom(tmp_path, monkeypatch) -> None:
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(DOCS / "tour.ipynb", as_version=4)
    monkeypatch.setenv("TOUR_STEPS", "2")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = "\n".join(
        output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    assert "bokehbench: " not in said, "a command ended with an error"
    assert "identity" in said
    assert (tmp_path / "tour-runs" / "bokeh.png").is_file()


def test_the_notebook_is_committed_without_outputs() -> None:
    notebook = nbformat.read(DOCS / "tour.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)


def test_the_site_builds_without_warnings(tmp_path) -> None:
    pytest.importorskip("sphinx")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", str(DOCS), "."]
    done = subprocess.run(
        [*command, "-d", str(tmp_path / "cache"), str(tmp_path / "site")],
        cwd=DOCS.parent,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "docs" / "index.html").is_file()
