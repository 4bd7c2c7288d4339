"""The verbs of the command line, each imported when it is run."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from bokehbench.errors import BokehbenchError
from bokehbench.registry import Registry

#: verb -> (module with ``main(argv) -> int``, one line of help); the verb itself is passed on as argv[0].
_OURS = {
    "fit": ("bokehbench.commands.lightning", "train a method, all its stages"),
    "validate": ("bokehbench.commands.lightning", "score a checkpoint on the validation pictures"),
    "test": ("bokehbench.commands.lightning", "score a checkpoint on the test pictures, one row per picture"),
    "predict": ("bokehbench.commands.lightning", "render the pictures of a data set"),
    "render": ("bokehbench.commands.render", "give a photo, or a folder of photos, shallow depth of field"),
    "export": ("bokehbench.commands.export", "a method as an ONNX or pt2 file that runs without bokehbench"),
    "app": ("bokehbench.commands.app", "click where to focus and drag the aperture, in the browser"),
    "score": ("bokehbench.commands.score", "score a folder of pictures against the true ones, no model needed"),
    "leaderboard": ("bokehbench.commands.leaderboard", "results and tables: add, render, check, verify, cite, compare"),
    "submit": ("bokehbench.commands.submit", "send a result with its pictures to a board: pack, and check what came"),
    "report": ("bokehbench.commands.report", "a board as a folder of HTML, with pictures to look into"),
    "benchmark": ("bokehbench.commands.benchmark", "run a suite of experiments and compare them on a board"),
    "sweep": ("bokehbench.commands.sweep", "vary options of a fit, W&B's sweep files run here"),
    "data": ("bokehbench.commands.data", "describe, check or preview a data set, or make one of your photos"),
    "doctor": ("bokehbench.commands.doctor", "versions, devices, data folders found, and what is missing"),
    "completion": ("bokehbench.commands.completion", "a script that completes verbs and options in your shell"),
    "study": ("bokehbench.commands.study", "ask people which of two results they prefer, and analyse their votes"),
    "method": ("bokehbench.commands.method", "check a method that is a command of others"),
    "import-weights": ("bokehbench.commands.import_weights", "turn the authors' weights into a folder of ours"),
}


def _wrong(offered: Any) -> str:
    return "" if callable(getattr(offered, "main", None)) else "has no main(argv)"


#: Other packages offer a module or an object with ``main(argv) -> int``, whose ``help``, or the first line of whose
#: docstring, is its line of help: `bokehbench --help` imports it, so that it should import what is heavy in ``main``.
VERBS: Registry[Any] = Registry("verb", "bokehbench.verbs", {verb: place for verb, (place, _) in _OURS.items()}, _wrong)
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
    words = ["".join((renamed.get(name, name), equals, value)) for name, equals, value in parts]
    for at, (word, after) in enumerate(pairwise([*words, ""])):  # a file describes a method that is a command
        if (word == "--model" and after.endswith(".yaml")) or (word.startswith("--model=") and word.endswith(".yaml")):
            words[at : at + 1] = ["--model=external", word.replace("--model", "--model.description", 1)]
            break
    return words


def about(verb: str) -> str:
    """Its line of help."""
    if len(VERBS.offers()[verb]) == 1 and verb in _OURS:
        return _OURS[verb][1]
    try:
        offered = VERBS[verb]
    except BokehbenchError:
        return "cannot be used: see `bokehbench doctor`"
    return str(getattr(offered, "help", None) or (offered.__doc__ or "").strip().partition("\n")[0])


def run(argv: list[str]) -> int:
    """Run one verb, ``argv[0]``, and return its exit status; BokehbenchError for no verb, or what the verb raises."""
    return int(VERBS[argv[0]].main(spelt_today([argv[0].lower(), *argv[1:]])) or 0)
