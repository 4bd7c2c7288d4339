"""Batches of every data set, losses and scores on another device than the CPU (``pretend_device``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import torchvision
from makers import make_blb, make_ebb, make_pairs, make_realbokeh, make_rgbd, make_vabd
from pretend_device import NAME, Pretend, assert_same, pretended, there
from pytorch_lightning.utilities import move_data_to_device
from torch import Tensor

from bokehbench import losses, metrics
from bokehbench.batch import known
from bokehbench.data import DATA, open_data
from bokehbench.data.sampling import TrainingPlan, View
from bokehbench.metrics import PROTOCOLS, Measurement, Sample, pretrained
from bokehbench.metrics import lpips as lpips_module
from bokehbench.metrics.columns import columns
from bokehbench.perceptual import PLACES, VGGDistance

#: Data set -> what makes its files, and its options.
MADE: dict[str, tuple[Callable[[Path], object], dict[str, object]]] = {
    "blb": (make_blb, {}),
    "control": (lambda root: None, {"size": 96, "scenes": 1}),
    "ebb": (make_ebb, {}),
    "iphonedepth": (make_rgbd, {}),
    "pairs": (lambda root: make_pairs(root, disparity=True, mask=True), {}),
    "realbokeh": (make_realbokeh, {}),
    "vabd": (make_vabd, {}),
    "syntheticdof": (lambda root: None, {"size": 64, "aperture": 8, "train_samples": 4, "test_samples": 1}),
}
#: Torchmetrics classes that are given an output and a target.
CLASSES = ("GainCompensatedPSNR", "MSSSIM", "PSNR", "ProtocolScores", "RegisteredPSNR", "SSIM", "SSIM3D")


@pytest.fixture(autouse=True)
def _pretended() -> Iterator[None]:
    with pretended():
        yield


@pytest.fixture
def _random_lpips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """LPIPS with random weights, in a cache of its own."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    checkpoints = Path(torch.hub.get_dir()) / "checkpoints"
    checkpoints.mkdir(parents=True)
    network = torchvision.models.squeezenet1_1(weights=None)
    torch.save(network.state_dict(), checkpoints / lpips_module.BACKBONES["squeeze"])
    pretrained._load.cache_clear()
    yield
    pretrained._load.cache_clear()


def pictures() -> dict[str, Tensor]:
    """Two pairs of smooth pictures, large enough for MS-SSIM and the registration, and what goes with them."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(2, 3, 22, 23, generator=generator)
    target = torch.nn.functional.interpolate(coarse, (180, 190), mode="bicubic").clamp(0, 1)
    output = (target.roll(2, 3) * 0.9 + 0.05 * torch.rand(target.shape, generator=generator)).clamp(0, 1)
    ramp = torch.linspace(0, 1, 190).expand(2, 1, 180, 190).contiguous()
    return {"output": output, "target": target, "input": target.flip(3), "in_focus": (ramp > 0.5).float(), "map": ramp}


def sample(given: dict[str, Tensor]) -> Sample:
    return Sample(
        given["output"], given["target"], input=given["input"], in_focus=given["in_focus"], true_disparity=given["map"],
        own_disparity=lambda: given["map"].square(), control=dict.fromkeys(columns(), 0.5),
    )  # fmt: skip


@pytest.mark.parametrize("name", DATA)
def test_batches_are_moved_whole(name: str, tmp_path: Path) -> None:
    make, options = MADE[name]
    make(tmp_path)
    place = {} if DATA[name].synthetic else {"root": tmp_path}
    data = open_data(name, num_workers=0, **place, **options)
    data.plan_training(TrainingPlan(2, 1, 0, View("crop", 16, 16), 0, 1))
    trained = [data.train_dataloader()] if data.pictures("train") else []
    for loader in (*trained, data.test_dataloader() or data.val_dataloader()):
        batch = next(iter(loader))
        moved = move_data_to_device(batch, torch.device(NAME))
        assert {key for key, value in moved.items() if isinstance(value, Pretend)} == moved.keys() - {"name"}
        assert_same(batch, moved)
        assert_same(
            [known(batch, key) for key in batch if key != "name"], [known(moved, key) for key in moved if key != "name"]
        )


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.usefixtures("_random_lpips")
def test_every_column_under_every_protocol(protocol: str) -> None:
    of_pictures = [name for name, each in columns().items() if not {"control", "tried"} & set(each.needs)]
    measurement, given = Measurement.named(of_pictures, protocol), pictures()
    cpu, elsewhere = (measurement.of(sample(each), strict=False) for each in (given, there(given)))
    assert_same(cpu, elsewhere)
    assert sum(isinstance(value, Pretend) for value in elsewhere.values()) > len(of_pictures) / 2


@pytest.mark.usefixtures("_random_lpips")
def test_lpips_moves_its_network() -> None:
    given = pictures()
    cpu = lpips_module.lpips(given["output"], given["target"], "squeeze")
    assert_same(cpu, lpips_module.lpips(there(given["output"]), there(given["target"]), "squeeze"))


@pytest.mark.parametrize("name", CLASSES)
def test_torchmetrics_classes(name: str) -> None:
    given, found = pictures(), []
    for each in (given, there(given)):
        metric = getattr(metrics, name)()
        metric.update(each["output"], each["target"])
        found.append((metric.per_image, metric.compute()))
    assert_same(*found)


def vgg() -> VGGDistance:
    """With random weights."""
    generator, weights, channels = torch.Generator().manual_seed(0), {}, 3
    for name in PLACES:
        width = 64 * 2 ** min(int(name[4]) - 1, 3)
        weights[f"{name}.weight"] = (
            torch.randn(width, channels, 3, 3, generator=generator) * (2 / (9 * channels)) ** 0.5
        )
        weights[f"{name}.bias"], channels = torch.zeros(width), width
    return VGGDistance(weights, caffe=False)


def test_losses_and_their_gradients() -> None:
    def terms(one: Tensor, given: dict[str, Tensor], distance: VGGDistance) -> dict[str, Tensor]:
        two, first = given["target"], torch.tensor([True, False], device=one.device)
        ramp, mask = given["map"], given["in_focus"]
        saliency = losses.disparity_and_saliency_loss(one[:, :1], ramp, first, one[:, 1:2], mask, ~first)
        return {
            "normalised": losses.normalised_loss(one, two), "with weights": losses.normalised_loss(one, two, False, 2),
            "l1": losses.mean_absolute_error(one, two), "vgg": distance(one[:, :, :32, :32], two[:, :, :32, :32]),
            **saliency, **losses.pynet_coarse_loss(one, two), **losses.pynet_finest_loss(one, two),
        }  # fmt: skip

    given, distance, found = pictures(), vgg(), []
    for each, net in ((given, distance), (there(given), there(distance))):
        one = each["output"].clone().requires_grad_()
        values = terms(one, each, net)
        losses.total(values).backward()
        found.append((values, one.grad))
    assert_same(*found)
