"""The types in a result's file, wherever tables, pages and checks read it. Plain Python: starts without torch."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bokehbench.errors import BokehbenchError

Count = Annotated[int, Field(ge=0, lt=2**63)]
#: A name: of a row, of a folder.
Name = Annotated[str, Field(min_length=1, max_length=200)]
#: None and the words are NaN and the infinities, which JSON lacks.
Score = Annotated[float, Field(allow_inf_nan=False)] | Literal["inf", "-inf"] | None
#: Aperture, focus and score of one rendering.
Tried = tuple[Annotated[float, Field(ge=0)] | None, float | None, float]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False, protected_namespaces=())


class Effort(_Strict):
    """What a training took."""

    seconds: float = 0.0
    device: str = ""


class Training(_Strict):
    """``Provenance.training()``, and ``outputs``, where a folder of pictures is from."""

    weights: str = ""
    stages: dict[str, Any] | list[Any] = {}
    effort: Effort = Effort()
    data: dict[str, Any] = {}
    seed: int | None = None
    official: bool | None = None
    licence: str = ""
    code: dict[str, str | bool] = {}
    origins: list[Origin] = []
    outputs: str = ""


class Origin(_Strict):
    """Weights that others were made from."""

    role: str = ""
    method: str
    weights_hash: str
    training: Training


class Network(_Strict):
    """``Published.network()``; ``differs``: argument -> (ours, the published network's)."""

    name: str = ""
    published_parameters: Annotated[int, Field(gt=0, lt=2**63)] = 1
    differs: dict[str, Annotated[list[Any], Field(min_length=2, max_length=2)]] = {}


class Inference(_Strict):
    """Settings that change the pictures; others than ``data`` are the method's own."""

    data: dict[str, Any] | None = None
    matched: dict[str, Any] | None = None


class Curve(_Strict):
    """Of control: the measured aperture ``A`` of each told one ``K``, or the radius ``r`` at each disparity ``d``."""

    K: list[float] = []
    A: list[float | None] = []
    d: list[float] = []
    r: list[float | None] = []

    @model_validator(mode="after")
    def _in_pairs(self) -> Self:
        if (len(self.A), len(self.r)) != (len(self.K), len(self.d)):
            raise ValueError("A needs a value for each of K, and r for each of d")
        return self


class Record(_Strict):
    """The whole file; :class:`bokehbench.board.results.Result` says what each field is."""

    model_config = ConfigDict(extra="forbid")
    format: Annotated[int, Field(ge=1)]
    id: str
    board: Name
    board_version: Count
    method: Name
    per_image: dict[str, dict[str, Score]]
    weights_hash: str
    protocol: dict[str, Any]
    split: str
    target_hash: str
    prediction_hash: str
    architecture: dict[str, Any] = {}
    network: Network = Network()
    inference: Inference = Inference()
    missing: dict[str, str] = {}
    training: Training = Training()
    variant: str = ""
    seed: Annotated[int, Field(gt=-(2**63), lt=2**64)] | None = None
    versions: dict[str, str] = {}
    commit: str = ""
    device: str = ""
    seconds_per_image: Annotated[float, Field(ge=0)] | None = None
    peak_memory: Count | None = None
    parameters: Count | None = None
    macs: Annotated[int, Field(ge=0, lt=2**100)] | None = None
    macs_size: Annotated[list[Count], Field(min_length=2, max_length=2)] | None = None
    flags: list[str] = []
    date: str = ""
    fingerprints: dict[str, list[float]] = {}
    f_numbers: dict[str, Annotated[float, Field(gt=0)]] = {}
    tried: dict[str, Annotated[list[Tried], Field(min_length=1)]] = {}
    curves: dict[str, Curve] = {}
    data_lock: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""


def refuse_wrong_types(text: str, where: str) -> None:
    """Raise BokehbenchError that names ``where`` and the first field of the JSON ``text`` that is not as it must be."""
    try:
        Record.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        what = ".".join(str(part)[:60] for part in first["loc"]) or "its text"
        said = first["msg"].replace("Input should", "should").replace("Extra inputs are", "is").rstrip(".")
        raise BokehbenchError(
            f"{where} is not a result of bokehbench ({what}: {said}): remove it or test again."
        ) from error
