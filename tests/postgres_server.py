"""A PostgreSQL server on loopback, with a password, where Debian's or another package has installed one."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from forked import free_port

PASSWORD = "a-password-of-the-tests"


@contextmanager
def server() -> Iterator[str]:
    """The URL of an empty database, its password in it; skips where there is no server to start."""
    found = [Path(each).parent for each in glob.glob("/usr/lib/postgresql/*/bin/initdb")]
    place = shutil.which("initdb")
    if place is None and not found:
        pytest.skip("no PostgreSQL server here: apt install postgresql")
    programs = Path(place).resolve().parent if place else found[-1]
    as_user: dict[str, object] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = next((each for each in pwd.getpwall() if each.pw_name in ("postgres", "nobody")), None)
        if user is None:
            pytest.skip("PostgreSQL refuses to run as root, and there is no user postgres or nobody")
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    # Not below tmp_path, which other users may not enter, as they may not enter every TMPDIR
    open_to_all = [place for place in (tempfile.gettempdir(), "/tmp", "/var/tmp") if _entered_by_all(Path(place))]
    if not open_to_all:
        pytest.skip("PostgreSQL's user may enter no folder for temporary files")
    folder = Path(tempfile.mkdtemp(prefix="bokehbench-postgres-", dir=open_to_all[0]))
    port = free_port()

    def run(program: str, *words: str) -> None:
        with (folder.parent / f"{folder.name}.txt").open("ab") as said:
            command = [str(programs / program), *words]
            subprocess.run(command, cwd=folder, stdout=said, stderr=said, check=True, timeout=120, **as_user)

    try:
        (folder / "password").write_text(PASSWORD)
        if as_user:
            for each in (folder, folder / "password"):
                os.chown(each, as_user["user"], as_user["group"])
        data = str(folder / "data")
        access = ["-U", "sweeper", "-A", "scram-sha-256", "--pwfile=password"]
        run("initdb", "-D", data, *access, "-E", "UTF8", "--no-sync")
        options = f"-h 127.0.0.1 -p {port} -k {folder} -F"
        run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log.txt"), "-o", options, "start")
        try:
            yield f"postgresql+psycopg://sweeper:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)
        (folder.parent / f"{folder.name}.txt").unlink()


def _entered_by_all(place: Path) -> bool:
    folders = [place.resolve(), *place.resolve().parents]
    return place.is_dir() and all(each.stat().st_mode & stat.S_IXOTH for each in folders)
