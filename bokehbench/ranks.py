"""Which process of a training this is, by what torchrun, Slurm and Lightning tell the processes that they start."""

import os

#: Variables of the environment with a rank; a process that is alone has none of them, or 0.
RANKS = ("RANK", "SLURM_PROCID", "NODE_RANK", "LOCAL_RANK")


def is_first() -> bool:
    """Whether this process is the first of its training, on the first machine: of several, one speaks."""
    return all(os.environ.get(name, "0") == "0" for name in RANKS)


def alone() -> dict[str, str]:
    """The environment for a training of one machine that this process starts, though a launcher started us."""
    # The last is of Dask's nanny, and makes glibc give back memory at every step: half of the time was the system's
    told = (*RANKS, "SLURM_NTASKS", "TORCHELASTIC_RUN_ID", "MALLOC_TRIM_THRESHOLD_")
    return {name: value for name, value in os.environ.items() if name not in told}
