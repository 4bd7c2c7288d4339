"""A probe of control while a method trains: does the blur still follow the aperture that is asked for?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.utilities.rank_zero import rank_zero_warn
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor

from bokehbench.batch import Batch
from bokehbench.callbacks.active_loggers import active_loggers
from bokehbench.callbacks.control_history import Probed, alarm, notice
from bokehbench.data.synthetic.procedural import Procedural
from bokehbench.data.synthetic.scene import SceneOptions
from bokehbench.data.synthetic_dof import SyntheticScenes
from bokehbench.errors import BokehbenchError, check_options, within
from bokehbench.metrics.prepare import to_8bit
from bokehbench.models.base import BokehModel

#: Training pictures after which a label that never changed is called constant.
GUARDED = 200
#: Disparity between the focal plane and something textured that a scene of the probe has.
FAR = 0.2
#: Share of a stage after which control should have come.
NEARLY = 0.75
#: What is logged as ``control/...``.
LOGGED = ("slope", "rank", "responds", "zero_psnr", "lvcorr")


#: Arguments of a :class:`~bokehbench.metrics.control.sweep.Sweep`: image, disparity, focus, blurred inputs, largest
#: aperture.
Scene = tuple[np.ndarray, np.ndarray, float, tuple[np.ndarray, np.ndarray], float]


class ControlProbe(Callback):
    """Measure control on a few synthetic scenes every so many steps, log it, and warn when it falls.

    Rendered are the first scenes of SyntheticDoF's validation split that have something textured out of focus, focused
    on the front object. Logged are ``control/slope``, ``rank``, ``responds``, ``zero_psnr`` and ``lvcorr``
    (docs/metrics/control_probe.md). The run is not touched: weights, modes and random numbers are as they were. All
    processes take part and decide alike. What goes wrong in the probe is a warning, and ends the probe alone.

    Args:
        every_n_steps: optimiser steps between two probes.
        scenes: how many, 1 to 100; each is rendered with every aperture and with 0.
        apertures: blur radii in pixels at a disparity difference of 1: three or more, up to a quarter of ``size``.
        size: side of the scenes in pixels, 64 to 1024.
        stop: end the training where control falls.

    Raises:
        BokehbenchError: an option out of range.
    """

    def __init__(
        self, every_n_steps: int = 500, scenes: int = 4, apertures: Sequence[float] = (4, 8, 12), size: int = 160,
        stop: bool = False,
    ) -> None:  # fmt: skip
        self.apertures = sorted({float(each) for each in apertures})
        right = len(self.apertures) >= 3 and self.apertures[0] > 0 and self.apertures[-1] <= size / 4
        check_options(
            "ControlProbe: ",
            within("every_n_steps", every_n_steps, 1),
            within("scenes", scenes, 1, 100),
            within("size", size, 64, 1024, "pixels"),
            ("apertures", apertures, right, f"three or more, above 0, {size / 4:g} px at most"),
        )
        self.every_n_steps, self.count, self.size, self.stop = every_n_steps, scenes, size, stop
        self.stage = ""
        self.probes: list[Probed] = []
        self._scenes: list[Scene] = []
        self._off = self._alarmed = self._noticed = False
        self._step = -1
        self._losses: list[Tensor] = []
        self._labels: dict[str, tuple[Tensor, Tensor, int]] = {}
        self._guarded: set[str] = set()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Another stage has a history of its own."""
        stage = getattr(getattr(pl_module, "stage", None), "name", "")
        if stage != self.stage:
            self.stage, self.probes, self._alarmed, self._noticed = stage, [], False, False
        self._step, self._losses = trainer.global_step, []

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Look at the labels, and probe where it is time."""
        if not isinstance(pl_module, BokehModel) or self._off:
            return
        self._look_at_labels(pl_module, batch)
        if not pl_module.uses.aperture or (pl_module.stage is not None and pl_module.stage.monitor == "val/depth_mae"):
            return  # there is no control to learn
        if isinstance(outputs, Mapping) and "loss" in outputs:
            self._losses.append(outputs["loss"].detach())
        step = trainer.global_step
        if step != self._step and step % self.every_n_steps == 0:
            self._probe(trainer, pl_module)
            share = (batch_idx + 1) / max(1, trainer.num_training_batches)
            if share >= NEARLY and not self._noticed and (said := notice(self.probes, self.stage)):
                self._noticed = True
                rank_zero_warn(said)
        self._step = step

    def _look_at_labels(self, model: BokehModel, batch: Batch) -> None:
        """Warn once of an aperture or a focus that is the same in all pictures; the values stay on their device."""
        for key in ("aperture", "focus"):
            if key not in batch or key in self._guarded or not getattr(model.uses, key):
                continue
            values: Tensor = batch[key].detach()
            low, high, count = self._labels.get(key, (values.min(), values.max(), 0))
            low, high, count = torch.minimum(low, values.min()), torch.maximum(high, values.max()), count + len(values)
            self._labels[key] = low, high, count
            if count >= GUARDED:
                self._guarded.add(key)
                if bool(low == high):
                    rank_zero_warn(
                        f"The {key} was {float(low):g} in all of the first {count} training pictures: no method learns "
                        "to obey it from that; use data in which it varies."
                    )

    def _probe(self, trainer: Trainer, model: BokehModel) -> None:
        """Measure, here and in all other processes; log, and warn."""
        own = self._measured(model, trainer.global_rank, trainer.world_size)
        found: list[Any] = [own] * trainer.world_size
        if trainer.world_size > 1:
            torch.distributed.all_gather_object(found, own)
        if failed := [each for each in found if isinstance(each, str)]:
            self._off = True
            rank_zero_warn(f"The probe of control ends here, the training goes on: {failed[0]}")
            return
        rows = [row for part in found for row in part]
        loss = float(torch.stack(self._losses).mean()) if self._losses else math.nan
        means = {name: _mean([row[name] for row in rows]) for name in LOGGED}
        self.probes.append(Probed(trainer.global_step, **means, loss=loss))
        self._losses = []
        known = {f"control/{name}": value for name, value in means.items() if not math.isnan(value)}
        for logger in active_loggers(trainer):
            logger.log_metrics({**known, "epoch": trainer.current_epoch}, trainer.global_step)
        said = alarm(self.probes)
        if said and not self._alarmed:
            rank_zero_warn(said)
            if self.stop:  # in all processes, which have the same probes
                raise BokehbenchError(f"{said} The training ends there, as ControlProbe's stop asks.")
        self._alarmed = bool(said)

    def _measured(self, model: BokehModel, rank: int, ranks: int) -> list[dict[str, float]] | str:
        """Scores of this process' scenes, or what went wrong."""
        modes = [(module, module.training) for module in model.modules()]
        with isolate_rng():
            try:
                model.eval()
                self._scenes = self._scenes or self._choose()
                return [self._scores(model, scene) for scene in self._scenes[rank::ranks]]
            except Exception as error:
                return f"{type(error).__name__}: {error}"
            finally:
                for module, training in modes:
                    module.training = training

    def _choose(self) -> list[Scene]:
        """The first scenes that have something textured out of focus, and what they are measured with."""
        from bokehbench.metrics.control.radius import TEXTURE  # brings scipy's statistics, a second of every start
        from bokehbench.metrics.control.stack import stack
        from bokehbench.metrics.control.sweep import Sweep

        source = Procedural()
        options = SceneOptions(self.size, self.size, self.apertures[-1], disparity_input="clean", highlight_gain=0.0)
        scenes = SyntheticScenes("val", 10 * self.count, options, source, source)
        found: list[Scene] = []
        for number in range(len(scenes)):
            scene, _ = scenes.scene(number)
            image = to_8bit(scene.picture(0.0)).numpy()
            focus = scene.foregrounds[1].disparity
            here = image, scene.disparity()[0].numpy(), focus, stack(image), self.apertures[-1]
            bins = Sweep(*here, leaks=False).bins
            if any(abs(each.disparity - focus) >= FAR and each.texture >= TEXTURE for each in bins):
                found.append(here)
            if len(found) == self.count:
                return found
        raise BokehbenchError(f"{len(found)} of {len(scenes)} scenes can be measured: give a larger size.")

    def _scores(self, model: BokehModel, scene: Scene) -> dict[str, float]:
        """:data:`LOGGED` of one scene."""
        from bokehbench.metrics.control.light import zero_psnr
        from bokehbench.metrics.control.sweep import Sweep

        image, disparity, focus = scene[:3]
        told = {"image": torch.from_numpy(image), "disparity": torch.from_numpy(disparity)[None]}
        told |= {"focus": torch.tensor(focus, dtype=torch.float32)}
        batch: Any = {key: each[None].to(model.device) for key, each in told.items()} | {"name": ["probe"]}

        def rendered(aperture: float) -> np.ndarray:
            output = model.render_batch(batch | {"aperture": torch.full_like(batch["focus"], aperture)}).image[0]
            return to_8bit(output.float()).cpu().numpy()

        sweep = Sweep(*scene, leaks=False)
        for aperture in self.apertures:
            sweep.add(aperture, rendered(aperture))
        scores = sweep.scores()
        found = {"slope": scores["dose_slope"], "rank": scores["dose_rank"], "lvcorr": scores["lvcorr"]}
        known = {name: math.nan if isinstance(value, str) else value for name, value in found.items()}
        return {**known, "responds": sweep.responds, "zero_psnr": zero_psnr(rendered(0.0), image)}

    def state_dict(self) -> dict[str, Any]:
        """The stage's probes, so that a resumed run remembers how good control was."""
        return {"stage": self.stage, "probes": [asdict(each) for each in self.probes]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.stage, self.probes = state_dict["stage"], [Probed(**each) for each in state_dict["probes"]]


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan
