"""Which picture files belong to which row of a board."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote

from bokehbench.board.standings import Standings, find_row
from bokehbench.data.folders import list_pictures, normal, stem_of
from bokehbench.errors import BokehbenchError
from bokehbench.figures.stored_pictures import Stored, find_stored

INPUT, TARGET = "input", "target"


@dataclass(frozen=True)
class Folders:
    """Where the pictures are, as the user said.

    Attributes:
        methods: (method's label, method or result id; folder of its outputs).
        inputs, targets: folders, or None.
        work: work folders of benchmarks whose tests stored pictures (``ResultRecorder(pictures=N)``).
    """

    methods: Sequence[tuple[str, Path]] = ()
    inputs: Path | None = None
    targets: Path | None = None
    work: Sequence[Path] = ()


@dataclass(frozen=True)
class Slot:
    """One way in which a scene can be seen: ``key`` (safe as a file's name), ``label``, files by picture's name."""

    key: str
    label: str
    files: Mapping[str, Path] = field(default_factory=dict)


def check_folders(folders: Folders, output: Path) -> None:
    """Refuse folders that are not there, or that a new report would delete.

    Raises:
        BokehbenchError: names the option.
    """
    place = output.resolve()
    given = [(f"--outputs {name}={path}", path) for name, path in folders.methods]
    given += [(f"--work {path}", path) for path in folders.work]
    single = (("--inputs", folders.inputs), ("--targets", folders.targets))
    given += [(f"{option} {path}", path) for option, path in single if path is not None]
    for option, path in given:
        if not path.is_dir():
            raise BokehbenchError(f"{option}: there is no such folder, check the path.")
        if place in (path.resolve(), *path.resolve().parents):
            raise BokehbenchError(f"{option} lies in {output}, which is to be replaced: give another -o.")


def stored_pictures(standings: Standings, work: Sequence[Path]) -> list[Stored]:
    """What tests stored beside their results, of ranked rows and of others.

    Raises:
        BokehbenchError: folders are given, and nothing is in them.
    """
    # It looks for the pictures of ranked rows; a report shows those of the others, too.
    everybody = replace(standings, rows=tuple(replace(row, rank=row.rank or 0) for row in standings.rows))
    found = find_stored(everybody, work)
    if work and not found:
        raise BokehbenchError(
            f"--work {work[0]}: no test in it stored pictures of {standings.board.name}'s rows: give the folder "
            "of a benchmark whose ResultRecorder has pictures, or use --outputs."
        )
    return found


def find_slots(
    board: Path, standings: Standings, names: Sequence[str], folders: Folders, work: Sequence[Stored]
) -> list[Slot]:
    """The input, every row of the board in its order, the target; those without pictures have no files.

    ``work`` is what was found in the folders of that name.

    Raises:
        BokehbenchError: an unknown or ambiguous method, or a folder in which no file has a picture's name.
    """
    stored = _stored(work)
    known = {board: [row.result for row in standings.rows]}
    chosen = {find_row(name, known)[1].id: (name, path) for name, path in folders.methods}
    if len(chosen) < len(folders.methods):
        raise BokehbenchError("--outputs: two folders for one method, give each method once.")
    slots = [Slot(INPUT, "Input", _files("--inputs", folders.inputs, names) or stored.get(INPUT, {}))]
    for row in standings.rows:
        name, path = chosen.get(row.result.id, ("", None))
        files = _files(f"--outputs {name}", path, names) or stored.get(row.result.id, {})
        slots.append(Slot(row.result.id, row.label, files))
    return [*slots, Slot(TARGET, "Target", _files("--targets", folders.targets, names) or stored.get(TARGET, {}))]


def _stored(work: Sequence[Stored]) -> dict[str, dict[str, Path]]:
    """Slot's key -> files by picture's name, of what tests stored beside their results."""
    found: dict[str, dict[str, Path]] = {INPUT: {}, TARGET: {}}
    for each in work:
        for kind, key in ((INPUT, INPUT), ("output", each.row.result.id), (TARGET, TARGET)):
            files = {unquote(path.stem): path for path in sorted((each.folder / kind).glob("*.png"))}
            known = {name: path for name, path in files.items() if name in each.row.result.per_image}
            found[key] = {**known, **found.get(key, {})}
    return found


def _files(option: str, folder: Path | None, names: Sequence[str]) -> dict[str, Path]:
    if folder is None:
        return {}
    listing = list_pictures(folder).files
    found = {name: path for name in names if (path := listing.get(normal(name)) or listing.get(stem_of(name)))}
    if not found:
        like = f"; the board's names are like '{names[0]}'" if names else ""
        raise BokehbenchError(f"{option}: no file of {folder} is named as a picture of the board{like}.")
    return found
