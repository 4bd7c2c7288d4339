"""The verbs of the command line, each imported when it is run."""

import importlib
from collections.abc import Mapping, Sequence

from bokehbench.errors import BokehbenchError, nearest

#: verb -> (module with ``main(argv) -> int``, one line of help); the verb itself is passed on as argv[0].
VERBS = {
    "fit": ("bokehbench.commands.lightning", "train a method, all its stages"),
    "validate": ("bokehbench.commands.lightning", "score a checkpoint on the validation pictures"),
    "test": ("bokehbench.commands.lightning", "score a checkpoint on the test pictures, one row per picture"),
    "predict": ("bokehbench.commands.lightning", "render the pictures of a data set"),
    "render": ("bokehbench.commands.render", "give a photo, or a folder of photos, shallow depth of field"),
    "app": ("bokehbench.commands.app", "click where to focus and drag the aperture, in the browser"),
    "score": ("bokehbench.commands.score", "score a folder of pictures against the true ones, no model needed"),
    "leaderboard": ("bokehbench.commands.leaderboard", "results and tables: add, render, check, verify, cite, compare"),
    "report": ("bokehbench.commands.report", "a board as a folder of HTML, with pictures to look into"),
    "benchmark": ("bokehbench.commands.benchmark", "run a suite of experiments and compare them on a board"),
    "sweep": ("bokehbench.commands.sweep", "vary options of a fit, W&B's sweep files run here"),
    "data": ("bokehbench.commands.data", "describe, check or preview a data set"),
    "doctor": ("bokehbench.commands.doctor", "versions, devices, data folders found, and what is missing"),
    "completion": ("bokehbench.commands.completion", "a script that completes verbs and options in your shell"),
    "study": ("bokehbench.commands.study", "ask people which of two results they prefer, and analyse their votes"),
    "import-weights": ("bokehbench.commands.import_weights", "turn the authors' weights into a checkpoint of ours"),
}
#: Verb -> option that had another spelling once -> its spelling today, the only one that ``--help`` shows.
RENAMED: Mapping[str, Mapping[str, str]] = {
    "benchmark": {"--recipe": "--replace-config"},
    "leaderboard": {"--target": "--targets"},
    "report": {"--pictures": "--outputs"},
    "score": {"--target": "--targets"},
    "study": {"--method": "--outputs"},
    **{verb: {"--ckpt_path": "--checkpoint"} for verb in ("fit", "validate", "test", "predict")},
}


def spelt_today(argv: Sequence[str]) -> list[str]:
    """``argv`` (the verb, then its words) with old options, ``--old`` or ``--old=VALUE``, in today's spelling."""
    renamed = RENAMED.get(argv[0], {})
    parts = (word.partition("=") for word in argv)
    return ["".join((renamed.get(name, name), equals, value)) for name, equals, value in parts]


def run(argv: list[str]) -> int:
    """Run one verb, ``argv[0]``, and return its exit status; BokehbenchError for no verb, or what the verb raises."""
    if argv[0] not in VERBS:
        raise BokehbenchError(f"There is no verb '{argv[0]}'; {nearest(argv[0], VERBS)}.")
    module = importlib.import_module(VERBS[argv[0]][0])
    return int(module.main(spelt_today(argv)) or 0)
