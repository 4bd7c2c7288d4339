"""``data lock`` and ``data check --lock``: what a copy has, what differs, and what results say of it."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from made_boards import make_board, make_result
from makers import blurred, make_blb, make_ebb, make_pairs, make_rgbd, picture, save
from refusing import refused

from bokehbench.board import results
from bokehbench.board.results import Result
from bokehbench.cli import main
from bokehbench.data.lock import NAME
from bokehbench.errors import BokehbenchError

MAKE = {"ebb": make_ebb, "pairs": make_pairs, "iphonedepth": make_rgbd, "blb": make_blb}


def lock(name: str, root: Path, *more: str) -> Path:
    assert main(["data", "lock", "--data", name, f"--data.root={root}", *more]) == 0
    return root / NAME


@pytest.mark.parametrize("name", MAKE)
def test_every_data_set_is_locked_and_checked(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = MAKE[name](tmp_path / "here")
    shutil.copytree(root, tmp_path / "there")
    path = lock(name, root)
    content = path.read_bytes()
    printed = capsys.readouterr().out
    assert hashlib.sha256(content).hexdigest() in printed
    assert lock(name, tmp_path / "there").read_bytes() == content, "another lab's copy"
    files = json.loads(content)["files"]
    assert list(files) == [line.split('"')[1] for line in content.decode().splitlines() if "sha256" in line]
    for file, known in files.items():
        assert known["bytes"] == (root / file).stat().st_size
        assert known["sha256"] == hashlib.sha256((root / file).read_bytes()).hexdigest()
    assert {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} == {*files, NAME}
    words = ["--data", name, f"--data.root={root}"]
    assert main(["data", "check", *words, "--lock", str(path)]) == 0
    assert f"all files as in {path}" in capsys.readouterr().out
    assert lock(name, root).read_bytes() == content
    capsys.readouterr()
    assert main(["data", "describe", *words]) == 0
    assert NAME not in capsys.readouterr().out, "the lock is no file that is not read"


def test_each_difference_is_named_with_its_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_pairs(tmp_path / "p", names=[f"{n:02d}" for n in range(9)])
    (root / "focus_aperture.csv").write_text("name,focus,aperture\n01,0.5,9\n")
    options = ["--data.train_fraction=0.5"]
    path = lock("pairs", root, *options)
    same = (root / "target" / "01.png").read_bytes()
    (root / "target" / "01.png").write_bytes(same[:-30] + b"\1" + same[-29:])  # as long as it was
    for name in ("02", "03"):
        (root / "input" / f"{name}.png").unlink()
        (root / "target" / f"{name}.png").unlink()
    save(root / "input" / "new.png", picture(5))
    save(root / "target" / "new.png", blurred(picture(5)))
    (root / "focus_aperture.csv").write_text("name,focus,aperture\n01,0.5,99\n")
    words = ["--data", "pairs", f"--data.root={root}", "--lock", str(path)]
    capsys.readouterr()
    assert main(["data", "check", *words]) == 1
    printed = capsys.readouterr().out
    assert f"{path}: 4 files missing: input/02.png, input/03.png, target/02.png, target/03.png." in printed
    assert "2 files changed: focus_aperture.csv, target/01.png." in printed
    assert "2 files not in the lock: input/new.png, target/new.png." in printed
    assert "14 files in another split: input/00.png (train+val+test+predict, not " in printed
    assert "and 9 others" in printed


def test_locks_that_are_none_and_sets_without_files_are_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = make_pairs(tmp_path / "p")
    path = lock("pairs", root)
    words = ["--data", "pairs", f"--data.root={root}"]
    save(root / "target" / "a.png", picture(8))
    assert "is there and differs" in refused(["data", "lock", *words], capfd)
    assert "is not a file" in refused(["data", "check", *words, "--lock", str(tmp_path / "none")], capfd)
    for text in ("", "{", "[]", '{"data": "Pairs"}', '{"data": "Pairs", "files": {"a": 1}}'):
        (tmp_path / "bad").write_text(text)
        assert "is no lock" in refused(["data", "check", *words, "--lock", str(tmp_path / "bad")], capfd)
    other = ["--data", "ebb", f"--data.root={make_ebb(tmp_path / 'e')}"]
    assert "is of Pairs, not of EBB" in refused(["data", "check", *other, "--lock", str(path)], capfd)
    assert "has no files" in refused(["data", "lock", "--data", "syntheticdof"], capfd)
    (root / "input" / "a.png").write_bytes(b"")
    assert "is not locked" in refused(["data", "lock", *words, "-o", str(tmp_path / "new")], capfd)


def test_results_name_the_lock_while_the_files_fit_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_pairs(tmp_path / "p")
    board = make_board(tmp_path, count=3, ids=None, columns=["psnr"])

    def test(*more: str) -> Result:
        options = {"board": board, "output": tmp_path / "result.json"}
        recorder = ["--trainer.callbacks+=bokehbench.measure.recorder.ResultRecorder", "--trainer.accelerator=cpu"]
        recorder += [f"--trainer.callbacks.{key}={value}" for key, value in options.items()]
        words = ["--data", "pairs", f"--data.root={root}", "--data.num_workers=0", *more]
        assert main(["test", "--model", "identity", *words, *recorder]) == 0
        return results.read(tmp_path / "result.json")

    before = test()
    assert before.data_lock == ""
    assert "data_lock" not in (tmp_path / "result.json").read_text(), "files of before stay as they are"
    path = lock("pairs", root)
    locked = test()
    assert locked.data_lock == hashlib.sha256(path.read_bytes()).hexdigest()
    assert locked.id == before.id
    assert Result.from_json(locked.to_json()) == locked
    assert test("--data.train_fraction=0.5").data_lock == locked.data_lock, "a part of what is locked for the test"
    capsys.readouterr()
    save(root / "target" / "b.png", picture(9))
    changed = test()
    assert changed.data_lock == ""
    printed = capsys.readouterr().out
    assert f"the data set is not as {path} has it, so results do not name it: 1 file changed: target/b.png." in printed
    path.write_text("{")
    assert test().data_lock == ""
    assert "is no lock" in capsys.readouterr().out


def test_a_result_with_another_word_for_its_lock_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BokehbenchError, match="data_lock"):
        Result.from_json(replace(make_result(), data_lock="nonsense").to_json())
