"""Atomic writing, and locks: a killed process or a full disk leaves the file, or folder, that was there before."""

import codecs
import errno
import os
import stat
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from bokehbench.errors import BokehbenchError

#: What to do about a place that cannot be written to.
REMEDY = "free space or choose another place"
#: Bytes of a text or of a table: more than any of ours has.
MOST = 2**28


def write_atomic(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then move it there; the old one stays until then.

    Where the system can, the temporary file has no name until it is whole: a killed process leaves none behind. Where
    ``path`` is a link, what it leads to is written.

    Raises:
        BokehbenchError: the folder cannot be written to, the disk is full, or a device or a pipe is there.
    """
    temporary, place = None, path
    try:
        path = Path(os.path.realpath(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_dir():
            refuse_devices(path)
        name = path.parent / f".{path.name[:40]}.{uuid.uuid4().hex}"
        with _nameless(path.parent) or name.open("xb") as file:
            temporary = name
            write(file)
            file.flush()
            os.fsync(file.fileno())
            if isinstance(file.name, int):
                # src_dir_fd alone makes Python follow the link to the open file
                os.link(f"/proc/self/fd/{file.fileno()}", name, src_dir_fd=file.fileno())
        name.chmod(0o644)
        os.replace(name, path)
    except OSError as error:
        raise _refused(place, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def keep_inputs(output: Path, inputs: Iterable[Path], option: str) -> None:
    """Raise BokehbenchError where ``output``, given by ``option``, is one of the files that are read."""
    place = os.path.realpath(output)
    for each in inputs:
        if place == os.path.realpath(each):
            raise BokehbenchError(f"{option} {output} would replace {each}, which is read: give another place.")


def refuse_devices(path: Path, most: float = float("inf")) -> None:
    """Raise OSError for a device or a pipe, which may never end, and for a file of more than ``most`` bytes."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
        raise OSError(errno.EINVAL, "it is a device or a pipe, no file", str(path))
    if found.st_size > most:
        raise OSError(errno.EFBIG, f"it has {found.st_size / 10**9:.1f} GB", str(path))


def read_bytes(path: Path) -> bytes:
    """Of at most :data:`MOST`; OSError as of :func:`refuse_devices`, or where the file cannot be read."""
    refuse_devices(path, MOST)
    return path.read_bytes()


def read_text(path: Path) -> str:
    """A text file of people's own: UTF-8, UTF-16 with a byte order mark, or else Windows-1252 or Latin-1.

    Raises:
        BokehbenchError: it cannot be read, or is no text.
    """
    try:
        content = read_bytes(path)
    except OSError as error:
        raise BokehbenchError(f"{path} cannot be read ({error.strerror or error}): check the file.") from error
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16" if marked else "utf-8-sig", "cp1252", "latin-1"):
        with suppress(UnicodeError):
            if "\0" not in (text := content.decode(encoding)):
                return text
    raise BokehbenchError(f"{path} is no text that can be read: save it as UTF-8.")


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, atomically."""
    write_atomic(path, lambda file: file.write(text.encode()))


def cache_folder() -> Path:
    """``$BOKEHBENCH_CACHE``, else where this platform keeps what can be made again."""
    usual = os.environ.get("BOKEHBENCH_CACHE") or user_cache_path("bokehbench", appauthor=False, opinion=False)
    return Path(usual)


@contextmanager
def new_folder(place: Path) -> Iterator[Path]:
    """A temporary folder beside ``place`` that takes its place, and that of what was there, when the block ends well.

    Raises:
        BokehbenchError: the disk is full or not writable.
    """
    final = place.resolve()
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=final.parent, prefix=f".{final.name[:40]}.") as temporary:
            draft, old = Path(temporary) / "new", Path(temporary) / "old"
            draft.mkdir()
            yield draft
            if final.exists():
                os.replace(final, old)
            try:
                os.replace(draft, final)
            except OSError:
                if old.exists():
                    os.replace(old, final)
                raise
    except OSError as error:
        raise _refused(place, error) from error


@contextmanager
def locked(folder: Path, busy: str = "") -> Iterator[None]:
    """Hold the lock of a folder, made where it is not there; the system lets go of it however the process ends.

    Another process, or thread, waits; with ``busy`` it is refused in these words.

    Raises:
        BokehbenchError: ``busy``, or the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.resolve() / ".lock", timeout=0 if busy else -1)
        lock.acquire()
    except Timeout as error:
        raise BokehbenchError(busy) from error
    except OSError as error:
        raise _refused(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def _nameless(folder: Path) -> IO[bytes] | None:
    """An open file in ``folder`` that is gone when it is closed unless it was linked; None where there is no such."""
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.fdopen(os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o644), "wb")
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL) and folder.is_dir():
            return None
        raise


def _refused(place: Path, error: OSError) -> BokehbenchError:
    return BokehbenchError(f"{place} could not be written ({error.strerror or error}): {REMEDY}.")
