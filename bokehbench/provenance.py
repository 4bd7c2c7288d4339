"""Where weights come from: one record inside every checkpoint, and nowhere else. Starts without torch.

``fit`` and ``import-weights`` write it as plain values to ``checkpoint["bokehbench"]["provenance"]``; a model carries
the record of the weights that it has now as ``model.provenance``.
"""

from __future__ import annotations

import functools
import json
import math
import platform
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

from bokehbench import __version__
from bokehbench.errors import BokehbenchError
from bokehbench.registry import OURS, owner_of
from bokehbench.repository import commit, dirty

#: ``Provenance.weights`` of a method as it is constructed, and of a file that says nothing of itself.
UNTRAINED, UNKNOWN = "untrained", "unknown origin"
#: ``weights_hash`` of a method that has no weights, such as the baselines.
NO_WEIGHTS = "no weights"
#: Constructor arguments of any method that say how it is started, not what it is.
STARTING = ("stages", "weights", "backbone_pretrained")
#: Packages that can move a score.
PACKAGES = ("torch", "torchvision", "pytorch-lightning", "torchmetrics", "kornia", "timm", "numpy", "pillow")
#: Annotation of an attribute of :class:`Provenance` -> what a file may hold.
_KINDS: dict[str, Any] = {
    "str": str, "float": int | float, "bool": bool, "int | None": int | None, "Mapping": Mapping, "tuple": list | tuple,
}  # fmt: skip


@dataclass(frozen=True)
class Origin:
    """Weights that others were made from.

    Attributes:
        role: ``start`` (a fit began with them), ``renderer`` or ``depth`` (parts of a combination).
        weights_hash: as in results; empty where unknown.
        provenance: their own record.
    """

    role: str
    weights_hash: str
    provenance: Provenance


@dataclass(frozen=True)
class Provenance:
    """What is known about weights; what is not known is empty.

    Attributes:
        method: class path of the method, such as ``bokehbench.models.deeplens.DeepLens``.
        weights: :data:`UNTRAINED`, :data:`UNKNOWN`, or empty: the other attributes tell.
        architecture: the constructor arguments that the method declares as such.
        stages: name of each stage that was trained -> its recipe, and ``steps_done``.
        seed: of the training.
        data: settings of the data set, without paths.
        seconds: wall time of the training, validation included, over all stages and resumptions.
        device: in words.
        origins: the weights that it started from, or that it is put together from.
        official: whether these are the authors' own weights.
        licence: of the weights.
        distribution, version, commit, dirty: the code of the method: package, its version, the checkout's commit, and
            whether that had uncommitted changes.
    """

    method: str = ""
    weights: str = ""
    architecture: Mapping[str, Any] = field(default_factory=dict)
    stages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seed: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    device: str = ""
    origins: tuple[Origin, ...] = ()
    official: bool = False
    licence: str = ""
    distribution: str = ""
    version: str = ""
    commit: str = ""
    dirty: bool = False

    @property
    def name(self) -> str:
        """The method's class name."""
        return self.method.rpartition(".")[2]

    def trained(self, stage: str) -> bool:
        """Whether ``stage`` was trained in this fit or before it; True where the record cannot tell."""
        before = (origin.provenance for origin in self.origins if origin.role == "start")
        told = self.official or self.weights == UNKNOWN or stage in self.stages
        return told or any(each.trained(stage) for each in before)

    def training(self) -> dict[str, Any]:
        """What a result stores of it; ``origins`` hold the same of theirs. Empty where nothing was ever trained."""
        code: dict[str, Any] = {"distribution": self.distribution, "version": self.version, "commit": self.commit}
        code |= {"dirty": True} if self.dirty else {}
        code |= {"class": self.method} if self.distribution != OURS else {}  # ours are known by name
        told = {
            "weights": self.weights,
            "stages": {  # with ``steps_done`` only where these are not all of a stage's steps
                name: {key: value for key, value in stage.items() if key != "steps_done" or value != stage.get("steps")}
                for name, stage in self.stages.items()
            },
            "effort": {"seconds": round(self.seconds, 1), "device": self.device} if self.device else {},
            "data": dict(self.data),
            "seed": self.seed,
            "official": self.official or None,
            "licence": self.licence,
            "code": code if self.distribution else {},
            "origins": [
                {"role": one.role, "weights_hash": one.weights_hash, "method": one.provenance.name,
                 "training": one.provenance.training()}
                for one in self.origins
            ],
        }  # fmt: skip
        return {key: value for key, value in told.items() if value not in (None, "", {}, [])}

    def to_plain(self) -> dict[str, Any]:
        """As primitives, lists and dicts: a checkpoint that holds nothing else can be read without running code."""
        return dict(json.loads(json.dumps(asdict(self), default=_plain)))

    @staticmethod
    def from_plain(content: Mapping[str, Any]) -> Provenance:
        """Inverse of :meth:`to_plain`; attributes of a newer bokehbench are passed over."""
        known = {each.name: content[each.name] for each in fields(Provenance) if each.name in content}
        for each in fields(Provenance):
            kind = _KINDS[str(each.type).partition("[")[0]]
            if each.name in known and not isinstance(known[each.name], kind):
                raise TypeError(f"its {each.name} is of a wrong type")
        if not all(isinstance(stage, Mapping) for stage in known.get("stages", {}).values()):
            raise TypeError("its stages are of a wrong type")
        if not math.isfinite(known.get("seconds", 0)):
            raise TypeError("its seconds are no number")
        known["origins"] = tuple(
            Origin(one["role"], one["weights_hash"], Provenance.from_plain(one["provenance"]))
            for one in content.get("origins", ())
        )
        return Provenance(**known)

    @staticmethod
    def of_checkpoint(content: Mapping[str, Any], source: str) -> Provenance:
        """The record of a checkpoint; of one written before there were records, what it tells; ``source`` names it.

        Raises:
            BokehbenchError: the record is not one.
        """
        mark = content.get("bokehbench", {})
        try:
            if "provenance" not in mark:
                return _of_unrecorded(content, mark)
            return Provenance.from_plain(mark["provenance"])
        except (TypeError, KeyError, AttributeError, ValueError, RecursionError) as error:
            raise BokehbenchError(
                f"{source} has a provenance that cannot be read ({error}): write the checkpoint again."
            ) from error


