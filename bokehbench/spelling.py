"""Options that had another spelling once: the old one is still understood, and ``--help`` shows today's alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: Verb -> old option -> its spelling today.
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
