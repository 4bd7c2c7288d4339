"""What every method refuses before it renders, and after."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np
import pytest
import torch
from makers import picture, save
from methods import NAMES, tiny

import bokehbench
from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.method import Method
from bokehbench.models import MODELS

HEIGHT, WIDTH = 48, 64
READY = [name for name in NAMES if MODELS[name].stands_alone]
#: Arguments of ``render``, and what the sentence says.
SETTINGS = [
    ({"aperture": math.nan}, "aperture nan"),
    ({"aperture": math.inf}, "aperture inf"),
    ({"aperture": -math.inf}, "aperture -inf"),
    ({"aperture": -1.0}, "aperture -1"),
    ({"aperture": 1e6}, "32 px at most: half the long side of the 64 x 48 photo"),
    ({"aperture": 10**400}, "aperture"),
    ({"aperture": "wide"}, "aperture 'wide'"),
    ({"aperture": torch.tensor([1.0, 2.0, 3.0])}, "aperture 1, 2, 3"),
    ({"focus": math.nan}, "focus nan"),
    ({"focus": math.inf}, "focus inf"),
    ({"focus": -0.5}, "focus -0.5"),
    ({"focus": 7.0}, "focus 7"),
    ({"focus": (math.nan, 3.0)}, "focus (nan"),
    ({"focus": (1.0, 2.0, 3.0)}, "focus (1"),
]
PIXELS = [(math.nan, "not finite"), (math.inf, "not finite"), (-math.inf, "not finite"), (-3.0, "-3"), (255.0, "255")]


@pytest.fixture(scope="module")
def ready():
    """Every method, small and fresh."""
    torch.manual_seed(0)
    return {name: tiny(name).eval() if MODELS[name].trainable else MODELS[name]().eval() for name in READY}


def photo(**more: object) -> dict[str, torch.Tensor]:
    image, ramp = torch.rand(1, 3, HEIGHT, WIDTH), torch.linspace(0, 1, WIDTH).expand(1, 1, HEIGHT, WIDTH).clone()
    return {"image": image, "disparity": ramp, **more}


@pytest.mark.parametrize("name", READY)
@pytest.mark.parametrize(("given", "said"), SETTINGS, ids=[f"{next(iter(g))}-{s[-12:]}" for g, s in SETTINGS])
def test_a_setting_that_cannot_be_is_refused_by_every_method(ready, name, given, said) -> None:
    with pytest.raises(BokehbenchError) as refused:
        ready[name].render(**photo(), **given)
    assert said in str(refused.value)


@pytest.mark.parametrize("name", READY)
@pytest.mark.parametrize(("value", "said"), PIXELS)
@pytest.mark.parametrize(("key", "what"), [("image", "photo"), ("disparity", "disparity map"), ("mask", "mask")])
def test_one_pixel_that_cannot_be_is_refused_by_every_method(ready, name, key, what, value, said) -> None:
    given = photo(mask=torch.ones(1, 1, HEIGHT, WIDTH))
    given[key][0, 0, 5, 6] = value
    with pytest.raises(BokehbenchError, match=f"cat: the {what} has .*{said}"):
        ready[name].render(**given, names=["cat"])


@pytest.mark.parametrize("name", [name for name in READY if MODELS[name].trainable])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_weights_that_are_no_numbers_make_no_picture(ready, name, value) -> None:
    model = tiny(name).eval()
    broken = [key for key, each in model.named_parameters() if key.startswith("net.") and key.endswith("bias")]
    with torch.no_grad():
        for key in broken:
            model.get_parameter(key).fill_(value)
    own = {"disparity": None} if model.uses.disparity == "own" else {}
    with pytest.raises(BokehbenchError, match="weights hold NaN or infinity"):
        model.render(**{**photo(), **own})


@pytest.mark.parametrize("name", READY)
def test_the_largest_aperture_of_a_photo_is_rendered(ready, name) -> None:
    assert ready[name].render(**photo(), aperture=16.0).image.isfinite().all()


@pytest.mark.parametrize(("given", "said"), SETTINGS, ids=[f"{next(iter(g))}-{s[-12:]}" for g, s in SETTINGS])
def test_python_and_an_opened_photo_refuse_the_same(given, said) -> None:
    pixels = picture(1, (HEIGHT, WIDTH))
    opened = Method(MODELS["scatter"]()).open(pixels, disparity=np.full((HEIGHT, WIDTH), 0.5))
    with pytest.raises(BokehbenchError) as refused:
        opened.refocus(**given)
    assert said in str(refused.value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_python_refuses_such_a_map(value) -> None:
    depth = np.full((HEIGHT, WIDTH), 0.5)
    depth[3, 4] = value
    with pytest.raises(BokehbenchError, match="disparity map"):
        bokehbench.load("scatter")(picture(1, (HEIGHT, WIDTH)), disparity=depth)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "1e6", "wide"])
def test_the_command_line_names_the_option(value, tmp_path, capsys) -> None:
    place, depth = save(tmp_path / "a.png", picture(1)), save(tmp_path / "d.png", picture(2)[..., 0])
    words = ["render", str(place), "--model", "scatter", "--disparity", str(depth), "-o", str(tmp_path / "o.png")]
    with suppress(SystemExit):
        assert main([*words, f"--aperture={value}"]) == 2
    assert "aperture" in capsys.readouterr().err
    assert not (tmp_path / "o.png").exists()
