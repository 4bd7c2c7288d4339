"""Depth from folders and from networks of others: found, the right way round, kept, named."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from made_depth_network import tiny_dpt
from makers import ramp, save
from PIL import Image
from torch import Tensor

from bokehbench import depth
from bokehbench.depth import FolderDepth, MapCache, TransformersDepth, focus_on_another_map
from bokehbench.depth.transformers_depth import output_of
from bokehbench.errors import BokehbenchError

transformers = pytest.importorskip("transformers")


def photo(seed: int = 0, size: tuple[int, int] = (24, 32), count: int = 1) -> Tensor:
    return torch.rand(count, 3, *size, generator=torch.Generator().manual_seed(seed))


# Folders -----------------------------------------------------------------------------------------------------------


def sixteen_bit(path: Path, values: np.ndarray) -> None:
    Image.fromarray(values.astype(np.uint16)).save(path)


@pytest.mark.parametrize("suffix", [".png", ".16.png", ".npy", ".tif", ".pfm"])
def test_maps_of_every_kind_come_out_alike(tmp_path: Path, suffix) -> None:
    values = ramp()
    path = tmp_path / f"a{suffix.removeprefix('.16')}"
    if suffix == ".npy":
        np.save(path, values.astype(np.float32) * 7 - 300)  # any range
    elif suffix == ".16.png":
        sixteen_bit(path, values.astype(int) * 200)
    elif suffix == ".png":
        save(path, values)
    else:
        Image.fromarray(values.astype(np.float32) / 3).save(path)
    found = FolderDepth(tmp_path).disparity(photo(), ["a"])
    expected = (torch.from_numpy(values).float()[None, None] - 20) / 200
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_depth_maps_are_turned_round_and_what_was_not_measured_is_far(tmp_path: Path) -> None:
    metres = np.linspace(4, 1, 32, dtype=np.float32)[None].repeat(24, 0)
    metres[:, 0] = 0
    np.save(tmp_path / "a.npy", metres)
    found = FolderDepth(tmp_path, depth=True).disparity(photo(), ["a"])[0, 0, 0]
    assert found[-1] == 1
    assert found[0] == found[1] == 0
    assert (found[1:].diff() > 0).all()
    torch.testing.assert_close(found[16], torch.tensor((1 / metres[0, 16] - 1 / metres[0, 1]) / (1 - 1 / metres[0, 1])))
    wrong_way = FolderDepth(tmp_path).disparity(photo(), ["a"])[0, 0, 0]
    assert wrong_way[1] > wrong_way[-1]


def test_maps_take_the_pictures_size_and_order(tmp_path: Path) -> None:
    save(tmp_path / "a.png", ramp((12, 16)))
    save(tmp_path / "b.png", np.ascontiguousarray(ramp((60, 80))[:, ::-1]))
    found = FolderDepth(tmp_path).disparity(photo(count=2), ["b", "a"])
    assert found.shape == (2, 1, 24, 32)
    assert found.amin((1, 2, 3)).tolist() == [0, 0]
    assert found.amax((1, 2, 3)).tolist() == [1, 1]
    assert found[0, 0, 0, 0] == 1
    assert found[1, 0, 0, 0] == 0


def test_a_folders_name_has_no_path_and_changes_with_its_maps(tmp_path: Path) -> None:
    save(tmp_path / "maps" / "a.png", ramp())
    one = FolderDepth(tmp_path / "maps")
    assert one.name.startswith("folder maps #")
    assert str(tmp_path) not in one.name
    assert FolderDepth(tmp_path / "maps").name == one.name
    assert FolderDepth(tmp_path / "maps", depth=True).name == f"{one.name}, as depth"
    save(tmp_path / "maps" / "a.png", ramp()[::-1, ::-1])
    assert FolderDepth(tmp_path / "maps").name != one.name


@pytest.mark.parametrize("what", ["missing", "corrupt", "nan", "colour", "empty"])
def test_a_bad_map_is_named(tmp_path: Path, what) -> None:
    path = tmp_path / "a.png"
    if what == "missing":
        path = save(tmp_path / "b.png", ramp())
    elif what == "nan":
        path = tmp_path / "a.npy"
        np.save(path, np.full((4, 4), np.nan))
    elif what == "colour":
        save(path, np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8))
    else:
        save(path, ramp())
        path.write_bytes(path.read_bytes()[:60] if what == "corrupt" else b"")
    with pytest.raises(BokehbenchError, match="named a" if what == "missing" else path.name):
        FolderDepth(tmp_path).disparity(photo(), ["a"])


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(BokehbenchError, match="holds no depth maps"):
        FolderDepth(tmp_path)
    with pytest.raises(BokehbenchError, match="no folder"):
        depth.find(f"folder:{tmp_path / 'nowhere'}")
    save(tmp_path / "a.png", ramp())
    np.save(tmp_path / "a.npy", ramp())
    with pytest.raises(BokehbenchError, match=r"two maps for one picture.*a\.npy has the same stem"):
        FolderDepth(tmp_path)


# Networks ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dpt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_dpt(tmp_path_factory.mktemp("hub") / "tiny-dpt")


def provider(folder: Path, cache: Path, output: str | None = None) -> TransformersDepth:
    return TransformersDepth(str(folder), output, MapCache(cache))


def test_a_network_gives_what_the_librarys_own_pipeline_gives(dpt, tmp_path) -> None:
    image = (photo(3, (40, 56)) * 255).round() / 255
    found = provider(dpt, tmp_path).disparity(image)
    picture = Image.fromarray((image[0].permute(1, 2, 0) * 255).round().byte().numpy())
    raw = transformers.pipeline("depth-estimation", model=str(dpt))(picture)["predicted_depth"]
    assert found.shape == (1, 1, 40, 56)
    expected = (raw - raw.min()) / (raw.max() - raw.min())
    torch.testing.assert_close(found[0, 0], expected.reshape(40, 56), atol=2e-5, rtol=0)


def test_a_picture_is_predicted_once(dpt, tmp_path) -> None:
    first, image, other = provider(dpt, tmp_path), photo(1, count=2), photo(2)
    before = first.disparity(image)
    assert len(list(tmp_path.rglob("*.npy"))) == 2
    second = provider(dpt, tmp_path)
    for parameter in second.module.parameters():  # from here on this network cannot predict
        parameter.data.fill_(torch.nan)
    assert torch.equal(second.disparity(image), before)
    with pytest.raises(BokehbenchError, match="NaN"):
        second.disparity(other)
    assert len(list(tmp_path.rglob("*.npy"))) == 2


def test_a_damaged_stored_map_is_made_again(dpt, tmp_path) -> None:
    before = provider(dpt, tmp_path).disparity(photo())
    (stored,) = tmp_path.rglob("*.npy")
    stored.write_bytes(stored.read_bytes()[:100])
    assert torch.equal(provider(dpt, tmp_path).disparity(photo()), before)


def test_the_cache_is_where_the_user_says(dpt, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("BOKEHBENCH_CACHE", str(tmp_path / "mine"))
    depth.find(f"transformers:{dpt}").disparity(photo())
    assert len(list((tmp_path / "mine" / "depth").rglob("*.npy"))) == 1


def test_another_network_or_output_is_another_name_and_map(dpt, tmp_path) -> None:
    other = provider(tiny_dpt(tmp_path / "tiny-dpt", seed=1), tmp_path / "cache")
    usual, turned = provider(dpt, tmp_path / "cache"), provider(dpt, tmp_path / "cache", "depth")
    assert usual.name.startswith("transformers tiny-dpt #")
    assert str(dpt.parent) not in usual.name
    assert turned.name == f"{usual.name}, as depth"
    assert other.name != usual.name
    near, far = usual.disparity(photo())[0, 0], turned.disparity(photo())[0, 0]
    assert not torch.equal(other.disparity(photo())[0, 0], near)
    order = far.flatten()[near.flatten().argsort()]
    assert order[0] == 1
    assert (order.diff() < 1e-3).all()


def test_what_networks_give_is_read_from_their_configuration() -> None:
    assert output_of(transformers.DPTConfig()) == "disparity"
    assert output_of(transformers.DPTConfig(backbone_config=transformers.Dinov2Config(), is_hybrid=False)) == "depth"
    assert output_of(transformers.DepthAnythingConfig()) == "disparity"
    assert output_of(transformers.DepthAnythingConfig(depth_estimation_type="metric", max_depth=20)) == "depth"
    assert output_of(transformers.ZoeDepthConfig()) == "depth"
    assert output_of(transformers.GLPNConfig()) == "depth"
    with pytest.raises(BokehbenchError, match="transformers-disparity:"):
        output_of(transformers.BertConfig())


def test_a_model_that_cannot_be_had_is_one_sentence(tmp_path, monkeypatch) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BokehbenchError, match="could not be loaded"):
        depth.find(f"transformers:{tmp_path / 'empty'}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(BokehbenchError, match="could not be loaded"):
        depth.find("transformers:bokehbench/none")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(BokehbenchError, match="pip install --upgrade bokehbench"):
        depth.find("transformers:some/model")


# Focus -------------------------------------------------------------------------------------------------------------


def test_focus_is_found_on_the_other_map() -> None:
    reference = torch.linspace(0, 1, 101).expand(2, 1, 5, 101).contiguous()
    other = reference**2
    at = focus_on_another_map(other, reference, torch.tensor([0.5, 0.9]))
    torch.testing.assert_close(at, torch.tensor([0.25, 0.81]), atol=0.02, rtol=0)


def test_a_focus_between_all_depths_keeps_its_distance_from_the_nearest() -> None:
    reference = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(1, 1, 3, 4)
    at = focus_on_another_map(1 - reference / 2, reference, torch.tensor([0.7]))
    torch.testing.assert_close(at, torch.tensor([0.5 + 0.7 - 1.0]))


def test_equal_maps_have_equal_focus_wherever_it_lies() -> None:
    reference = torch.tensor([0.0, 0.0, 0.61, 1.0]).expand(3, 1, 3, 4)
    focus = torch.tensor([0.6, 0.3, 1.2])
    torch.testing.assert_close(focus_on_another_map(reference, reference, focus), focus)
