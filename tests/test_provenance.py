"""Where weights come from: from what wrote the checkpoint, through a test, to a board."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from measured_boards import SCENES, fit, make_scenes_board, test_on
from methods import NAMES, SMALL, TRAINABLE, stage_names, tiny
from pytorch_lightning import Callback

from bokehbench.board.boards import read_board
from bokehbench.board.results import Result, read_all
from bokehbench.board.seeds import told_by_seed
from bokehbench.board.standings import read_standings, reason
from bokehbench.checkpoints import read_checkpoint
from bokehbench.cli import main
from bokehbench.data import SyntheticDoF
from bokehbench.models import D2F, MODELS
from bokehbench.models.load import load_model
from bokehbench.models.stages import StageRecipe
from bokehbench.nets.d2f.defocus import BACKBONE
from bokehbench.provenance import STARTING, Provenance, data_settings
from bokehbench.trainer import StagedTrainer
from bokehbench.weights.d2f import official_name


def small(name: str) -> list[str]:
    """The network of :func:`methods.words` without its data and recipes."""
    return ["--model", name, *(f"--model.{key}={value}" for key, value in SMALL[name].items())]


def result_of(folder: Path, *options: str) -> Result:
    """What ``test`` writes on the board of ``folder``."""
    return test_on(folder / "leaderboards" / "tiny", folder / "result.json", *options)


def record_of(path: Path) -> Provenance:
    return Provenance.of_checkpoint(read_checkpoint(path), str(path))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a board, and with ``last.ckpt`` of a fit of both stages of DeepLens: nothing else of its run."""
    folder, run = tmp_path_factory.mktemp("fitted"), tmp_path_factory.mktemp("run")
    shutil.move(fit("deeplens", run, "--seed_everything=5"), folder / "last.ckpt")
    shutil.rmtree(run)
    make_scenes_board(folder, columns=["psnr", "ssim"], pinned=False)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_is_architecture_or_a_recipe_or_the_bases(name) -> None:
    kind, model = MODELS[name], tiny(name)
    recipes = {key for key, value in model.hparams.items() if isinstance(value, StageRecipe)}
    assert {*kind.architecture, *recipes} | {key for key in STARTING if key in model.hparams} == set(model.hparams)
    assert set(model.architecture_arguments) <= set(kind.architecture)


@pytest.mark.parametrize("name", NAMES)
def test_arguments_that_came_later_are_not_named_at_their_default(name) -> None:
    assert not set(MODELS[name].later) & set(tiny(name).architecture_arguments)


def test_arguments_that_came_later_are_named_off_their_default() -> None:
    assert tiny("d2f", lpips_weight=0.1).architecture_arguments["lpips_weight"] == 0.1
    stored = tiny("deeplens", loss_alpha=0.0, high_weight=2.0, rendering_crop=32).architecture_arguments
    assert {"loss_alpha": 0.0, "high_weight": 2.0, "rendering_crop": 32}.items() <= stored.items()
    assert not {"low_weight", "joint_depth_weight"} & set(stored)


@pytest.mark.parametrize("name", NAMES)
def test_a_method_as_constructed_says_so_and_so_does_one_with_weights_from_nowhere(name) -> None:
    model, trainable = tiny(name), MODELS[name].trainable
    if MODELS[name].of_command:  # whose record is what its description tells
        return
    assert model.provenance.training() == ({"weights": "untrained"} if trainable else {})
    model.load_state_dict(tiny(name).state_dict())
    assert model.provenance.training() == ({"weights": "unknown origin"} if trainable else {})


