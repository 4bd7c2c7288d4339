"""A board as Markdown: a pure function of its standings."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from bokehbench.board.columns import Column, find_column
from bokehbench.board.identity import OUTPUTS_ONLY, slug
from bokehbench.board.reported import FAMILIES, Beside, Reported, column_of
from bokehbench.board.results import Result
from bokehbench.board.seeds import repeated
from bokehbench.board.standings import Row, Standings

WRITTEN_BY = "<!-- Written by `bokehbench leaderboard render`: edit board.yaml or reported.csv, or add results. -->"
FIGURES = ("PSNR", "SSIM", "LPIPS", "Params", "GFLOPs", "Runtime")


def page(standings: Standings, links: str = "results") -> str:
    """The whole page; ``links`` is where the results lie, seen from the page."""
    board = standings.board
    parts = [
        f"# {board.title}",
        WRITTEN_BY,
        board.about.strip(),
        f"**Pictures.** {board.split}: {board.count}. {board.obtain.strip()}",
        f"**Protocol** `{board.protocol}`, board version {board.version}: {board.evaluator.summary}. Ranked by "
        f"{find_column(board.rank_by).label}. Mean of per-image values [95 % bootstrap interval over pictures]; "
        "**best**, *second best*. Intervals of single means are wide because pictures differ; whether two methods "
        "differ is in the win matrix.",
        "## Ranking",
        _ranking(standings, links) if standings.ranked else "No result is ranked yet.",
    ]
    if others := _other_targets(standings):
        parts.append(others)
    if len(standings.ranked) > 1:
        parts += ["## Win matrix", _matrix(standings)]
    if groups := repeated(row.result for row in standings.ranked):
        parts += ["## Seeds", _seeds(standings, groups)]
    if standings.unranked:
        parts += ["## Stored, not ranked", _unranked(standings, links)]
    measured = [each for each in standings.beside if each.status != "quoted"]
    if measured:
        parts += ["## Beside the published numbers", _measured(standings, measured)]
    quoted = [row for row in standings.reported if not _has_ours(standings, row)]
    if quoted:
        parts += ["## Published, not measured here", _quoted(quoted)]
    return "\n\n".join(parts) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; bars in cells are escaped."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _ranking(standings: Standings, links: str) -> str:
    costs = [(head, show) for head, show in COSTS if any(show(row.result) for row in standings.ranked)]
    heads = ["#", "method", *(c.label for c in standings.board.scores), *(head for head, _ in costs), "result"]
    rows = [
        [
            str(row.rank),
            row.label,
            *(_cell(row, column) for column in standings.board.scores),
            *(show(row.result) or "n/a" for _, show in costs),
            _link(row.result, links),
        ]
        for row in standings.ranked
    ]
    return table(heads, rows)


def _other_targets(standings: Standings) -> str:
    """A warning where pictures that are made, not read, came out differently for some rows; or empty.

    Pictures that are read are compared when a result is added (``target_hash`` of the board).
    """
    rows = [row for row in standings.ranked if row.result.weights_hash != OUTPUTS_ONLY]  # those hash files instead
    often = Counter(row.result.target_hash for row in rows)
    if len(often) < 2:
        return ""
    usual, _ = often.most_common(1)[0]
    others = ", ".join(f"{row.rank} {row.label}" for row in rows if row.result.target_hash != usual)
    return (
        f"**Other targets.** {others}: scored against targets that are not bit-equal to those of the other rows. "
        "Another machine may have rounded the same scenes differently; or the data had other settings."
    )


def _cell(row: Row, column: Column) -> str:
    mean = row.means[column.name]
    if not mean.count:
        return "n/a: " + row.result.missing.get(column.name, "not measured").removeprefix("n/a: ")
    text = column.show(mean.mean)
    text = {1: f"**{text}**", 2: f"*{text}*"}.get(row.marks.get(column.name, 0), text)
    return f"{text} [{column.show(mean.low)}, {column.show(mean.high)}]"


def _link(result: Result, links: str) -> str:
    return f"[`{result.id}`]({links}/{slug(result.method)}/{result.id}.json)"


def _seconds(result: Result) -> str:
    known = result.seconds_per_image is not None
    return f"{result.seconds_per_image:.3g} ({result.device})" if known else ""


def _memory(result: Result) -> str:
    return f"{result.peak_memory / 2**20:.0f}" if result.peak_memory is not None else ""


def _parameters(result: Result) -> str:
    return f"{result.parameters / 1e6:.3g}" if result.parameters is not None else ""


def _macs(result: Result) -> str:
    if result.macs is None or result.macs_size is None:
        return ""
    return f"{result.macs / 1e9:.4g} at {result.macs_size[0]} x {result.macs_size[1]}"


COSTS: tuple[tuple[str, Callable[[Result], str]], ...] = (
    ("s / picture (device)", _seconds),
    ("peak memory (MiB)", _memory),
    ("parameters (M)", _parameters),
    ("GMACs", _macs),
)


def _matrix(standings: Standings) -> str:
    ranked = standings.ranked
    label = find_column(standings.board.rank_by).label
    rows = []
    for row in ranked:
        cells = [f"{row.rank} {row.label}"]
        for other in ranked:
            won = standings.wins.get((row.result.id, other.result.id))
            if won is None:
                cells.append("")
                continue
            share = f"{100 * won[0]:.0f} %"
            cells.append(f"**{share}**" if won[1] < 0.05 else share)
        rows.append(cells)
    note = (
        f"Share of pictures on which the row has the better {label} than the column. Bold: the difference is real "
        "(Wilcoxon's signed-rank test on per-image differences, p < 0.05 after Holm's correction for all pairs)."
    )
    return note + "\n\n" + table(["", *(f"{row.rank}" for row in ranked)], rows)


def _seeds(standings: Standings, groups: list[list[Result]]) -> str:
    heads = ["method", "seeds", *(column.label for column in standings.board.scores)]
    known = {row.result.id: row.means for row in standings.ranked}
    rows = []
    for group in groups:
        first = group[0]
        means = [known[result.id] for result in group]
        cells = [_over_seeds([mean[column.name].mean for mean in means], column) for column in standings.board.scores]
        label = f"{first.method} ({first.variant})" if first.variant else first.method
        rows.append([label, ", ".join(str(result.seed) for result in group), *cells])
    note = (
        "One recipe trained from several seeds: the mean of its trainings, with the lowest and the highest. The other "
        "intervals on this page are over the pictures of one training: a difference smaller than that between two "
        "seeds may be chance, however many pictures agree."
    )
    return note + "\n\n" + table(heads, rows)


def _over_seeds(means: list[float], column: Column) -> str:
    if any(math.isnan(mean) for mean in means):
        return "n/a"
    return f"{column.show(sum(means) / len(means))} ({column.show(min(means))} to {column.show(max(means))})"


def _unranked(standings: Standings, links: str) -> str:
    heads = ["method", *(column.label for column in standings.board.scores), "why", "result"]
    rows = [
        [row.label, *(_cell(row, c) for c in standings.board.scores), row.reason, _link(row.result, links)]
        for row in standings.unranked
    ]
    return table(heads, rows)


def _has_ours(standings: Standings, reported: Reported) -> bool:
    return any(each.reported == reported and each.status != "quoted" for each in standings.beside)


def _measured(standings: Standings, measured: list[Beside]) -> str:
    rows = []
    for each in measured:
        column = find_column(column_of(standings.board, each.reported) or FAMILIES[each.reported.metric])
        ours = "" if each.ours is None else column.show(each.ours)
        difference = "" if each.difference is None else column.show(each.difference, signed=True)
        status = f"{each.status}: {each.why}" if each.why else each.status
        note = "; ".join(filter(None, (each.reported.flag, each.reported.note)))
        heads = (each.reported.method, each.reported.metric, ours, each.reported.value, difference, status)
        rows.append([*heads, each.reported.source, note])
    return table(["method", "score", "ours", "published", "difference", "status", "source", "note"], rows)


def _quoted(quoted: list[Reported]) -> str:
    groups: dict[tuple[str, str, str], list[Reported]] = {}
    for row in quoted:
        groups.setdefault((row.method, row.year, row.source), []).append(row)
    known = {row.metric for row in quoted}
    figures = [figure for figure in (*FIGURES, *sorted(known - set(FIGURES))) if figure in known]
    lines = []
    for (method, year, source), rows in groups.items():
        cells = [" / ".join(_figure(r) for r in rows if r.metric == figure) for figure in figures]
        notes = dict.fromkeys(part for r in rows for note in (r.flag, r.note) for part in note.split("; ") if part)
        lines.append([method, year, *cells, source, "; ".join(notes)])
    note = (
        "Status *quoted*: copied from the source, measured by somebody else, often under another protocol; not ranked."
    )
    return note + "\n\n" + table(["method", "year", *figures, "source", "note"], lines)


def _figure(row: Reported) -> str:
    unit = "" if row.unit in ("dB", "unitless", "") or row.metric == "GFLOPs" else f" {row.unit}"
    return f"{row.value}{unit}" + (f" (`{row.protocol}`)" if row.protocol else "")