def code_of(kind: type) -> dict[str, Any]:
    """``distribution``, ``version``, ``commit`` and ``dirty`` of :class:`Provenance`, for the code of a class."""
    package = kind.__module__.partition(".")[0]
    if package == OURS:
        return {"distribution": OURS, "version": __version__, "commit": commit(), "dirty": dirty()}
    return dict(_code_of_others(package))


@functools.cache
def _code_of_others(package: str) -> Mapping[str, Any]:
    file = Path(getattr(sys.modules.get(package), "__file__", None) or ".").resolve()
    root = file.parents[1] if file.name == "__init__.py" else file.parent
    if offer := owner_of(package):
        distribution, known = offer.distribution, offer.version
    else:
        distribution = next(iter(packages_distributions().get(package, ())), "")
        known = version(distribution) if distribution else ""
    return {"distribution": distribution or package, "version": known, "commit": commit(root), "dirty": dirty(root)}


def data_settings(datamodule: object) -> dict[str, Any]:
    """Settings of a data module that change its pictures: its own ``settings()``, else its class alone."""
    settings = getattr(datamodule, "settings", None)
    return dict(settings()) if callable(settings) else {"class": type(datamodule).__name__}


def common_seed(records: Iterable[Provenance]) -> int | None:
    """The one seed of all trainings among ``records``; None where they differ or nothing was trained."""
    seeds = {record.seed for record in records if record.stages}
    return seeds.pop() if len(seeds) == 1 else None


def versions() -> dict[str, str]:
    """Package -> version, of those that are installed and can move a score."""
    found = {"bokehbench": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _of_unrecorded(content: Mapping[str, Any], mark: Mapping[str, Any]) -> Provenance:
    """From the method, stages and hyperparameters that checkpoints have always held."""
    given = {key: value for key, value in content.get("hyper_parameters", {}).items() if not key.startswith("_")}
    names, last = list(mark.get("stages") or ()), mark.get("stage")
    trained = names[: names.index(last) + 1] if last in names else names
    recipes = {key: value for key, value in given.items() if isinstance(value, Mapping) and "steps" in value}
    clock = content.get("callbacks", {}).get("TrainingClock", {})
    record = Provenance(
        method=mark.get("model", ""),
        architecture={key: value for key, value in given.items() if key not in {*recipes, *STARTING}},
        stages={name: recipes[name] for name in trained if name in recipes},
        official=bool(mark.get("official")),
        **clock,
    )
    if given.get("weights") is not None:
        record = replace(record, origins=(Origin("start", "", Provenance(weights=UNKNOWN)),))
    told = record.stages or record.origins or record.official
    return record if told else replace(record, weights=UNKNOWN)


def _plain(value: Any) -> Any:
    """What JSON lacks, as what it has."""
    return list(value) if isinstance(value, set | frozenset) else str(value)
