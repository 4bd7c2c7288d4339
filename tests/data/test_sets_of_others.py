"""What docs/data/pairs.md says about sets of others works: its preparations and its command lines, on made layouts."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from makers import blurred, picture, ramp, save, square
from test_image_io import png16

from bokehbench.cli import main
from bokehbench.data.pairs import Pairs

PAGE = (Path(__file__).parents[2] / "docs" / "data" / "pairs.md").read_text()


def prepare(name: str) -> None:
    """Run the page's preparation of a set, in the folder at hand."""
    (block,) = [each for each in re.findall(r"```python\n(.*?)```", PAGE, re.S) if f'"{name}"' in each]
    exec(compile(block, "pairs.md", "exec"), {})


def check(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the page's command for a set prints."""
    (line,) = re.findall(rf"^    bokehbench (data check --data pairs --data.root '?{name}.*)$", PAGE, re.M)
    capsys.readouterr()
    assert main(shlex.split(line)) == 0
    return capsys.readouterr().out


def levels(number: int) -> np.ndarray:
    return (np.arange(24 * 32 * 3, dtype=np.uint16).reshape(24, 32, 3) * 28 + number).astype(np.uint16)


def test_lfdof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for split, scenes in (("train", (1, 2, 10)), ("test", (3,))):
        for scene in scenes:
            folder, name, sharp = Path("LFDOF", f"{split}_data"), f"IMG_{scene:04d}", picture(scene)
            opaque = np.dstack([sharp, np.full(sharp.shape[:2], 255, np.uint8)])
            save(folder / "ground_truth" / f"{name}.png", opaque)
            for number in range(3):
                save(folder / "input" / name / f"{name}_{number}.png", picture(100 * scene + number))
    prepare("LFDOF")
    assert "6 train, 3 val, 3 test" in check("LFDOF_pairs", capsys)
    test = Pairs("LFDOF_pairs").pictures("test")
    assert test is not None
    assert torch.equal(test[0]["image"], test[2]["image"])
    assert not torch.equal(test[0]["bokeh"], test[2]["bokeh"])
    assert test[0]["image"].mul(255).round().byte().permute(1, 2, 0).numpy().tolist() == picture(3).tolist()


def test_dpdd_keeps_16_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for split in ("train", "val", "test"):
        for number in (1, 2):
            for name, shift in (("source", 7), ("target", 8)):  # no stem is in both
                place = Path("DPDD", f"{split}_c", name, f"1P0A{10 * number + shift:04d}.png")
                place.parent.mkdir(parents=True, exist_ok=True)
                png16(place, levels(1000 * number + shift))
    prepare("DPDD")
    assert "2 train, 2 val, 2 test" in check("DPDD_pairs", capsys)
    test = Pairs("DPDD_pairs").pictures("test")
    assert test is not None
    for number, item in ((1, test[0]), (2, test[1])):
        for key, shift in (("image", 8), ("bokeh", 7)):
            found = item[key].double().mul(65535).round().permute(1, 2, 0).numpy()
            assert (found == levels(1000 * number + shift)).all()


def test_ebb400_and_ebb_as_vabm_ships_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(2):
        sharp = picture(number, (26, 35))
        for name, pixels in (("in", sharp), ("gt", blurred(sharp))):
            save(Path("EBB400/validation") / name / f"{number}.jpg", pixels)
        for split in ("train", "test"):
            folder, size = Path("EBB!") / split, (26, 35)
            for name, pixels in (("input", sharp), ("target", blurred(sharp)), ("depth", ramp(size)),
                                 ("focal", square(size).astype(np.uint8) * 255)):  # fmt: skip
                save(folder / name / f"{number}.jpg", pixels)
    assert "2 train, 2 val, 2 test" in check("EBB!", capsys)
    item = Pairs("EBB!", disparity="depth").pictures("test")[0]  # type: ignore[index]
    assert float(item["focus"]) == pytest.approx(float(item["disparity"][item["mask"] > 0.5].median()))
    (test,) = re.findall(r"^    bokehbench (test .*EBB400.*)$", PAGE, re.M)
    words = shlex.split(test.replace("--checkpoint CHECKPOINT", "--model identity"))
    assert (
        main([*words, "--data.num_workers=0", "--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false"]) == 0
    )
    assert "2 per-image values" in capsys.readouterr().out
    (score,) = re.findall(r"^    bokehbench (score .*EBB400.*)$", PAGE, re.M)
    assert main(shlex.split(score.replace("OUTPUTS", "EBB400/validation/in"))) == 0
    assert "bokehlicious" in capsys.readouterr().out
