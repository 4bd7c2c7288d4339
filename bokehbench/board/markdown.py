"""A board as Markdown: a pure function of its standings."""

import math
from collections import Counter

from bokehbench.board.costs import COSTS
from bokehbench.board.identity import OUTPUTS_ONLY, slug
from bokehbench.board.network import full_name, networks
from bokehbench.board.reported import Beside, Reported, by_source, kinds, shown_as, with_unit
from bokehbench.board.results import Result
from bokehbench.board.seeds import repeated
from bokehbench.board.standings import Row, Standings
from bokehbench.metrics.column import Column
from bokehbench.metrics.columns import find_column
from bokehbench.tables import markdown

WRITTEN_BY = "<!-- Written by `bokehbench leaderboard render`: edit board.yaml or reported.csv, or add results. -->"


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
        *([board.details.strip()] if board.details else []),
        "## Ranking",
        _ranking(standings, links) if standings.ranked else "No result is ranked yet.",
    ]
    if rows := networks([row.result for row in standings.ranked]):
        parts += ["## Networks", _networks(rows)]
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
    ours = [each.reported for each in measured]
    if quoted := [row for row in standings.reported if row not in ours]:
        parts += ["## Published, not measured here", _quoted(quoted)]
    return "\n\n".join(parts) + "\n"


def _ranking(standings: Standings, links: str) -> str:
    costs = [cost for cost in COSTS if any(cost.value(row.result) is not None for row in standings.ranked)]
    heads = [f"{cost.label} (device)" if cost.name == "seconds_per_image" else cost.label for cost in costs]
    heads = ["#", "method", *(c.label for c in standings.board.scores), *heads, "result"]
    rows = [
        [
            str(row.rank),
            row.label,
            *(_cell(row, column) for column in standings.board.scores),
            *(cost.show(row.result, detail=True) for cost in costs),
            _link(row.result, links),
        ]
        for row in standings.ranked
    ]
    return markdown(heads, rows)


def _networks(rows: list[tuple[str, str, str]]) -> str:
    note = (
        "A name without an addition is the published network, as far as its size goes; every other deviation of a "
        "network from the published one is listed here. How it was trained is in each result."
    )
    return note + "\n\n" + markdown(["network", "parameters", "deviations from the published network"], rows)


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
    return note + "\n\n" + markdown(["", *(f"{row.rank}" for row in ranked)], rows)


def _seeds(standings: Standings, groups: list[list[Result]]) -> str:
    heads = ["method", "seeds", *(column.label for column in standings.board.scores)]
    known = {row.result.id: row.means for row in standings.ranked}
    rows = []
    for group in groups:
        first = group[0]
        means = [known[result.id] for result in group]
        cells = [_over_seeds([mean[column.name].mean for mean in means], column) for column in standings.board.scores]
        label = f"{full_name(first)} ({first.variant})" if first.variant else full_name(first)
        rows.append([label, ", ".join(str(result.seed) for result in group), *cells])
    note = (
        "One recipe trained from several seeds: the mean of its trainings, with the lowest and the highest. The other "
        "intervals on this page are over the pictures of one training: a difference smaller than that between two "
        "seeds may be chance, however many pictures agree."
    )
    return note + "\n\n" + markdown(heads, rows)


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
    return markdown(heads, rows)


def _measured(standings: Standings, measured: list[Beside]) -> str:
    rows = []
    for each in measured:
        column = shown_as(standings.board, each.reported)
        ours = "" if each.ours is None else column.show(each.ours)
        difference = "" if each.difference is None else column.show(each.difference, signed=True)
        status = f"{each.status}: {each.why}" if each.why else each.status
        note = "; ".join(filter(None, (each.reported.flag, each.reported.note)))
        heads = (each.reported.method, each.reported.metric, ours, each.reported.value, difference, status)
        rows.append([*heads, each.reported.source, note])
    return markdown(["method", "score", "ours", "published", "difference", "status", "source", "note"], rows)


def _quoted(quoted: list[Reported]) -> str:
    figures = kinds(quoted)
    lines = [
        [one.method, one.year, *(" / ".join(map(_figure, one.figures.get(figure, ()))) for figure in figures),
         one.source, "; ".join(one.notes)]
        for one in by_source(quoted)
    ]  # fmt: skip
    note = (
        "Status *quoted*: copied from the source, measured by somebody else, often under another protocol; not ranked."
    )
    return note + "\n\n" + markdown(["method", "year", *figures, "source", "note"], lines)


def _figure(row: Reported) -> str:
    return with_unit(row) + (f" (`{row.protocol}`)" if row.protocol else "")
