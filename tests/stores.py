"""Stores for tests: a web server on loopback, and ``s3://`` in memory."""

from __future__ import annotations

import functools
import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from fsspec import register_implementation
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry


class Site(ThreadingHTTPServer):
    """Serves a folder; ``asked`` are the paths of which the content was asked for; ``pause`` is before each."""

    def __init__(self, folder: Path, pause: float = 0.0) -> None:
        self.asked: list[str] = []
        self.pause = pause
        super().__init__(("127.0.0.1", 0), functools.partial(_Answers, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: Any) -> None:
        """A client that was killed is no news."""


class _Answers(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if not self.path.endswith("/"):
            self.server.asked.append(self.path)
            time.sleep(self.server.pause)
        super().do_GET()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(folder: Path, pause: float = 0.0) -> Iterator[Site]:
    site = Site(folder, pause)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    try:
        yield site
    finally:
        site.shutdown()
        site.server_close()


class MemoryS3(MemoryFileSystem):
    """As s3fs, in memory; ``refusals`` times it breaks off while a file is put."""

    protocol = "s3"
    store: ClassVar[dict] = {}
    pseudo_dirs: ClassVar[list] = [""]
    refusals: ClassVar[int] = 0

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return MemoryFileSystem._strip_protocol(str(path).removeprefix("s3://"))

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list:
        found = super().ls(path, detail=True, **kwargs)
        for each in found:
            if each["type"] == "file":
                each["ETag"] = hashlib.md5(self.store[each["name"]].getvalue()).hexdigest()
        return found if detail else [each["name"] for each in found]

    def put_file(self, lpath: str, rpath: str, **kwargs: Any) -> None:
        if type(self).refusals > 0:
            type(self).refusals -= 1
            raise ConnectionError("the connection was lost")
        super().put_file(lpath, rpath, **kwargs)


@contextmanager
def pretended_s3() -> Iterator[MemoryS3]:
    """An empty ``s3://`` in memory, without s3fs."""
    MemoryS3.store.clear()
    MemoryS3.refusals = 0
    register_implementation("s3", MemoryS3, clobber=True)
    try:
        yield MemoryS3()
    finally:
        _registry.pop("s3")
