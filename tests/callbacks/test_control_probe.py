"""The probe of control in training: shuffled labels raise the alarm, right ones do not, and the run stays the same."""

from __future__ import annotations

import csv
import warnings

import pytest
import torch
import torch.nn.functional as F
from forked import two_ranks
from methods import words
from pytorch_lightning.loggers import CSVLogger
from torch import nn

from bokehbench.callbacks import ControlProbe
from bokehbench.callbacks.control_history import Probed, alarm, notice
from bokehbench.data import SyntheticDoF
from bokehbench.errors import BokehbenchError
from bokehbench.figures import training_curves
from bokehbench.models.base import BokehModel
from bokehbench.models.stages import Stage, StageRecipe
from bokehbench.trainer import StagedTrainer

SIZE, LEAST, MOST, BATCH = 96, 2.0, 9.0, 4
BOXES = (1, 3, 5, 7, 9, 13)
KEYS = ("image", "bokeh", "disparity", "focus", "aperture")


class Toy(BokehModel):
    """Mixes blurs of the input: weights by the distance to the focal plane, and by the aperture as a number (FiLM)."""

    def __init__(self, steps: int = 100, rate: float = 0.02):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Conv2d(2, 24, 1), nn.Conv2d(24, len(BOXES), 1)
        self.film = nn.Sequential(nn.Linear(1, 24), nn.ReLU(), nn.Linear(24, 48))
        recipe = StageRecipe(steps, BATCH, rate, decay_at=[], view="native")
        self.set_up(Stage("rendering", recipe, keys=KEYS, needs=KEYS))

    def blur(self, image, disparity, focus, aperture):
        away = disparity - focus[:, None, None, None]
        scale, shift = self.film(aperture[:, None] / MOST - 0.5)[..., None, None].chunk(2, 1)
        known = self.first(torch.cat([away, away.abs()], 1))
        weights = self.last(torch.relu(known * (1 + scale) + shift)).softmax(1)
        bank = [F.avg_pool2d(F.pad(image, (box // 2,) * 4, "replicate"), box, 1) for box in BOXES]
        return sum(weights[:, n : n + 1] * blurred for n, blurred in enumerate(bank))

    def losses(self, stage, batch):
        rendered = self.blur(batch["image"], batch["disparity"], batch["focus"], batch["aperture"])
        return {"l1": (rendered - batch["bokeh"]).abs().mean()}


class Scenes(SyntheticDoF):
    """A few scenes with several apertures, kept; labels are ``shuffled`` or ``constant`` from a draw on."""

    def __init__(self, labels: str = "true", spoilt_from: int = 0):
        super().__init__(
            size=SIZE, aperture=MOST, focus_on="front", disparity_input="clean", highlight_gain=0, train_samples=48,
            val_samples=1, num_workers=0,
        )  # fmt: skip
        self.labels, self.spoilt_from = labels, spoilt_from

    def build(self):
        super().build()
        kept, labels, spoilt_from = items(self.train_set), self.labels, self.spoilt_from

        def item(pictures, draw, plan, generator):
            made = dict(kept[draw.index])
            chosen = float(torch.rand((), generator=generator))
            if draw.number >= spoilt_from and labels == "shuffled":
                made["aperture"] = torch.tensor(LEAST + (MOST - LEAST) * chosen)
            elif draw.number >= spoilt_from and labels == "constant":
                made["aperture"] = torch.tensor(MOST)
            return made

        self.train_set.__class__ = type("Kept", (type(self.train_set),), {"training_item": item})


KEPT: list[dict] = []


def items(pictures):
    """Every scene with an aperture of its own, made once for all tests."""
    if not KEPT:
        for number in range(len(pictures)):
            scene, _ = pictures.scene(number)
            aperture = LEAST + (MOST - LEAST) * (number * 0.618 % 1)
            maps = {"image": scene.picture(0.0), "bokeh": scene.picture(aperture), "disparity": scene.disparity()}
            numbers = {"focus": torch.tensor(scene.focus), "aperture": torch.tensor(aperture)}
            KEPT.append({**maps, **numbers, "name": f"scene-{number}"})
    return KEPT


def train(folder, data, probe, steps=100):
    """Fit the toy; the model, and the warnings of the probe."""
    model = Toy(steps)
    trainer = StagedTrainer(
        callbacks=[probe] if probe else [], logger=CSVLogger(folder, "", ""), accelerator="cpu",
        enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False, limit_val_batches=0,
        num_sanity_val_steps=0, use_distributed_sampler=False, log_every_n_steps=10, default_root_dir=folder,
    )  # fmt: skip
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        trainer.fit(model, datamodule=data)
    ours = [str(each.message) for each in told if "control_probe" in each.filename]
    return model, ours


def probe(**options):
    return ControlProbe(**{"every_n_steps": 20, "scenes": 2, "apertures": [3, 6, 9], "size": SIZE, **options})


#: Steps with true labels before others are spoilt.
GOOD = 100


def test_shuffled_labels_raise_the_alarm(tmp_path) -> None:
    asked = probe()
    _, told = train(tmp_path, Scenes("shuffled", BATCH * GOOD), asked, steps=GOOD + 60)
    assert len(told) == 1
    assert "Control fell: slope from" in told[0]
    assert "look at the aperture labels" in told[0]
    before, after = asked.probes[GOOD // 20 - 1], asked.probes[-1]
    assert before.slope > 0.5
    assert after.slope < before.slope / 2
    with (tmp_path / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["control/slope"]]
    assert [int(row["step"]) for row in rows] == list(range(20, GOOD + 61, 20))
    for name in ("rank", "responds", "zero_psnr", "lvcorr"):
        assert rows[0][f"control/{name}"]
    run = training_curves.read_run("toy", [tmp_path / "metrics.csv"])
    assert [step for step, _ in run.stages[0].control] == list(range(20, GOOD + 61, 20))
    assert training_curves.draw([run], tmp_path / "curves.png").is_file()


def test_true_labels_raise_none(tmp_path) -> None:
    asked = probe(every_n_steps=15)
    _, told = train(tmp_path, Scenes(), asked, steps=90)
    assert told == []
    assert asked.probes[-1].slope > 0.5


def test_a_constant_label_is_noticed_from_the_first_step(tmp_path) -> None:
    _, told = train(tmp_path, Scenes("constant"), probe(), steps=80)
    assert len(told) == 2
    assert f"The aperture was {MOST:g} in all of the first" in told[0]
    assert "the blur does not follow the aperture" in told[1]


def test_the_run_stays_the_same_to_the_bit(tmp_path) -> None:
    class Watched(ControlProbe):
        def _measured(self, model, rank, ranks):
            before = torch.get_rng_state(), [module.training for module in model.modules()]
            found = super()._measured(model, rank, ranks)
            assert torch.equal(torch.get_rng_state(), before[0])
            assert [module.training for module in model.modules()] == before[1]
            assert isinstance(found, list), found
            return found

    watched = Watched(every_n_steps=3, scenes=1, apertures=[3, 6, 9], size=SIZE)
    plain, _ = train(tmp_path / "a", Scenes(), None, steps=7)
    probed, _ = train(tmp_path / "b", Scenes(), watched, steps=7)
    assert [each.step for each in watched.probes] == [3, 6]
    for name, value in plain.state_dict().items():
        assert torch.equal(value, probed.state_dict()[name]), name


def test_a_training_can_be_ended_where_control_falls(tmp_path) -> None:
    class Falling(ControlProbe):
        def _measured(self, model, rank, ranks):
            slope = 0.9 if len(self.probes) < 3 else 0.1
            return [{"slope": slope, "rank": 1.0, "responds": 9.0, "zero_psnr": 50.0, "lvcorr": 0.9}]

    falling = Falling(every_n_steps=1, stop=True)
    with pytest.raises(BokehbenchError, match=r"slope from 0.90 to 0.10.*as ControlProbe's stop asks"):
        train(tmp_path, Scenes(), falling, steps=9)
    assert [each.step for each in falling.probes] == [1, 2, 3, 4, 5]


def test_what_goes_wrong_in_the_probe_is_a_warning(tmp_path, monkeypatch) -> None:
    def broken(self, batch):
        raise ValueError("no such layer")

    monkeypatch.setattr(Toy, "render_batch", broken)
    model, told = train(tmp_path, Scenes(), probe(every_n_steps=1, scenes=1), steps=3)
    assert told == ["The probe of control ends here, the training goes on: ValueError: no such layer"]
    assert model.trainer.global_step == 3


def test_all_processes_take_part(tmp_path) -> None:
    asked = ["--trainer.callbacks+=bokehbench.callbacks.ControlProbe", "--trainer.callbacks.every_n_steps=1",
             "--trainer.callbacks.scenes=2", f"--trainer.callbacks.size={SIZE}"]  # fmt: skip
    ranks = ["--trainer.devices=2", "--trainer.strategy=ddp", "--model.stages=[rendering]"]
    two_ranks(["fit", *words("deeplens"), *ranks, *asked], tmp_path)
    (log,) = (tmp_path / "runs").rglob("metrics.csv")
    with log.open() as file:
        assert len([row for row in csv.DictReader(file) if row["control/zero_psnr"]]) == 2


def probed(slope: float, responds: float = 10.0, rank: float = 1.0, step: int = 0, loss: float = 0.1) -> Probed:
    return Probed(step, slope, rank, responds, 50.0, 0.9, loss)


def test_the_rule() -> None:
    good = [probed(0.9, step=step, loss=0.03) for step in (1, 2, 3)]
    assert alarm(good) == ""
    assert alarm([*good, probed(0.1)]) == "", "one bad probe is no fall"
    fell = [*good, probed(0.1, step=4), probed(0.2, step=5, loss=0.02)]
    assert "slope from 0.90 to 0.20" in alarm(fell)
    assert "in 2 steps while the loss fell" in alarm(fell)
    assert "the loss did not fall" in alarm([*good, *[probed(0.1)] * 2])
    assert alarm([*good, *[probed(0.8, responds=3)] * 2]), "it hardly responds"
    assert alarm([*good, *[probed(0.8, rank=0.3)] * 2]), "in no order"
    assert alarm([*good, *[probed(float("nan"))] * 2]), "nothing to measure is no control"
    weak = [probed(slope) for slope in (0.25, 0.28, 0.2, 0.0, 0.0, 0.0)]
    assert alarm(weak) == "", "control never came"
    assert notice(weak, "joint") == "", "it was above 0.2 for a while"
    assert "The stage joint is nearly over" in notice([probed(0.05)] * 3, "joint")
    assert notice([probed(0.05)] * 2, "joint") == "", "too few probes to say so"


def test_the_history_goes_on_after_a_resume() -> None:
    one, other = probe(), probe()
    one.stage, one.probes = "rendering", [probed(0.8)]
    other.load_state_dict(one.state_dict())
    assert (other.stage, other.probes) == (one.stage, one.probes)


@pytest.mark.parametrize(
    "options", [{"apertures": [4, 8]}, {"apertures": [4, 8, 80]}, {"every_n_steps": 0}, {"size": 8}]
)
def test_wrong_options_are_refused(options) -> None:
    with pytest.raises(BokehbenchError, match=f"ControlProbe: {next(iter(options))}"):
        probe(**options)
