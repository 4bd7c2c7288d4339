"""Depth of one, renderer of another: through the command line, and as results name it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning
import torch
import yaml
from made_depth_network import tiny_dpt
from makers import picture, ramp, save
from methods import SMALL, tiny
from PIL import Image
from torch import Tensor

from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.models import Combination, Layered
from bokehbench.models.base import BokehModel
from bokehbench.models.weights import weights_hash

DATA = ["--data=pairs", "--data.num_workers=0", "--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false"]
NAMES = ("a", "b")
SIZE = (64, 80)


def scene(seed: int) -> tuple[Tensor, Tensor]:
    """A picture and its disparity: a near square of 0.8 before a far plane of 0.2; SIZE."""
    image = torch.from_numpy(np.array(picture(seed, SIZE))).permute(2, 0, 1).float() / 255
    disparity = torch.full((1, *SIZE), 0.2)
    disparity[:, 16:48, 20:60] = 0.8
    return image, disparity


def checkpoint(path: Path, name: str) -> tuple[Path, BokehModel]:
    torch.manual_seed(len(name))
    model = tiny(name).eval()
    content = {
        "state_dict": model.state_dict(), "hyper_parameters": dict(SMALL[name]),
        "pytorch-lightning_version": pytorch_lightning.__version__,
        "bokehbench": {"model": type(model).__name__, "stages": [], "stage": None},
    }  # fmt: skip
    torch.save(content, path)
    return path, model


@pytest.fixture(scope="module")
def deeplens(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BokehModel]:
    return checkpoint(tmp_path_factory.mktemp("weights") / "deeplens.ckpt", "deeplens")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs with a map, and ``maps`` with another: the same depth, squared, so that its numbers are others."""
    root = tmp_path_factory.mktemp("pairs")
    for number, name in enumerate(NAMES):
        image, disparity = scene(number)
        pixels = (image.permute(1, 2, 0) * 255).byte().numpy()
        save(root / "input" / f"{name}.png", pixels)
        save(root / "target" / f"{name}.png", pixels)
        save(root / "disparity" / f"{name}.png", (disparity[0] * 255).byte().numpy())
        (root / "maps").mkdir(exist_ok=True)
        np.save(root / "maps" / f"{name}.npy", (disparity[0] ** 2).numpy())
    return root


def result_of(pairs: Path, tmp_path: Path, *options: str) -> dict:
    """The result of ``test`` on a board of the pairs, as JSON."""
    board = tmp_path / "board"
    board.mkdir(exist_ok=True)
    content = {
        "name": "board", "version": 1, "title": "Tiny", "about": "for tests", "obtain": "made", "split": "test",
        "protocol": "bokehme", "count": 2, "columns": ["psnr", "ssim", "depth_mae"], "rank_by": "psnr",
        "data": {"name": "pairs", "arguments": {}},
    }  # fmt: skip
    (board / "board.yaml").write_text(yaml.safe_dump(content))
    out = tmp_path / "result.json"
    recorder = [
        "--trainer.callbacks+=bokehbench.measure.recorder.ResultRecorder",
        f"--trainer.callbacks.board={board}",
        f"--trainer.callbacks.output={out}",
    ]
    where = [f"--data.root={pairs}", "--data.focus=0.8", "--data.aperture=6", f"--trainer.default_root_dir={tmp_path}"]
    assert main(["test", "--model", "combination", *DATA, *where, *recorder, *options]) == 0
    return json.loads(out.read_text())


def test_by_default_it_is_the_renderer_with_the_data_sets_depth() -> None:
    image, disparity = (part[None] for part in scene(0))
    given = {"disparity": disparity, "focus": torch.tensor([0.8]), "aperture": torch.tensor([6.0])}
    assert torch.equal(Combination().render(image, **given).image, Layered().render(image, **given).image)
    with pytest.raises(BokehbenchError, match="--disparity"):
        Combination().render(image)


def test_a_result_names_depth_and_renderer_and_no_path(pairs, deeplens, tmp_path, capsys) -> None:
    path, model = deeplens
    short = f"DeepLens {weights_hash(model)[:8]}"
    ours = result_of(pairs, tmp_path, f"--model.depth=folder:{pairs / 'maps'}", f"--model.renderer={path}")
    assert ours["architecture"]["renderer"] == short
    assert ours["architecture"]["depth"].startswith("folder maps #")
    assert set(ours["architecture"]) == {"depth", "renderer"}
    assert ours["parameters"] == sum(p.numel() for p in model.parameters())
    theirs = result_of(pairs, tmp_path, f"--model.depth=checkpoint:{path}", "--model.renderer=scatter")
    assert theirs["architecture"] == {"depth": short, "renderer": "scatter"}
    assert theirs["parameters"] == sum(p.numel() for p in model.net.depth.parameters())
    assert len({ours["weights_hash"], theirs["weights_hash"], "no weights"}) == 3
    stored = result_of(pairs, tmp_path, f"--model.depth=folder:{pairs / 'maps'}", "--model.renderer=scatter")
    assert stored["weights_hash"] == "no weights"
    for result in (ours, theirs, stored):
        text = json.dumps(result)
        assert str(path.parent) not in text
        assert str(pairs) not in text
        assert set(result["per_image"]) == set(NAMES)
        assert all(scores["depth_mae"] >= 0 for scores in result["per_image"].values())


