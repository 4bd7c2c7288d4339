"""A scene of RealBokeh: what its metadata says, and whether its files agree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bokehbench.data.folders import stem_of
from bokehbench.errors import BokehbenchError
from bokehbench.f_numbers import f_number_in, written
from bokehbench.files import read_text

FNumber = Annotated[float, Field(gt=0, le=256)]
#: Which of a target's two f-numbers counts: both, which must agree, or one of them.
Source = Literal["both", "name", "metadata"]


class Metadata(BaseModel):
    """``metadata/ID.json``, as far as it is used; the other keys may be there or not."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)
    id: int
    source_image: str
    source_av: FNumber
    target_images: list[str]
    target_avs: list[FNumber]

    @property
    def targets(self) -> dict[str, float]:
        """Stem of a target's name -> its f-number, of the list that the metadata has beside the names."""
        return dict(zip(map(_stem, self.target_images), self.target_avs, strict=True))


def read_metadata(path: Path) -> Metadata:
    """One file.

    Raises:
        BokehbenchError: it is missing, or not what RealBokeh has; names the key.
    """
    try:
        found = Metadata.model_validate_json(read_text(path))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        what = ".".join(str(part) for part in first["loc"]) or "its text"
        said = first["msg"].replace("Input should", "should").rstrip(".")
        raise BokehbenchError(f"{path} is not metadata of RealBokeh ({what}: {said}): replace this file.") from error
    if len(found.target_images) != len(found.target_avs):
        counts = f"{len(found.target_images)} target_images and {len(found.target_avs)} target_avs"
        raise BokehbenchError(f"{path}: has {counts}: give one for each other.")
    if len(found.targets) < len(found.target_avs):
        raise BokehbenchError(f"{path}: names a target twice in target_images: remove one.")
    if str(found.id) != path.stem:
        raise BokehbenchError(f"{path}: its id is {found.id}: rename the file, or correct the id.")
    return found


def scene_targets(
    photo: Path, said: Metadata | None, where: Path, targets: Mapping[str, Path] | None, source: Source
) -> tuple[dict[str, float], list[str]]:
    """Stem of each target -> f-number, and a sentence for each of what does not agree.

    Args:
        photo: the input.
        said: its metadata; None = there is none, names decide.
        where: the file of the metadata.
        targets: the files of the targets by stem; None = a challenge, which gives out none.
        source: which f-number counts.
    """
    problems = []
    if said is not None and (_stem(said.source_image) != photo.stem or f_number_in(photo.stem) != said.source_av):
        problems.append(
            f"{where}: its input is {said.source_image} at f/{written(said.source_av)}, but {photo.name} is there: "
            "correct one of them."
        )
    listed = said.targets if said is not None else dict.fromkeys(targets or (), None)
    if targets is not None:
        for stem in [stem for stem in listed if stem not in targets]:
            problems.append(f"{where}: its target {stem} is not there: add the picture, or remove it from the list.")
        problems += [
            f"{path}: is not in target_images of {where}: add it there, or remove this picture."
            for stem, path in targets.items()
            if stem not in listed
        ]
        listed = {stem: value for stem, value in listed.items() if stem in targets}
    found: dict[str, float] = {}
    for stem, value in listed.items():
        named = f_number_in(stem)
        number = named if source == "name" or value is None else value
        what = targets[stem] if targets is not None else f"{where}: target {stem}"
        if named is None or number is None or scene_of(stem) != scene_of(photo.stem):
            problems.append(f"{what}: is not called {scene_of(photo.stem)}_fN, as a target of this scene: rename it.")
        elif source == "both" and named != number:
            problems.append(
                f"{what}: f/{written(named)} by its name, f/{written(number)} in target_avs of {where.name}: correct "
                "one, or choose with --data.f_number_from."
            )
        elif number in found.values():
            problems.append(f"{what}: a second target at f/{written(number)} of this scene: keep one of them.")
        else:
            found[stem] = number
    return found, problems


def scene_of(stem: str) -> str:
    """``12`` of ``12_f22``, the stem of an input or a target."""
    return stem.rpartition("_f")[0] or stem


def _stem(name: str) -> str:
    """Of a path with slashes, as written in metadata."""
    return stem_of(PurePosixPath(name).name)
