"""Whether a file that torch saved is what it says: looked at before anything of it is unpacked."""

import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

from bokehbench.errors import BokehbenchError

#: How what people download in place of a file begins -> what it is.
_OTHERS = {
    b"version https://git-lfs": "the pointer of Git LFS, not the file: run `git lfs pull`",
    b"<": "a web page, not the file: download it again, from the address of the file itself",
    b"{": "text: download it again",
    b"\x89png": "a picture: check the path",
    b"\xff\xd8\xff": "a picture: check the path",
}


def refuse_broken(path: Path) -> None:
    """Check a file's kind and, of torch's archives, its checksums and that it holds the numbers that it declares.

    Raises:
        BokehbenchError: empty, a pointer or a web page; damaged bytes; packed, or larger inside than the file is.
        Exception: not readable at all.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(64).lstrip()
    if not start:
        raise BokehbenchError(f"{path} is empty: fetch or write it again.")
    for beginning, what in _OTHERS.items():
        if start.lower().startswith(beginning):
            raise BokehbenchError(f"{path} is no checkpoint but {what}.")
    if not start.startswith(b"PK"):
        return
    with zipfile.ZipFile(path) as archive:
        records = {each.filename: each for each in archive.infolist()}
        packed = any(each.compress_type != zipfile.ZIP_STORED for each in records.values())
        if packed or sum(each.file_size for each in archive.infolist()) > size:
            raise BokehbenchError(f"{path} unpacks to more than it is, as no checkpoint does: fetch it again.")
        if (damaged := archive.testzip()) is not None:
            raise BokehbenchError(f"{path} is damaged: bytes of {damaged} have changed. Fetch or write it again.")
        for name in records:
            if name.count("/") == 1 and name.endswith("/data.pkl"):
                with archive.open(name) as content:
                    _Storages(content, {key: each.file_size for key, each in records.items()}, name[:-8]).load()


class _Inert(dict[Any, Any]):
    """What is made in place of everything that a pickle asks for: takes all, does nothing."""

    __hash__ = object.__hash__  # type: ignore[assignment]

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__()

    def __setstate__(self, state: Any) -> None:
        pass

    append = extend = add = __setstate__

    def __call__(self, *given: Any, **more: Any) -> "_Inert":
        """What it would return is as inert."""
        return _Inert()


class _Storages(pickle._Unpickler):  # the one in Python, whose memory grows with the file only
    """Walks a pickle without making what it names, and looks at the size of every storage."""

    def __init__(self, file: Any, sizes: dict[str, int], folder: str) -> None:
        super().__init__(file)
        self.sizes, self.folder = sizes, folder

    def find_class(self, module: str, name: str) -> Any:
        """The name of a storage, which cannot be called to make one; else :class:`_Inert`."""
        return name if name.endswith("Storage") else _Inert

    def persistent_load(self, pid: Any) -> _Inert:
        """Raises ValueError where a storage is larger than its record."""
        import torch

        _, kind, key, _, count = pid
        with warnings.catch_warnings(action="ignore"):  # kinds of storages are deprecated, and every file names them
            item = 1 if kind == "UntypedStorage" else getattr(torch, kind).dtype.itemsize
        if not 0 <= count * item <= self.sizes[f"{self.folder}data/{key}"]:
            raise ValueError("a storage is larger than its record")
        return _Inert()
