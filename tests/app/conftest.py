"""A photo and a map of it, as people drop them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_uploads import SIZE
from makers import picture, save


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return save(tmp_path / "photo.png", picture(3, SIZE))


@pytest.fixture
def disparity(tmp_path: Path) -> Path:
    """Far above, near below: rows 0 .. 255 of a smaller map."""
    return save(tmp_path / "map.png", np.tile(np.linspace(0, 255, 75).round().astype(np.uint8)[:, None], (1, 100)))
