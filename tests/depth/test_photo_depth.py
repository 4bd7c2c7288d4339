"""Photos without a disparity map: which depth they get, and how it is said."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hub_server import COMMIT, hub_of
from made_depth_network import tiny_dpt
from makers import make_ebb, make_pairs, make_rgbd, picture, ramp, save
from methods import NAMES, tiny
from PIL import Image

import bokehbench as bb
from bokehbench.cli import main
from bokehbench.data import open_data
from bokehbench.depth import MapCache, TransformersDepth
from bokehbench.errors import BokehbenchError
from bokehbench.method import Method
from bokehbench.photo_depth import NETWORK
from bokehbench.provenance import Provenance

SIZE = (48, 64)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_dpt(tmp_path_factory.mktemp("network"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOKEHBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return save(tmp_path / "photo.png", picture(5, SIZE))


def as_trained(name: str, stages: tuple[str, ...], data: str) -> Method:
    """A tiny method whose record says that it was trained."""
    model = tiny(name)
    model.provenance = Provenance(stages={stage: {"steps": 1} for stage in stages}, data={"class": data})
    return Method(model)


@pytest.mark.parametrize("name", NAMES)
def test_a_method_that_takes_a_map_gets_that_of_a_network(name, photo: Path, network: Path) -> None:
    method = Method(tiny(name), depth=f"transformers:{network}")
    expected = TransformersDepth(str(network)).disparity(method.open(photo, disparity=ramp(SIZE)).photo.image[None])
    found = method(photo)
    if method.uses.disparity == "ignored":
        assert found.disparity is None
        return
    assert f"transformers {network.name}" in found.note
    assert found.note.startswith("depth")
    given = method(photo, disparity=expected[0])
    np.testing.assert_array_equal(found.image, given.image)


def test_with_neither_map_nor_network_a_sentence_has_the_ways_out(photo: Path) -> None:
    with pytest.raises(
        BokehbenchError, match=r"could not be loaded.*: give a map of the photo .*, or connect"
    ) as refused:
        bb.load("layered")(photo)
    assert NETWORK in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_depth_network_that_saw_synthetic_scenes_alone_is_warned_of(photo: Path) -> None:
    method = as_trained("deeplens", ("depth", "rendering"), "SyntheticDoF")
    note = method(photo).note
    assert "depth of its own network, trained on synthetic scenes alone" in note
    assert NETWORK in note


def test_a_depth_network_that_saw_photographs_is_used(photo: Path) -> None:
    before = as_trained("deeplens", ("depth", "rendering"), "IPhoneDepth")
    assert "own disparity, " in before(photo).note


def test_authors_weights_are_used_with_their_own_depth(photo: Path) -> None:
    model = tiny("deeplens")
    model.provenance = replace(Provenance(), official=True)
    assert "own disparity, " in Method(model)(photo).note


def test_a_depth_network_that_was_left_out_of_training_is_never_shown(photo: Path) -> None:
    method = as_trained("deeplens", ("rendering",), "SyntheticDoF")
    with pytest.raises(BokehbenchError, match="needs a disparity map"):
        method(photo)
    with pytest.raises(BokehbenchError, match=r"--depth own: DeepLens.* was not trained"):
        Method(method.model, depth="own")


def test_own_and_none_mean_what_they_say(photo: Path) -> None:
    assert "own disparity, " in Method(tiny("deeplens"), depth="own")(photo).note
    with pytest.raises(BokehbenchError, match="--depth none"):
        Method(tiny("deeplens"), depth="none")(photo)
    with pytest.raises(BokehbenchError, match="no disparity map"):
        bb.load("layered", depth="none")(photo)
    with pytest.raises(BokehbenchError, match="--depth own: Layered has no depth network"):
        bb.load("layered", depth="own")
    with pytest.raises(BokehbenchError, match=r"--depth transformer:x: there is no such provider.*transformers:"):
        bb.load("layered", depth="transformer:x")


def test_render_writes_the_map_that_it_used(tmp_path: Path, photo: Path, network: Path, capsys) -> None:
    out, used = tmp_path / "out.png", tmp_path / "map.png"
    words = ["render", str(photo), "--model", "layered", "-o", str(out)]
    assert main([*words, "--depth", f"transformers:{network}", "--save-disparity", str(used)]) == 0
    assert "depth of transformers" in capsys.readouterr().out
    first = out.read_bytes()
    with Image.open(used) as stored:
        assert stored.mode == "I;16"
        assert stored.size == SIZE[::-1]
    assert main([*words, "--disparity", str(used)]) == 0  # the map as a given one: the same picture
    assert out.read_bytes() == first


def test_render_of_a_folder_writes_a_folder_of_maps(tmp_path: Path, capsys) -> None:
    photos, maps = tmp_path / "photos", tmp_path / "given"
    for seed, name in enumerate("ab"):
        save(photos / f"{name}.jpg", picture(seed, SIZE))
        save(maps / f"{name}.png", ramp(SIZE))
    words = ["render", str(photos), "--model", "layered", "--depth", f"folder:{maps}", "-o", str(tmp_path / "out")]
    assert main([*words, "--save-disparity", str(tmp_path / "used")]) == 0
    assert sorted(path.name for path in (tmp_path / "used").iterdir()) == ["a.png", "b.png"]
    assert main(["render", str(photos / "a.jpg"), "--model", "layered", "--disparity", str(maps), "-o",
              str(tmp_path / "x.png"), "--save-disparity", str(tmp_path / "x.png")]) == 2  # fmt: skip
    assert "which is read: give another place" in capsys.readouterr().err


def test_predict_takes_depth_for_any_method_with_a_map(tmp_path: Path, network: Path) -> None:
    root = make_pairs(tmp_path / "pairs", ("a", "b"), SIZE, disparity=True)
    words = ["predict", "--data", "pairs", "--data.root", str(root), "--data.num_workers", "0"]
    words += ["--trainer.logger=false", "--trainer.enable_progress_bar=false", "--model", "layered"]
    pictures = {}
    for kind in ("none", f"transformers:{network}"):
        place = tmp_path / f"run{len(pictures)}"
        assert main([*words, "--depth", kind, "--trainer.default_root_dir", str(place)]) == 0
        pictures[kind] = [np.asarray(Image.open(path)) for path in sorted(place.rglob("a.png"))]
        assert len(pictures[kind]) == 1
    ours, theirs = (each[0] for each in pictures.values())
    assert (ours != theirs).any()
    given = bb.load("layered")(root / "input" / "a.png", disparity=root / "disparity" / "a.png")
    assert np.abs(given.image * 255 - ours).max() <= 1


# A data set's maps --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["public", "pynet", "pairs", "iphonedepth"])
def test_maps_are_written_where_the_data_set_reads_them(kind, tmp_path: Path, network: Path, capsys) -> None:
    root, name, options = tmp_path / "data", "ebb", {}
    if kind == "pairs":
        make_pairs(root, ("a", "b", "c"), SIZE)
        name = "pairs"
    elif kind == "iphonedepth":
        make_rgbd(root, ("a", "b", "c"), SIZE)
        for path in (root / "depth").iterdir():
            path.unlink()
        (root / "depth").rmdir()
        name, options = "iphonedepth", {"depth_kind": "disparity"}
    else:
        make_ebb(root, (0, 1, 4400), SIZE, depth=False, layout=kind)
    words = ["data", "depth", "--data", name, "--data.root", str(root), "--depth", f"transformers:{network}"]
    words += [f"--data.{key}={value}" for key, value in options.items()]
    assert main(words) == 0
    assert "3 maps of transformers" in capsys.readouterr().out
    test = open_data(name, root=root, num_workers=0, **options).pictures("test")
    assert test is not None
    expected = TransformersDepth(str(network), cache=MapCache(tmp_path / "else")).disparity(test[0]["image"][None])[0]
    torch.testing.assert_close(test[0]["disparity"], expected, atol=2e-4, rtol=0)
    assert main(words) == 0
    assert "0 maps of transformers" in capsys.readouterr().out


def test_a_photo_that_cannot_be_read_is_named_and_the_others_get_maps(tmp_path: Path, network: Path, capsys) -> None:
    root = make_ebb(tmp_path / "ebb", (0, 1), SIZE, depth=False)
    (root / "Training" / "original" / "1.jpg").write_bytes(b"no picture")
    words = ["data", "depth", "--data", "ebb", "--data.root", str(root), "--depth", f"transformers:{network}"]
    assert main(words) == 1
    assert "1.jpg: is not a picture" in capsys.readouterr().out
    assert [path.name for path in (root / "Training" / "original_depth").iterdir()] == ["0.png"]


def test_data_that_reads_no_maps_says_so(tmp_path: Path, capsys) -> None:
    assert main(["data", "depth"]) == 2
    assert "SyntheticDoF reads no disparity maps from files" in capsys.readouterr().err
    root = make_rgbd(tmp_path / "rgbd", ("a", "b"), SIZE)
    assert main(["data", "depth", "--data", "iphonedepth", "--data.root", str(root)]) == 2
    assert "--data.depth_kind disparity" in capsys.readouterr().err


# The hub ------------------------------------------------------------------------------------------------------------


def test_the_network_is_fetched_once_and_then_needs_no_hub(tmp_path: Path, photo: Path, network: Path) -> None:
    environment = {**os.environ, "HF_HOME": str(tmp_path / "hub"), "BOKEHBENCH_CACHE": str(tmp_path / "maps")}
    environment |= {"HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "*", "no_proxy": "*"}
    words = [sys.executable, "-m", "bokehbench", "render", str(photo), "--model", "layered"]
    asked: list[str] = []
    with hub_of(network, NETWORK, asked) as address:
        environment["HF_ENDPOINT"] = address
        done = subprocess.run([*words, "-o", "a.png"], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert f"depth of transformers {NETWORK} @{COMMIT[:12]}" in done.stdout
        assert any(path.endswith("model.safetensors") for path in asked)
        asked.clear()
        other = save(tmp_path / "photo2.png", picture(6, SIZE))
        words[4] = str(other)
        done = subprocess.run([*words, "-o", "b.png"], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert not asked