def test_a_checkpoint_that_was_moved_tells_its_result_everything(fitted, monkeypatch) -> None:
    monkeypatch.chdir(fitted)
    result = result_of(fitted, "--checkpoint", "last.ckpt")
    training = result.training
    assert result.seed == training["seed"] == 5
    assert list(training["stages"]) == ["depth", "rendering"]
    assert training["stages"]["depth"]["steps"] == 2
    assert "steps_done" not in training["stages"]["depth"]
    assert training["data"]["class"] == "SyntheticDoF"
    assert training["data"]["size"] == 64
    assert training["effort"]["seconds"] > 0
    assert training["code"]["distribution"] == "bokehbench"
    assert "origins" not in training
    by_weights = result_of(fitted, *small("deeplens"), "--model.weights=last.ckpt")
    for key in ("id", "training", "seed", "weights_hash", "architecture"):
        assert getattr(by_weights, key) == getattr(result, key)


def test_fresh_weights_and_weights_without_a_record_are_named(fitted, tmp_path) -> None:
    assert result_of(fitted, *small("deeplens"), "--model.weights=null", "--untrained").training == {
        "weights": "untrained"
    }
    bare = tmp_path / "bare.ckpt"
    torch.save({"state_dict": read_checkpoint(fitted / "last.ckpt")["state_dict"]}, bare)
    assert result_of(fitted, *small("deeplens"), f"--model.weights={bare}").training == {"weights": "unknown origin"}


def test_a_chain_of_fits_is_visible(fitted, tmp_path) -> None:
    start = ["--model.stages=[rendering]", f"--model.weights={fitted / 'last.ckpt'}", "--seed_everything=6"]
    last = fit("deeplens", tmp_path, *start)
    first, second = record_of(fitted / "last.ckpt"), record_of(last)
    assert list(second.stages) == ["rendering"]
    assert second.trained("depth"), "in the fit before"
    (origin,) = second.origins
    assert (origin.role, origin.provenance) == ("start", first)
    training = result_of(fitted, "--checkpoint", str(last)).training
    assert training["origins"] == [
        {"role": "start", "weights_hash": origin.weights_hash, "method": "DeepLens", "training": first.training()}
    ]


class SaveAfterTwoSteps(Callback):
    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        if batch_idx == 1:
            trainer.save_checkpoint(Path(trainer.default_root_dir) / "middle.ckpt")


def python_fit(folder: Path, **more: object) -> Provenance:
    """Four steps without the command line's seed and callbacks; the model's record after them."""
    model, data = tiny("pix2pix", steps=4), SyntheticDoF(size=64, aperture=8, val_samples=1, num_workers=0)
    trainer = StagedTrainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        default_root_dir=folder, num_sanity_val_steps=0, use_distributed_sampler=False, callbacks=[SaveAfterTwoSteps()],
    )  # fmt: skip
    trainer.fit(model, datamodule=data, **more)
    trainer.save_checkpoint(folder / "end.ckpt")
    assert model.provenance.data == data_settings(data)
    return model.provenance


def test_a_plain_trainer_writes_it_too(tmp_path) -> None:
    record = python_fit(tmp_path)
    assert record == record_of(tmp_path / "end.ckpt") == load_model(tmp_path / "end.ckpt").provenance
    assert record.stages["translation"]["steps_done"] == 4
    assert record_of(tmp_path / "middle.ckpt").training()["stages"]["translation"]["steps_done"] == 2
    assert record.method == "bokehbench.models.pix2pix.Pix2Pix"


def test_a_run_from_before_there_were_records_is_resumed_with_one(tmp_path, monkeypatch) -> None:
    python_fit(tmp_path)
    content = read_checkpoint(tmp_path / "middle.ckpt")
    del content["bokehbench"]["provenance"]
    content["callbacks"]["TrainingClock"] = {"seconds": 100.0, "device": "a CPU"}
    torch.save(content, tmp_path / "old.ckpt")
    monkeypatch.setenv("PL_GLOBAL_SEED", "3")
    record = python_fit(tmp_path, ckpt_path=tmp_path / "old.ckpt")
    assert record.stages["translation"]["steps_done"] == 4
    assert record.seconds > 100
    assert (record.name, record.seed, record.distribution, record.origins) == ("Pix2Pix", 3, "bokehbench", ())


