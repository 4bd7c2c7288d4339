"""``bokehbench score``: figures that are known, and everything odd that a folder can hold."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from makers import blurred, picture, save, square
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from bokehbench.cli import main

ONE = ["--workers", "1"]
#: Without LPIPS, whose weights a test must not wait for.
PLAIN = ["--protocol", "bokehme", *ONE]
NAMES = ("1", "2", "3", "4")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Four outputs as PNG, four targets as JPEG."""
    for number, name in enumerate(NAMES):
        save(tmp_path / "ours" / f"{name}.png", blurred(picture(number, (90, 100))))
        save(tmp_path / "target" / f"{name}.jpg", picture(number, (90, 100)))
    return tmp_path / "ours", tmp_path / "target"


def score(outputs: Path | list[Path], target: Path, *more: str) -> int:
    outputs = [outputs] if isinstance(outputs, Path) else outputs
    return main(["score", *map(str, outputs), "--target", str(target), *more])


def test_figures_of_twenty_published_outputs(test_data_dir: Path, tmp_path: Path, capsys) -> None:
    """The data README's figures, to four digits, and the CSV's means are the table's."""
    folder = test_data_dir / "val294_subset"
    csv = tmp_path / "scores.csv"
    protocols = "default,pooled"
    assert score(folder / "mpfnet", folder / "bokeh", "--protocol", protocols, "--csv", str(csv)) == 0
    rows = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines() if " mpfnet " in line}
    assert rows["bokehbench"][2:5] == ["25.4132", "0.8823", "0.8985"]
    assert rows["pooled"][2] == "23.2262"
    table = pd.read_csv(csv)
    assert len(table) == 2 * 20
    ours = table[table["protocol"] == "bokehbench"]
    assert ours["psnr"].mean() == pytest.approx(25.4132, abs=5e-5)
    assert ours["ssim_gaussian"].mean() == pytest.approx(0.8985, abs=5e-5)


def test_three_published_methods_are_ranked(test_data_dir: Path, capsys) -> None:
    folder = test_data_dir / "lightfield"
    outputs = [folder / name for name in ("bokehlicious", "bokehme", "genrefocus")]
    assert score(outputs, folder / "target", *PLAIN) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("bokehme ")]
    assert [line[1] for line in lines] == ["genrefocus", "bokehme", "bokehlicious"]
    assert [line[2].endswith("*") for line in lines] == [True, False, False]


def test_values_are_those_of_scikit_image(folders, tmp_path: Path) -> None:
    csv = tmp_path / "scores.csv"
    assert score(*folders, "--protocol", "dmshn", *ONE, "--csv", str(csv)) == 0
    table = pd.read_csv(csv, dtype={"name": str}).set_index("name")
    assert list(table.index) == list(NAMES)
    for name in NAMES:
        one, two = (load(next(folder.glob(f"{name}.*"))) for folder in folders)
        assert table.loc[name, "psnr"] == pytest.approx(peak_signal_noise_ratio(two, one), abs=1e-4)
        assert table.loc[name, "ssim"] == pytest.approx(structural_similarity(two, one, channel_axis=2), abs=1e-5)


def load(path: Path) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(path).convert("RGB"))


def test_processes_change_nothing(folders, tmp_path: Path) -> None:
    for workers in ("1", "2"):
        csv = tmp_path / f"{workers}.csv"
        assert score(*folders, "--protocol", "bokehme,pooled", "--workers", workers, "--csv", str(csv)) == 0
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()


def test_all_protocols_in_one_table_with_the_reason_for_each_gap(folders, capsys) -> None:
    """Pictures of 90 x 100 px are too small for some evaluators: said, not dropped and not zero."""
    assert score(*folders, "--protocol", "all", *ONE) == 0
    printed = capsys.readouterr().out
    rows = {line.split()[0]: line for line in printed.splitlines() if " ours " in line}
    assert {"bokehbench", "dmshn", "pynet", "ebokehnet", "bokehlicious", "ntire23", "basicsr"} <= rows.keys()
    assert "n/a" in rows["pynet"]
    assert "of pynet: n/a: pictures of" in printed or "of pynet: n/a: protocol" in printed


