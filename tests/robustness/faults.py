"""Bad files: each maker writes one below a folder and gives its path."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile
import torch
from makers import picture, ramp
from PIL import Image

Maker = Callable[[Path], Path]
SIZE = (64, 80)
HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>403</body></html>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 123456789\n"


def of_bytes(name: str, content: bytes) -> Maker:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def encoded(kind: str, size: tuple[int, int] = SIZE, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture(1, size)).save(file, kind, **options)
    return file.getvalue()


def claiming(content: bytes, width: int, height: int) -> bytes:
    """A PNG or a JPEG whose header says another size."""
    if content.startswith(b"\x89PNG"):
        head = content[12:16] + struct.pack(">II", width, height) + content[24:29]
        return content[:12] + head + struct.pack(">I", zlib.crc32(head)) + content[33:]
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", height, width) + content[at + 4 :]


def folder_called(name: str) -> Maker:
    def make(folder: Path) -> Path:
        (folder / name).mkdir()
        return folder / name

    return make


def missing(name: str) -> Maker:
    return lambda folder: folder / name


def link_to_nothing(name: str) -> Maker:
    def make(folder: Path) -> Path:
        (folder / name).symlink_to(folder / "gone")
        return folder / name

    return make


def _scan(number: int) -> int:
    """Where a scan of :data:`SCANS` begins."""
    place = 0
    for _ in range(number):
        place = SCANS.index(b"\xff\xda", place + 2)
    return place


def _signed(path: Path) -> Path:
    tifffile.imwrite(path, np.full(SIZE, -5, np.int8))
    return path


JPEG, PNG, END = encoded("JPEG"), encoded("PNG"), b"\xff\xd9"
SCANS = encoded("JPEG", progressive=True)
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n%%EOF\n"
#: What cannot be a photo, though it is named as one; every reader gets each of them.
PHOTOS: dict[str, Maker] = {
    "empty": of_bytes("a.jpg", b""),
    "text": of_bytes("a.png", b"no picture\n"),
    "a page of HTML": of_bytes("a.jpg", HTML),
    "zeros": of_bytes("a.png", bytes(4096)),
    "noise": of_bytes("a.jpg", np.random.default_rng(0).bytes(4096)),
    "a JPEG cut in half": of_bytes("a.jpg", JPEG[: len(JPEG) // 2]),
    "a JPEG's first bytes": of_bytes("a.jpg", JPEG[:20]),
    "a PNG cut in half": of_bytes("a.png", PNG[: len(PNG) // 2]),
    "a PNG without pixels": of_bytes("a.png", PNG[:33]),
    "a PNG of 0 x 0": of_bytes("a.png", claiming(PNG, 0, 0)),
    "a PNG that claims 60000 x 60000": of_bytes("a.png", claiming(PNG, 60_000, 60_000)),
    "a JPEG that claims 2000 x 2000": of_bytes("a.jpg", claiming(JPEG, 2000, 2000)),
    "a JPEG that claims 13000 x 13000": of_bytes("a.jpg", claiming(JPEG, 13_000, 13_000)),
    "an EPS named .jpg": of_bytes("a.jpg", EPS),
    "a progressive JPEG cut in half, with an end": of_bytes("a.jpg", SCANS[: len(SCANS) // 2] + END),
    "a progressive JPEG of its first scans, with an end": of_bytes("a.jpg", SCANS[: _scan(5)] + END),
    "a TIFF of negative numbers": lambda folder: _signed(folder / "a.tif"),
    "a PDF named .png": of_bytes("a.png", b"%PDF-1.4\n%%EOF\n"),
    "a folder named .jpg": folder_called("a.jpg"),
    "a link to nothing": link_to_nothing("a.png"),
}
#: Those that differ most, for verbs that take long.
FEW_PHOTOS = {name: PHOTOS[name] for name in ("empty", "text", "a JPEG cut in half", "an EPS named .jpg")}


def _array(name: str, values: object) -> Maker:
    def make(folder: Path) -> Path:
        with (folder / name).open("wb") as file:  # np.save would add a suffix
            np.save(file, np.asarray(values), allow_pickle=True)
        return folder / name

    return make


def _map(value: float | None = None) -> np.ndarray:
    values = ramp(SIZE).astype(np.float32) / 255
    if value is not None:
        values[3:9, 3:9] = value
    return values


def _cmyk(path: Path) -> Path:
    Image.fromarray(np.stack([ramp(SIZE)] * 4, -1), "CMYK").save(path)
    return path


def _claiming_array() -> bytes:
    head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }"
    head = head.ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head


MAPS: dict[str, Maker] = {
    "NaN": _array("a.npy", _map(np.nan)),
    "infinite": _array("a.npy", _map(np.inf)),
    "negative": _array("a.npy", _map(-0.5)),
    "three dimensions": _array("a.npy", np.zeros((3, 4, 5, 6), np.float32)),
    "one dimension": _array("a.npy", np.zeros(12, np.float32)),
    "a number": _array("a.npy", np.float32(0.5)),
    "no pixels": _array("a.npy", np.zeros((0, 0), np.float32)),
    "complex": _array("a.npy", np.zeros(SIZE, np.complex64)),
    "words": _array("a.npy", np.full((4, 4), "near")),
    "objects": _array("a.npy", np.full((4, 4), None, object)),
    "another shape": _array("a.npy", np.tile(np.linspace(0, 1, 500, dtype=np.float32), (20, 1))),
    "empty": of_bytes("a.npy", b""),
    "text": of_bytes("a.npy", b"0.1 0.2\n"),
    "cut short": of_bytes("a.npy", b"\x93NUMPY\x01\x00v\x00{'descr'"),
    "claims terabytes": of_bytes("a.npy", _claiming_array()),
    "of no suffix of maps": of_bytes("a.txt", b"0.1 0.2\n"),
    "colour": of_bytes("a.png", PNG),
    "a PFM cut short": of_bytes("a.pfm", b"Pf\n80 64\n-1.0\n" + bytes(40)),
    "a PNG cut in half": of_bytes("a.png", PNG[: len(PNG) // 2]),
    "a link to nothing": link_to_nothing("a.npy"),
    "a PFM with other line ends": of_bytes("a.pfm", b"Pf\r\n80 64\r\n-1.0\r\n" + _map().tobytes()),
    "CMYK": lambda folder: _cmyk(folder / "a.tif"),
    "negative numbers of 8 bits": lambda folder: _signed(folder / "a.tif"),
}
FEW_MAPS = {name: MAPS[name] for name in ("NaN", "infinite", "another shape", "text")}


class Runs:
    """Unpickled, it would make a folder ``ran`` where the test works."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("ran",)


