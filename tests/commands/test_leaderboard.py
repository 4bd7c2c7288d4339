"""``bokehbench leaderboard``: every action from its command line, and no torch where none is needed."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest
from made_boards import PICTURES, make_board, make_result
from PIL import Image

from bokehbench.board import boards, leaderboard
from bokehbench.board.results import read_all
from bokehbench.cli import main as cli
from bokehbench.commands.leaderboard import main
from bokehbench.errors import BokehbenchError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A rendered board with two results, in the working directory's ``leaderboards``."""
    monkeypatch.chdir(tmp_path)
    folder = make_board(tmp_path, "A,2020,PSNR,25.10,dB,Tiny30,dmshn,S1,,\n")
    for result in (make_result("A"), make_result("DeepLens", -1.0)):
        leaderboard.add(folder, result)
    leaderboard.render(folder)
    return folder


def run(*words):
    return main(["leaderboard", *map(str, words)])


def test_add_takes_a_result_file_and_renders(folder, tmp_path, capsys):
    file = tmp_path / "result.json"
    file.write_text(make_result("New", 2.0, names=PICTURES[:4]).to_json())
    assert run("add", file) == 0
    assert run("add", file) == 0, "twice is once"
    assert len(read_all(folder)) == 3
    assert "incomplete: 4 of 30 pictures" in (folder / "table.md").read_text()
    assert run("check") == 0
    assert "1 board, 3 results: no problems." in capsys.readouterr().out


def test_check_fails_until_rendered(folder, capsys):
    (folder / "table.csv").write_text("")
    assert run("check", "tiny") == 1
    assert "table.csv is not what the files say" in capsys.readouterr().out
    assert run("render", folder) == 0
    assert run("check") == 0


def test_a_bad_file_is_named_and_the_others_stay(folder, tmp_path, capsys):
    bad = next((folder / "results").rglob("*.json"))
    bad.write_text(bad.read_text().replace('"device": "', '"device": 3, "x": "'))
    good = tmp_path / "new.json"
    good.write_text(make_result("New", 2.0).to_json())
    assert run("add", good) == 0
    assert "New" in (folder / "table.md").read_text()
    assert run("render", "tiny") == 1
    assert run("check", "tiny") == 1
    said = capsys.readouterr()
    assert said.err.count(bad.name) == 2
    assert f"{bad.name} is not a result of bokehbench (device: should be a valid string)" in said.out
    assert run("compare", "New", "New") == 0
    assert cli(["report", "tiny", "-o", str(tmp_path / "report")]) == 0
    assert bad.name in (tmp_path / "report" / "index.html").read_text()


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "=cmd()", "a\nb | c", "\\|", "</script><b>"])
def test_names_from_files_are_words_in_every_page(folder, tmp_path, name):
    file = tmp_path / "odd.json"
    file.write_text(make_result(name, variant=name, device=name, missing={"lpips": name}).to_json())
    assert run("add", file) == 0
    assert cli(["report", "tiny", "-o", str(tmp_path / "report")]) == 0
    rows = (folder / "table.md").read_text()
    assert not re.search(r"(?<!\\)</?\w", rows)
    assert "\n=" not in (folder / "table.csv").read_text().replace('"', "\n")
    pages = "".join(page.read_text() for page in (tmp_path / "report").glob("*.html"))
    assert "<img src=x" not in pages
    assert "</script><b>" not in pages


def test_add_scores_a_folder_of_outputs(folder, tmp_path, capsys):
    rng = np.random.default_rng(0)
    for name in PICTURES:
        target = rng.integers(20, 236, (40, 50, 3))
        for place, noise in (("target", 0), ("outputs", 8)):
            (tmp_path / place).mkdir(exist_ok=True)
            picture = (target + rng.integers(-noise, noise + 1, target.shape)).astype(np.uint8)
            Image.fromarray(picture).save(tmp_path / place / f"{name}.png")
    words = ("add", "--board", "tiny", "--method", "Folder", "--outputs", "outputs", "--target", "target")
    assert run(*words, "--note", "made here") == 0
    assert run(*words, "--note", "made here") == 0
    (result,) = [result for result in read_all(folder) if result.method == "Folder"]
    assert len(result.per_image) == 30
    noise = 20 * np.log10(255 / np.sqrt(np.mean(np.arange(-8, 9) ** 2)))
    assert np.mean(list(result.values("psnr").values())) == pytest.approx(noise, abs=0.1)
    assert result.training == {"outputs": "made here"}
    assert run("check") == 0