@pytest.mark.parametrize("name", TRAINABLE)
def test_checkpoints_from_before_there_were_records_tell_what_they_hold(name) -> None:
    stages, recipe = stage_names(name), {"steps": 7, "batch_size": 2, "learning_rate": 0.1}
    old = {
        "hyper_parameters": {"weights": None, "depth_size": 64, "_instantiator": "x", **dict.fromkeys(stages, recipe)},
        "bokehbench": {"model": MODELS[name].__name__, "stages": stages, "stage": stages[0]},
        "callbacks": {"TrainingClock": {"seconds": 12.0, "device": "a CPU"}},
    }
    record = Provenance.of_checkpoint(old, "old.ckpt")
    assert record.name == MODELS[name].__name__
    assert record.training() == {
        "stages": {stages[0]: recipe},  # a checkpoint from the middle knows nothing of what came later
        "effort": {"seconds": 12.0, "device": "a CPU"},
    }
    old["hyper_parameters"]["weights"] = "other.ckpt"
    (origin,) = Provenance.of_checkpoint(old, "old.ckpt").training()["origins"]
    assert origin["training"] == {"weights": "unknown origin"}


def test_a_combination_has_the_seeds_of_its_parts(fitted, tmp_path) -> None:
    results = []
    for seed, checkpoint in ((5, fitted / "last.ckpt"), (6, fit("deeplens", tmp_path, "--seed_everything=6"))):
        parts = ["--model", "combination", "--model.renderer=scatter", f"--model.depth=checkpoint:{checkpoint}"]
        results.append(result_of(fitted, *parts))
        assert results[-1].seed == seed
        assert [origin["role"] for origin in results[-1].training["origins"]] == ["depth"]
    assert told_by_seed(results)


def official_files(folder: Path) -> list[str]:
    """Two files as D2F's authors wrote them, with fresh weights in place of theirs."""
    torch.manual_seed(0)
    state = D2F(head_activation="none", unused_unit=True).net.state_dict()
    for stage in (1, 2):
        net = {official_name(key): value for key, value in state.items() if key.startswith("fusion.") == (stage == 2)}
        torch.save({"net": net}, folder / f"stage{stage}.pth")
    return [str(folder / f"stage{stage}.pth") for stage in (1, 2)]


def test_the_authors_weights_are_flagged_on_a_board_that_they_have_seen(tmp_path, monkeypatch) -> None:
    """B1: import-weights, test, add; also where a fit started from them."""
    monkeypatch.chdir(tmp_path)
    why = "trained on these pictures"
    board = make_scenes_board(tmp_path, columns=["psnr", "ssim"], pinned=False, contaminated={"official D2F": why})
    files = official_files(tmp_path)
    assert (
        main(["import-weights", "--model", "d2f", "--checkpoint", *files, "-o", "official.ckpt", "--licence", "CC BY"])
        == 0
    )
    result = result_of(tmp_path, "--checkpoint", "official.ckpt")
    assert (result.training["official"], result.training["licence"]) == (True, "CC BY")
    network = ["--model.head_activation=none", "--model.channels=256", f"--model.backbone={BACKBONE}"]
    options = [*network, "--model.weights=official.ckpt", "--model.stages=[fusion]"]
    recipe = {"steps": 1, "batch_size": 1, "view": "crop", "height": 64, "width": 64}
    options += [f"--model.fusion.{key}={value}" for key, value in recipe.items()]
    assert main(["fit", "--model", "d2f", *options, *SCENES, "--data.val_samples=1"]) == 0
    tuned = next(Path("runs").glob("**/checkpoints/last.ckpt"))
    for checkpoint in (Path("official.ckpt"), tuned):
        result_of(tmp_path, "--checkpoint", str(checkpoint))
        assert main(["leaderboard", "add", "result.json", "--board", str(board)]) == 0
    stored = read_all(board)
    assert len(stored) == 2
    assert all(why in reason(read_board(board), each) for each in stored)
    assert not read_standings(board).ranked
