"""The one measurement: validation, test, results, verification, folders and Python all score by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bokehbench.batch import Batch, known
from bokehbench.errors import BokehbenchError
from bokehbench.lazy import Tensor, torch
from bokehbench.metrics.column import NEEDS, Column, NotMeasuredError
from bokehbench.metrics.columns import find_column
from bokehbench.metrics.pair import TooSmallError
from bokehbench.metrics.protocols import DEFAULT, Protocol, find_protocol
from bokehbench.metrics.psnr import pooled_psnr
from bokehbench.metrics.regions import in_focus_of
from bokehbench.metrics.sample import Sample

#: Column -> values of shape B, or why there are none.
Scores = dict[str, "Tensor | str"]
#: How the reason begins where pictures are smaller than a column's window.
TOO_SMALL = "n/a: pictures of"


@dataclass(frozen=True)
class Measurement:
    """Some columns under a protocol: ``Measurement.named(["psnr", "toy"]).of(sample)``."""

    columns: tuple[Column, ...]
    protocol: Protocol

    @classmethod
    def named(cls, names: Iterable[str], protocol: Protocol | str = DEFAULT) -> Measurement:
        """By the columns' names, each once.

        Raises:
            BokehbenchError: an unknown column or protocol.
        """
        protocol = find_protocol(protocol) if isinstance(protocol, str) else protocol
        return cls(tuple(find_column(name) for name in dict.fromkeys(names)), protocol)

    @classmethod
    def of_protocol(cls, protocol: Protocol | str = DEFAULT, more: Iterable[str] = ()) -> Measurement:
        """The columns of an evaluator, and ``more``."""
        protocol = find_protocol(protocol) if isinstance(protocol, str) else protocol
        return cls.named((*protocol.columns, *more), protocol)

    def of(self, sample: Sample, strict: bool = True) -> Scores:
        """Per-image values of every column, in their order.

        Args:
            sample: the pictures; scored under this measurement's protocol, whatever their own.
            strict: raise where a column cannot be computed; else the reason stands in its place. What a column needs
                and the sample lacks (see :data:`NEEDS`) is a reason in either case, as are pictures that are too small.

        Raises:
            BokehbenchError: a picture with NaN or infinite values, or without three channels.
        """
        sample = sample.under(self.protocol)
        with torch.no_grad():
            return {column.name: _value(column, sample, strict) for column in self.columns}

    def mean(self, column: str, values: Sequence[float]) -> float:
        """The protocol's average over a set's pictures; NaN (a picture without a value) is left out."""
        tensor = torch.tensor(values, dtype=torch.float64)
        pooled = column == "psnr" and self.protocol.averaging == "pooled"
        return float(pooled_psnr(tensor) if pooled else tensor.nanmean())


def sample_of(output: Tensor, batch: Batch, own_disparity: Callable[[], Tensor] | None = None) -> Sample:
    """An output with what its batch says about target, focus and disparity."""
    has = {key: batch[key] for key in ("bokeh", "true_disparity", "disparity") if bool(known(batch, key).all())}
    true, in_focus = has.get("true_disparity", has.get("disparity")), in_focus_of(batch)
    return Sample(
        output, has.get("bokeh"), input=batch["image"], in_focus=in_focus, true_disparity=true,
        own_disparity=own_disparity, names=batch.get("name", ()),
    )  # fmt: skip


def _value(column: Column, sample: Sample, strict: bool) -> Tensor | str:
    for need in column.needs:
        if getattr(sample, need) is None:
            return NEEDS[need]
    try:
        return column.compute(sample)
    except NotMeasuredError as reason:
        return str(reason)
    except TooSmallError as error:
        return _too_small(sample, error)
    except BokehbenchError as error:
        if strict:
            raise
        return f"n/a: {str(error).rstrip('.')}"


def _too_small(sample: Sample, error: TooSmallError) -> str:
    """Why a column has no value, with the pictures' names and the size of their files."""
    height, width = sample.output.shape[-2:]
    named = f" ({', '.join(sample.names)})" if sample.names else ""
    return f"{TOO_SMALL} {width} x {height} pixels{named} are too small: {error.needs}"


def numbers(scores: Mapping[str, Tensor | str], count: int | None = None) -> dict[str, Tensor]:
    """The columns that have values; with the ``count`` of pictures also those that they are too small for, as NaN."""
    found = {name: value for name, value in scores.items() if not isinstance(value, str)}
    if count is not None:
        small = [name for name, value in scores.items() if isinstance(value, str) and value.startswith(TOO_SMALL)]
        like = next(iter(found.values()), torch.empty(0))  # on the device of the others
        found |= {name: like.new_full((count,), torch.nan) for name in small}
    return found