@pytest.mark.parametrize(
    ("kind", "spoil", "words"),
    [
        ("missing", lambda ours, target: (ours / "2.png").unlink(), "no output for 2.jpg"),
        ("extra", lambda ours, target: save(ours / "9.png", picture(9, (90, 100))), "9.png has no target"),
        ("duplicates", lambda ours, target: shutil.copy(ours / "1.png", ours / "2.png"), "byte-identical"),
        ("wrong-size", lambda ours, target: save(ours / "2.png", picture(1, (90, 99))), "2.png is 99 x 90"),
        ("unreadable", lambda ours, target: (ours / "2.png").write_bytes(b"no picture"), "2.png"),
        ("unreadable", lambda ours, target: cut(target / "2.jpg"), "cut short"),
    ],
)
def test_what_is_odd_is_refused_with_its_name_until_allowed(folders, capsys, kind, spoil, words) -> None:
    spoil(*folders)
    assert score(*folders, *PLAIN) == 2
    refused = capsys.readouterr().err
    assert words in refused
    assert f"--allow-{kind}" in refused
    assert score(*folders, *PLAIN, f"--allow-{kind}") == 0
    allowed = capsys.readouterr().out
    assert words in allowed
    whole = kind in ("extra", "duplicates")
    assert ("INCOMPLETE: 3 of 4" in allowed) == (not whole)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def test_a_picture_that_breaks_half_way_is_found_while_scoring(folders, capsys) -> None:
    path = folders[0] / "3.png"
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40] = bytes(40)
    path.write_bytes(bytes(content))
    assert score(*folders, *PLAIN) == 2
    assert "3.png" in capsys.readouterr().err
    assert score(*folders, *PLAIN, "--allow-unreadable") == 0
    assert "INCOMPLETE: 3 of 4" in capsys.readouterr().out


def test_two_methods_with_the_same_files_are_refused(folders, capsys) -> None:
    ours, target = folders
    shutil.copytree(ours, ours.parent / "theirs")
    assert score([ours, ours.parent / "theirs"], target, *PLAIN) == 2
    assert "ours and theirs are byte-identical for 4 of 4 pictures" in capsys.readouterr().err


def test_targets_handed_in_as_outputs_are_refused(folders, capsys) -> None:
    assert score(folders[1], folders[1], *PLAIN) == 2
    assert "is its own target" in capsys.readouterr().err


def test_methods_are_compared_on_the_pictures_that_all_have(folders, capsys) -> None:
    ours, target = folders
    for number, name in enumerate(NAMES[:2]):
        save(ours.parent / "half" / f"{name}.png", blurred(blurred(picture(number, (90, 100)))))
    assert score([ours, ours.parent / "half"], target, *PLAIN, "--allow-missing") == 0
    assert capsys.readouterr().out.startswith("2 pictures")


def test_two_files_of_one_stem_are_never_guessed_between(folders, capsys) -> None:
    save(folders[0] / "1.jpg", picture(0, (90, 100)))
    assert score(*folders, *PLAIN, *(f"--allow-{kind}" for kind in ("extra", "duplicates", "missing"))) == 2
    assert "same stem" in capsys.readouterr().err


def test_masks_give_scores_by_region(folders, tmp_path: Path, capsys) -> None:
    ours, target = folders
    for name in NAMES:
        mask = square((90, 100))
        save(tmp_path / "mask" / f"{name}.png", mask)
        pixels = load(target / f"{name}.jpg").copy()
        pixels[~mask] = 255 - pixels[~mask]  # perfect inside, wrong outside
        save(ours / f"{name}.png", pixels)
    csv = tmp_path / "scores.csv"
    assert score(*folders, *PLAIN, "--mask", str(tmp_path / "mask"), "--csv", str(csv)) == 0
    table = pd.read_csv(csv)
    assert np.isinf(table["psnr_in_focus"]).all()
    assert (table["psnr_out_of_focus"] < 15).all()
    assert "blur_amount" in capsys.readouterr().out


def test_disparity_stands_in_for_masks(folders, tmp_path: Path) -> None:
    for name in NAMES:
        save(tmp_path / "disparity" / f"{name}.png", np.where(square((90, 100)), 200, 20).astype(np.uint8))
    maps = ["--disparity", str(tmp_path / "disparity"), "--focus", "0.784"]
    assert score(*folders, *PLAIN, *maps, "--csv", str(tmp_path / "scores.csv")) == 0
    assert pd.read_csv(tmp_path / "scores.csv")["psnr_in_focus"].notna().all()


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--protocol", "dmshm"], "dmshn"),
        (["--workers", "0"], "from 1 to 1024"),
        (["--focus", "0.5"], "--disparity"),
        (["--mask", "nowhere"], "not a folder"),
    ],
)
def test_bad_options_are_one_sentence(folders, capsys, words, hint) -> None:
    assert score(*folders, *words) == 2
    assert hint in capsys.readouterr().err


def test_folders_that_are_not_there_or_empty(folders, tmp_path: Path, capsys) -> None:
    (tmp_path / "empty").mkdir()
    assert score(tmp_path / "none", folders[1]) == 2
    assert "none is not a folder" in capsys.readouterr().err
    assert score(folders[0], tmp_path / "empty") == 2
    assert "holds no pictures" in capsys.readouterr().err
    assert score([folders[0], folders[0]], folders[1]) == 2
    assert "twice" in capsys.readouterr().err
