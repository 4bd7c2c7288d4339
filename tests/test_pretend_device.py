"""The pretended device catches what a GPU would refuse; data, losses and columns are free of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F
from pretend_device import MixedDevicesError, Pretend, assert_same, pretended, there
from torch import Tensor, nn


@pytest.fixture(autouse=True)
def _pretended() -> Iterator[None]:
    with pretended():
        yield


class Offset(nn.Module):
    """Adds a constant that moves with the module, or does not."""

    def __init__(self, registered: bool) -> None:
        super().__init__()
        if registered:
            self.register_buffer("offset", torch.ones(3))
        else:
            self.offset = torch.ones(3)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.offset


class Scaled(torch.autograd.Function):
    """Doubles; its backward pass makes a tensor where ``device`` says."""

    @staticmethod
    def forward(context, x: Tensor, device: str | None) -> Tensor:
        context.device = device
        return x * 2

    @staticmethod
    def backward(context, grad: Tensor) -> tuple[Tensor, None]:
        return grad * torch.full(grad.shape, 2.0, device=context.device), None


def backward_of(device: str | None) -> Callable[[Tensor], Tensor]:
    def run(x: Tensor) -> Tensor:
        x = x.clone().requires_grad_()
        Scaled.apply(x, device or x.device).sum().backward()
        assert x.grad is not None
        return x.grad

    return run


WRONG: dict[str, Callable[[Tensor], object]] = {
    "a new tensor": lambda x: torch.zeros(3) + x,
    "into a new tensor": lambda x: torch.zeros(3).add_(x),
    "a list of tensors": lambda x: torch.stack([x, torch.ones(3)]),
    "a mask as index": lambda x: x[torch.tensor([True, False, True])],
    "numbers as index": lambda x: x[torch.tensor([0, 2])],
    "an index into a tensor of the CPU": lambda x: torch.zeros(3)[x > 1],
    "assigned to a part": lambda x: x.clone().index_put_((x > 1,), torch.zeros(2)),
    "a kernel": lambda x: F.conv1d(x.reshape(1, 1, 3), torch.ones(1, 1, 1)),
    "where": lambda x: torch.where(x > 1, x, torch.zeros(3)),
    "a buffer that was not registered": lambda x: Offset(registered=False).to(x.device)(x),
    "numpy": lambda x: x.numpy(),
    "a backward pass": backward_of("cpu"),
}
RIGHT: dict[str, Callable[[Tensor], Tensor]] = {
    "a new tensor there": lambda x: torch.zeros(3, device=x.device) + x,
    "alike": lambda x: torch.zeros_like(x) + x.new_ones(3) + torch.linspace(0, 1, 3).to(x),
    "from numbers": lambda x: x + torch.tensor([1.0, 2.0, 3.0], device=x.device),
    "without a dimension": lambda x: x * torch.tensor(2.0) + torch.as_tensor(0.5),
    "a mask as index": lambda x: x[x > 1],
    "copies": lambda x: x.copy_(torch.ones(3)) + torch.zeros(3).copy_(x).to(x.device),
    "assigned to a part": lambda x: x.index_put_((x > 1,), x.new_zeros(2)),
    "a slice is a view": lambda x: (x[1:].mul_(2), x)[1],
    "a buffer": lambda x: Offset(registered=True).to(x.device)(x),
    "numpy of a copy": lambda x: x + float(x.cpu().numpy().sum()) + x.sum().item() + sum(x.tolist()),
    "conjugates": lambda x: torch.fft.irfft(torch.fft.rfft(x) * torch.fft.rfft(x.flip(0)).conj(), 3),
    "no autocast": lambda x: torch.autocast(x.device.type, enabled=False)(lambda: x.double().float())(),
    "a backward pass": backward_of(None),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_gpu_refuses_is_refused(name: str) -> None:
    numbers = torch.tensor([1.0, 2.0, 3.0])
    WRONG[name](numbers)  # nothing is wrong with it on the CPU
    with pytest.raises((MixedDevicesError, RuntimeError), match=r"tensor of the CPU|numpy"):
        WRONG[name](there(numbers))


@pytest.mark.parametrize("name", RIGHT)
def test_what_a_gpu_computes_is_computed(name: str) -> None:
    numbers = torch.tensor([1.0, 2.0, 3.0])
    assert_same(RIGHT[name](numbers.clone()), RIGHT[name](there(numbers)))


def test_a_module_is_moved_and_trained_there() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 36, 2))
    photo = torch.rand(2, 3, 8, 8)
    trained = []
    for each, seen in ((net, photo), (there(net), there(photo))):
        optimiser = torch.optim.Adam(each.parameters())
        each(seen).square().mean().backward()
        optimiser.step()
        trained.append(each.state_dict())
    assert all(isinstance(value, Pretend) for value in trained[1].values())
    assert_same(*(list(state.values()) for state in trained))
