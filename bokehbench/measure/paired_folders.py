"""Folders of outputs against a folder of targets: strictly paired by file stem, everything odd named first."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from bokehbench.counted import counted, some
from bokehbench.data.decoding import MAP_SUFFIXES, turn_to_fit
from bokehbench.data.folders import Listing, list_pictures
from bokehbench.data.pixels import quick_size
from bokehbench.errors import BokehbenchError

#: What may be odd -> what a picture so marked means for the scores, if it is allowed.
KINDS = {
    "missing": "targets without an output are left out",
    "extra": "outputs without a target are left out",
    "duplicates": "byte-identical outputs are scored like any other",
    "wrong-size": "outputs of another size than their target are left out",
    "unreadable": "files that cannot be read are left out",
}


@dataclass(frozen=True)
class Problem:
    """One odd thing: its kind (of :data:`KINDS`, or ``"ambiguous"``, which is never allowed) and a sentence."""

    kind: str
    sentence: str


@dataclass(frozen=True)
class PairedFiles:
    """One output with what it is compared with; ``in_focus`` is a mask or disparity map, or None."""

    method: str
    name: str
    output: Path
    target: Path
    in_focus: Path | None = None


@dataclass
class Pairing:
    """Pairs by method, problems, how many targets there are, and notes on what was left out."""

    pairs: dict[str, list[PairedFiles]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    targets: int = 0
    notes: list[str] = field(default_factory=list)

    def refuse(self, allowed: Set[str]) -> None:
        """Raise BokehbenchError with all problems that are not ``allowed``, or if nothing is left to score."""
        if refused := [problem for problem in self.problems if problem.kind not in allowed]:
            kinds = sorted({problem.kind for problem in refused} & set(KINDS))
            shown = "".join(f"\n  {problem.sentence}" for problem in refused[:20])
            more = f"\n  ... and {len(refused) - 20} more" if len(refused) > 20 else ""
            remedy = "".join(f"\n  --allow-{kind}: {KINDS[kind]}" for kind in kinds)
            go_on = f"\nFix that, or allow it:{remedy}" if kinds else ""
            raise BokehbenchError(f"not scored, {counted(len(refused), 'problem')}:{shown}{more}{go_on}")
        if not any(self.pairs.values()):
            raise BokehbenchError("not scored: no output has a target that it could be compared with.")

    def common(self) -> dict[str, list[PairedFiles]]:
        """The pairs of the pictures that every method has: means over other pictures are not comparable."""
        names = [{pair.name for pair in pairs} for pairs in self.pairs.values()]
        shared = set.intersection(*names) if names else set()
        return {method: [pair for pair in pairs if pair.name in shared] for method, pairs in self.pairs.items()}


def pair_folders(outputs: Mapping[str, Path], targets: Path, maps: Path | None = None) -> Pairing:
    """Pair every method's folder with the targets; looks at names, headers, ends and equal bytes.

    Args:
        outputs: method's name -> folder of its pictures.
        targets: folder of the true pictures.
        maps: folder of masks or disparity maps of the same stems; a picture may lack one.

    Raises:
        BokehbenchError: a folder that is not there or has no pictures.
    """
    for folder in (*outputs.values(), targets, *([maps] if maps is not None else [])):
        if not folder.is_dir():
            raise BokehbenchError(f"{folder} is not a folder: give a folder of pictures.")
    wanted = list_pictures(targets)
    if not wanted.files:
        raise BokehbenchError(f"{targets} holds no pictures: give the folder of the true pictures with --targets.")
    regions = list_pictures(maps, MAP_SUFFIXES) if maps is not None else Listing()
    listings = {method: list_pictures(folder) for method, folder in outputs.items()}
    odd = [sentence for listing in (wanted, regions, *listings.values()) for sentence in listing.problems]
    pairing = Pairing(problems=[Problem("ambiguous", sentence) for sentence in odd], targets=len(wanted.files))
    pairing.notes = [note for listing in (wanted, regions, *listings.values()) for note in listing.notes]
    if maps is not None and (without := [stem for stem in wanted.files if stem not in regions.files]):
        if len(without) == len(wanted.files):
            raise BokehbenchError(f"{maps} has no map named like a picture of {targets}: check the folder.")
        pairing.notes.append(
            f"{maps}: {len(wanted.files) - len(without)} of {counted(len(wanted.files), 'picture')} have a map; scores "
            f"by region are of these alone; without: {some(without)}."
        )
    sizes = _sizes(wanted.files, pairing)
    for method, listing in listings.items():
        pairing.problems += [Problem("missing", f"{outputs[method]} has no output for {wanted.files[stem].name}")
                             for stem in wanted.files if stem not in listing.files]  # fmt: skip
        pairing.problems += [Problem("extra", f"{path} has no target in {targets}")
                             for stem, path in listing.files.items() if stem not in wanted.files]  # fmt: skip
        paired = {stem: path for stem, path in listing.files.items() if stem in wanted.files}
        pairing.pairs[method] = []
        for stem, size in _sizes(paired, pairing).items():
            if stem in sizes and size != sizes[stem]:
                what = f"{paired[stem]} is {size[1]} x {size[0]} pixels and the target"
                pairing.problems.append(Problem("wrong-size", f"{what} {sizes[stem][1]} x {sizes[stem][0]}"))
            elif stem in sizes:
                fitting = _fitting(regions.files, wanted.files[stem], stem, size, pairing)
                pairing.pairs[method].append(PairedFiles(method, stem, paired[stem], wanted.files[stem], fitting))
    pairing.problems += [Problem("duplicates", sentence) for sentence in duplicates(pairing.pairs)]
    return pairing


def _fitting(maps: Mapping[str, Path], target: Path, stem: str, size: tuple[int, int], pairing: Pairing) -> Path | None:
    path = maps.get(stem)
    shape = None if path is None else _sizes({stem: path}, pairing).get(stem)
    if path is None or shape is None:
        return None
    try:
        turn_to_fit(path, shape, size, target)
    except BokehbenchError as error:
        pairing.problems.append(Problem("ambiguous", str(error).rstrip(".")))
        return None
    return path


def _sizes(files: Mapping[str, Path], pairing: Pairing) -> dict[str, tuple[int, int]]:
    """(height, width) of the files whose header is good; the others become problems."""
    sizes = {}
    for stem, path in files.items():
        try:
            sizes[stem] = quick_size(path)
        except BokehbenchError as error:
            pairing.problems.append(Problem("unreadable", str(error).rstrip(".")))
    return sizes


def duplicates(pairs: Mapping[str, Sequence[PairedFiles]]) -> list[str]:
    """A sentence for outputs of the same bytes: within a method, under two methods' names, or as their own target."""
    digests = _digests([path for group in pairs.values() for pair in group for path in (pair.output, pair.target)])
    sentences = []
    for group in pairs.values():
        same = defaultdict(list)
        for pair in group:
            same[digests[pair.output]].append(pair)
            if pair.output.resolve() == pair.target.resolve():
                sentences.append(f"{pair.output} is its own target")
            elif digests[pair.output] == digests[pair.target]:
                sentences.append(f"{pair.output} is byte-identical to its target {pair.target}")
        sentences += [
            f"{', '.join(str(pair.output) for pair in equal)} are byte-identical"
            for equal in same.values()
            if len(equal) > 1
        ]
    for one, other in combinations(pairs, 2):
        theirs = {pair.name: pair for pair in pairs[other]}
        shared = [pair for pair in pairs[one] if pair.name in theirs]
        if equal := [pair.name for pair in shared if digests[pair.output] == digests[theirs[pair.name].output]]:
            names = ", ".join(equal[:5]) + (" ..." if len(equal) > 5 else "")
            sentences.append(
                f"{one} and {other} are byte-identical for {len(equal)} of {len(shared)} pictures ({names})"
            )
    return sentences


def _digests(paths: Sequence[Path]) -> dict[Path, str]:
    """What tells files apart: the hash where another file has the same length, the path where none has."""
    by_size = defaultdict(set)
    for path in paths:
        by_size[path.stat().st_size].add(path)
    digests = {}
    for group in by_size.values():
        for path in group:
            with path.open("rb") as file:
                digests[path] = hashlib.file_digest(file, "sha256").hexdigest() if len(group) > 1 else str(path)
    return digests
