from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
import torch
import torchvision

from bokehbench.errors import BokehbenchError
from bokehbench.metrics import LPIPS, ProtocolScores
from bokehbench.metrics import lpips as module
from bokehbench.metrics.lpips import BACKBONES, NOT_AVAILABLE, WeightsNotAvailableError, lpips


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
