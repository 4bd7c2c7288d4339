"""Metrics: plain functions that give one value per image, and thin torchmetrics classes around them.

Names load on first use, so that a list of protocols starts without torch.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "BlurAmount": "blur_amount",
    "DepthMAE": "depth_mae",
    "GainCompensatedPSNR": "registered",
    "LPIPS": "lpips",
    "MSSSIM": "ms_ssim",
    "PROTOCOLS": "protocols",
    "PSNR": "psnr",
    "Protocol": "protocols",
    "ProtocolScores": "scoring",
    "RegionPSNR": "regions",
    "RegionSSIM": "regions",
    "RegisteredPSNR": "registered",
    "SSIM": "ssim",
    "SSIM3D": "ssim_3d",
    "find_protocol": "protocols",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bokehbench.metrics' has no attribute '{name}'")
    return getattr(importlib.import_module(f"bokehbench.metrics.{_HOMES[name]}"), name)
