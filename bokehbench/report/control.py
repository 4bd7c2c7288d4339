"""The page of a board of control: the dose response of each row, and the stored pictures of its sweeps."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from bokehbench.board.standings import Standings
from bokehbench.data.folders import natural
from bokehbench.figures.dose_response import FOCUS, chart, response
from bokehbench.figures.stored_pictures import Stored as StoredPictures
from bokehbench.report.content import picture_key
from bokehbench.report.photos import Job, Stored
from bokehbench.report.sources import TARGET

#: Sweep's name -> key of a method or of the target -> aperture in px -> file.
Frames = Mapping[str, Mapping[str, Mapping[float, Path]]]
#: What makes the pictures of the strength slider.
HOW = "bokehbench test --model NAME --control --trainer.callbacks.pictures=1"


def find_frames(stored: Sequence[StoredPictures]) -> Frames:
    """Pictures of sweeps that tests of control stored; the sweep with the most pictures first."""
    found: dict[str, dict[str, dict[float, Path]]] = {}
    for each in stored:
        names = {f"{name}/{told:02g}": (name, told) for name, curve in each.row.result.curves.items()
                 for told in (0.0, *curve.get("K", ()))}  # fmt: skip
        for kind, key in (("output", each.row.result.id), (TARGET, TARGET)):
            for path in sorted((each.folder / kind).glob("*.png")):
                if place := names.get(unquote(path.stem)):
                    found.setdefault(place[0], {}).setdefault(key, {})[place[1]] = path
    counts = {name: sum(map(len, slots.values())) for name, slots in found.items()}
    return {name: found[name] for name in sorted(found, key=lambda name: (-counts[name], natural(name)))}


def frame_place(folder: Path, sweep: str, key: str, aperture: float) -> Path:
    """Where a picture of a sweep lies, without its suffix."""
    return folder / "sweeps" / picture_key(sweep) / f"{key}-{aperture:g}"


def frame_jobs(folder: Path, frames: Frames) -> list[Job]:
    """What is to be converted."""
    return [
        Job(path, frame_place(folder, sweep, key, aperture))
        for sweep, slots in frames.items() for key, files in slots.items() for aperture, path in files.items()
    ]  # fmt: skip


def responses(standings: Standings) -> list[dict[str, Any]]:
    """The rows that were measured by ``test --control``, for the page and its scripts; none on other boards.

    Each has ``id``, ``label``, ``rank``; ``why`` there is no dose response, or empty; ``response``: told aperture, mean
    of the measured ones and its interval, px; ``chart``: disparity and measured radius, px; ``knee`` in px, or None;
    ``sweeps``: name -> pairs of told and measured aperture, px.
    """
    found = []
    for row in standings.rows:
        result = row.result
        known, knee = result.values("dose_slope"), row.means.get("dose_knee")
        if not result.curves:
            continue
        why = "" if known else result.missing.get("dose_slope", row.reason) or "nothing could be measured"
        sweeps = {name: [*zip(curve["K"], curve["A"], strict=True)] for name, curve in result.curves.items()
                  if name in known and "K" in curve}  # fmt: skip
        found.append({
            "id": result.id, "label": row.label, "rank": row.rank, "why": why,
            "response": response([result]) if known else [], "chart": chart([result]) if known else [],
            "knee": knee.mean if knee is not None and knee.count else None, "sweeps": sweeps,
        })  # fmt: skip
    return found


def page_data(folder: Path, rows: list[dict[str, Any]], frames: Frames, album: Mapping[Path, Stored]) -> dict[str, Any]:
    """For the scripts: the rows, and of each sweep the addresses of its pictures, with width and height."""

    def stored(sweep: str, key: str, aperture: float) -> list[Any]:
        place = frame_place(folder, sweep, key, aperture)
        width, height, suffix = album[place]
        return [aperture, width, height, f"{place.relative_to(folder).as_posix()}{suffix}"]

    sweeps = [
        {"name": sweep, "slots": {
            key: [stored(sweep, key, aperture) for aperture in sorted(files)
                  if frame_place(folder, sweep, key, aperture) in album]
            for key, files in slots.items()
        }} for sweep, slots in frames.items()
    ]  # fmt: skip
    return {"rows": rows, "focus": FOCUS, "sweeps": sweeps}
