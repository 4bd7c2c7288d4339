"""Atomic writing."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from bokehbench.errors import BokehbenchError
from bokehbench.files import write_atomic, write_text


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_text(path, "old")

    def half(file) -> None:
        file.write(b"ne")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(BokehbenchError, match=r"table\.csv.*No space left.*free space"):
        write_atomic(path, half)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["table.csv"]


def test_a_bug_while_writing_leaves_the_old_file_too(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_text(path, "old")
    with pytest.raises(ZeroDivisionError):
        write_atomic(path, lambda file: 1 // 0)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_missing_folders_are_made_and_text_is_utf8(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "ü.txt", "disparität")
    assert (tmp_path / "a" / "b" / "ü.txt").read_bytes().decode() == "disparität"


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BokehbenchError, match="could not be written"):
        write_text(tmp_path / "file" / "x.txt", "")
