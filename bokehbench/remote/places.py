"""What people type for a place: a path, or the URL of a folder in a store, or of a zip."""

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bokehbench.errors import BokehbenchError, nearest

#: Protocols of stores -> what to install for them. No other protocol of fsspec's is used, whoever installed it.
PACKAGES = {
    "abfs": "adlfs", "az": "adlfs", "ftp": "fsspec", "gcs": "gcsfs", "gs": "gcsfs", "hf": "huggingface_hub",
    "http": "aiohttp", "https": "aiohttp", "s3": "s3fs", "sftp": "paramiko",
}  # fmt: skip
PROTOCOL = re.compile(r"([a-z][a-z0-9+.-]+):(/+)", re.IGNORECASE)
#: Names of what stands behind a question mark that are signs of a credential.
SECRET = re.compile(r"[?&][^=&]*(token|sig|secret|password|credential|key)[^=&]*=", re.IGNORECASE)
UNSAFE = re.compile(r'[<>:"|?*\\\x00-\x1f]')


@dataclass(frozen=True)
class Url:
    """A folder in a store, or in a zip.

    Attributes:
        store: URL of the folder or of the zip; the path of a zip on this machine.
        inside: the folder in the zip, "" = all of it; None = ``store`` is no zip.
    """

    store: str | Path
    inside: str | None = None

    def __str__(self) -> str:
        """For messages: nothing of what stands behind a question mark."""
        zipped = f"zip://{self.inside}::" if self.inside else ""
        return zipped + str(self.store).partition("?")[0]

    @property
    def protocol(self) -> str:
        """``s3``, ``https``, ...; "" of a zip on this machine."""
        return "" if isinstance(self.store, Path) else self.store.partition(":")[0]

    @property
    def key(self) -> str:
        """Hex digits that no other URL has."""
        return hashlib.sha256(f"{self.inside}::{self.store}".encode()).hexdigest()[:16]

    @property
    def parts(self) -> list[str]:
        """The last names of the path, as names of folders here: by them outputs of methods are told apart."""
        path = str(self.store) if isinstance(self.store, Path) else unquote(self.store.partition("?")[0])
        path = path.partition("://")[2] or path
        names = [*path.removesuffix(".zip").split("/"), *(self.inside or "").split("/")]
        return [UNSAFE.sub("_", name)[:80] for name in names if name.strip(". ")][-3:]


def place(typed: str | Path) -> Path | Url:
    """What ``typed`` means; nothing is opened.

    A ``Path`` has lost a slash of its URL (``s3:/bucket``), which is given back. ``file://`` is a path. A URL that ends
    in ``.zip`` is that of what is in the zip.

    Raises:
        BokehbenchError: an unknown protocol, a chain of other things than a zip, or credentials in the URL.
    """
    text = str(typed)
    first, chained, behind = text.partition("::")
    found = PROTOCOL.match(first)
    name = found[1].lower() if found else ""
    if not found or (found[2] == "/" and name not in (*PACKAGES, "file", "zip")):
        return Path(typed).expanduser()
    rest = first[found.end() :]
    if name == "zip":
        archive = place(behind if chained else first[len("zip:") :].replace("//", "", 1))
        inside = rest.strip("/") if chained else ""
        if isinstance(archive, Url) and archive.inside:
            raise BokehbenchError(f"{archive}: give one zip, as zip://FOLDER::URL.")
        return Url(archive, inside) if isinstance(archive, Path) else replace(archive, inside=inside)
    if chained:
        raise BokehbenchError(f"{name}://...::: only zip:// stands before another URL, as in zip://FOLDER::URL.")
    if name == "file":
        path = Path(rest if found[2] == "//" else f"/{rest}")
        return Url(path, "") if path.suffix.lower() == ".zip" and path.is_file() else path
    if name not in PACKAGES:
        raise BokehbenchError(f"{name}:// is no place that is known; {nearest(name, (*PACKAGES, 'file', 'zip'))}.")
    user, at, _ = rest.partition("/")[0].rpartition("@")
    if (at and (":" in user or name.startswith("http"))) or SECRET.search(rest):
        raise BokehbenchError(
            f"A URL of {name}:// with a password or a key in it is not used, since it would stand in files and logs: "
            "give credentials as the store's own tools take them (docs/data/remote.md)."
        )
    return Url(f"{name}://{rest}", "" if urlsplit(f"{name}://{rest}").path.lower().endswith(".zip") else None)
