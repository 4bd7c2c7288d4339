"""The manifest of a data set: which files it has, so that two copies can be compared. Starts without torch."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bokehbench.counted import counted, some
from bokehbench.data.folders import LISTS, natural
from bokehbench.errors import BokehbenchError
from bokehbench.files import read_text

#: Beside the data set: in its root.
NAME = "bokehbench.lock"
#: Suffixes of files that say what pictures are, besides the pictures.
TABLES = (*LISTS, ".json")


@dataclass(frozen=True)
class Locked:
    """A file, known by its path below the root: its size in bytes, the SHA-256 of its content (hex), and its splits."""

    bytes: int
    sha256: str
    splits: tuple[str, ...]


def of_files(root: Path, read: Mapping[Path, Iterable[str]]) -> dict[str, Locked]:
    """The manifest of files with the splits that ``read`` them, and of all lists, tables and JSON files below ``root``.

    Every byte is read; files outside of ``root`` are left out. BokehbenchError for a file that cannot be read.
    """
    tables = (path for path in root.rglob("*") if path.suffix.lower() in TABLES and path.is_file())
    shown = (path for path in tables if not any(part.startswith(".") for part in path.relative_to(root).parts))
    splits: dict[Path, Iterable[str]] = {**dict.fromkeys(shown, ()), **read}
    paths = {path.relative_to(root).as_posix(): path for path in splits if path.is_relative_to(root)}
    names = sorted(paths, key=natural)
    with ThreadPoolExecutor(2) as threads:
        hashes = threads.map(hash_of, (paths[name] for name in names))
        bar = tqdm(hashes, "hashing", len(names), unit="file", delay=2, leave=False)
        digests = dict(zip(names, bar, strict=True))
    return {name: Locked((path := paths[name]).stat().st_size, digests[name], tuple(splits[path])) for name in names}


def hash_of(path: Path) -> str:
    """SHA-256 (hex) of a file; of a lock: by it two labs know that they hold the same files."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BokehbenchError(f"{path} cannot be read ({error.strerror or error}): check the file.") from error


def to_text(data: str, manifest: Mapping[str, Locked]) -> str:
    """The file's content: JSON, one line per file in natural order, so that line-wise tools show what differs."""
    lines = [f"  {json.dumps(name)}: {json.dumps(vars(file))}" for name, file in manifest.items()]
    return f'{{\n "data": {json.dumps(data)},\n "files": {{\n' + ",\n".join(lines) + "\n }\n}\n"


def read(path: Path) -> tuple[str, dict[str, Locked]]:
    """The class of the data set, and the manifest.

    Raises:
        BokehbenchError: the file is not there, or no lock.
    """
    if not path.is_file():
        raise BokehbenchError(f"--lock {path} is not a file: `bokehbench data lock` writes one.")
    try:
        content: dict[str, Any] = json.loads(read_text(path))
        files = {
            str(name): Locked(int(each["bytes"]), str(each["sha256"]), tuple(map(str, each["splits"])))
            for name, each in content["files"].items()
        }
        return str(content["data"]), files
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BokehbenchError(
            f"{path} is no lock of a data set: write it again with `bokehbench data lock`."
        ) from error


def differences(locked: Mapping[str, Locked], found: Mapping[str, Locked]) -> list[str]:
    """One sentence per kind of difference: missing, changed, of other splits, and not locked; none where all agree."""
    both = {name: (found[name], file) for name, file in locked.items() if name in found}
    splits = {name: ["+".join(file.splits) or "no split" for file in files] for name, files in both.items()}
    kinds = {
        "missing": [name for name in locked if name not in found],
        "changed": [n for n, (now, then) in both.items() if (now.bytes, now.sha256) != (then.bytes, then.sha256)],
        "in another split": [f"{n} ({now}, not {then})" for n, (now, then) in splits.items() if now != then],
        "not in the lock": [name for name in found if name not in locked],
    }
    return [f"{counted(len(names), 'file')} {kind}: {some(names)}." for kind, names in kinds.items() if names]


def beside(root: Path | None, tested: Iterable[Path]) -> tuple[str, list[str]]:
    """SHA-256 of the lock in ``root`` where names and sizes fit it, else empty; and notes. No picture is read: their
    content is taken as it was.

    Args:
        root: of the data set; None = it has no files.
        tested: files of the pictures that are tested; they must be locked as such. Others must be there.
    """
    if root is None or not (path := root / NAME).is_file():
        return "", []
    try:
        locked = read(path)[1]
        found = {
            name: replace(file, bytes=(root / name).stat().st_size)
            for name, file in locked.items()
            if (root / name).is_file()
        }
        for file in tested:
            name = file.relative_to(root).as_posix() if file.is_relative_to(root) else ""
            known = found.get(name, Locked(0, "", ()))
            if name and "test" not in known.splits:
                found[name] = replace(known, splits=("test",))
    except BokehbenchError as error:
        return "", [f"{error} The lock does not count."]
    if differ := differences(locked, found):
        return "", [f"the data set is not as {path} has it, so results do not name it: {' '.join(differ)}"]
    return hash_of(path), []
