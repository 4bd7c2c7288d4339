"""For ``dask worker --preload forked_worker``: the steps of a suite need not import torch again (see ``forked``)."""

from __future__ import annotations

from forked import SUBPROCESS

from bokehbench.suite import step_process

step_process.subprocess = SUBPROCESS