def _saved(name: str, content: object) -> Maker:
    def make(folder: Path) -> Path:
        torch.save(content, folder / name)
        return folder / name

    return make


def _zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "a.ckpt", "w") as file:
        file.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
    return folder / "a.ckpt"


WHOLE = io.BytesIO()
torch.save({"state_dict": {"a": torch.zeros(64)}, "bokehbench": {"model": "DeepLens"}}, WHOLE)
MARK = {"model": "DeepLens", "stages": [], "stage": None}
CHECKPOINTS: dict[str, Maker] = {
    "missing": missing("a.ckpt"),
    "empty": of_bytes("a.ckpt", b""),
    "a page of HTML": of_bytes("a.ckpt", HTML),
    "a pointer of Git LFS": of_bytes("a.ckpt", POINTER),
    "cut in half": of_bytes("a.ckpt", WHOLE.getvalue()[: len(WHOLE.getvalue()) // 2]),
    "a pickle with code": of_bytes("a.ckpt", pickle.dumps(Runs())),
    "code in a checkpoint": _saved("a.ckpt", {"state_dict": {}, "bokehbench": MARK, "x": Runs()}),
    "a zip of nothing": _zip,
    "an empty folder": folder_called("a.ckpt"),
    "a number": _saved("a.ckpt", 3),
    "a list": _saved("a.ckpt", [1, 2]),
    "no weights": _saved("a.ckpt", {"bokehbench": MARK}),
    "weights that are a number": _saved("a.ckpt", {"state_dict": 3, "bokehbench": MARK}),
    "weights of nothing": _saved("a.ckpt", {"state_dict": {}, "hyper_parameters": {}, "bokehbench": MARK}),
    "settings that are a list": _saved("a.ckpt", {"state_dict": {}, "hyper_parameters": [1], "bokehbench": MARK}),
    "a mark that is a number": _saved("a.ckpt", {"state_dict": {}, "hyper_parameters": {}, "bokehbench": 3}),
    "an unknown method": _saved("a.ckpt", {"state_dict": {}, "hyper_parameters": {}, "bokehbench": {"model": "Nope"}}),
    "safetensors of text": of_bytes("a.safetensors", b"no tensors"),
    "safetensors that claim much": of_bytes("a.safetensors", struct.pack("<Q", 2**60) + b"{}"),
}
FEW_CHECKPOINTS = {
    name: CHECKPOINTS[name] for name in ("missing", "a page of HTML", "cut in half", "a pickle with code", "a number")
}

ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
YAML: dict[str, Maker] = {
    "missing": missing("a.yaml"),
    "empty": of_bytes("a.yaml", b""),
    "a number": of_bytes("a.yaml", b"3\n"),
    "a list": of_bytes("a.yaml", b"- 1\n- 2\n"),
    "a word": of_bytes("a.yaml", b"word\n"),
    "not closed": of_bytes("a.yaml", b"a: [1, 2\n"),
    "a tab": of_bytes("a.yaml", b"a:\n\t- 1\n"),
    "bytes": of_bytes("a.yaml", bytes(range(128, 256))),
    "UTF-16": of_bytes("a.yaml", "\ufeffmodel: ü\n".encode("utf-16-le")),
    "code": of_bytes("a.yaml", b"model: !!python/object/apply:os.mkdir [ran]\n"),
    "aliases that unfold": of_bytes("a.yaml", ALIASES.encode()),
    "deep": of_bytes("a.yaml", b"a: " + b"[" * 2000 + b"]" * 2000 + b"\n"),
    "unknown keys": of_bytes("a.yaml", b"modle: deeplens\n"),
    "values of other types": of_bytes("a.yaml", b"model: [1]\ndata: 3\nexperiments: 3\nname: [1]\nparameters: 3\n"),
    "a folder": folder_called("a.yaml"),
}
