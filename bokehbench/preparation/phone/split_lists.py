"""``train.txt`` and ``test.txt``: extended by new photos, without parting those that are nearly the same."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bokehbench.data.folders import stem_of
from bokehbench.files import read_text, write_text

#: DeepLens' division of its pictures (Wang et al. 2018, Sec. 4.1).
TEST_SHARE = 200 / 2462


def extend_lists(root: Path, groups: Mapping[str, int], share: float = TEST_SHARE, seed: int = 0) -> tuple[int, int]:
    """Add the photos that no list names, commented out or not; what the lists hold stays.

    Args:
        root: of the data set.
        groups: photo -> the number of its group, which goes to one list as a whole.
        share: of the test photos among all; one at least where there are two groups.
        seed: of the draw.

    Returns:
        How many of the photos are for training and for the test.
    """
    texts = {part: read_text(path) if (path := root / f"{part}.txt").is_file() else "" for part in ("train", "test")}
    parts = {stem_of(line.strip(" \t#")): part for part, text in texts.items() for line in text.splitlines()}
    listed = {groups[name]: part for name, part in parts.items() if name in groups}
    new = [name for name in groups if name not in parts]
    members = {
        group: [name for name in new if groups[name] == group] for group in dict.fromkeys(groups[name] for name in new)
    }
    room = max(round(share * len(groups)), int(share > 0 and len(set(groups.values())) > 1))
    room -= sum(parts.get(name) == "test" for name in groups)
    free = [group for group in members if group not in listed]
    for group in np.random.default_rng(seed).permutation(np.array(free, dtype=int)).tolist():
        listed[group] = "test" if len(members[group]) <= room else "train"
        room -= len(members[group]) * (listed[group] == "test")
    if room > 0 and free and "test" not in listed.values() and len(listed) > 1:  # all are larger than the share
        listed[min(free, key=lambda group: len(members[group]))] = "test"
    parts |= {name: listed[groups[name]] for name in new}
    for part, text in texts.items():
        lines = [*text.splitlines(), *(name for name in new if parts[name] == part)]
        write_text(root / f"{part}.txt", "".join(f"{line}\n" for line in lines))
    train, test = (sum(parts[name] == part for name in groups) for part in ("train", "test"))
    return train, test
