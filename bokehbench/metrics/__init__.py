"""Metrics: plain functions that give one value per image, their columns, the measurement, and torchmetrics classes.

Names load on first use, so that columns and protocols are listed without torch.
"""

import importlib
from typing import Any

_HOMES = {
    "Column": "column",
    "Measurement": "measurement",
    "PROTOCOLS": "protocols",
    "Protocol": "protocols",
    "Sample": "sample",
    "find_column": "columns",
    "find_protocol": "protocols",
    **dict.fromkeys(
        (
            "DISTS", "LPIPS", "MSSSIM", "PSNR", "SSIM", "SSIM3D", "BlurAmount", "DepthMAE", "GainCompensatedPSNR",
            "ProtocolScores", "RegionPSNR", "RegionSSIM", "RegisteredPSNR",
        ),
        "_accumulated",
    ),
}  # fmt: skip
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bokehbench.metrics' has no attribute '{name}'")
    return getattr(importlib.import_module(f"bokehbench.metrics.{_HOMES[name]}"), name)
