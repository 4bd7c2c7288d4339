"""Reading the authors' two D2F checkpoints, as files with their names, shapes and extra entries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.nets.d2f import D2FNet
from bokehbench.weights.d2f import load_official, official_name


@pytest.fixture(scope="module")
def official() -> tuple[dict[str, Tensor], dict[str, Tensor], D2FNet]:
    """Stage 1 and stage 2 variables of a network with random weights, under the authors' names."""
    torch.manual_seed(3)
    net = D2FNet(head_activation="none", unused_unit=True)
    named = {official_name(name): value for name, value in net.state_dict().items()}
    stage2 = {name: value for name, value in named.items() if name.startswith("blend.")}
    return {name: value for name, value in named.items() if name not in stage2}, stage2, net


def write(folder: Path, stage1: dict[str, Tensor], stage2: dict[str, Tensor]) -> tuple[Path, Path]:
    paths = folder / "stage1.pth", folder / "stage2.pth"
    for path, net in zip(paths, (stage1, stage2), strict=True):
        optimizer = torch.optim.Adam([torch.nn.Parameter(torch.ones(2))]).state_dict()
        torch.save({"net": net, "optimizer": optimizer}, path)
    return paths


def test_names_are_those_of_the_released_files(official: tuple[dict[str, Tensor], dict[str, Tensor], D2FNet]) -> None:
    stage1, stage2, _ = official
    assert (len(stage1), len(stage2)) == (366, 8)
    patterns = (
        r"midas\.pretrained\.layer1\.(0|1|4\.[0-2])\.|midas\.pretrained\.layer[234]\.[0-5]\.|"
        r"midas\.scratch\.layer[1-4]_rn\.weight|midas\.scratch\.refinenet[1-4]\.resConfUnit[12]\.conv[12]\.|"
        r"midas\.scratch\.output_conv\.[024]\.|radiance\.conv[123]\.|blend\.conv1\.0\.|blend\.conv2\.[024]\."
    )
    assert [name for name in (*stage1, *stage2) if not re.match(patterns, name)] == []
    assert tuple(stage1["midas.pretrained.layer1.0.weight"].shape) == (64, 3, 7, 7)
    assert tuple(stage1["midas.pretrained.layer1.4.0.downsample.0.weight"].shape) == (256, 64, 1, 1)
    assert tuple(stage1["midas.scratch.layer4_rn.weight"].shape) == (256, 2048, 3, 3)


def test_names_match_the_fixtures_list(
    parity_dir: Path, official: tuple[dict[str, Tensor], dict[str, Tensor], D2FNet]
) -> None:
    listed = {line.split(",")[1]: line.split(",")[2] for line in (parity_dir / "d2f_variables.csv").open()}
    listed.pop("name")
    ours = {name: "x".join(map(str, value.shape)) for stage in official[:2] for name, value in stage.items()}
    assert ours == listed


@pytest.mark.parametrize("unused_unit", [False, True])
def test_both_files_fill_the_network(
    tmp_path: Path, official: tuple[dict[str, Tensor], dict[str, Tensor], D2FNet], unused_unit: bool
) -> None:
    stage1, stage2, net = official
    torch.manual_seed(4)
    fresh = D2FNet(head_activation="none", unused_unit=unused_unit).eval()
    fresh.load_state_dict(load_official(*write(tmp_path, stage1, stage2), unused_unit=unused_unit))
    image = torch.rand(1, 3, 70, 90)
    with torch.no_grad():
        assert torch.equal(fresh(image)["bokeh"], net.eval()(image)["bokeh"])


def test_unknown_missing_and_misshaped_variables_are_named(
    tmp_path: Path, official: tuple[dict[str, Tensor], dict[str, Tensor], D2FNet]
) -> None:
    stage1, stage2, _ = official
    broken = dict(stage1)
    broken["midas.extra.weight"] = torch.zeros(1)
    del broken["midas.scratch.refinenet4.resConfUnit1.conv1.bias"]
    broken["radiance.conv1.weight"] = torch.zeros(16, 3, 3, 3)
    with pytest.raises(BokehbenchError) as caught:
        load_official(*write(tmp_path, broken, stage2))
    for part in (
        "stage1.pth",
        "unknown 'midas.extra.weight'",
        "missing 'midas.scratch.refinenet4.resConfUnit1.conv1.bias'",
        "'radiance.conv1.weight' has shape (16, 3, 3, 3), not (16, 3, 1, 1)",
    ):
        assert part in str(caught.value)


def test_swapped_files_are_noticed(
    tmp_path: Path, official: tuple[dict[str, Tensor], dict[str, Tensor], D2FNet]
) -> None:
    stage1, stage2, _ = official
    rendering, fusion = write(tmp_path, stage1, stage2)
    with pytest.raises(BokehbenchError, match=r"authors' D2F checkpoint of stage 1 .*stage2\.pth"):
        load_official(fusion, rendering)


class Payload:
    """What a plain unpickler would run and ``weights_only`` refuses."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("code in a checkpoint was run",)


def test_files_that_are_not_checkpoints_are_named(
    tmp_path: Path, official: tuple[dict[str, Tensor], dict[str, Tensor], D2FNet], capsys: pytest.CaptureFixture[str]
) -> None:
    stage1, stage2, _ = official
    rendering, fusion = write(tmp_path, stage1, stage2)
    with pytest.raises(BokehbenchError, match=r"absent\.pth"):
        load_official(tmp_path / "absent.pth", fusion)
    fusion.write_text("<html>sign in</html>")
    with pytest.raises(BokehbenchError, match=r"stage2\.pth (holds|is truncated|is no checkpoint)"):
        load_official(rendering, fusion)
    torch.save({"net": Payload()}, fusion)
    with pytest.raises(BokehbenchError, match=r"stage2\.pth holds objects that could run code"):
        load_official(rendering, fusion)
    assert "was run" not in capsys.readouterr().out
    torch.save({"state_dict": stage2}, fusion)
    with pytest.raises(BokehbenchError, match=r"stage2\.pth has no entry 'net'"):
        load_official(rendering, fusion)
