"""Vote files: anything may be handed in, so every field is checked before it is believed. Then votes become raters."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bokehbench.errors import BokehbenchError
from bokehbench.study.key import VOTES, Key, read_document

MOST_BYTES = 5_000_000
#: A rater's id: short, and neither markup nor a formula.
SAFE_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
CHOICES = ("left", "right", "none")
#: Below this many seconds per pair, half of the time, nobody has looked at three pictures.
HASTY = 1.0


@dataclass(frozen=True)
class Vote:
    """One answer: anonymous files on both sides, ``left``, ``right`` or ``none``, and seconds from seen to answered."""

    left: str
    right: str
    choice: str
    seconds: float


@dataclass(frozen=True)
class VoteFile:
    """One rater's votes in the order given; ``complete``: every question was answered."""

    path: Path
    rater: str
    votes: tuple[Vote, ...]
    complete: bool


@dataclass(frozen=True)
class Judgement:
    """A vote with its names: ``value`` is +1 for the method ``first``, -1 for ``second`` (in the key's order), 0 for
    neither; ``side`` is what was pressed."""

    rater: str
    picture: str
    first: str
    second: str
    value: int
    side: str


@dataclass(frozen=True)
class Rater:
    """What is known of a rater.

    Attributes:
        judgements: the votes that count: the first of every pair.
        repeats, same: pairs shown again with the sides exchanged, and how many of them got the same answer.
        catches, caught: pairs with a spoilt copy, and in how many the good one was chosen.
        seconds: median time of a vote.
        complete: whether all questions were answered.
    """

    id: str
    judgements: tuple[Judgement, ...]
    repeats: int
    same: int
    catches: int
    caught: int
    seconds: float
    complete: bool

    @property
    def failed(self) -> bool:
        """Whether a catch trial was answered wrongly, or with no preference."""
        return self.caught < self.catches

    @property
    def flags(self) -> str:
        """What is odd, in words; empty where nothing is."""
        sides = {judgement.side for judgement in self.judgements}
        odd = {
            "failed a catch trial": self.failed,
            "hasty": self.seconds < HASTY,
            "always the same answer": len(self.judgements) >= 8 and len(sides) == 1,
            "incomplete": not self.complete,
        }
        return ", ".join(words for words, so in odd.items() if so)


def read(path: Path, key: Key) -> VoteFile:
    """Read one file of votes.

    Raises:
        BokehbenchError: not there, not JSON, not votes, of another study, or with answers that no rater can give.
    """
    content = read_document(path, VOTES, MOST_BYTES)
    rater, votes, trials = (content.get(name) for name in ("rater", "votes", "trials"))
    count = len(votes) if isinstance(votes, list) else 0
    for good, why in (
        (content.get("study") == key.study, "holds votes of another study than the key: give the key that fits"),
        (content.get("version") == key.version, "holds votes of another version of the study than the key: left out"),
        (isinstance(rater, str) and SAFE_ID.fullmatch(rater), "has no valid rater's id: left out"),
        (count, "holds no votes: left out"),
        (_is_number(trials, count, 100_000), "holds more votes than were asked for: left out"),
    ):
        if not good:
            raise BokehbenchError(f"{path}: {why}.")
    answers = tuple(_vote(path, at, vote, key) for at, vote in enumerate(votes or ()))
    return VoteFile(path, str(rater), answers, count >= int(trials or 0))


def _vote(path: Path, at: int, vote: Any, key: Key) -> Vote:
    known = vote if isinstance(vote, dict) else {}
    left, right, choice, seconds = (known.get(name) for name in ("left", "right", "choice", "seconds"))
    names = isinstance(left, str) and isinstance(right, str)
    for good, why in (
        (known, "is not an object"),
        (names and choice in CHOICES, "is no choice between two pictures"),
        (_is_number(seconds, 0, 1e7), "has no valid time"),
        (names and _is_pair(str(left), str(right), key), "is about pictures that the study never shows together"),
    ):
        if not good:
            raise BokehbenchError(f"{path}: vote {at + 1} {why}: left out.")
    return Vote(str(left), str(right), str(choice), float(seconds or 0))


def _is_number(value: Any, least: float, most: float) -> bool:
    """Python takes bool for an int; NaN and Infinity, which its JSON reader takes, fail the comparison."""
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


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


def sort_votes(file: VoteFile, key: Key) -> Rater:
    """Sort a file's votes by what the pictures are, never by what the file says of a vote's kind."""
    order = {method: at for at, method in enumerate(key.methods)}
    first: dict[frozenset[str], Judgement] = {}
    repeats = same = catches = caught = 0
    for vote in file.votes:
        if vote.left in key.damaged or vote.right in key.damaged:
            catches += 1
            good = "right" if vote.left in key.damaged else "left"
            caught += vote.choice == good
            continue
        (left, picture), (right, _) = key.results[vote.left], key.results[vote.right]
        ordered = order[left] < order[right]
        one, two = (left, right) if ordered else (right, left)
        value = {"left": 1, "right": -1, "none": 0}[vote.choice] * (1 if ordered else -1)
        judgement = Judgement(file.rater, picture, one, two, value, vote.choice)
        earlier = first.setdefault(frozenset((vote.left, vote.right)), judgement)
        if earlier is not judgement:
            repeats += 1
            same += earlier.value == value
    seconds = median(vote.seconds for vote in file.votes)
    judgements = tuple(first.values())
    return Rater(file.rater, judgements, repeats, same, catches, caught, seconds, file.complete)