def test_cite_prints_row_permalink_and_bibtex(folder, capsys):
    (folder.parent / "references.bib").write_text("@article{deeplens,\n  year = {2018}\n}\n\n@article{d2f,\n}\n")
    assert run("cite", "deeplens") == 0
    text = capsys.readouterr().out
    assert "DeepLens on Tiny, board version 1, protocol bokehbench, 30 pictures, rank 2" in text
    assert "permalink: none yet" in text
    assert "@article{deeplens," in text
    assert "@article{d2f" not in text
    assert "@software{bokehbench," in text


def test_cite_prints_a_board_with_all_its_methods(folder, capsys):
    (folder.parent / "references.bib").write_text("@article{deeplens,\n  year = {2018}\n}\n\n@article{d2f,\n}\n")
    assert run("cite", "tiny") == 0
    text = capsys.readouterr().out
    assert text.startswith("Tiny (tiny), board version 1, protocol bokehbench, 30 pictures of ")
    assert "permalink: none yet" in text
    keys = [line for line in text.splitlines() if line.startswith("@")]
    assert keys == ["@article{deeplens,", "@misc{bokehbench-tiny,", "@software{bokehbench,"]


@pytest.mark.parametrize("name", boards.names())
def test_every_board_of_ours_can_be_cited(name, capsys):
    assert run("cite", name) == 0
    text = capsys.readouterr().out
    assert f"@misc{{bokehbench-{name}," in text
    assert text.count("{") == text.count("}")


def test_a_permalink_names_the_commit(folder, tmp_path, capsys):
    def git(*words):
        who = ("-c", "user.name=t", "-c", "user.email=t@example.com")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    git("remote", "add", "origin", "git@example.com:group/suite.git")
    git("add", ".")
    git("commit", "-qm", "results")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tmp_path, capture_output=True, text=True).stdout.strip()
    id = make_result("A").id
    assert run("cite", id[:6]) == 0
    link = f"https://example.com/group/suite/blob/{head}/leaderboards/tiny/results/a/{id}.json"
    assert link in capsys.readouterr().out.splitlines()
    assert run("cite", "tiny") == 0
    assert f"note = {{https://example.com/group/suite/tree/{head}/leaderboards/tiny}}" in capsys.readouterr().out


def test_compare_prints_paired_statistics(folder, capsys):
    assert run("compare", "A", "DeepLens") == 0
    lines = capsys.readouterr().out.splitlines()
    psnr = next(line for line in lines if line.startswith("PSNR"))
    assert psnr.endswith("real")
    assert float(psnr.split()[4]) == pytest.approx(1.0, abs=0.15)
    assert any(line.startswith("LPIPS") and line.endswith("not measured in both") for line in lines)
    assert run("compare", "A", "DeepLens", "--score", "ssim") == 0
    assert "PSNR" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("rendr",), "did you mean 'render'"),
        (("render", "tyni"), "did you mean 'tiny'"),
        (("cite", "DepLens"), "did you mean 'DeepLens'"),
        (("add",), "takes result files, or --outputs"),
        (("add", "--outputs", "x"), "also needs --board"),
        (("add", "nowhere.json"), "cannot be read"),
        (("compare", "A", "DeepLens", "--score", "psn"), "did you mean 'psnr'"),
    ],
)
def test_mistakes_are_one_sentence(folder, words, message):
    with pytest.raises(BokehbenchError, match=message):
        run(*words)


def test_two_results_of_a_method_are_not_one(folder):
    leaderboard.add(folder, make_result("A", 0.1, weights_hash="other"))
    with pytest.raises(BokehbenchError, match="is not one result"):
        run("cite", "A")


@pytest.mark.parametrize(
    "words", [("render",), ("check",), ("cite", "A"), ("compare", "A", "DeepLens"), ("add", "again.json"), ("--help",)]
)
def test_no_torch_where_none_is_needed(folder, tmp_path, words):
    (tmp_path / "again.json").write_text(make_result("A").to_json())
    code = (
        "import sys\nfrom bokehbench.cli import main\n"
        f"try:\n    status = main(['leaderboard', *{words!r}])\nexcept SystemExit as end:\n    status = end.code\n"
        "assert status == 0, status\nassert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
