"""Vote files: anything may be handed in, so every field is checked before it is believed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bokehbench.errors import BokehbenchError
from bokehbench.study.key import Key
from bokehbench.study.pictures import safe_id

FORMAT = "bokehbench-study-votes"
FORMAT_VERSION = 1
MOST_BYTES = 5_000_000
CHOICES = ("left", "right", "none")


@dataclass(frozen=True)
class Vote:
    """One answer: anonymous files on both sides, ``left``, ``right`` or ``none``, and seconds from seen to answered."""

    left: str
    right: str
    choice: str
    seconds: float


@dataclass(frozen=True)
class VoteFile:
    """One rater's votes in the order given; ``trials`` is how many were asked."""

    path: Path
    rater: str
    votes: tuple[Vote, ...]
    trials: int

    @property
    def complete(self) -> bool:
        """Whether every question was answered."""
        return len(self.votes) >= self.trials


def read(path: Path, key: Key) -> VoteFile:
    """Read one file of votes.

    Raises:
        BokehbenchError: not there, not JSON, not votes, of another study, or with answers that no rater can give.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BokehbenchError(f"{path}: is too large for a file of votes: left out.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BokehbenchError(f"{path}: cannot be read ({error.strerror}): left out.") from error
    except (ValueError, RecursionError) as error:
        raise BokehbenchError(f"{path}: is not JSON, or cut short: ask the rater to send it again.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BokehbenchError(f"{path}: is not a file of votes: left out.")
    if content.get("format_version") != FORMAT_VERSION:
        raise BokehbenchError(f"{path}: is of a format that this bokehbench does not know: update it.")
    if content.get("study") != key.study:
        raise BokehbenchError(f"{path}: holds votes of another study than the key: give the key that fits.")
    if content.get("version") != key.version:
        raise BokehbenchError(f"{path}: holds votes of another version of the study than the key: left out.")
    rater = content.get("rater")
    if not isinstance(rater, str) or not safe_id(rater):
        raise BokehbenchError(f"{path}: has no valid rater's id: left out.")
    votes, trials = content.get("votes"), content.get("trials")
    if not isinstance(votes, list) or not votes:
        raise BokehbenchError(f"{path}: holds no votes: left out.")
    if not isinstance(trials, int) or isinstance(trials, bool) or not len(votes) <= trials <= 100_000:
        raise BokehbenchError(f"{path}: holds more votes than were asked for: left out.")
    return VoteFile(path, rater, tuple(_vote(path, at, vote, key) for at, vote in enumerate(votes)), trials)


def _vote(path: Path, at: int, vote: Any, key: Key) -> Vote:
    if not isinstance(vote, dict):
        raise BokehbenchError(f"{path}: vote {at + 1} is not an object: left out.")
    left, right, choice, seconds = (vote.get(name) for name in ("left", "right", "choice", "seconds"))
    if choice not in CHOICES or not isinstance(left, str) or not isinstance(right, str):
        raise BokehbenchError(f"{path}: vote {at + 1} is no choice between two pictures: left out.")
    # bool is an int to Python; NaN and Infinity, which its JSON reader takes, fail the comparison.
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds <= 1e7:
        raise BokehbenchError(f"{path}: vote {at + 1} has no valid time: left out.")
    if not _is_pair(left, right, key):
        raise BokehbenchError(f"{path}: vote {at + 1} is about pictures that the study never shows together: left out.")
    return Vote(left, right, choice, float(seconds))


def is_catch(vote: Vote, key: Key) -> bool:
    """Whether one side is the spoilt copy of the other."""
    return vote.left in key.damaged or vote.right in key.damaged


def _is_pair(left: str, right: str, key: Key) -> bool:
    if key.damaged.get(left) == right or key.damaged.get(right) == left:
        return True
    if left not in key.results or right not in key.results:
        return False
    (one, picture), (two, other) = key.results[left], key.results[right]
    return picture == other and one != two


def read_all(paths: Iterable[Path], key: Key) -> tuple[list[VoteFile], list[str], list[str]]:
    """All files that can be used, one per rater; a sentence per refused file; a sentence per duplicate.

    Of several files of one rater the one with most votes counts. The same answers with the same times under another
    rater's id are a copy: two people never agree to the millisecond.
    """
    files: list[VoteFile] = []
    refused: list[str] = []
    for path in dict.fromkeys(paths):
        try:
            files.append(read(path, key))
        except BokehbenchError as error:
            refused.append(str(error))
    kept: dict[str, VoteFile] = {}
    duplicates = []
    for file in files:
        other = kept.setdefault(file.rater, file)
        if other is not file:
            better, worse = (file, other) if len(file.votes) > len(other.votes) else (other, file)
            kept[file.rater] = better
            same = "the same votes as" if better.votes == worse.votes else "the same rater as"
            duplicates.append(f"{worse.path}: {same} {better.path}: counted once.")
    seen: dict[tuple[Vote, ...], VoteFile] = {}
    for file in kept.values():
        twin = seen.setdefault(file.votes, file)
        if twin is not file:
            duplicates.append(f"{file.path}: the votes and times of {twin.path} under another id: counted once.")
    return list(seen.values()), refused, duplicates
