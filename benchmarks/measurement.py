"""Scores of one test picture of 320 px: each place scoring for itself against one measurement that shares.

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/measurement.py

Issue 11 asks for 1.2x less CPU time on the metrics part of a board's test.
"""

from __future__ import annotations

import torch
from metrics import pair
from side_by_side import compare, header
from torch import Tensor

from bokehbench.board.boards import find, read_board
from bokehbench.metrics.blur_amount import blur_amount
from bokehbench.metrics.columns import columns
from bokehbench.metrics.measurement import Measurement, numbers
from bokehbench.metrics.prepare import to_8bit
from bokehbench.metrics.protocols import DEFAULT
from bokehbench.metrics.psnr import psnr
from bokehbench.metrics.regions import region_psnr, region_ssim
from bokehbench.metrics.registered import gain_compensated_psnr, registered_scores
from bokehbench.metrics.sample import Sample
from bokehbench.metrics.ssim import ssim

torch.set_num_threads(1)
BESIDES = [name for name, column in columns().items() if name not in ("lpips", "ms_ssim", "depth_mae")]


def apart(output: Tensor, image: Tensor, target: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """The test's table, the protocol and the diagnosis, each from the pictures (as up to version 0.1)."""
    scores = {}
    for name, picture in (("", output), ("identity_", image)):
        scores |= {f"{name}psnr": psnr(to_8bit(picture), to_8bit(target)),
                   f"{name}ssim": ssim(to_8bit(picture), to_8bit(target))}  # fmt: skip
    one, two = to_8bit(output), to_8bit(target)
    scores |= {"psnr": psnr(one, two), "ssim": ssim(one, two), "ssim_gaussian": ssim(one, two, "gaussian")}
    one, two = to_8bit(output), to_8bit(target)
    scores["psnr_gain"] = gain_compensated_psnr(one, two)
    scores["psnr_registered"], scores["psnr_registered_gain"] = registered_scores(one, two)
    scores["blur_amount"] = blur_amount(one, two, mask)
    for score, values in (("psnr", region_psnr(one, two, mask)), ("ssim", region_ssim(one, two, mask))):
        scores |= {f"{score}_{region.replace('-', '_')}": value for region, value in values.items()}
    return scores


def shared(names: list[str], output: Tensor, image: Tensor, target: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """The test's table and ``names``, from one sample."""
    sample, table = Sample(output, target, in_focus=mask), Measurement.named(("psnr", "ssim"))
    scores = numbers(table.of(sample))
    scores |= {f"identity_{name}": value for name, value in numbers(table.of(sample.instead(image))).items()}
    return scores | numbers(Measurement.named(names, DEFAULT).of(sample))


def main() -> None:
    """Print both ratios; fail where the numbers differ or the aim is not met."""
    output, target = (picture[..., :320, :320].contiguous() for picture in pair(320, 320))
    image = target.flip(-1)
    mask = torch.zeros(1, 1, 320, 320)
    mask[..., 100:200, 80:240] = 1
    pictures = (output, image, target, mask)
    named = [name for name in read_board(find("synthetic-dof")).columns if name != "lpips"]
    before, after = apart(*pictures), shared(BESIDES, *pictures)
    assert before.keys() == after.keys(), before.keys() ^ after.keys()
    assert all(torch.allclose(before[name], after[name], atol=2e-6) for name in before)
    header("All scores of one test picture, 320 px")
    ratios = compare(
        "table, protocol, diagnosis",
        {
            "each for itself": lambda: apart(*pictures),
            "one measurement, the same columns": lambda: shared(BESIDES, *pictures),
            "one measurement, the columns of synthetic-dof": lambda: shared(named, *pictures),
        },
        rounds=15,
    )
    assert min(ratios.values()) >= 1.2, ratios


if __name__ == "__main__":
    main()
