"""What happens around training and testing: progress bar, checkpoints, tables, pictures, logs."""

from bokehbench.callbacks.control_probe import ControlProbe
from bokehbench.callbacks.fit_summary import FitSummary
from bokehbench.callbacks.media_panels import MediaPanels
from bokehbench.callbacks.picture_writer import PictureWriter
from bokehbench.callbacks.progress import StageProgressBar
from bokehbench.callbacks.score_table import ScoreTable
from bokehbench.callbacks.stage_checkpoints import StageCheckpoints
from bokehbench.callbacks.step_progress import StepProgress
from bokehbench.callbacks.training_log import GradientNorm, Throughput
from bokehbench.callbacks.wandb_run import WandbRun

__all__ = [
    "ControlProbe", "FitSummary", "GradientNorm", "MediaPanels", "PictureWriter", "ScoreTable", "StageCheckpoints",
    "StageProgressBar", "StepProgress", "Throughput", "WandbRun",
]  # fmt: skip
