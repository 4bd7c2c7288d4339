"""What is in a store or a zip, by fsspec."""

import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zipfile import BadZipFile

from bokehbench.errors import BokehbenchError
from bokehbench.refusals import first_line
from bokehbench.remote.places import PACKAGES, Url

#: What stores call that which changes when a file does.
VERSION = (
    "size", "ETag", "etag", "md5", "md5Hash", "Content-MD5", "Digest", "CRC", "blob_id", "Last-Modified",
    "LastModified", "last_modified", "mtime", "modify", "updated",
)  # fmt: skip
#: Times that something is asked for, and seconds before the next.
TRIES, PAUSE = 3, 1.0
#: Folders within folders, and files: more than any data set has.
DEEPEST, MOST_FILES = 16, 5_000_000
#: A zip may unpack to so many bytes, or to so many times its own.
MOST_UNPACKED, MOST_TIMES = 2**30, 100


def open_store(url: Url) -> tuple[Any, str]:
    """fsspec's file system of ``url.store``, and the path in it; BokehbenchError where its package is not there."""
    from fsspec.core import url_to_fs  # here, since few runs need it

    options = {}
    try:
        if url.protocol.startswith("http"):
            from aiohttp import ClientTimeout

            patience = ClientTimeout(total=None, sock_connect=30, sock_read=60)
            options = {"client_kwargs": {"timeout": patience, "trust_env": True}}  # proxies, and ~/.netrc
        fs, path = url_to_fs(str(url.store), **options)
    except ImportError as error:
        raise BokehbenchError(f"{url} needs another package: pip install {PACKAGES[url.protocol]}") from error
    fs.invalidate_cache()
    return fs, path


def open_zip(archive: Path, url: Url) -> Any:
    """fsspec's file system of a zip; BokehbenchError where it is none, or has what no data set has."""
    from fsspec.implementations.zip import ZipFileSystem

    try:
        fs = ZipFileSystem(str(archive))
    except (BadZipFile, NotImplementedError) as error:
        raise BokehbenchError(f"{url} cannot be opened as a zip ({error}): check the file.") from error
    members = fs.zip.infolist()
    for each in members:
        _refuse_unsafe(each.filename.rstrip("/"), url, stat.S_ISLNK(each.external_attr >> 16))
    unpacked, packed = sum(each.file_size for each in members), archive.stat().st_size
    if unpacked > max(MOST_UNPACKED, MOST_TIMES * packed):
        raise BokehbenchError(
            f"{url} would unpack to {unpacked / 1e9:.0f} GB from {packed / 1e9:.3f} GB, as no pictures do: unpack it "
            "yourself if you trust it."
        )
    return fs


def entries(fs: Any, folder: str, url: Url) -> dict[str, dict[str, Any]]:
    """Every file below ``folder``: its path from there -> what the store says of it.

    Raises:
        BokehbenchError: a name that would lead out of the folder, too many files, or none.
        Exception: the store's, where it does not answer.
    """
    found: dict[str, dict[str, Any]] = {}
    http, waiting = "http" in fs.protocol, [(folder, 0)]
    while waiting:
        here, depth = waiting.pop()
        for each in fs.ls(f"{here.rstrip('/')}/" if http else here, detail=True):
            name = each["name"].removeprefix(folder.rstrip("/")).strip("/")
            if not name or (http and set(name) & set("?#:")):  # links that sort the page, and such
                continue
            name = unquote(name) if http else name
            _refuse_unsafe(name, url)
            if each["type"] != "directory" and not each["name"].endswith("/"):
                found[name] = each
            elif depth < DEEPEST and each["name"].strip("/") != here.strip("/"):
                waiting.append((each["name"], depth + 1))
        if len(found) + len(waiting) > MOST_FILES:
            raise BokehbenchError(f"{url} has more than {MOST_FILES} files: give the data set's own folder.")
    if not found:
        raise BokehbenchError(
            f"{url} lists no files: give the URL of a folder that the server lists, or of a zip (zip://::URL)."
        )
    return found


def version(info: Mapping[str, Any]) -> dict[str, str]:
    """By what a file is known: its size, and what the store says of its version."""
    return {key: str(info[key]) for key in VERSION if info.get(key) is not None}


def persistent(do: Callable[[], object]) -> None:
    """Do it, again where the connection breaks."""
    for attempt in range(1, TRIES):
        try:
            do()
            return
        except Exception as error:
            if gone(error):
                raise
            time.sleep(PAUSE * attempt)
    do()


def gone(error: BaseException) -> bool:
    """Whether the store answered, and does not have, give or take what was asked for."""
    cause = error.__cause__ or error
    if status := getattr(cause, "status", None):
        return 400 <= status < 500
    silent = isinstance(cause, TimeoutError) or type(cause).__module__.startswith("aiohttp")  # fsspec says "not found"
    return isinstance(error, FileNotFoundError | PermissionError) and not silent


def reason(error: BaseException) -> str:
    """What a store said, for a sentence."""
    return f"{type(error).__name__}: {first_line(error)}".partition("?")[0]


def _refuse_unsafe(name: str, url: Url, link: bool = False) -> None:
    leads_out = name.startswith("/") or name[1:2] == ":" or {"..", "."} & set(name.split("/"))
    if link or leads_out or "\\" in name or "\0" in name:
        raise BokehbenchError(f"{url} has {name!r}, a link or a path that leads out of its folder: it is not used.")
