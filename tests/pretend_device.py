"""A device that is not there: it computes on the CPU, and refuses to meet tensors of the CPU as a GPU does.

    with pretended():
        picture = there(model).render(there(photo)).image

An operator that is given tensors of both devices raises :class:`MixedDevicesError`, unless the CPU's have no dimension.
Copies from one device to the other are allowed; ``numpy()`` of a tensor that was not copied to the CPU raises. In one
thing it is stricter than CUDA: an index on the CPU is refused, which CUDA would wait for and copy. What a GPU computes
otherwise than a CPU is not seen here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree
from torch.utils import backend_registration

NAME = "pretend"
#: Operators that copy between devices.
COPIES = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default, torch.ops.aten.copy.default}


class MixedDevicesError(RuntimeError):
    """An operator was given tensors of the CPU and of the pretended device."""


class Pretend(torch.Tensor):
    """A tensor of the pretended device; ``held`` is the CPU's behind it."""

    held: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> Pretend:
        held = held.resolve_conj().resolve_neg()  # what is yet to be conjugated is marked, and the mark would be lost
        made = torch.Tensor._make_wrapper_subclass(
            cls, held.shape, strides=held.stride(), storage_offset=held.storage_offset(), dtype=held.dtype,
            layout=held.layout, device=f"{NAME}:0",
        )  # fmt: skip
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return compute(operator, *args, **(kwargs or {}))

    def __deepcopy__(self, memo: dict[int, Any]) -> Pretend:
        return there(self.held.clone())

    def __repr__(self, **_: Any) -> str:
        return f"Pretend({self.held!r})"

    def __format__(self, spec: str) -> str:
        return format(self.held, spec)


def compute(operator: Any, *args: Any, **kwargs: Any) -> Any:
    """The operator on what is held; its tensors are of the pretended device again, unless another was asked for."""
    tensors = [each for each in pytree.arg_tree_leaves(*args, **kwargs) if isinstance(each, torch.Tensor)]
    ours = {id(each.held): each for each in tensors if isinstance(each, Pretend)}
    others = [each for each in tensors if not isinstance(each, Pretend) and each.ndim]
    if ours and others and operator not in COPIES:
        raise MixedDevicesError(f"{operator} was given a tensor of the CPU, of shape {tuple(others[0].shape)}")
    wanted = kwargs.get("device")
    if wanted is not None:
        kwargs["device"] = "cpu"
    args, kwargs = pytree.tree_map_only(Pretend, lambda each: each.held, (args, kwargs))
    found = operator(*args, **kwargs)
    into_cpu = operator in COPIES and found is args[0] and id(found) not in ours
    if into_cpu or (wanted is not None and torch.device(wanted).type != NAME):
        return found
    # What an operator changed in place stays the object that it was
    return pytree.tree_map_only(torch.Tensor, lambda each: ours[id(each)] if id(each) in ours else Pretend(each), found)


class OutOfSight(TorchFunctionMode):
    """What does not reach :func:`compute`: numbers are copied behind its back, ``tolist`` refuses subclasses."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if function is torch.Tensor.tolist:
            return args[0].cpu().tolist()
        if function is torch.Tensor.new_tensor and args[0].device.type == NAME:
            return torch.tensor(*args[1:], **{"dtype": args[0].dtype, **kwargs}).to(args[0].device)
        if function in (torch.tensor, torch.as_tensor) and torch.device(kwargs.get("device") or "cpu").type == NAME:
            device = kwargs.pop("device")
            return function(*args, **kwargs).to(device)
        return function(*args, **kwargs)


class Backend:
    """What torch asks of a device's module, such as ``torch.cuda``."""

    is_initialized = staticmethod(lambda: True)
    is_available = staticmethod(lambda: False)  # whoever looks for an accelerator takes another
    _is_in_bad_fork = staticmethod(lambda: False)
    current_device = staticmethod(lambda: 0)
    device_count = staticmethod(lambda: 1)
    manual_seed_all = staticmethod(lambda seed: None)
    get_amp_supported_dtype = staticmethod(lambda: [torch.bfloat16])
    get_rng_state = staticmethod(lambda device=0: torch.get_rng_state())
    set_rng_state = staticmethod(lambda state, device=0: torch.set_rng_state(state))


#: Lives as long as the process, or torch forgets what it registered.
LIBRARY = torch.library.Library("_", "IMPL")


@cache
def register() -> None:
    """Tell torch of the device, once in a process; it cannot be taken back, and changes no other device."""
    set_up = getattr(backend_registration, "_setup_privateuseone_for_python_backend", None)
    if set_up is None:
        pytest.skip("this torch has no devices that are written in Python")
    set_up(NAME, Backend())
    LIBRARY.fallback(compute, "PrivateUse1")


@contextmanager
def pretended() -> Iterator[None]:
    """The device ``pretend`` is there, and modules can be moved to it."""
    register()
    before = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        with OutOfSight():
            yield
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(before)


def there(value: Any) -> Any:
    """A copy of tensors, of collections of them, or of a module on the pretended device."""
    if isinstance(value, nn.Module):
        return deepcopy(value).to(NAME)
    return pytree.tree_map_only(torch.Tensor, lambda each: each.to(NAME), value)


def assert_same(cpu: Any, pretend: Any) -> None:
    """Equal to the bit, NaN to NaN; every tensor of the second is on the pretended device."""
    ones, others = pytree.tree_leaves(cpu), pytree.tree_leaves(pretend)
    assert len(ones) == len(others)
    for one, other in zip(ones, others, strict=True):
        if isinstance(one, torch.Tensor):
            assert other.device.type == NAME
            torch.testing.assert_close(other.detach().cpu(), one.detach(), rtol=0, atol=0, equal_nan=True)
        else:
            assert one == other
