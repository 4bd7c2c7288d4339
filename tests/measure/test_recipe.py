"""What a result says about the training behind its weights."""

from __future__ import annotations

import pytest
from methods import tiny

from bokehbench.measure.recipe import architecture, trained_stages

RUN = ["level_7", "level_6", "level_5"]


@pytest.mark.parametrize(
    ("stage", "weights", "expected"),
    [
        ("level_5", None, RUN),
        ("level_6", None, RUN[:2]),  # a checkpoint from the middle knows nothing of what came later
        ("level_7", None, RUN[:1]),
        (None, None, RUN),
        ("level_5", "other.ckpt", None),  # what that one was trained for, this file does not say
    ],
)
def test_only_stages_that_were_trained_are_recorded(stage, weights, expected):
    mark = {"model": "PyNET", "stages": RUN, "stage": stage}
    assert trained_stages({"bokehbench": mark, "hyper_parameters": {"weights": weights}}) == expected


def test_a_loss_term_that_is_off_is_no_part_of_a_method():
    assert "lpips_weight" not in architecture(tiny("d2f"))
    assert architecture(tiny("d2f", lpips_weight=0.1))["lpips_weight"] == 0.1


def test_a_file_of_the_authors_names_no_stages():
    assert trained_stages({"state_dict": {}}) is None
