"""What computed: the words for a device in results and records."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

from bokehbench.counted import counted


def device_in_words(device: torch.device, world_size: int = 1) -> str:
    """``NVIDIA H100 x 2`` or ``x86_64 CPU (Intel ...), 4 threads``."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    elif device.type == "cpu":
        threads = torch.get_num_threads()
        model = f" ({_processor()})" if _processor() else ""
        name = f"{platform.machine()} CPU{model}, {counted(threads, 'thread')}"
    else:
        name = device.type
    return name if world_size == 1 else f"{name} x {world_size}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
