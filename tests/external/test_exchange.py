"""What a command is given, in the kind that its description asks for; what is wrong in a description."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from test_check import described

from bokehbench.cli import main
from bokehbench.data.maps import read_map, read_values
from bokehbench.errors import BokehbenchError
from bokehbench.external.description import read_description
from bokehbench.external.exchange import convert
from bokehbench.models.external import External

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "experiments" / "external").glob("*.yaml"))
#: Copies its photo, and all that it was given to a place where a test finds it.
COPY = """
import json, os, shutil, sys
given, kept = json.loads(sys.argv[1]), sys.argv[2]
shutil.copy(given["image"], given["output"])
for key in ("map", "mask", "manifest"):
    if key in given:
        shutil.copy(given[key], kept)
json.dump(given, open(f"{kept}/given.json", "w"))
"""
KEYS = ("name", "image", "map", "mask", "focus", "x", "y", "strength", "output", "manifest")


def disparity_of(values: list[list[float]]) -> torch.Tensor:
    return torch.tensor(values)


RAMP = disparity_of([[0.0, 0.25, 0.5, 1.0]])
HALF = disparity_of([[0.25, 0.5, 0.75, 0.75]])


@pytest.mark.parametrize(
    ("form", "disparity", "values", "focus", "strength"),
    [
        ({}, RAMP, [0, 0.25, 0.5, 1], 0.5, 8),
        ({"near": "dark"}, RAMP, [1, 0.75, 0.5, 0], 0.5, 8),
        ({"range": [0, 255]}, RAMP, [0, 63.75, 127.5, 255], 127.5, 8 / 255),
        ({"stretch": True}, HALF, [0, 0.5, 1, 1], 0.5, 4),
        ({"stretch": True, "near": "dark", "range": [0, 2]}, HALF, [2, 1, 0, 0], 1, 2),
        (
            {"kind": "depth", "near": "dark", "range": [0.5, 10]},
            RAMP,
            [10, 1 / 0.575, 1 / 1.05, 0.5],
            1 / 1.05,
            8 / 1.9,
        ),
    ],
)
def test_maps_focus_and_blur_parameter_are_converted_together(
    tmp_path, form, disparity, values, focus, strength
) -> None:
    """Such that radius = K x abs(difference of the map's values, or of their inverses)."""
    description = read_description(described(tmp_path / "a.yaml", strength="K", map=form))
    found, sharp, k = convert(description, disparity, 0.5, 8.0)
    assert found[0] == pytest.approx(values, rel=1e-6)
    assert (sharp, k) == pytest.approx((focus, strength))
    turned = (lambda value: 1 / value) if form.get("kind") == "depth" else (lambda value: value)
    radii = k * np.abs(turned(found.astype(float)) - turned(sharp))
    assert radii == pytest.approx(8 * (disparity - 0.5).abs().numpy(), abs=1e-5)


@pytest.mark.parametrize(
    ("settings", "strength"),
    [
        ({}, 8),
        ({"factor": 2.0}, 4),
        ({"strength": "K", "factor": 2.0}, 4),
        ({"strength": "f_number", "factor": 16.0}, 2),
    ],
)
def test_strength_is_in_the_unit_of_the_command(tmp_path, settings, strength) -> None:
    description = read_description(described(tmp_path / "a.yaml", **settings))
    assert convert(description, RAMP, 0.5, 8.0)[2] == pytest.approx(strength)


def given_to(tmp_path: Path, without: tuple[str, ...], **settings: object) -> tuple[dict, Path]:
    """What a command is told of one picture, and the folder with the files that it was given."""
    (tmp_path / "copy.py").write_text(COPY)
    places = json.dumps({key: f"{{{key}}}" for key in KEYS if key not in without})
    command = ["{python}", "copy.py", places, str(tmp_path)]
    path = described(tmp_path / "a.yaml", command=command, folder=str(tmp_path), calls="picture", **settings)
    disparity = torch.zeros(1, 1, 24, 32)
    disparity[..., 20:] = 0.75
    image = torch.rand(1, 3, 24, 32)
    found = External(str(path)).eval().render(image, disparity=disparity, focus=0.75, aperture=8.0).image
    assert torch.equal(found, (image * 255).round() / 255)
    return json.loads((tmp_path / "given.json").read_text()), tmp_path


def test_a_disparity_and_a_16_bit_map(tmp_path) -> None:
    given, kept = given_to(tmp_path, without=("mask", "x", "y"))
    assert float(given["focus"]) == 0.75
    assert float(given["strength"]) == 8
    assert read_map(kept / Path(given["map"]).name).unique().tolist() == pytest.approx([0, 0.75], abs=1e-5)
    manifest = json.loads((kept / "manifest.json").read_text())
    (entry,) = manifest["pictures"]
    assert entry["focus"] == 0.75
    assert entry["image"] == given["image"]
    assert entry["output"] == given["output"] == f"{manifest['outputs']}/0001.png"


def test_a_point_and_an_8_bit_map_where_bright_is_far(tmp_path) -> None:
    form = {"near": "dark", "format": "png8"}
    given, kept = given_to(tmp_path, without=("mask", "focus"), focus="point", map=form)
    assert int(given["x"]) >= 24  # well inside what is in focus
    values = np.asarray(Image.open(kept / Path(given["map"]).name))
    assert values.dtype == np.uint8
    assert set(values.ravel()) == {255, 64}
    assert values[int(given["y"]), int(given["x"])] == 64


def test_a_mask_and_a_metric_pfm(tmp_path) -> None:
    form = {"kind": "depth", "near": "dark", "range": [1, 4], "format": "pfm"}
    given, kept = given_to(tmp_path, without=("x", "y", "focus"), focus="mask", map=form)
    mask = read_map(kept / Path(given["mask"]).name)
    assert mask[0, :, 20:].min() == 1
    assert mask[0, :, :20].max() == 0
    assert read_values(kept / Path(given["map"]).name)[0, 0, [0, 31]].tolist() == pytest.approx([4, 1 / 0.8125])


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"strength": "f_number"}, "strength f_number: give radius or K, or besides it the 'factor' by which radius ="),
        ({"strengh": "K"}, "strengh"),
        ({"map": {"kind": "parallax"}}, "map.kind"),
        ({"map": {"kind": "depth"}}, "map.range .* of depth above 0"),
        ({"map": {"range": [1, 1]}}, "map.range .* two numbers that rise"),
        ({"command": ["x", "{imag}"], "calls": "picture"}, "{imag} is not known there; did you mean 'image'"),
        ({"command": ["x", "{image}"]}, "{image} is not known there"),
        ({"command": ["x", "{focus}"], "calls": "picture", "focus": "none"}, "{focus} is not known"),
        ({"output": "{manifest}"}, "{manifest} is not known"),
        ({"seconds": 0}, "seconds"),
    ],
)
def test_a_wrong_description_is_one_sentence(tmp_path, capsys, settings, why) -> None:
    path = described(tmp_path / "a.yaml", **settings)
    with pytest.raises(BokehbenchError, match=why.replace("{", r"\{")):
        read_description(path)
    assert main(["test", "--model", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_depends_on_the_machine_is_a_variable(tmp_path, monkeypatch) -> None:
    path = described(tmp_path / "a.yaml", folder="${TOY_HOME}", version=["{python}", "-c", "print('2.0')"])
    with pytest.raises(BokehbenchError, match="needs the variable TOY_HOME"):
        External(str(path))
    monkeypatch.setenv("TOY_HOME", str(tmp_path))
    assert External(str(path)).version == "2.0"
    monkeypatch.setenv("TOY_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(BokehbenchError, match="there is no folder"):
        External(str(path))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_right(path) -> None:
    found = read_description(path)
    assert found.licence["code"]
    assert found.licence["weights"]
    assert found.paper
    assert found.command[0] == "{python}"
    assert (found.focus, found.strength, found.map.format) == ("disparity", "K", "png8")


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2
