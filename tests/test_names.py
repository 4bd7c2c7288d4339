"""Options that have another name now: the old one is understood wherever it is met."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from makers import picture, ramp, save
from methods import tiny

from bokehbench.cli import main
from bokehbench.commands.arguments import prepare, settings
from bokehbench.models import D2F, Layered
from bokehbench.models.load import load_model
from bokehbench.names import as_first_recorded, comparable, current


def test_an_old_name_is_today_s_where_the_class_has_only_that() -> None:
    assert current("blur_share", ("aperture_share", "layers")) == "aperture_share"
    assert current("aperture", ("aperture_at_1024",)) == "aperture_at_1024"
    assert current("aperture", ("aperture",)) == "aperture"
    assert current("strength", ("width",)) == "strength"


def test_ids_hash_the_first_names() -> None:
    assert as_first_recorded({"data": {"class": "EBB", "aperture_at_1024": 8}, "aperture_share": 0.1}) == {
        "data": {"class": "EBB", "aperture": 8}, "blur_share": 0.1,
    }  # fmt: skip
    assert comparable({"aperture": 8}) == comparable({"aperture_at_1024": 8}) == comparable({"blur_radius": 8})


@pytest.mark.parametrize("word", ["--{}.{}=2", "--{}.init_args.{}=2"])
def test_typed_words(word) -> None:
    words, _ = prepare(["test", "--model", "layered", "--data", "syntheticdof", word.format("model", "blur_share")])
    assert word.format("model", "aperture_share") in words
    words, _ = prepare(["test", "--model", "layered", word.format("data", "blur_radius")])  # the quick one's data set
    assert word.format("data", "aperture") in words
    words, _ = prepare(["test", "--model", "layered", "--data", "ebb", word.format("data", "aperture")])
    assert word.format("data", "aperture_at_1024") in words
    words, _ = prepare(["fit", "--model", "d2f", word.format("model", "strength")])
    assert word.format("model", "defocus_scale") in words


def test_a_configuration_file(tmp_path: Path, capsys) -> None:
    content = {
        "model": {"class_path": "Layered", "init_args": {"blur_share": 0.1}},
        "data": {"class_path": "SyntheticDoF", "init_args": {"blur_radius": 5}},
    }
    (tmp_path / "old.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(SystemExit):
        main(["test", "--config", str(tmp_path / "old.yaml"), "--print_config"])
    printed = yaml.safe_load(capsys.readouterr().out)
    assert printed["model"]["init_args"]["aperture_share"] == 0.1
    assert printed["data"]["init_args"]["aperture"] == 5


def test_settings_of_render(tmp_path: Path) -> None:
    assert settings(["--model.blur_share=0.1"], Layered) == {"aperture_share": 0.1}
    assert settings(["--model.strength=0.5"], D2F) == {"defocus_scale": 0.5}
    photo, disparity = save(tmp_path / "photo.png", picture(2, (40, 60))), save(tmp_path / "d.png", ramp((40, 60)))
    out = [str(tmp_path / "out.png"), "--model.blur_share", "0.1"]
    assert main(["render", str(photo), "--model", "layered", "--disparity", str(disparity), "-o", *out]) == 0


def test_an_old_checkpoint(tmp_path: Path) -> None:
    model, path = tiny("d2f"), tmp_path / "old.ckpt"
    stored = model.architecture_arguments
    stored["strength"] = stored.pop("defocus_scale") / 2
    mark = {"model": "D2F", "stages": [], "stage": None}
    torch.save({"state_dict": model.state_dict(), "hyper_parameters": stored, "bokehbench": mark}, path)
    assert load_model(path).defocus_scale == 0.5
    words, _ = prepare(["test", "--checkpoint", str(path)])
    assert any("defocus_scale: 0.5" in word and "strength" not in word for word in words)
