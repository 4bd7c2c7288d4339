"""One rater's votes sorted into what counts, repeats and catch trials."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from bokehbench.study.key import Key
from bokehbench.study.votes import VoteFile, is_catch

#: Below this many seconds per pair, half of the time, nobody has looked at three pictures.
HASTY = 1.0


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


def sort_votes(file: VoteFile, key: Key) -> Rater:
    """Sort a file's votes by what the pictures are, never by what the file says of a vote's kind."""
    order = {method: at for at, method in enumerate(key.methods)}
    first: dict[frozenset[str], Judgement] = {}
    repeats = same = catches = caught = 0
    for vote in file.votes:
        if is_catch(vote, key):
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
