"""One experiment of a suite: a method, how it is fitted, how it is tested."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bokehbench import experiments
from bokehbench.board.identity import slug
from bokehbench.models import MODELS

#: ``{NAME}`` in an option's value: the checkpoint of another experiment, or an input of the suite. JSON and YAML
#: mappings do not match.
_PLACE = re.compile(r"\{([\w.+-]+)\}")


@dataclass(frozen=True)
class Experiment:
    """One row to be.

    Attributes:
        name: unique in the suite; the folder of its work.
        config: configuration of the fit, or None: the method's quick configuration.
        checkpoint: weights to test, or None: fit first (a baseline has nothing to fit).
        fit, test: options of these verbs, ``{"model.rendering.steps": 100}``; ``{NAME}`` in a value stands for the
            checkpoint of that experiment.
        fitted: False: it is tested with the weights that come with its method.
        origin: experiment whose fit is tested, in place of one of its own (``from`` in the file).
        stage: the stage at whose end that fit is tested, or None: at its end.
        tested: False for a fit that only others start from.
        published: column -> figure of the paper, None where the paper's is not available.
        source: where these are printed.
        inputs: name -> what it is: the suite's inputs, for which ``{NAME}`` stands, too.
    """

    name: str
    model: str  # as it is typed: a short name in lower case, or the path of a class
    config: str | None = None
    checkpoint: Path | None = None
    fit: Mapping[str, Any] = field(default_factory=dict)
    test: Mapping[str, Any] = field(default_factory=dict)
    fitted: bool = True
    origin: str | None = None
    stage: str | None = None
    tested: bool = True
    published: Mapping[str, float | None] = field(default_factory=dict)
    source: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def fits(self) -> bool:
        """Whether it has a fit of its own."""
        given = not self.fitted or self.checkpoint is not None or self.origin is not None
        return not given and MODELS.typed(self.model).trainable

    @property
    def variant(self) -> str:
        """What tells it from others of the same method: the name without the method's; empty where that is all."""
        return self.name.removeprefix(label(self.model)).strip("-.")

    @property
    def fit_needs(self) -> tuple[str, ...]:
        """Names of the experiments that must be fitted before its fit, or in place of it."""
        if self.origin is not None:
            return (self.origin,)
        return self._experiments(self.fit) if self.fits else ()

    @property
    def test_needs(self) -> tuple[str, ...]:
        """Names of the experiments that must be fitted before its test, besides its own fit's."""
        return self._experiments(self.test)

    @property
    def input_needs(self) -> tuple[str, ...]:
        """Names of the inputs that its fit or its test needs."""
        used = (*(places(self.fit) if self.fits else ()), *(places(self.test) if self.tested else ()))
        return tuple(dict.fromkeys(name for name in used if name in self.inputs))

    def _experiments(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name in places(options) if name not in self.inputs))

    def command(self, verb: Literal["fit", "test"], own_data: bool = True) -> list[str]:
        """Command line of a step, without folders and checkpoint; ``own_data``: on its configuration's pictures."""
        config = ["--config", self.config] if self.config and own_data else []
        return [verb, "--model", self.model, *config, *words(self.fit if verb == "fit" else self.test)]

    def configuration(self) -> str:
        """What its configuration, or its method's quick one, says: a changed one makes another fit.

        Raises:
            BokehbenchError: there is no such configuration, or it cannot be read.
        """
        name = self.config or experiments.quick(self.model)
        return json.dumps(experiments.configuration(name), sort_keys=True)


def label(model: str) -> str:
    """The method's part of an experiment's name: ``deeplens``, or ``mymethod`` of ``mypkg.MyMethod``."""
    return slug(re.split(r"[.:]", model)[-1])


def words(options: Mapping[str, Any]) -> list[str]:
    """``{"data.size": 64, "data": "ebb"}`` -> ``["--data=ebb", "--data.size=64"]``; None leaves an option out."""
    return [
        f"--{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in sorted(options.items())
        if value is not None
    ]


def fingerprint(content: list[str]) -> str:
    """Eight hex digits that change with the command line; where its logs go makes no other fit or test."""
    content = [word for word in content if not word.startswith("--trainer.logger")]
    return hashlib.sha256("\0".join(content).encode()).hexdigest()[:8]


def places(options: Mapping[str, Any]) -> Iterator[str]:
    """The names that the ``{NAME}`` of ``options`` mention, as the suite writes them (slugs)."""
    for word in words(options):
        yield from (slug(name) for name in _PLACE.findall(word))


def filled(command: list[str], find: Callable[[str], Path]) -> list[str]:
    """``command`` with every ``{NAME}`` replaced by ``find(NAME)``."""
    return [_PLACE.sub(lambda found: str(find(slug(found[1]))), word) for word in command]
