"""What happens around training and testing: progress bar, checkpoints, tables, pictures."""

from bokehbench.callbacks.fit_summary import FitSummary
from bokehbench.callbacks.picture_writer import PictureWriter
from bokehbench.callbacks.progress import StageProgressBar
from bokehbench.callbacks.score_table import ScoreTable
from bokehbench.callbacks.stage_checkpoints import StageCheckpoints
from bokehbench.callbacks.training_clock import TrainingClock

__all__ = ["FitSummary", "PictureWriter", "ScoreTable", "StageCheckpoints", "StageProgressBar", "TrainingClock"]
