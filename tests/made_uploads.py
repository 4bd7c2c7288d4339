"""Photos and files for tests of the app: ``from made_uploads import SIZE, bomb``."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from makers import save

SIZE = (300, 400)


def bomb(path: Path) -> Path:
    """A small PNG whose header claims 60000 x 60000 pixels."""
    save(path, np.zeros((40, 40), np.uint8))
    content = bytearray(path.read_bytes())
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    path.write_bytes(content)
    return path
