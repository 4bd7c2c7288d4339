"""``bokehbench data``, driven as a user does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from makers import make_blb, make_ebb, make_pairs, make_realbokeh, make_rgbd, make_vabd
from PIL import Image

from bokehbench.commands.data import main
from bokehbench.data import DATA
from bokehbench.data.ebb import EBB
from bokehbench.errors import BokehbenchError


def sources(root: Path) -> dict[str, list[str]]:
    make_blb(root / "blb", size=(24, 32), radii=(3.0,))
    make_ebb(root / "ebb")
    make_pairs(root / "pairs", disparity=True, mask=True)
    make_rgbd(root / "rgbd")
    make_realbokeh(root / "realbokeh", disparity=True)
    make_vabd(root / "vabd")
    return {
        "blb": ["--data", "blb", f"--data.root={root / 'blb'}"],
        "ebb": ["--data", "ebb", "--data.root", str(root / "ebb")],
        "realbokeh": ["--data", "realbokeh", "--data.root", str(root / "realbokeh")],
        "vabd": ["--data", "VABD", "--data.root", str(root / "vabd")],
        "pairs": ["--data=Pairs", f"--data.root={root / 'pairs'}"],
        "iphonedepth": ["--data", "IPhoneDepth", "--data.root", str(root / "rgbd")],
    }


@pytest.mark.parametrize("name", ["blb", "ebb", "pairs", "iphonedepth", "realbokeh", "vabd"])
def test_describe_check_and_preview_work(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = sources(tmp_path)[name]
    assert main(["data", "describe", *words]) == 0
    described = capsys.readouterr().out
    assert "train:" in described
    assert "32 x 24" in described
    assert "disparity" in described
    assert main(["check", *words]) == 0
    assert "No problems" in capsys.readouterr().out
    assert main(["check", "--deep", *words]) == 0
    assert main(["preview", *words, "-o", str(tmp_path / "sheet.png"), "--count", "2", "--width", "100"]) == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width == 2 * 106
        assert sheet.height >= 3 * 75


@pytest.mark.parametrize("width", ["60", "100", "320"])
def test_captions_of_neighbours_in_a_preview_do_not_meet(tmp_path: Path, width: str) -> None:
    """Between two columns the sheet keeps its ground, however long the pictures' names are."""
    small = ["--data", "syntheticdof", "--data.size", "32", "--data.blur_radius", "4"]  # the option's former name
    assert main(["preview", *small, "-o", str(tmp_path / "sheet.png"), "--count", "3", "--width", width]) == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        pixels = np.asarray(sheet.convert("L"))
    step = int(width) + 6
    for column in (1, 2):
        assert (pixels[:, column * step - 5 : column * step] == pixels[-1, -1]).all()
    assert (pixels[:13] > 150).any(), "there are captions"


def test_check_lists_problems_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = sources(tmp_path)["ebb"]
    (tmp_path / "ebb" / "Training" / "bokeh" / "1.jpg").unlink()
    (tmp_path / "ebb" / "Training" / "original" / "4400.jpg").write_bytes(b"")
    assert main(["check", *words]) == 1
    printed = capsys.readouterr().out
    assert "1.jpg" in printed
    assert "4400.jpg: the file is empty" in printed
    assert "2 problems" in printed


def test_check_without_data_says_what_is_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--data", "ebb", "--data.root", str(tmp_path)]) == 1
    assert "Training/original" in capsys.readouterr().out


def test_fit_aperture_finds_the_aperture_of_rendered_targets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from makers import picture, save

    from bokehbench.data.image_io import write_photo
    from bokehbench.data.rendering import render_reference

    root = make_ebb(tmp_path, ids=(0, 1))
    for number in (0, 1):
        save(root / "Training" / "original" / f"{number}.jpg", picture(number, (128, 160)))
        save(root / "Training" / "original_depth" / f"{number}.png", picture(number + 9, (128, 160))[..., 0])
        (root / "Training" / "focus_mask" / f"{number}.png").unlink()
    (root / "Training" / "focus_mask").rmdir()
    data = EBB(root, aperture_at_1024=80.0)
    for item in (data.pictures("train").load(i, keys=("image", "disparity", "focus", "aperture")) for i in (0, 1)):  # type: ignore[union-attr]
        parts = (item[key] for key in ("image", "disparity", "focus", "aperture"))
        write_photo(root / "Training" / "bokeh" / f"{item['name']}.jpg", render_reference(*parts, "layered"))
    words = ["fit-aperture", "--height", "128", "--f-number", "2", "--data", "ebb", "--data.root", str(root)]
    assert main(words) == 0
    *_, calibrated, last = capsys.readouterr().out.splitlines()
    assert float(last.rsplit(maxsplit=1)[-1]) == pytest.approx(80, abs=6)
    assert "--f-number N --aperture-at-f1" in calibrated
    assert float(calibrated.rsplit(maxsplit=1)[-1]) == pytest.approx(160, abs=12)


def test_unknown_words_get_the_nearest_known_one() -> None:
    with pytest.raises(BokehbenchError, match="describe"):
        main(["descripe"])
    with pytest.raises(BokehbenchError, match="'pairs'"):
        main(["check", "--data", "pair"])
    with pytest.raises(BokehbenchError, match="train"):
        main(["preview", "--data", "ebb", "--data.root", ".", "--split", "trian"])


def test_help_lists_the_actions_and_the_data_sets(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["data", "--help"])
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("describe", "check", "preview", "fit-aperture", *DATA))


def test_data_sets_have_short_names() -> None:
    assert DATA["ebb"] is EBB is DATA["EBB"]
    assert set(DATA) == {"blb", "control", "ebb", "iphonedepth", "pairs", "realbokeh", "syntheticdof", "vabd"}
    assert all(cls.__name__.lower() == name for name, cls in DATA.items())
    with pytest.raises(BokehbenchError, match="'ebb'"):
        DATA["eb"]
