"""What the tests of reports share."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import page
from made_reports import make_report

__all__ = ["page"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of three pictures by two methods."""
    return make_report(tmp_path_factory.mktemp("made"))
