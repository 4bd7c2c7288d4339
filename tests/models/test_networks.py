"""Every method knows its published network, and the names of others say what they are."""

from __future__ import annotations

import pytest

from bokehbench.models import MODELS
from bokehbench.names import options_of

PUBLISHED = [name for name, kind in MODELS.items() if kind.published]


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_is_published_are_arguments_that_results_record(name):
    kind = MODELS[name]
    assert set(kind.published.arguments) <= set(kind.architecture)
    assert set(kind.published.name_parts) <= set(kind.published.arguments)
    assert kind.network(kind.published.arguments) == {
        "name": "", "differs": {}, "published_parameters": kind.published.parameters,
    }  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_network_has_as_many_parameters_as_the_method_says(name):
    kind = MODELS[name]
    without_heads = {"segmentation_head": False} if "segmentation_head" in kind.architecture else {}
    model = kind(**kind.published.arguments, **without_heads)
    counted = sum(p.numel() for module in model.inference_modules() for p in module.parameters())
    assert counted == kind.published.parameters


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_deviation_is_listed_and_those_of_size_are_in_the_name(name):
    kind = MODELS[name]
    for key, value in kind.published.arguments.items():
        other = not value if isinstance(value, bool) else value + 1 if isinstance(value, int | float) else "other"
        found = kind.network({**kind.published.arguments, key: other})
        assert found["differs"] == {key: [other, value]}
        assert bool(found["name"]) == (key in kind.published.name_parts)
        assert kind.published.parameters == found["published_parameters"]


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("d2f", {"backbone": "resnet18", "channels": 64, "sharpness": 20.0}, "R18-64"),
        ("pynet", {"width": 8, "perceptual": "none"}, "w8"),
        ("pix2pix", {"width": 32, "levels": 6}, "w32-l6"),
        ("deeplens", {"channels": 16, "two_map": True}, "c16-two-map"),
        ("deeplens", {"depth_size": 128}, ""),
    ],
)
def test_names(name, arguments, expected):
    defaults = {key: each.default for key, each in options_of(MODELS[name]).items()}
    network = MODELS[name].network({**{k: defaults[k] for k in MODELS[name].architecture}, **arguments})
    assert network["name"] == expected


@pytest.mark.parametrize("name", sorted(set(MODELS) - set(PUBLISHED)))
def test_methods_without_a_network_have_no_such_name(name):
    assert MODELS[name].network({}) == {}
