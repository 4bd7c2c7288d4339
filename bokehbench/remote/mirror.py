"""A folder at a URL as one on this machine: mirrored in the user's cache before it is read.

All of it is fetched at first, many files at once, and then only what changed: what reads it sees files alone, checks
them before a run starts, and loses no time to the network later.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bokehbench.errors import BokehbenchError
from bokehbench.files import REMEDY, cache_folder, locked, read_text
from bokehbench.remote.places import Url, place
from bokehbench.remote.stores import entries, gone, open_store, open_zip, persistent, reason, version

THREADS = 8
#: Bytes of the disk that are left to others.
RESERVE = 2**26
#: A zip on its way to be unpacked.
ARCHIVE = "archive.zip"


def local_folder(typed: str | Path | Url) -> Path:
    """``typed``, a path, as it is; of a URL the mirrored folder, as the store has it now.

    Where the store cannot be reached, a mirror that is whole is used, and a note is printed. Other processes of this
    machine wait meanwhile. A killed fetch goes on with the file it was at.

    Raises:
        BokehbenchError: the store has no such folder or cannot be reached, its package is not installed, the disk is
            full, or there are files that no data set has.
    """
    where = typed if isinstance(typed, Url) else place(typed)
    if isinstance(where, Path):
        return where
    mirror = _Mirror(where)
    with locked(mirror.home):
        try:
            mirror.synchronise()
        except BokehbenchError:
            raise
        except Exception as error:  # each store has its own
            if gone(error) or not mirror.whole():
                remedy = "check the URL and your rights" if gone(error) else "try again; what was fetched stays"
                remedy = REMEDY if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) else remedy
                raise BokehbenchError(f"{where} cannot be fetched ({reason(error)}): {remedy}.") from error
            print(f"note: {where} cannot be reached ({reason(error)}): its files of before are used.")
    return mirror.tree


class _Mirror:
    """The files of a URL in ``tree``; an index of them, JSON lines of a name and of its version, is beside it.

    The name ``""`` stands for all of them, once they are there.
    """

    def __init__(self, url: Url) -> None:
        self.url = url
        self.home = cache_folder() / "remote" / url.key
        self.tree = (self.home / "tree").joinpath(*url.parts)
        self.index = self.home / "index.jsonl"
        self.known: dict[str, dict[str, str] | None] = {}

    def synchronise(self) -> None:
        """Make ``tree`` as the store has it; errors are the store's own."""
        for line in read_text(self.index).splitlines() if self.index.is_file() else ():
            with suppress(ValueError, TypeError):  # the last one of a process that was killed
                name, known = json.loads(line)
                self.known[name] = known
        if self.url.inside is None:
            fs, path = open_store(self.url)
            return self._fill(fs, entries(fs, path, self.url), {})
        if isinstance(archive := self.url.store, Path):
            info: Mapping[str, Any] = {"size": archive.stat().st_size, "mtime": archive.stat().st_mtime_ns}
        else:
            fs, path = open_store(self.url)
            info = fs.info(path)
        if self.known.get("") == version(info) and self.whole():
            return None
        if not isinstance(archive, Path):
            archive = self.home / ARCHIVE
            list(self._fetched(fs, {ARCHIVE: info}, self.home))
        zipped = open_zip(archive, self.url)
        self._fill(zipped, entries(zipped, self.url.inside, self.url), version(info))
        zipped.close()
        (self.home / ARCHIVE).unlink(missing_ok=True)

    def whole(self) -> bool:
        """Whether all that the store had is here."""
        there = (name for name, known in self.known.items() if name and known is not None)
        return self.known.get("") is not None and all(map(self._holds, there))

    def _fill(self, fs: Any, listing: Mapping[str, dict[str, Any]], stamp: dict[str, str]) -> None:
        """Fetch what is not here as the store has it, and remove what it had and has no longer."""
        with ThreadPoolExecutor(THREADS) as pool:  # a web server's page tells names alone
            infos = pool.map(lambda each: each if each["size"] is not None else fs.info(each["name"]), listing.values())
            files = dict(zip(listing, infos, strict=True))
        lost = [name for name, known in self.known.items() if name and known is not None and name not in files]
        stale = {n: each for n, each in files.items() if self.known.get(n) != version(each) or not self._holds(n)}
        if stale or lost or self.known.get("") != stamp:
            self._note("", None)
        for name in lost:
            (self.tree / name).unlink(missing_ok=True)
            self._note(name, None)
        for name in self._fetched(fs, stale, self.tree):
            self._note(name, version(stale[name]))
        if self.known[""] is None:
            self._note("", stamp)

    def _fetched(self, fs: Any, files: Mapping[str, Mapping[str, Any]], folder: Path) -> Iterator[str]:
        """Fetch files into ``folder``, and yield the name of each that is there; BokehbenchError for a full disk."""
        from fsspec.callbacks import Callback  # here, since few runs need it

        total, free = sum(each["size"] or 0 for each in files.values()), shutil.disk_usage(self.home).free
        if files and total + RESERVE > free:
            raise BokehbenchError(
                f"{self.url} needs {total / 1e9:.2f} GB in {self.home}, where {free / 1e9:.2f} GB are free: free "
                "space, or choose another place with BOKEHBENCH_CACHE."
            )
        bar = tqdm(desc=f"fetching {self.url}", total=total, unit="B", unit_scale=True, delay=1, leave=False)

        class Told(Callback):
            def relative_update(self, inc: int = 1) -> None:
                bar.update(inc)

        def fetch(name: str) -> None:
            part = self.home / hashlib.sha256(name.encode()).hexdigest()
            persistent(lambda: fs.get_file(files[name]["name"], str(part), callback=Told()))
            if files[name]["size"] not in (None, part.stat().st_size):
                raise BokehbenchError(f"{self.url}: {name} changed while it was fetched: start again.")
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(part, folder / name)

        pool = ThreadPoolExecutor(THREADS)
        try:
            running = {pool.submit(fetch, name): name for name in files}
            for done in as_completed(running):
                done.result()
                yield running[done]
        finally:
            pool.shutdown(cancel_futures=True)
            bar.close()

    def _holds(self, name: str) -> bool:
        """Whether a file is here, as long as it was when it was fetched."""
        file, known = self.tree / name, self.known[name] or {}
        return file.is_file() and known.get("size") in (None, str(file.stat().st_size))

    def _note(self, name: str, known: dict[str, str] | None) -> None:
        """Add to the index that a file is here, or is not (None)."""
        self.known[name] = known
        with self.index.open("a") as file:  # a new line before, since a killed process may have left half of one
            file.write("\n" + json.dumps([name, known]))
