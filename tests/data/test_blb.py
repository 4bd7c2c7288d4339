"""BLB in its published layout: which of the author's instructions reproduces a scene, and every way it can be bad."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from made_boards import make_board
from makers import make_blb, write_exr
from methods import words as tiny_words
from refusing import refused

from bokehbench.board import results
from bokehbench.cli import main
from bokehbench.data import BLB
from bokehbench.data.blb_set import BLBSet, Convention, read_info
from bokehbench.data.rendering import render_reference
from bokehbench.errors import BokehbenchError

CONVENTIONS: tuple[Convention, ...] = ("raw", "normalised", "normalised_map")


def made(root: Path, **options: object) -> BLBSet:
    data = BLB(root, num_workers=0, **options)  # type: ignore[arg-type]
    data.setup("test")
    assert isinstance(data.test_set, BLBSet)
    return data.test_set


def psnr(pictures: BLBSet) -> float:
    """Of the reference renderer against the targets, in dB, the worst of all."""
    worst = 0.0
    for index in range(len(pictures)):
        item = pictures[index]
        parts = (item[key] for key in ("image", "disparity", "focus", "aperture"))
        worst = max(worst, float((render_reference(*parts, "scatter") - item["bokeh"]).square().mean()))
    return -10 * float(np.log10(worst))


@pytest.mark.parametrize(("unit", "right"), [("raw", "raw"), ("normalised", "normalised")])
def test_exactly_one_convention_reproduces_an_exact_scene(tmp_path: Path, unit: str, right: str) -> None:
    make_blb(tmp_path, unit=unit)
    found = {c: psnr(made(tmp_path, convention=c, encoding="srgb")) for c in CONVENTIONS}
    assert found.pop(right) > 75  # type: ignore[call-overload]
    assert max(found.values()) < 35


def test_the_author_s_encoding_differs_little(tmp_path: Path) -> None:
    assert 40 < psnr(made(make_blb(tmp_path))) < 75


def test_focus_and_aperture_are_those_of_the_stretched_map(tmp_path: Path) -> None:
    """Numbers of scene 277, of the specification of the data: ten planes evenly spaced in disparity."""
    distances = [65504.0, 124.3834, 62.2508, 41.5137, 31.1402, 24.9145, 20.7634, 17.7980, 15.5738, 13.8437]
    make_blb(tmp_path, planes=1)
    depth = np.full((64, 96), 65504, np.float32)
    depth[20:, 30:] = 13.8437
    write_exr(tmp_path / "277" / "depth.exr", {"Y": depth})
    info = {"blur_parameters": [138.0, 692.0], "focus_distances": distances}
    (tmp_path / "277" / "info.json").write_text(json.dumps(info))
    for level in range(2):
        for plane in range(10):
            source = (tmp_path / "277" / "image.exr").read_bytes()
            (tmp_path / "277" / f"bokeh_{level:02d}_{plane:02d}.exr").write_bytes(source)
    pictures = made(tmp_path)
    assert len(pictures) == 20
    focus = [float(pictures[index]["focus"]) for index in range(10)]
    np.testing.assert_allclose(focus, np.arange(10) / 9, atol=2e-4)
    span = 1 / 13.8437 - 1 / 65504
    assert float(pictures[0]["aperture"]) == pytest.approx(138 * span, rel=1e-5)
    assert float(pictures[10]["aperture"]) == pytest.approx(692 * span, rel=1e-5) == pytest.approx(50, rel=0.01)
    assert float(made(tmp_path, convention="normalised")[10]["aperture"]) == 692
    assert float(made(tmp_path, convention="normalised_map")[9]["focus"]) == pytest.approx(1 / 13.8437)
    assert pictures[0]["disparity"].min() == 0
    assert pictures[0]["disparity"].max() == 1


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_light_above_white_is_clipped_as_the_author_does(tmp_path: Path, kind: type) -> None:
    make_blb(tmp_path, brightest=6.0, kind=kind)
    item = made(tmp_path)[0]
    assert item["image"].max() == 1
    assert item["bokeh"].dtype == torch.float32
    assert 0 <= float(item["bokeh"].min()) <= float(item["bokeh"].max()) <= 1


def test_levels_and_planes(tmp_path: Path) -> None:
    make_blb(tmp_path, scenes=("9", "10", "277"))
    assert [r.name for r in made(tmp_path, levels=[1], focus_planes=[0]).records] == [
        "9_01_00",
        "10_01_00",
        "277_01_00",
    ]


@pytest.mark.parametrize(("unit", "convention", "said"), [
    ("raw", "normalised", r"radius of 112 px under --data.convention normalised, where 5 to 9.6 px are expected"),
    ("normalised", "raw", r"radius of 0.571 px under --data.convention raw"),
    ("normalised", "normalised", ""), ("raw", "raw", ""),
])  # fmt: skip
def test_a_wrong_unit_of_k_is_said(tmp_path: Path, unit: str, convention: str, said: str, capsys) -> None:
    make_blb(tmp_path, unit=unit)
    assert main(["data", "check", "--data", "blb", f"--data.root={tmp_path}", f"--data.convention={convention}"]) == 0
    printed = capsys.readouterr().out
    assert (said in printed) if said else "unit of K" not in printed


def test_every_action_a_fit_a_test_and_a_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    root = make_blb(tmp_path / "blb", scenes=("270", "277"))
    (root / "._277").mkdir()
    (root / "277" / "._image.exr").write_bytes(b"no picture")
    (root / "Thumbs.db").write_bytes(b"no picture")
    words = ["--data", "blb", f"--data.root={root}"]
    for action in (["describe"], ["check"], ["check", "--deep"], ["preview", "-o", str(tmp_path / "sheet.png")]):
        assert main(["data", *action, *words]) == 0
    printed = capsys.readouterr().out
    assert "test: 8 of 500 pictures" in printed
    assert "96 x 64" in printed
    assert "Thumbs" not in printed
    data = [*words, "--data.num_workers=0"]
    kept = [word for word in tiny_words("deeplens", steps=1) if not word.startswith("--data.")]
    assert main(["fit", *kept, *data, f"--trainer.default_root_dir={tmp_path}"]) == 0
    board = make_board(tmp_path, count=8, ids=None, protocol="bokehme", columns=["psnr", "ssim"])
    recorder = ["--trainer.callbacks+=bokehbench.measure.recorder.ResultRecorder", f"--trainer.callbacks.board={board}",
                f"--trainer.callbacks.output={tmp_path / 'result.json'}", "--trainer.accelerator=cpu"]  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["test", "--model", "scatter", *data, "--data.encoding=srgb", *recorder]) == 0
    assert main(["leaderboard", "add", str(tmp_path / "result.json"), "--board", str(board)]) == 0
    (result,) = results.read_all(board)
    assert min(result.values("psnr").values()) > 75
    assert len(result.per_image) == 8


def test_bad_copies_are_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    for place in ("nowhere", "empty"):
        assert "BLB is expected as" in " ".join(BLB(tmp_path / place).check())
    root = make_blb(tmp_path / "blb")
    scene = root / "277"
    whole = {path: path.read_bytes() for path in scene.iterdir()}

    def problem(path: Path, content: bytes | None, **options: object) -> str:
        path.unlink() if content is None else path.write_bytes(content)
        found = BLB(root, **options).check(deep=True)  # type: ignore[arg-type]
        path.write_bytes(whole[path])
        assert len(found) == 1, found
        return found[0]

    info = scene / "info.json"
    assert "lacks bokeh_01_01.exr" in problem(scene / "bokeh_01_01.exr", None)
    assert "lacks depth.exr" in problem(scene / "depth.exr", None)
    assert "info.json cannot be read" in problem(info, None)
    for text in ("{}", "[1]", "{", '{"blur_parameters": ["a"], "focus_distances": [1]}'):
        assert "two lists of numbers above 0" in problem(info, text.encode())
    assert "numbers above 0" in problem(info, b'{"blur_parameters": [1, -2], "focus_distances": [9, 9]}')
    assert "lacks bokeh_07_00.exr, bokeh_07_01.exr: restore" in problem(info, whole[info], levels=[7])
    one = b'{"blur_parameters": [42], "focus_distances": [65504, 14]}'
    assert "lacks bokeh_01_00.exr, bokeh_01_01.exr" in problem(info, one, levels=[1])
    assert "focus plane 1 at 2 lies outside of the scene, 14 to 65504" in problem(
        info, b'{"blur_parameters": [42, 112], "focus_distances": [65504, 2]}'
    )
    cut = scene / "bokeh_00_00.exr"
    assert "bokeh_00_00.exr: is corrupt or truncated" in problem(cut, whole[cut][:-20])
    light = np.full((64, 96, 3), np.nan, np.float32)
    bad = write_exr(tmp_path / "bad.exr", {"RGB": light}).read_bytes()
    assert "has NaN or infinite values" in problem(cut, bad)
    assert "of 8 x 8 does not fit" in problem(cut, write_exr(tmp_path / "bad.exr", {"RGB": light[:8, :8]}).read_bytes())
    depth = scene / "depth.exr"
    for value, said in ((0.0, "not above 0"), (np.nan, "has NaN"), (7.0, "is of one depth")):
        bad = write_exr(tmp_path / "bad.exr", {"Y": np.full((64, 96), value, np.float32)}).read_bytes()
        assert said in problem(depth, bad)
    two = write_exr(tmp_path / "bad.exr", {"U": np.ones((64, 96), "f4"), "V": np.full((64, 96), 2, "f4")}).read_bytes()
    assert "has the channels U, V, which differ" in problem(depth, two)
    for option in ("convention=nope", "encoding=nope", "levels=[]", "levels=[-1]", "focus_planes=[-3]"):
        assert "--data." in refused(
            ["data", "check", "--data", "blb", f"--data.root={root}", f"--data.{option}"], capfd
        )
    info.write_text('{"blur_parameters": [], "focus_distances": []}')
    with pytest.raises(BokehbenchError, match="restore the original"):
        read_info(scene)
