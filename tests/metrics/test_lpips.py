from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
import torch
import torchvision

from bokehbench.errors import BokehbenchError
from bokehbench.metrics import DISTS, LPIPS, Measurement, ProtocolScores, Sample
from bokehbench.metrics import pretrained as module
from bokehbench.metrics.dists import dists
from bokehbench.metrics.lpips import BACKBONES, lpips
from bokehbench.metrics.pretrained import NOT_AVAILABLE, WeightsNotAvailableError


@pytest.fixture
def no_weights(tmp_path, monkeypatch):
    """A machine without weights and without a network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    module._load.cache_clear()
    yield
    module._load.cache_clear()


@pytest.mark.usefixtures("no_weights")
def test_without_weights_there_is_a_remedy_and_never_a_number(pair):
    with pytest.raises(WeightsNotAvailableError, match=r"alexnet-owt-7be5be79\.pth"):
        lpips(*pair)
    with pytest.raises(BokehbenchError, match="connect to a network"):
        LPIPS().update(*pair)
    scores = ProtocolScores("bokehbench")
    scores.update(*pair)
    assert scores.compute()["lpips"] == NOT_AVAILABLE
    assert scores.per_image["lpips"].isnan().all()
    assert scores.compute()["psnr"] > 10


@pytest.mark.usefixtures("no_weights")
def test_columns_of_vgg_say_that_there_are_no_weights(pair):
    scores = Measurement.named(["lpips_vgg", "dists"]).of(Sample(*pair))
    assert scores == {"lpips_vgg": NOT_AVAILABLE, "dists": NOT_AVAILABLE}
    with pytest.raises(WeightsNotAvailableError, match=r"DISTS needs the weights vgg16-397923af\.pth"):
        dists(*pair)


@pytest.mark.usefixtures("no_weights")
def test_with_weights_of_vgg_both_columns_are_distances(pair):
    """Random convolutions; the classifier, which nobody asks, as one number that stands for all of its weights."""
    with torch.device("meta"):
        shapes = {name: each.shape for name, each in torchvision.models.vgg16(weights=None).state_dict().items()}
    weights = {
        name: torch.zeros(1).expand(shape) if name.startswith("classifier") or len(shape) == 1
        else torch.randn(shape) * (2 / shape[1:].numel()) ** 0.5
        for name, shape in shapes.items()
    }  # fmt: skip
    checkpoints = Path(torch.hub.get_dir()) / "checkpoints"
    checkpoints.mkdir(parents=True)
    torch.save(weights, checkpoints / BACKBONES["vgg"])
    near, true = (each[..., :64, :64] for each in pair)
    measured = Measurement.named(["lpips_vgg", "dists"])
    found, equal = measured.of(Sample(near, true)), measured.of(Sample(true, true))
    for name, values in measured.of(Sample(true.flip(3), true)).items():
        assert found[name].shape == (2,)
        assert (values > found[name]).all()
        assert torch.allclose(equal[name], torch.zeros(2), atol=1e-5)
    assert torch.equal(found["lpips_vgg"], lpips(near, true, "vgg"))
    metric = DISTS()
    metric.update(near, true)
    assert metric.compute().item() == pytest.approx(found["dists"].mean().item(), rel=1e-3)
    output = near.clone().requires_grad_()
    dists(output, true).sum().backward()
    assert bool(output.grad.any()), "it can be a loss, too"


@pytest.mark.usefixtures("no_weights")
def test_with_weights_in_the_cache_every_image_has_a_distance(pair):
    # SqueezeNet with random weights: small enough to write, and LPIPS only has to be a distance here.
    checkpoints = Path(torch.hub.get_dir()) / "checkpoints"
    checkpoints.mkdir(parents=True)
    torch.save(torchvision.models.squeezenet1_1(weights=None).state_dict(), checkpoints / BACKBONES["squeeze"])
    far = pair[1].flip(3)
    with torch.inference_mode():
        values = lpips(torch.cat([pair[0], far]), torch.cat([pair[1], pair[1]]), "squeeze")
    assert values.shape == (4,)
    assert (values[2:] > values[:2]).all()
    assert torch.equal(lpips(pair[1], pair[1], "squeeze"), torch.zeros(2))
    assert lpips(pair[0][:1], pair[1][:1], "squeeze").item() == pytest.approx(values[0].item(), rel=1e-3)
    prediction = pair[0][:1].clone().requires_grad_()
    lpips(prediction, pair[1][:1], "squeeze").sum().backward()
    assert prediction.grad is not None
    assert bool(prediction.grad.any()), "what scoring loaded can be a loss, too"


def test_bad_input_is_refused():
    with pytest.raises(BokehbenchError, match="did you mean 'alex'"):
        LPIPS("alexnet").update(torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64))
    with pytest.raises(BokehbenchError, match="needs 63 on each side"):
        lpips(torch.zeros(1, 3, 32, 80), torch.zeros(1, 3, 32, 80))


@pytest.mark.usefixtures("no_weights")
def test_a_missing_network_keeps_no_pictures() -> None:
    """A test of thousands of pictures must not hold them all for the sake of an error message."""
    picture = torch.rand(1, 3, 64, 64)
    gone = weakref.ref(picture)
    with pytest.raises(WeightsNotAvailableError):
        lpips(picture, picture)
    del picture
    gc.collect()
    assert gone() is None
