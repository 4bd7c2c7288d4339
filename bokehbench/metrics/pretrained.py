"""Networks of learned metrics, whose weights torchvision downloads once. Starts without torch."""

import functools
import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bokehbench.errors import BokehbenchError
from bokehbench.lazy import torch
from bokehbench.metrics.column import NotMeasuredError

#: What a table shows where a learned metric could not be computed.
NOT_AVAILABLE = "n/a: weights not available"


class WeightsNotAvailableError(BokehbenchError):
    """A learned metric cannot be computed here; tables say so instead of leaving the column out."""


@functools.lru_cache
def _load(metric: str, file: str, make: Callable[..., Any], *arguments: Any) -> Any:
    """The network, or the error: remembered either way, because a machine without network waits for every try."""
    waited = socket.getdefaulttimeout()
    socket.setdefaulttimeout(15)  # a firewall that drops packets would hold the caller for minutes
    try:
        # Not in Lightning's inference mode, where scoring may ask first: such weights could not be a loss afterwards
        with torch.inference_mode(False), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of torchvision, about an argument that torchmetrics uses
            net = make(*arguments)
    except (OSError, ImportError, RuntimeError) as error:
        return WeightsNotAvailableError(
            f"{metric} needs the weights {file}, which could not be loaded ({error}): connect "
            f"to a network once, or put the file of torchvision's model zoo into {torch.hub.get_dir()}/checkpoints."
        )
    finally:
        socket.setdefaulttimeout(waited)
    return net.eval().requires_grad_(False)


def network(metric: str, file: str, make: Callable[..., Any], *arguments: Any) -> Any:
    """What ``make(*arguments)`` builds from torchvision's weights ``file``, in evaluation mode and frozen, made once.

    Raises:
        WeightsNotAvailableError: the weights are not on this machine and cannot be downloaded.
    """
    net = _load(metric, file, make, *arguments)
    if isinstance(net, WeightsNotAvailableError):
        # A new one each time: the remembered one would keep the frames, and pictures, of everybody it was raised to
        raise WeightsNotAvailableError(str(net))
    return net


@contextmanager
def or_not_measured() -> Iterator[None]:
    """Around a column's computing: weights that are not available are its reason."""
    try:
        yield
    except WeightsNotAvailableError:
        raise NotMeasuredError(NOT_AVAILABLE) from None
