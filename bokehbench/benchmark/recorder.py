"""The old address of :class:`bokehbench.measure.recorder.ResultRecorder`."""

from bokehbench.measure.recorder import ResultRecorder

__all__ = ["ResultRecorder"]
