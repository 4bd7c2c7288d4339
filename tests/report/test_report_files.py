"""What the report's folder holds, and what it refuses: no browser needed."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from made_boards import make_board
from made_reports import NAMES, add_results, make_pictures, make_report, report
from PIL import Image

from bokehbench.board.results import Result, read_all, write
from bokehbench.commands.report import main
from bokehbench.errors import BokehbenchError
from bokehbench.figures.stored_pictures import picture_file
from bokehbench.files import new_folder
from bokehbench.metrics.protocols import find_protocol
from bokehbench.provenance import NO_WEIGHTS
from bokehbench.report.build import ASSETS


@pytest.fixture
def board(tmp_path):
    """A board with two ranked results."""
    folder = make_board(tmp_path, "C,2020,PSNR,25.10,dB,Tiny30,dmshn,S1,,\n", ids=None, count=3, about="A `set` <b>")
    add_results(folder, NAMES)
    return folder


def data(folder, name):
    """The values of a data file."""
    text = (folder / "data" / name).read_text()
    assert text.isascii()
    return json.loads(text.removeprefix("report.give(").removesuffix(");\n"))


def pictures(folder):
    return sorted(path for path in (folder / "pictures").glob("*/*"))


def test_index_says_what_the_board_says(board, tmp_path, capsys):
    assert report(board, tmp_path / "report") == 0
    assert "2 methods, 3 pictures, 0 picture files" in capsys.readouterr().out
    text = (tmp_path / "report" / "index.html").read_text()
    assert "A <code>set</code> &lt;b&gt;" in text
    assert "LPIPS was not measured: weights not available." in text
    assert '<span class="mean">31.00</span><span class="interval">30.00 \u2013 32.00</span>' in text
    assert "Good is better than Bad on 100.0 % of the pictures" in text
    assert ">25.10</span>" in text, "published"
    assert "no weights" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", ""), "nothing is fetched from anywhere"


def test_unranked_rows_are_apart_with_their_reason(board, tmp_path):
    scores = {"a": {"psnr": float("inf"), "ssim": 1.0}}
    few = Result(
        board="tiny", board_version=1, method="Few", per_image=scores, weights_hash=NO_WEIGHTS, split="Tiny30",
        protocol=find_protocol("bokehbench").describe(), target_hash="t", prediction_hash="p", flags=("incomplete",),
    )  # fmt: skip
    write(board, few)
    assert report(board, tmp_path / "report") == 0
    text = (tmp_path / "report" / "index.html").read_text()
    assert "incomplete: 1 of 3 pictures" in text.partition("Stored, not ranked")[2]
    assert "Few" not in text.partition('id="ranking-table"')[2].partition("</table>")[0]
    assert data(tmp_path / "report", "overview.js")["overview"]["scores"][few.id] == ["inf", None, None]


def test_data_are_split_and_rounded(tmp_path):
    names = [f"{number}" for number in range(120)]
    folder = make_report(tmp_path, names, names[:1])
    assert sorted(path.name for path in (folder / "data").glob("pictures-*")) == [
        f"pictures-{number:04d}.js" for number in range(3)
    ]
    number, rows = data(folder, "pictures-0002.js")["chunk"]
    assert (number, len(rows)) == (2, 20)
    overview = data(folder, "overview.js")["overview"]
    assert overview["names"][9:12] == ["9", "10", "11"], "natural order"
    assert overview["thumbnails"] == [1] + [0] * 119
    assert sorted(map(list, rows[0]["scores"].values())) == [[120.0, 0.5], [130.0, 0.75]]


def test_pictures_lose_their_metadata_and_stand_upright(board, tmp_path):
    make_pictures(tmp_path, ["a", "b", "c"])
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker of the camera"
    Image.new("RGB", (60, 40), (9, 8, 7)).save(tmp_path / "Good" / "a.png", exif=exif.tobytes())
    Image.fromarray(np.full((40, 60), 65535, np.uint16)).save(tmp_path / "Good" / "b.png")
    assert report(board, tmp_path / "report", tmp_path) == 0
    files = pictures(tmp_path / "report")
    assert len(files) == 12
    assert (40, 60) in {Image.open(path).size for path in files}
    assert (255, 255, 255) in {Image.open(path).convert("RGB").getpixel((0, 0)) for path in files}
    assert not any(b"Maker" in path.read_bytes() for path in files)


def test_jpeg_without_metadata_is_not_compressed_twice(board, tmp_path):
    make_pictures(tmp_path, ["a"])
    plain, told = tmp_path / "Good" / "a.jpg", tmp_path / "Good" / "b.jpg"
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
    (tmp_path / "Good" / "a.png").unlink()
    noise.save(plain, quality=50)
    noise.save(told, quality=50, comment=b"where I live")
    assert report(board, tmp_path / "report", tmp_path, "--format", "jpeg") == 0
    written = [path.read_bytes() for path in pictures(tmp_path / "report")]
    assert plain.read_bytes() in written
    assert not any(b"where I live" in content for content in written)
    assert report(board, tmp_path / "report", tmp_path, "--long-side", "30") == 0
    assert max(max(Image.open(path).size) for path in pictures(tmp_path / "report")) == 30


def test_unreadable_pictures_are_left_out_and_named(board, tmp_path, capsys):
    make_pictures(tmp_path, NAMES)
    (tmp_path / "Bad" / "b.png").write_bytes(b"no picture")
    assert report(board, tmp_path / "report", tmp_path) == 0
    assert "b.png: is not a picture" in capsys.readouterr().err
    assert "b.png: is not a picture" in (tmp_path / "report" / "index.html").read_text()
    assert len(pictures(tmp_path / "report")) == 11


def test_only_a_report_is_replaced(board, tmp_path):
    place = tmp_path / "report"
    place.mkdir()
    assert report(board, place) == 0, "an empty folder is free"
    (place / "old.txt").write_text("from the first report")
    assert report(board, place) == 0
    assert not (place / "old.txt").exists()
    own = tmp_path / "own"
    own.mkdir()
    (own / "thesis.tex").write_text("years")
    with pytest.raises(BokehbenchError, match="own is not empty and not a report"):
        main(["report", str(board), "-o", str(own)])
    with pytest.raises(BokehbenchError, match="is a file"):
        main(["report", str(board), "-o", str(own / "thesis.tex")])
    assert (own / "thesis.tex").read_text() == "years"


def test_a_report_that_breaks_off_leaves_the_old_one(board, tmp_path):
    place = tmp_path / "report"
    assert report(board, place) == 0
    before = sorted(tmp_path.iterdir())

    def break_off():
        with new_folder(place) as draft:
            (draft / "index.html").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert sorted(tmp_path.iterdir()) == before
    assert (place / "index.html").read_text().endswith("</html>\n") or "</html>" in (place / "index.html").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--outputs", "Good"), "--outputs Good: give METHOD=FOLDER"),
        (("--outputs", "Goood=Good"), "There is no result 'Goood' on tiny; did you mean 'Good'"),
        (("--outputs", "Good=nowhere"), "--outputs Good=nowhere: there is no such folder"),
        (("--inputs", "elsewhere"), "no file of elsewhere is named as a picture of the board.* like 'a'"),
        (("--outputs", "Good=Good", "--outputs", "good=Bad"), "give each method once"),
        (("--targets", "report/pictures"), "lies in report, which is to be replaced"),
        (("--quality", "0"), "--quality 0: give a whole number from 1 to 100"),
        (("--long-side", "0"), "--long-side 0: give a whole number of 1 or more"),
    ],
)
def test_mistakes_are_one_sentence(board, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    make_pictures(tmp_path, NAMES)
    make_pictures(tmp_path / "more", ["other"])
    (tmp_path / "more" / "input").rename(tmp_path / "elsewhere")
    assert report(board, tmp_path / "report", tmp_path) == 0
    with pytest.raises(BokehbenchError, match=message) as error:
        main(["report", str(board), "-o", "report", *words])
    assert "\n" not in str(error.value)
    assert (tmp_path / "report" / "index.html").is_file()


def test_starts_and_writes_tables_without_torch(board, tmp_path):
    code = (
        "import sys\nfrom bokehbench.cli import main\n"
        f"assert main(['report', {str(board)!r}, '-o', 'report']) == 0\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_script_and_style_of_the_pages_is_there(board, tmp_path):
    assert report(board, tmp_path / "report") == 0
    assert not (tmp_path / "report" / "control.html").exists(), "no row has sweeps"
    assert "control.html" not in (tmp_path / "report" / "index.html").read_text()
    for page in ("index.html", "picture.html"):
        text = (tmp_path / "report" / page).read_text()
        for name in [part.partition('"')[0] for part in text.split('src="')[1:]]:
            assert (tmp_path / "report" / name).is_file(), name
    assert {path.name for path in (tmp_path / "report" / "assets").iterdir()} == {
        path.name for path in ASSETS.iterdir()
    }


def test_work_folder_of_a_benchmark_gives_all_its_pictures(board, tmp_path, capsys):
    """Laid out as ``ResultRecorder(pictures=N)`` does: pictures beside the result, names quoted."""
    for result in read_all(board):
        place = tmp_path / "work" / result.method / "test"
        place.mkdir(parents=True)
        (place / "result.json").write_text(result.to_json())
        for kind, colour in (("input", (9, 9, 9)), ("output", (99, 9, 9)), ("target", (9, 9, 99))):
            picture_file(place / "pictures", kind, "b").parent.mkdir(parents=True)
            Image.new("RGB", (6, 4), colour).save(picture_file(place / "pictures", kind, "b"))
    assert report(board, tmp_path / "report", None, "--work", str(tmp_path / "work")) == 0
    assert len(pictures(tmp_path / "report")) == 4
    _, rows = data(tmp_path / "report", "pictures-0000.js")["chunk"]
    assert [len(row["pictures"]) for row in rows] == [0, 4, 0]
    (tmp_path / "empty").mkdir()
    assert report(board, tmp_path / "report", None, "--work", str(tmp_path / "empty")) == 2
    assert "no test in it stored pictures" in capsys.readouterr().err