def test_a_network_of_others_gives_one_result_whether_its_maps_are_kept_or_new(pairs, tmp_path, monkeypatch) -> None:
    pytest.importorskip("transformers")
    monkeypatch.setenv("BOKEHBENCH_CACHE", str(tmp_path / "cache"))
    folder = tiny_dpt(tmp_path / "tiny-dpt")
    first, second = (
        result_of(pairs, tmp_path, f"--model.depth=transformers:{folder}", "--model.renderer=scatter") for _ in range(2)
    )
    assert first["architecture"]["depth"].startswith("transformers tiny-dpt #")
    assert str(tmp_path) not in json.dumps(first["architecture"])
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == len(NAMES)
    assert first["parameters"] > 1000
    for key in ("architecture", "weights_hash", "parameters", "macs", "prediction_hash", "per_image"):
        assert first[key] == second[key], key


def test_another_map_is_focused_on_the_same_thing(pairs) -> None:
    """The square in focus is at 0.8 for the data set and at 1 on the normalised map; as it is, 0.8 would blur both."""
    image, disparity = (part[None] for part in scene(0))
    model = Combination(f"folder:{pairs / 'maps'}", "scatter")
    given = {"image": image, "disparity": disparity, "focus": torch.tensor([0.8]), "aperture": torch.tensor([10.0])}
    result = model.render_batch({**given, "name": ["a"]}).image
    inside = (..., slice(28, 36), slice(36, 44))
    torch.testing.assert_close(result[inside], image[inside], atol=2e-3, rtol=0)
    assert (result - image)[..., :8, :].abs().max() > 0.02
    as_it_is = model.render(image, focus=0.8, aperture=10.0, names=["a"]).image
    assert (as_it_is - image)[inside].abs().max() > 2e-3


def test_own_is_the_renderers_own_network(deeplens) -> None:
    path, model = deeplens
    image = scene(1)[0][None]
    own = Combination("own", str(path))
    assert torch.equal(own.render(image, aperture=6.0).image, model.render(image, aperture=6.0).image)
    assert torch.equal(own.disparity(image), model.net.predict_disparity(image))
    assert Combination("given", str(path)).disparity(image) is None


def test_aperture_renders_with_the_depth_that_it_is_given(tmp_path) -> None:
    path, _ = checkpoint(tmp_path / "aperture.ckpt", "aperture")
    image, disparity = (part[None] for part in scene(0))
    given = Combination("given", str(path)).render(image, disparity=disparity, focus=0.8, aperture=6.0).image
    turned = Combination("given", str(path)).render(image, disparity=1 - disparity, focus=0.8, aperture=6.0).image
    assert not torch.equal(given, turned)


def test_render_takes_the_same_options_and_says_what_it_used(pairs, deeplens, tmp_path, capsys) -> None:
    photo, out = pairs / "input" / "a.png", tmp_path / "out.png"
    command = ["render", str(photo), "--model=combination", "--focus", "40,32", "--aperture", "6", "-o", str(out)]
    assert main([*command, "--model.depth", f"checkpoint:{deeplens[0]}", "--model.renderer=scatter"]) == 0
    assert "depth: DeepLens " in capsys.readouterr().out
    assert Image.open(out).size == (80, 64)
    assert main([*command, "--model.depth", f"folder:{pairs / 'maps'}", "--model.renderer", str(deeplens[0])]) == 0
    assert "depth: folder maps #" in capsys.readouterr().out
    other = save(tmp_path / "other.png", ramp())
    assert main([command[0], str(other), *command[2:], "--model.depth", f"folder:{pairs / 'maps'}"]) == 2
    assert "no depth map named other" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        (["--model.depth=floder:x"], "did you mean 'folder"),
        (["--model.depth=own"], "no depth network"),
        (["--model.renderer=layerd"], "did you mean 'layered'"),
        (["--model.renderer=pynet"], "give its checkpoint"),
        (["--model.renderer=combination"], "neither"),
        (["--model.depth=checkpoint:nowhere.ckpt"], "nowhere.ckpt"),
        (["--model.dpeth=given"], "did you mean 'depth'"),
        (["--model.depth"], "--model.depth needs a value"),
    ],
)
def test_what_cannot_be_combined_is_said(options, answer, pairs, capsys, tmp_path) -> None:
    photo = str(pairs / "input" / "a.png")
    assert main(["render", photo, "--model", "combination", "-o", str(tmp_path / "out.png"), *options]) == 2
    assert answer in capsys.readouterr().err


def test_methods_that_read_no_depth_are_refused(tmp_path) -> None:
    path, _ = checkpoint(tmp_path / "d2f.ckpt", "d2f")
    with pytest.raises(BokehbenchError, match="takes no depth map"):
        Combination("given", str(path))
    with pytest.raises(BokehbenchError, match="has no depth network"):
        Combination(f"checkpoint:{path}", "layered")
