"""A folder or file to write to that may be at a URL: written here, then put there."""

from pathlib import Path

from bokehbench.errors import BokehbenchError
from bokehbench.files import cache_folder
from bokehbench.remote.places import place
from bokehbench.remote.stores import open_store, persistent, reason

#: Protocols under which a file can be seen before it is whole, and folders must be made.
LIKE_A_DISK = ("ftp", "sftp")


class Output:
    """Where files of a verb go; ``path`` is where they are written, which for a URL is in the user's cache.

    Args:
        typed: a path, or the URL of a folder or of a file; BokehbenchError for one that nothing can be put at.
    """

    def __init__(self, typed: str | Path) -> None:
        where = place(typed)
        self.url = None if isinstance(where, Path) else where
        if isinstance(where, Path):
            self.path = where
        elif where.inside is not None or where.protocol.startswith("http"):
            raise BokehbenchError(f"{where} takes no files: give a folder, or its URL in a store such as s3://.")
        else:
            self.path = (cache_folder() / "outgoing" / where.key).joinpath(*where.parts)

    def __str__(self) -> str:
        return str(self.url or self.path)

    def put(self, file: Path) -> None:
        """Send a file that was written at or below ``path``, which then is in the store alone.

        Others see the old one or the whole new one. Nothing is done where ``path`` is what was typed.

        Raises:
            BokehbenchError: the store does not take it; the file stays here.
        """
        if self.url is None:
            return
        fs, folder = open_store(self.url)
        final = "/".join([folder.rstrip("/"), *file.relative_to(self.path).parts])
        first = f"{final}.part" if self.url.protocol in LIKE_A_DISK else final
        try:
            if first != final:
                fs.makedirs(final.rpartition("/")[0], exist_ok=True)
            persistent(lambda: fs.put_file(str(file), first))
            if first != final:
                fs.mv(first, final)
        except Exception as error:  # each store has its own
            raise BokehbenchError(
                f"{self.url} does not take {file.name} ({reason(error)}): give another place, or copy {file} yourself."
            ) from error
        file.unlink()
