"""Command lines that nobody can mean: one sentence that names the option, exit status 2, and nothing begins."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from makers import make_pairs, picture, ramp, save
from methods import TRAINABLE, stage_names

from bokehbench.cli import main
from bokehbench.trainer import StagedTrainer

#: Seconds for one command line.
LONGEST = 60
RECIPE = {
    "steps": ["-3", "0", "nan", "1e30"], "batch_size": ["0", "-1", "100000"],
    "learning_rate": ["0", "-1", "nan", "inf"], "decay_at": ["[2.0]", "[-1]", "[nan]", "half"],
    "decay": ["0", "2"], "warmup_steps": ["-5"], "weight_decay": ["-1"], "clip": ["-1", "nan"], "view": ["nope"],
    "height": ["0", "100000"],
}  # fmt: skip
METHODS = {
    "deeplens": {"max_radius": ["0", "-1", "nan", "inf"], "saliency_weight": ["-1"], "channels": ["0", "1000000"],
                 "rendering_crop": ["-1"], "depth_size": ["0"], "upsampling": ["nope"], "stages": ["[nope]"],
                 "weights": ["nowhere.ckpt"], "nope": ["1"]},
    "d2f": {"defocus_scale": ["-1", "nan"], "channels": ["0"], "sharpness": ["0"], "encoder_rate": ["-1"],
            "backbone": ["nope"], "kernel_set": ["3"]},
    "pynet": {"width": ["0", "1000000"], "margin": ["3", "-2"]},
    "pix2pix": {"width": ["-1"], "levels": ["0", "50"], "dropout": ["1", "nan"], "l1_weight": ["-1"]},
    "aperture": {"step": ["0", "nan"], "depth_size": ["-1"], "output": ["nope"]},
}  # fmt: skip
TRAINER = {
    "num_nodes": ["2", "0"], "devices": ["0", "-5", "100000", "nope"], "accelerator": ["nope", "tpu"],
    "strategy": ["nope"], "precision": ["3"], "gradient_clip_val": ["-1", "nan"], "gradient_clip_algorithm": ["nope"],
    "val_check_interval": ["-1", "0"], "limit_val_batches": ["-1"], "accumulate_grad_batches": ["0"],
    "check_val_every_n_epoch": ["0"], "max_epochs": ["3"], "max_steps": ["0", "-5"], "max_time": ["nope"],
    "logger": ["nope"], "profiler": ["nope"], "callbacks": ["nope"], "plugins": ["nope"], "nope": ["1"],
}  # fmt: skip
DATA = {
    "num_workers": ["100000", "-1", "nope"], "size": ["1", "100000"], "aperture": ["nan", "-1", "1000000"],
    "train_samples": ["0", "10000000000"], "highlight_gain": ["-1", "nan"], "focus_on": ["nope"],
    "sampling_seed": ["-1"], "slope_probability": ["2"], "nope": ["1"],
}  # fmt: skip
PAIRS = {"train_fraction": ["2", "nan"], "split_seed": ["-1"], "focus": ["3", "nan"], "aperture_at_1024": ["-1", "1e9"]}


def spread(prefix: str, options: dict[str, list[str]]) -> list[str]:
    return [f"--{prefix}{option}={value}" for option, values in options.items() for value in values]


def lines() -> list[list[str]]:
    """The command lines; FILES stands for a folder with a photo, a map and pairs."""
    photo = ["FILES/photo.png", "--disparity", "FILES/map.png", "-o", "FILES/out.png"]
    pairs = ["--data", "pairs", "--data.root", "FILES/pairs"]
    score = ["score", "FILES/pairs/input", "--targets", "FILES/pairs/target"]
    deeplens = [
        *spread("model.rendering.", RECIPE),
        *spread("trainer.", TRAINER),
        "--data.num_workers=100000",
        "--data.nope=1",
    ]
    fit = [["fit", "--model", "deeplens", word] for word in (*deeplens, "--seed_everything=nope")]
    fit += [["fit", "--model", name, f"--model.{stage_names(name)[-1]}.steps=-3"] for name in TRAINABLE]
    fit += [["fit", "--model", name, word] for name, options in METHODS.items() for word in spread("model.", options)]
    data = [["data", "describe", word] for word in spread("data.", DATA)]
    data += [["data", "describe", *pairs, word] for word in spread("data.", PAIRS)]
    data += [
        ["data", verb, *pairs, word] for verb, word in (
            ("preview", "--count=-1"), ("preview", "--width=0"), ("preview", "--split=nope"), ("preview", "-o="),
            ("depth", "--depth=nope"), ("depth", "--device=nope"), ("fit-aperture", "--renderer=nope"),
            ("fit-aperture", "--count=0"), ("fit-aperture", "--height=-5"), ("nope", "--x=1"), ("check", "--nope=1"),
        )
    ]  # fmt: skip
    render = [
        ["render", *photo, "--model", "scatter", word] for word in (
            "--aperture=nan", "--aperture=inf", "--aperture=-1", "--aperture=1e6", "--aperture=x", "--focus=nan",
            "--focus=2", "--focus=1,2,3", "--focus=nan,3", "--focus=999,999", "--focus=x", "--device=nope",
            "--device=cuda:99", "--device=meta", "--device=cpu:x", "--model.nope=1", "--model.aperture_share=nan",
            "--model.aperture_share=-1", "--nope", "--output=", "--disparity=nowhere.png", "--checkpoint=nowhere.ckpt",
        )
    ]  # fmt: skip
    render += [
        ["render", *photo, "--model", "layered", "--model.layers=0"], ["render", *photo, "--model=nope"],
        ["render", *photo, "--model", "raytraced", "--model.rays=10000000"],
        ["render", *photo, "--model", "compositional", "--model.step=1e-9"],
        ["render", *photo, "--model", "gaussian", "--model.tolerance=nan"],
        ["render", *photo, "--model", "combination", "--model.renderer=nope"],
        ["render", *photo, "--model", "combination", "--model.depth=nope"],
        ["render", "FILES/photo.png", "--model", "scatter", "-o", "FILES/out.png", "--depth=nope"],
        ["render", "FILES/photo.png", "--model", "scatter", "-o", ""], ["render"],
    ]  # fmt: skip
    others = [
        *([verb, "--model=nope"] for verb in ("fit", "validate", "test", "predict", "export", "app", "import-weights")),
        *(["test", "--model", "identity", word] for word in ("--columns=nope", "--data=nope", "--trainer.devices=0")),
        *([*score, word] for word in ("--protocol=nope", "--workers=0", "--columns=nope", "--csv=", "--focus=nan")),
        *(["app", word] for word in ("--port=99999", "--port=x", "--device=nope", "--depth=nope", "--host=")),
        *(["export", "--model", "layered", "-o", "FILES/a.onnx", word] for word in (
            "--size=0", "--size=1000000", "--largest-aperture=nan", "--largest-aperture=-1", "--to=nope",
            "--device=nope",
        )),
        *(["sweep", "deeplens", word] for word in ("--trials=0", "--seed=-1", "--storage=", "--folder=", "--nope=1")),
        ["sweep", "nope"], ["sweep", "FILES/photo.png"], ["sweep", "deeplens", "--storage", ""],
        *(["benchmark", "quick", word] for word in (
            "--pictures=-1", "--only=nope", "--board=nope", "--input=x=y", "--replace-config=a=b", "--folder=",
            "--nope=1",
        )),
        ["benchmark", "nope"], ["benchmark", "FILES/photo.png"], ["benchmark", ""],
        *(["leaderboard", *words] for words in (
            ["nope"], ["add"], ["add", "nowhere.json"], ["add", "FILES/photo.png"], ["render", "nope"],
            ["cite", "nope"],
            ["verify", "nope"], ["compare", "a", "b", "--board=nope"], ["pin", "nope"], ["figures", "nope"],
        )),
        ["report", "nope", "-o", "FILES/r"], ["report", "synthetic-quick", "-o", ""], ["completion", "nope"],
        ["report", "synthetic-quick", "-o", "FILES/r", "--quality=0"], ["doctor", "FILES/nowhere"], ["doctor", ""],
        ["study", "nope"], ["study", "build", "--seed=-1"], ["submit", "check", "FILES/photo.png"], ["submit", "nope"],
        ["method", "check", "FILES/nowhere.yaml"], ["method", "nope", "x"], ["nope"], ["import-weights"],
    ]  # fmt: skip
    return fit + data + render + others


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    save(folder / "photo.png", picture(1, (48, 64)))
    save(folder / "map.png", ramp((48, 64)))
    make_pairs(folder / "pairs", size=(48, 64))
    return folder


@pytest.fixture(autouse=True)
def nothing_begins(monkeypatch: pytest.MonkeyPatch):
    """No trainer may start, and no command line may take long."""

    def begun(*args: object, **kwargs: object) -> None:
        raise AssertionError("it was accepted, and began")

    for verb in ("fit", "validate", "test", "predict"):
        monkeypatch.setattr(StagedTrainer, verb, begun)
    monkeypatch.delenv("BOKEHBENCH_DEBUG", raising=False)
    before = signal.signal(signal.SIGALRM, begun)
    signal.alarm(LONGEST)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


LINES = lines()


def test_there_are_enough() -> None:
    assert len({tuple(line) for line in LINES}) >= 200


@pytest.mark.parametrize("line", LINES, ids=["_".join(line).replace("/", ".") for line in LINES])
def test_a_bad_command_line_is_one_sentence(line, files, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    words = [word.replace("FILES", str(files)) for word in line]
    try:
        status = main(words)
    except SystemExit as ended:
        status = ended.code
    said = "".join(capsys.readouterr())
    assert status in (1, 2), said
    assert "Traceback" not in said
    *_, last = said.strip().splitlines()
    assert "bokehbench" in last or "error:" in said or status == 1
    parts = [part.split(".")[-1].lstrip("-") for word in words for part in word.split("=", 1)]
    assert any(part and part in said for part in (*parts[-2:], *parts[1:2]))
    assert not (files / "out.png").exists()
