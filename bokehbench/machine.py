"""What computed: the words for a device in results and records, and the memory that it took."""

import platform
from functools import cache
from pathlib import Path

import torch

from bokehbench.counted import counted
from bokehbench.errors import BokehbenchError
from bokehbench.refusals import first_line


def usable_device(name: str, option: str = "--device") -> torch.device:
    """The device of that name, which something was put on; BokehbenchError, naming ``option``, where nothing can be."""
    try:
        if (found := torch.device(name)).type == "meta":
            raise RuntimeError("it holds no values")
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, ValueError, ImportError) as error:  # as torch's back ends have it
        raise BokehbenchError(
            f"{option} {name}: it cannot be used here ({first_line(error)}): give cpu, or one that `bokehbench doctor` "
            "lists."
        ) from error
    return found


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


def peak_memory(device: torch.device) -> int | None:
    """Bytes: of the GPU's allocator since it was reset, or of this whole process on a CPU; None where unknown."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if platform.system() == "Darwin" else peak * 1024)


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
