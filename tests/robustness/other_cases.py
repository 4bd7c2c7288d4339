"""The cases of places that cannot be written to, of empty folders, and of names that nothing has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from cases import QUICK, SCORE, Case, Words
from material import NAMES
from methods import words as tiny_words

KINDS = ("a file as a folder", "an over-long name", "no drive", "a device as a folder")


def place(kind: str) -> Callable[[Path], Words]:
    """A place that cannot be written to, in the case's folder."""

    def make(folder: Path) -> Words:
        (folder / "file").write_text("here first")
        places = {"a file as a folder": folder / "file" / "x", "an over-long name": folder / ("x" * 300),
                  "no drive": Path("/proc/nowhere/x"), "a device as a folder": Path("/dev/null/x")}  # fmt: skip
        return {"@place": str(places[kind]) if kind in places else ""}

    return make


def places() -> Iterator[Case]:
    written = {
        ("render", "@photo", "--model=identity", "-o"): ".png",
        ("render", "@pairs/input", "--model=identity", "-o"): "",
        ("render", "@photo", "--model=layered", "--disparity=@map", "-o", "@here/fine.png", "--save-disparity"): ".png",
        (*SCORE, "--workers=1", "--csv"): ".csv",
        ("report", "@board", "-o"): "",
        ("study", "build", "--inputs=@pairs/input", "--outputs=A=@pairs/target", "--outputs=B=@pairs/input", "-o"): "",
        ("data", "preview", "--data=pairs", "--data.root=@pairs", "-o"): ".png",
        (
            "test",
            "--model=identity",
            *QUICK,
            "--data.size=64",
            "--data.test_samples=1",
            "--trainer.default_root_dir",
        ): "",
        ("predict", "--model=identity", *QUICK, "--data=pairs", "--data.root=@pairs", "--trainer.default_root_dir"): "",
        ("fit", "--model=pix2pix", *QUICK, *tiny_words("pix2pix", 1)[2:], "--trainer.default_root_dir"): "",
        ("benchmark", "quick", "--folder"): "",
        ("sweep", "deeplens", "--trials=1", "--folder"): "",
    }
    yield Case(
        "places",
        "nothing, storage",
        ("sweep", "deeplens", "--trials=1", "--folder=@here/s", "--storage="),
        ("storage",),
    )
    for words, suffix in written.items():
        where = f"{words[-1].lstrip('-')}{suffix}, {words[1].rpartition('/')[2]}"
        for kind in KINDS:
            fails = ("file", "xxx", "/proc/nowhere", "/dev/null")
            yield Case("places", f"{kind}, {where}", (*words, f"@place{suffix}"), fails, place(kind))
        if words[-1] in ("-o", "--csv", "--save-disparity"):
            yield Case("places", f"nothing, {where}", (*words, ""), (words[-1],))
    for suffix in ("", ".xyz", ".gif", ".npy"):
        words = ("render", "@photo", "--model=identity", "-o", f"@out{suffix}")
        yield Case("places", f"a suffix '{suffix}'", words, ("out",))


def empty(folder: Path) -> Words:
    (folder / "empty" / "input").mkdir(parents=True)
    (folder / "empty" / "target").mkdir()
    return {"@empty": str(folder / "empty")}


EMPTY = """
render @empty/input --model=identity -o @here/out
render @photo --checkpoint=@empty -o @out.png
render @photo --model=layered --disparity=@empty -o @out.png
score @empty/input --targets=@empty/target
score @empty/input --targets=@pairs/target
leaderboard render @empty
leaderboard add --board=@board --outputs=X=@empty/input --targets=@pairs/target
report @empty -o @here/report
report @board -o @here/report --inputs=@empty/input
study build --inputs=@empty/input --outputs=A=@empty/target --outputs=B=@pairs/target -o @here/s
study analyse @empty @empty
submit pack @empty -o @out.zip --declaration=@declared
submit check @empty --board=@board
"""
EMPTY_DATA = """
data check
data describe
data depth --depth=none
test --model=identity
predict --model=identity
fit --model=pix2pix
"""


def nothing() -> Iterator[Case]:
    for line in EMPTY.strip().splitlines():
        words = tuple(line.split())
        yield Case("nothing there", " ".join(words[1:3]), words, ("empty", "no output"), empty)
    for data in ("pairs", "iphonedepth", "ebb"):
        for line in EMPTY_DATA.strip().splitlines():
            words = (*line.split(), *(() if line.startswith("data") else QUICK), f"--data={data}", "--data.root=@empty")
            yield Case("nothing there", data, words, ("empty", "depth_kind"), empty)


UNKNOWN = """
score @pairs/input --targets=@pairs/target --protocol=nope # protocol
score @pairs/input --targets=@pairs/target --columns=nope # column
test --model=identity --columns=nope # column
export --model=layered --to=nope -o x # format
render @photo --model=layered --depth=nope -o @out.png # depth
leaderboard render nope # board
leaderboard cite nope --board=@board # result
report nope -o @here/report # board
benchmark nope # suite
sweep nope # sweep
data check --data=nope # data set
completion nope # shell
data nope # action
leaderboard nope # action
submit nope # action
study nope # action
method nope x # action
nope # verb
"""


def unknown() -> Iterator[Case]:
    for verb in ("fit", "test", "predict", "validate", "render", "export", "app", "import-weights"):
        words = {
            "render": ("@photo", "-o", "@out.png"),
            "export": ("-o", "@out.pt2"),
            "import-weights": ("--checkpoint", "x"),
        }
        yield Case("unknown names", "method", (verb, "--model=depplens", *words.get(verb, ())), ("depplens",))
        if verb != "import-weights":
            option = (verb, "--model=layered", "--model.nope=3", *words.get(verb, ()))
            yield Case("unknown names", "option of a method", option, ("nope",))
    for verb in ("fit", "test", "predict", "validate"):
        yield Case("unknown names", "data set", (verb, "--model=deeplens", "--data=ebbb"), ("ebbb",))
        yield Case("unknown names", "option", (verb, "--model=deeplens", "--trainer.speed=3"), ("speed",))
        words = (verb, "--model=deeplens", *QUICK, "--trainer.accelerator=warp")
        yield Case("unknown names", "device", words, ("warp",))
    for name in NAMES:
        words = ("render", "@photo", "--model", name, "--device=warp", "-o", "@out.png")
        yield Case("unknown names", f"device, {name}", words, ("warp", "--checkpoint"))
    for line in UNKNOWN.strip().splitlines():
        yield Case("unknown names", line.rpartition("# ")[2], tuple(line.partition(" # ")[0].split()), ("nope",))
