"""Every bad input: what kind it is, the command line that meets it, and what its answer has to name."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import faults
from faults import Maker
from makers import make_pairs, picture, save
from material import NAMES, method, uses
from methods import TRAINABLE, stage_names
from methods import words as tiny_words

#: Words that begin with ``@`` -> what they stand for in one case.
Words = Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """A command line that must be refused.

    Attributes:
        kind: row of the table in ``docs/robustness.md``.
        what: which of its kind, with the method where it matters.
        words: the command line; words with ``@`` are filled in from the material and from ``make``.
        names: the answer names one of these.
        make: makes what is bad in the case's own folder.
        noted: exit status 0 is right, too, where what is printed names it: there is a default.
    """

    kind: str
    what: str
    words: tuple[str, ...]
    names: tuple[str, ...]
    make: Callable[[Path], Words] = lambda folder: {}
    noted: bool = False

    @property
    def verb(self) -> str:
        """With its action, of verbs that have some."""
        return " ".join(self.words[:2]) if self.words[0] in ACTIONS and self.words[1] != "nope" else self.words[0]

    @property
    def id(self) -> str:
        """Of the test."""
        return f"{self.kind}: {self.verb}: {self.what}"


ACTIONS = ("data", "leaderboard", "submit", "study", "method")
QUICK = ("--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false", "--data.num_workers=0",
         "--trainer.default_root_dir=@here/runs")  # fmt: skip
SCORE = ("score", "@pairs/input", "--targets=@pairs/target")
PAIRS = ("--data=pairs", "--data.root=@root")
APERTURES = ("nan", "inf", "-1", "1e6", "many")
#: The answer to a map that does not fit, which names the option.
SHAPE = "The disparity map has 500 x 20 pixels"
#: What a map of another range gets, which is no fault.
STRETCHED = "was stretched to 0 to 1"
FOCUSES = ("nan", "-1", "2", "1e6,1e6", "nan,nan", "near")


def bad(maker: Maker) -> Callable[[Path], Words]:
    return lambda folder: {"@bad": str(maker(folder))}


def pairs_with(maker: Maker, where: str, disparity: bool = True) -> Callable[[Path], Words]:
    """Pairs whose picture ``a`` in the folder ``where`` is bad."""

    def make(folder: Path) -> Words:
        root = make_pairs(folder / "pairs", names=("a", "b"), size=faults.SIZE, disparity=disparity)
        (root / where / "a.png").unlink()
        return {"@root": str(root), "@bad": str(maker(root / where))}

    return make


def folder_with(maker: Maker) -> Callable[[Path], Words]:
    """A folder ``bad`` of two pictures of which ``a`` is bad, and ``good``, where both are right."""

    def make(folder: Path) -> Words:
        for name in ("a", "b"):
            save(folder / "good" / f"{name}.png", picture(2, faults.SIZE))
        shutil.copytree(folder / "good", folder / "bad")
        (folder / "bad" / "a.png").unlink()
        return {"@folder": str(folder / "bad"), "@good": str(folder / "good"), "@bad": str(maker(folder / "bad"))}

    return make


def photos() -> Iterator[Case]:
    render = ("render", "@bad", "--model", "identity", "-o", "@out.png")
    score = ("score", "@folder", "--targets", "@good", "--workers=1", "--allow-duplicates")
    for what, maker in faults.PHOTOS.items():
        name = ("a.",)
        yield Case("photos", what, render, name, bad(maker))
        yield Case("photos", what, score, name, folder_with(maker))
        check = ("data", "check", "--deep", *PAIRS)
        yield Case("photos", what, check, name, pairs_with(maker, "input"))
        yield Case("photos", f"{what} among others", ("render", "@folder", "--model=identity", "-o", "@here/out"), name,
                   folder_with(maker), noted=what == "a folder named .jpg")  # fmt: skip
    for what, maker in faults.FEW_PHOTOS.items():
        name = ("a.",)
        for verb in ("test", "predict"):
            yield Case("photos", what, (verb, "--model=identity", *PAIRS, *QUICK), name, pairs_with(maker, "input"))
        yield Case(
            "photos", what, ("fit", *tiny_words("pix2pix", 1)[:-7], *PAIRS, *QUICK), name, pairs_with(maker, "target")
        )
        yield Case("photos", what, ("data", "describe", *PAIRS), name, pairs_with(maker, "input"), noted=True)
        add = ("leaderboard", "add", "--board=@board", "--outputs=X=@folder", "--targets=@good")
        yield Case("photos", what, add, ("a", "0000"), folder_with(maker))
        build = ("study", "build", "--inputs=@folder", "--outputs=X=@good", "--outputs=Y=@good2", "-o", "@here/study")
        yield Case("photos", what, build, name, two_methods(maker))
        report = ("report", "@board", "-o", "@here/report", "--inputs=@folder")
        yield Case("photos", what, report, ("a.", "0000"), folder_with(maker))


def two_methods(maker: Maker) -> Callable[[Path], Words]:
    def make(folder: Path) -> Words:
        known = folder_with(maker)(folder)
        shutil.copytree(known["@good"], folder / "good2")
        return {**known, "@good2": str(folder / "good2")}

    return make


def maps() -> Iterator[Case]:
    usual = ("render", "@photo", "--model=layered", "--disparity", "@bad", "-o", "@out.png")
    for what, maker in faults.MAPS.items():
        yield Case("maps", what, usual, ("a.", SHAPE, STRETCHED), bad(maker), noted=what == "negative")
        if what not in ("of no suffix of maps", "another shape"):
            check = ("data", "check", "--deep", *PAIRS)
            yield Case("maps", what, check, ("a.",), pairs_with(maker, "disparity"), noted=what == "negative")
    for name in NAMES:
        for what, maker in faults.FEW_MAPS.items() if name != "layered" else ():
            words = ("render", "@photo", *method(name), "--disparity", "@bad", "-o", "@out.png")
            yield Case("maps", f"{what}, {name}", words, ("a.", SHAPE), bad(maker))
    for what, maker in faults.FEW_MAPS.items():
        for verb in ("test", "predict"):
            yield Case("maps", what, (verb, "--model=layered", *PAIRS, *QUICK), ("a.",), pairs_with(maker, "disparity"))
        score = ("score", "@pairs/input", "--targets=@pairs/target", "--disparity=@root/disparity", "--workers=1")
        yield Case("maps", what, score, ("a.",), pairs_with(maker, "disparity"))
        depth = ("render", "@photo", "--model=layered", "--depth=folder:@folder", "-o", "@out.png")
        yield Case("maps", f"{what}, of --depth", depth, ("photo", "a."), map_of_photo(maker))


def map_of_photo(maker: Maker) -> Callable[[Path], Words]:
    def make(folder: Path) -> Words:
        (folder / "maps").mkdir()
        path = maker(folder / "maps")
        path.rename(path.with_stem("photo"))
        return {"@folder": str(folder / "maps")}

    return make


def numbers() -> Iterator[Case]:
    for name in NAMES:
        render = ("render", "@photo", *method(name), "--disparity", "@map", "-o", "@out.png")
        for value in APERTURES if uses(name).aperture else [each for each in APERTURES if each != "1e6"]:
            yield Case("numbers", f"aperture {value}, {name}", (*render, f"--aperture={value}"), ("aperture",))
        for value in FOCUSES if uses(name).focus else [each for each in FOCUSES if "1e6" not in each]:
            yield Case("numbers", f"focus {value}, {name}", (*render, f"--focus={value}"), ("focus",))
    for value in ("0", "-3", "1000000000", "many", "1.5"):
        yield Case(
            "numbers", f"size {value}", ("export", "--model=layered", "--size", value, "-o", "@out.pt2"), ("size",)
        )
    for value in ("nan", "inf", "-1", "1e6"):
        words = ("export", "--model=layered", "--largest-aperture", value, "-o", "@out.pt2")
        yield Case("numbers", f"largest aperture {value}", words, ("largest-aperture",))
    for option, values in {
        "data.size": ("0", "-1", "1e6", "many", "[1,2,3]"), "data.aperture": ("nan", "-1", "inf"),
        "data.num_workers": ("-1", "100000", "1.5"), "data.test_samples": ("0", "-1"),
        "trainer.devices": ("0", "-3", "x"), "trainer.num_nodes": ("2", "0"),
        "trainer.limit_test_batches": ("-1", "nan"), "trainer.precision": ("7",),
    }.items():  # fmt: skip
        for value in values:
            words = ("test", "--model=identity", *QUICK, f"--{option}={value}")
            yield Case("numbers", f"{option} {value}", words, (option.rpartition(".")[2],))
    for name in TRAINABLE:
        stage = stage_names(name)[0]
        for key, value in (("steps", "-3"), ("steps", "0"), ("learning_rate", "nan"), ("learning_rate", "0"),
                           ("batch_size", "0"), ("clip", "-1")):  # fmt: skip
            words = ("fit", *tiny_words(name, steps=1), *QUICK, f"--model.{stage}.{key}={value}")
            yield Case("numbers", f"{key} {value}, {name}", words, (key,))
    for words, values in {
        (*SCORE, "--workers"): ("0", "-1", "x"),
        (*SCORE, "--disparity=@pairs/disparity", "--focus"): ("2", "nan", "x"),
        ("report", "@board", "-o", "@here/report", "--quality"): ("0", "101", "x"),
        ("report", "@board", "-o", "@here/report", "--long-side"): ("0", "-5"),
        ("study", "build", "--inputs=@pairs/input", "--outputs=A=@pairs/target", "-o", "@here/s", "--pairs-per-rater"):
            ("0", "-1", "x"),
        ("sweep", "deeplens", "--folder=@here/sweep", "--trials"): ("0", "-1", "x"),
        ("benchmark", "quick", "--folder=@here/work", "--pictures"): ("-1", "x"),
        ("app", "--port"): ("-1", "70000", "x"),
        ("data", "preview", *PAIRS, "-o", "@out.png", "--count"): ("0", "-1", "x"),
        ("data", "preview", *PAIRS, "-o", "@out.png", "--width"): ("0", "-1"),
    }.items():  # fmt: skip
        for value in values:
            option = words[-1].lstrip("-")
            yield Case("numbers", f"{option} {value}", (*words, value), (option,), lambda folder: {"@root": "@pairs"})


def checkpoints() -> Iterator[Case]:
    for what, maker in faults.CHECKPOINTS.items():
        render = ("render", "@photo", "--model=deeplens", "--checkpoint", "@bad", "--disparity=@map", "-o", "@out.png")
        yield Case("checkpoints", what, render, ("a.",), bad(maker))
        yield Case("checkpoints", what, ("test", "--model=deeplens", "--checkpoint=@bad", *QUICK), ("a.",), bad(maker))
        fit = ("fit", *tiny_words("deeplens", steps=1), "--checkpoint=@bad", *QUICK)
        yield Case("checkpoints", what, fit, ("a.",), bad(maker))
    for what, maker in faults.FEW_CHECKPOINTS.items():
        for name in TRAINABLE:
            if name != "deeplens":
                words = ("render", "@photo", "--model", name, "--checkpoint", "@bad", "-o", "@out.png")
                yield Case("checkpoints", f"{what}, {name}", words, ("a.",), bad(maker))
        for verb, more in (
            ("predict", QUICK),
            ("validate", QUICK),
            ("export", ("-o", "@out.pt2")),
            ("app", ("--port=0",)),
        ):
            words = (verb, "--model=deeplens", "--checkpoint=@bad", *more)
            yield Case("checkpoints", what, words, ("a.",), bad(maker))
        for name in ("deeplens", "pynet"):
            words = ("import-weights", "--model", name, "--checkpoint", "@bad", "-o", "@here/out")
            yield Case("checkpoints", f"{what}, {name}", words, ("a.",), bad(maker))
        start = ("fit", *tiny_words("pix2pix", steps=1), "--model.weights=@bad", *QUICK)
        yield Case("checkpoints", f"{what}, to start from", start, ("a.",), bad(maker))
        combined = (
            "render",
            "@photo",
            "--model=combination",
            "--model.renderer=@bad",
            "--disparity=@map",
            "-o",
            "@out.png",
        )
        yield Case("checkpoints", f"{what}, as renderer", combined, ("a.",), bad(maker))
    for name, other in zip(TRAINABLE, [*TRAINABLE[1:], TRAINABLE[0]], strict=True):
        words = ("render", "@photo", "--model", name, "--checkpoint", f"@{other}.ckpt", "-o", "@out.png")
        yield Case("checkpoints", f"of {other}, for {name}", words, (f"{other}.ckpt",))


def kinds() -> list[Case]:
    """All of this file and of its neighbours."""
    import more_cases
    import other_cases
    import stranger_cases

    found = [*photos(), *maps(), *numbers(), *checkpoints(), *more_cases.tables(), *more_cases.configurations()]
    found += [*more_cases.results(), *other_cases.places(), *other_cases.nothing(), *other_cases.unknown()]
    found += [*stranger_cases.pipes(), *stranger_cases.replaced(), *stranger_cases.nothing_for_something()]
    return [*found, *stranger_cases.keys()]
