"""The cases of pipes in place of files, outputs that are inputs, ``null`` for an option, and keys of studies."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, get_origin

from cases import PAIRS, QUICK, Case, Words
from faults import SIZE
from made_studies import make_study, votes_of, write_votes
from makers import make_pairs, picture, ramp, save
from methods import options

from bokehbench.models import MODELS
from bokehbench.names import options_of

READ = """
render @pipe.png --model=identity -o @out.png
render @photo --model=layered --disparity=@pipe.npy -o @out.png
render @photo --model=layered --disparity=@pipe.pfm -o @out.png
render @photo --checkpoint=@pipe.ckpt -o @out.png
render @photo --model=deeplens --checkpoint=@pipe.safetensors -o @out.png
fit --model=deeplens --config=@pipe.yaml
benchmark @pipe.yaml --folder=@here/work
sweep @pipe.yaml --folder=@here/work --trials=1
method check @pipe.yaml
leaderboard add --board=@board @pipe.json
study analyse @pipe.json @pipe.json
study build --inputs=@pairs/input --outputs=A=@pairs/target --outputs=B=@pairs/input -o @here/s --instructions=@pipe.txt
submit check @pipe.zip --board=@board
submit pack @pipe.json --declaration=@declared -o @out.zip
submit pack @result --declaration=@pipe.yaml -o @out.zip
import-weights --model=deeplens --checkpoint @pipe.ckpt -o @here/out
render @photo --model=identity -o @pipe.png
render @photo --model=layered --disparity=@map -o @here/fine.png --save-disparity=@pipe.png
score @pairs/input --targets=@pairs/target --workers=1 --csv=@pipe.csv
export --model=identity --size=64 --to=pt2 -o @pipe.pt2
data preview --data=pairs --data.root=@pairs -o @pipe.png
"""
REPLACED = """
render @own/photo.png --model=identity -o @own/photo.png
render @own/photo.png --model=identity -o @own/link.png
render @own/photo.png --model=layered --disparity=@own/map.png -o @own/map.png
render @own/photo.png --model=layered --disparity=@own/map.png -o @here/fine.png --save-disparity=@own/map.png
render @own/photo.png --model=layered --disparity=@own/map.png -o @here/fine.png --save-disparity=@own/photo.png
render @own/photo.png --model=layered --disparity=@own/map.png -o @here/fine.png --save-disparity=@here/fine.png
render @own/pairs/input --model=layered --disparity=@own/pairs/disparity -o @own/pairs/disparity
render @own/pairs/input --model=layered --disparity=@own/maps -o @here/o --save-disparity=@own/maps
render @own/pairs/input --model=layered --depth=folder:@own/pairs/disparity -o @own/pairs/disparity
score @own/pairs/input --targets=@own/pairs/target --workers=1 --csv=@own/pairs/input/a.png
score @own/pairs/input --targets=@own/pairs/target --workers=1 --csv=@own/pairs/target/a.png
score @own/pairs/input --targets=@own/pairs/target --workers=1 --mask=@own/pairs/mask --csv=@own/pairs/mask/a.png
data preview --data=pairs --data.root=@own/pairs -o @own/pairs/input/a.png
"""


def pipe(suffix: str) -> Callable[[Path], Words]:
    def make(folder: Path) -> Words:
        os.mkfifo(folder / f"pipe{suffix}")
        return {f"@pipe{suffix}": str(folder / f"pipe{suffix}")}

    return make


def own(folder: Path) -> Words:
    place = folder / "own"
    save(place / "photo.png", picture(1, SIZE))
    save(place / "map.png", ramp(SIZE))
    (place / "link.png").symlink_to(place / "photo.png")
    make_pairs(place / "pairs", names=("a", "b"), size=SIZE, disparity=True, mask=True)
    shutil.copytree(place / "pairs" / "disparity", place / "maps")
    return {"@own": str(place)}


def pipes() -> Iterator[Case]:
    """Nobody writes to them: who reads one waits for ever."""
    for line in READ.strip().splitlines():
        (word,) = {word for word in line.replace("=", " ").split() if word.startswith("@pipe")}
        verb = " ".join(line.replace("@", "").split()[:3])
        yield Case("pipes", f"{word[1:]}, {verb}", tuple(line.split()), ("pipe",), pipe(word[5:]))
    for verb in (("data", "check"), ("test", "--model=layered", *QUICK)):

        def make(folder: Path) -> Words:
            root = make_pairs(folder / "pairs", names=("a", "b"), size=SIZE, disparity=True)
            os.mkfifo(root / "focus_aperture.csv")
            return {"@root": str(root)}

        yield Case("pipes", "a table", (*verb, *PAIRS), ("focus_aperture.csv",), make)


def replaced() -> Iterator[Case]:
    for line in REPLACED.strip().splitlines():
        words = tuple(line.split())
        what = " ".join(word.replace("@own/", "") for word in words[-3:])
        yield Case("outputs that are inputs", what, words, ("-o", "--csv", "--save-disparity"), own)


def nothing_for_something() -> Iterator[Case]:
    for name in sorted(MODELS):
        chosen = [key for key, one in options_of(MODELS[name]).items() if get_origin(one.annotation) is Literal]
        for key in chosen[:1]:
            words = ("test", *options(name), *QUICK, f"--model.{key}=null")
            yield Case("numbers", f"{key} null, {name}", words, (key,))
    for key in ("size", "test_samples", "seed"):
        words = ("test", "--model=identity", *QUICK, f"--data.{key}=null")
        yield Case("numbers", f"data.{key} null", words, (key,))


def keys() -> Iterator[Case]:
    for field in ("methods", "results", "damaged", "inputs", "settings"):
        for value in (None, 3, "x", [1], {"a": 1}):
            if (field, value) != ("settings", {"a": 1}):

                def make(folder: Path, field: str = field, value: object = value) -> Words:
                    key = make_study(folder / "made", ["A", "B"], names=("p", "q"))
                    write_votes(folder / "votes", "a", votes_of(key, "r1", lambda *_: "left", 2))
                    (folder / "key.json").write_text(json.dumps(key | {field: value}))
                    shutil.rmtree(folder / "made")
                    return {"@key": str(folder / "key.json"), "@votes": str(folder / "votes")}

                words = ("study", "analyse", "@key", "@votes")
                yield Case("results", f"{field} {value}", words, ("key.json",), make)
