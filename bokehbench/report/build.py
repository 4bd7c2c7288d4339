"""A board's folder to a report's folder."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

import bokehbench
from bokehbench.board.apertures import by_f_number
from bokehbench.board.costs import COSTS
from bokehbench.board.identity import plain
from bokehbench.board.reported import by_source, kinds, shown_as, with_unit
from bokehbench.board.standings import Standings, read_standings
from bokehbench.errors import BokehbenchError
from bokehbench.files import new_folder
from bokehbench.metrics.columns import find_column
from bokehbench.report import content, control
from bokehbench.report.photos import Format, Job, Stored, write_photos
from bokehbench.report.sources import INPUT, TARGET, Folders, Slot, check_folders, find_slots, stored_pictures
from bokehbench.templates import filled

ASSETS = Path(__file__).parent / "assets"
#: The file by which a report is known: it is replaced, and nothing else is.
MARKER = "report.json"
#: Where pictures come from, unless the board is of control.
FOLDERS = "--outputs METHOD=FOLDER, --inputs FOLDER and --targets FOLDER"


@dataclass(frozen=True)
class Built:
    """What was made: pictures and methods on the board, files converted, how to get pictures where there are none, and
    a sentence per file left out."""

    index: Path
    pictures: int
    methods: int
    files: int
    how: str
    problems: Sequence[str]


def build(board: Path, output: Path, folders: Folders, style: Format, workers: int | None) -> Built:
    """Write the report of the board in folder ``board`` to ``output``; an older report there is replaced whole.

    Raises:
        BokehbenchError: the board is not right, a folder is not there or fits no picture, ``output`` is taken or full.
    """
    if output.exists() and not output.is_dir():
        raise BokehbenchError(f"{output} is a file: give a folder with -o.")
    if output.is_dir() and any(output.iterdir()) and not (output / MARKER).is_file():
        raise BokehbenchError(f"{output} is not empty and not a report: give an empty or a new folder with -o.")
    check_folders(folders, output)
    standings = read_standings(board)
    names = content.picture_names(standings)
    stored = stored_pictures(standings, folders.work)
    slots, frames = find_slots(board, standings, names, folders, stored), control.find_frames(stored)
    rows = control.responses(standings)
    with new_folder(output) as draft:
        jobs = [*_jobs(draft, standings, slots, names), *control.frame_jobs(draft, frames)]
        album, unreadable = write_photos(jobs, style, workers)
        problems = [*standings.left_out, *unreadable]
        (draft / "assets").mkdir()
        for file in ASSETS.iterdir():
            shutil.copyfile(file, draft / "assets" / file.name)
        _write_data(draft, standings, slots, names, album)
        if rows:
            _give(draft, "control.js", control=control.page_data(draft, rows, frames, album))
        _write_pages(draft, standings, slots, names, problems, style, rows, bool(frames))
        marker = {"made by": "bokehbench report", "version": bokehbench.__version__, "board": standings.board.name}
        (draft / MARKER).write_text(json.dumps(marker) + "\n", encoding="utf-8")
    how = f"`{control.HOW}`, and --work runs" if rows else FOLDERS
    return Built(output / "index.html", len(names), len(standings.rows), len(jobs), how, problems)


def picture_place(folder: Path, name: str, slot: Slot) -> Path:
    """Where a picture lies, without its suffix."""
    return folder / "pictures" / content.picture_key(name) / slot.key


def thumbnail_place(folder: Path, name: str, key: str = "") -> Path:
    """Where a scene's thumbnail lies; with ``key`` a method's own, for its worst and best pictures."""
    return folder / "thumbnails" / f"{content.picture_key(name)}{f'-{key}' if key else ''}.jpg"


def _jobs(folder: Path, standings: Standings, slots: Sequence[Slot], names: Sequence[str]) -> list[Job]:
    shown = {row.result.id: {n for part in content.extremes(standings, row) for n in part} for row in standings.rows}
    ordered = sorted(slots, key=lambda slot: {INPUT: 0, TARGET: 1}.get(slot.key, 2))
    jobs = []
    for name in names:
        scene = next((slot.key for slot in ordered if name in slot.files), None)
        for slot in slots:
            if name not in slot.files:
                continue
            thumbnails = [thumbnail_place(folder, name)] if slot.key == scene else []
            if name in shown.get(slot.key, ()):
                thumbnails.append(thumbnail_place(folder, name, slot.key))
            jobs.append(Job(slot.files[name], picture_place(folder, name, slot), thumbnails))
    return jobs


def _give(folder: Path, file: str, **data: Any) -> None:
    text = json.dumps(plain(data), separators=(",", ":"), allow_nan=False)  # ASCII, so that no encoding matters
    (folder / "data" / file).write_text(f"report.give({text});\n", encoding="utf-8")


def _write_data(
    folder: Path, standings: Standings, slots: Sequence[Slot], names: Sequence[str], album: Mapping[Path, Stored]
) -> None:
    (folder / "data").mkdir()
    _give(folder, "board.js", board=content.board_data(standings, slots, len(names)))
    thumbnails = [thumbnail_place(folder, name).exists() for name in names]
    _give(folder, "overview.js", overview=content.overview_data(standings, names, thumbnails))
    for number, start in enumerate(tqdm(range(0, len(names), content.CHUNK), desc="pages", unit="file", delay=2)):
        part = names[start : start + content.CHUNK]
        places = {name: {slot.key: picture_place(folder, name, slot) for slot in slots} for name in part}
        stored = {name: {key: album[at] for key, at in places[name].items() if at in album} for name in part}
        _give(folder, f"pictures-{number:04d}.js", chunk=[number, content.chunk_data(standings, part, stored)])


def _write_pages(
    folder: Path,
    standings: Standings,
    slots: Sequence[Slot],
    names: Sequence[str],
    problems: Sequence[str],
    style: Format,
    rows: Sequence[Mapping[str, Any]],
    frames: bool,
) -> None:
    def thumbnail(name: str, key: str) -> str:
        places = thumbnail_place(folder, name, key), thumbnail_place(folder, name)
        return next((path.relative_to(folder).as_posix() for path in places if path.exists()), "")

    common = {
        "standings": standings,
        "board": standings.board,
        "columns": content.measured_columns(standings),
        "ranking": find_column(standings.board.rank_by),
        "pictures": any(slot.files for slot in slots),
        "style": style.describe(),
        "version": bokehbench.__version__,
        "count": len(names),
        "control": rows,
        "doses": sorted({told for row in rows for told, *_ in row["response"]}),
        "frames": frames,
        "how": control.HOW,
    }
    more = {
        "costs": [cost for cost in COSTS if any(cost.value(row.result) for row in standings.rows)],
        "apertures": by_f_number(standings.ranked, content.measured_columns(standings)),
        "devices": sorted({row.result.device for row in standings.ranked if row.result.device}),
        "unmeasured": content.unmeasured(standings),
        "extremes": {row.result.id: content.extremes(standings, row) for row in standings.rows},
        "wall_time": content.wall_time,
        "as_yaml": content.as_yaml,
        "numbers": {name: number for number, name in enumerate(names)},
        "thumbnail": thumbnail,
        "own": {slot.key for slot in slots if slot.files},
        "published": by_source(standings.reported),
        "figures": kinds(standings.reported),
        "with_unit": with_unit,
        "beside": [each for each in standings.beside if each.status != "quoted"],
        "shown_as": shown_as,
        "find_column": find_column,
        "problems": problems,
    }
    pages = {"index.html": common | more, "picture.html": common, **({"control.html": common} if rows else {})}
    for name, given in pages.items():
        page = filled("report", name, html=True, **given)
        (folder / name).write_bytes(page.encode("utf-8", "replace"))  # names of files may hold what UTF-8 cannot
