"""``bokehbench study build``: what may be odd about folders, names and pictures."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_studies import build, make_folders, make_study, read_key
from makers import picture, save
from PIL import Image

from bokehbench.cli import main
from bokehbench.commands.study import arguments
from bokehbench.verbs import spelt_today

METHODS = ("a", "b")
NAMES = ("1", "2", "3")


def test_published_pictures_are_the_results_pixel_by_pixel_without_metadata(tmp_path: Path) -> None:
    make_folders(tmp_path, METHODS, NAMES)
    exif = Image.Exif()
    exif[0x010E] = "made by method a"
    Image.open(tmp_path / "m0" / "1.png").save(tmp_path / "m0" / "1.png", exif=exif)
    assert build(tmp_path, METHODS) == 0
    key = read_key(tmp_path)
    pictures = tmp_path / "study" / "pictures"
    assert {path.stem for path in pictures.iterdir()} == {*key["inputs"], *key["results"], *key["damaged"]}
    for name, (method, shown) in key["results"].items():
        image = Image.open(pictures / f"{name}.png")
        assert not image.info
        truth = np.asarray(Image.open(tmp_path / f"m{METHODS.index(method)}" / f"{shown}.png"))
        assert (np.asarray(image) == truth).all()
    assert not (tmp_path / "study" / "study-key.json").exists()


def test_deep_and_turned_pictures_are_shown_as_they_are_seen(tmp_path: Path) -> None:
    make_folders(tmp_path, METHODS, NAMES)
    exif = Image.Exif()
    exif[0x0112] = 6
    for folder in ("input", "m0", "m1"):
        path = tmp_path / folder / ("1.jpg" if folder == "input" else "1.png")
        path.unlink()
        Image.fromarray(picture(1, (24, 36))).save(path.with_suffix(".jpg"), exif=exif)
    assert build(tmp_path, METHODS, "--longest", "32") == 0
    key = read_key(tmp_path)
    turned = next(name for name, shown in key["inputs"].items() if shown == "1")
    assert Image.open(tmp_path / "study" / "pictures" / f"{turned}.png").size == (21, 32)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda root: (root / "m1" / "2.png").unlink(), "m1 (b) has no result for 2.jpg"),
        (lambda root: save(root / "m1" / "2.png", picture(1, (24, 35))), "2.png is 35 x 24 pixels"),
        (lambda root: (root / "m0" / "3.png").write_bytes(b"none"), "3.png"),
        (lambda root: (root / "m0" / "3.png").write_bytes((root / "m0" / "3.png").read_bytes()[:300]), "3.png"),
        (lambda root: save(root / "m0" / "3.jpg", picture(1)), "same stem"),
        (lambda root: [path.unlink() for path in (root / "m0").iterdir()], "holds no pictures"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_left(tmp_path: Path, capsys, spoil, words) -> None:
    make_folders(tmp_path, METHODS, NAMES)
    spoil(tmp_path)
    assert build(tmp_path, METHODS) == 2
    assert words in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"input", "m0", "m1"}


def test_results_without_an_input_are_left_out_and_equal_ones_are_told(tmp_path: Path, capsys) -> None:
    make_folders(tmp_path, METHODS, NAMES)
    save(tmp_path / "m0" / "9.png", picture(9))
    (tmp_path / "m1" / "2.png").write_bytes((tmp_path / "m0" / "2.png").read_bytes())
    assert build(tmp_path, METHODS) == 0
    printed = capsys.readouterr().out
    assert "a: 1 result without an input left out" in printed
    assert "a and b are the same picture for 1 of 3 inputs" in printed


def test_a_study_is_never_overwritten(tmp_path: Path, capsys) -> None:
    first = make_study(tmp_path, METHODS, names=NAMES)
    assert build(tmp_path, METHODS) == 2
    assert "votes may need it" in capsys.readouterr().err
    assert read_key(tmp_path) == first


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--outputs", "a=x"], "at least twice"),
        (["--outputs", "a=x", "--outputs", "a=y"], "two methods of one name"),
        (["--outputs", "a=x", "--outputs", "b=x"], "same folder"),
        (["--outputs", "a", "--outputs", "b=x"], "METHOD=FOLDER"),
        (["--outputs", "a=x", "--outputs", "b=y", "--pairs-per-rater", "0"], "--pairs-per-rater 0"),
        (["--outputs", "a=x", "--outputs", "b=y", "--consent", "nowhere.txt"], "nowhere.txt"),
        (["--outputs", "a=x", "--outputs", "b=y"], "not a folder"),
    ],
)
def test_bad_options_are_one_sentence(tmp_path: Path, capsys, words, hint) -> None:
    assert main(["study", "build", "--inputs", str(tmp_path / "none"), *words, "-o", str(tmp_path / "s")]) == 2
    assert hint in capsys.readouterr().err


def test_own_words_are_text_and_never_markup(tmp_path: Path) -> None:
    make_folders(tmp_path, METHODS, NAMES)
    (tmp_path / "consent.txt").write_text("First </script><b>line</b>\nof one.\n\nSecond.\n")
    title = "</title><script>alert(1)</script>"
    assert build(tmp_path, METHODS, "--consent", str(tmp_path / "consent.txt"), "--title", title) == 0
    page = (tmp_path / "study" / "index.html").read_text()
    assert "</title><script>" not in page
    assert "</script><b>" not in page
    assert "First \\u003c/script>\\u003cb>line\\u003c/b> of one." in page


def test_starts_without_torch(tmp_path: Path) -> None:
    make_folders(tmp_path, METHODS, NAMES)
    program = (
        "import sys; from bokehbench.cli import main\n"
        "main(['study', 'build', '--inputs', 'input', '--outputs', 'a=m0', '--outputs', 'b=m1', '-o', 'study'])\n"
        "import bokehbench.study.analysis, bokehbench.study.report, bokehbench.study.forest_plot\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False).returncode == 0


def test_the_command_lines_of_the_page_in_the_docs_parse() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "study.md"
    lines = [shlex.split(line)[2:] for line in page.read_text().splitlines() if line.startswith("bokehbench study")]
    assert [arguments(spelt_today(["study", *words])[1:]).action for words in lines] == ["build", "analyse"]
