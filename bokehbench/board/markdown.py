"""A board as Markdown: a pure function of its standings, in the shape of ``templates/page.md.j2``."""

import math
from collections import Counter
from collections.abc import Sequence

from bokehbench.board.apertures import by_f_number
from bokehbench.board.costs import COSTS
from bokehbench.board.identity import OUTPUTS_ONLY, slug
from bokehbench.board.network import full_name, networks
from bokehbench.board.reported import by_source, kinds, shown_as, with_unit
from bokehbench.board.results import Result
from bokehbench.board.seeds import repeated, seeds_of
from bokehbench.board.standings import Row, Standings
from bokehbench.metrics.column import Column
from bokehbench.metrics.columns import find_column
from bokehbench.tables import markdown_cell
from bokehbench.templates import filled


def page(standings: Standings, links: str = "results") -> str:
    """The whole page; ``links`` is where the results lie, seen from the page."""
    results = [row.result for row in standings.ranked]
    means = {row.result.id: row.means for row in standings.ranked}
    measured = [each for each in standings.beside if each.status != "quoted"]
    ours = [each.reported for each in measured]
    quoted = [row for row in standings.reported if row not in ours]

    def won(row: Row, other: Row) -> str:
        share, p = standings.wins.get((row.result.id, other.result.id), (math.nan, 1.0))
        shown = "" if math.isnan(share) else f"{100 * share:.0f} %"
        return f"**{shown}**" if p < 0.05 else shown

    def over_seeds(group: Sequence[Result], column: Column) -> str:
        each = [means[result.id][column.name].mean for result in group]
        if any(math.isnan(mean) for mean in each):
            return "n/a"
        return f"{column.show(sum(each) / len(each))} ({column.show(min(each))} to {column.show(max(each))})"

    text = filled(
        "board", "page.md",
        board=standings.board,
        ranking=find_column(standings.board.rank_by),
        ranked=standings.ranked,
        unranked=standings.unranked,
        costs=[cost for cost in COSTS if any(cost.value(result) is not None for result in results)],
        networks=networks(results),
        others=_other_targets(standings),
        seeds=repeated(results),
        apertures=by_f_number(standings.ranked, standings.board.scores),
        measured=measured,
        quoted=by_source(quoted),
        figures=kinds(quoted),
        links=links, cell=markdown_cell, score=_score, won=won, over_seeds=over_seeds, slug=slug, full_name=full_name,
        shown_as=shown_as, with_unit=with_unit, seeds_of=seeds_of,
    )  # fmt: skip
    return text + "\n"


def _other_targets(standings: Standings) -> str:
    """Rows whose pictures, made and not read, came out differently; empty where all are alike.

    Pictures that are read are compared when a result is added (``target_hash`` of the board).
    """
    rows = [row for row in standings.ranked if row.result.weights_hash != OUTPUTS_ONLY]  # those hash files instead
    usual = Counter(row.result.target_hash for row in rows).most_common(1)
    return ", ".join(f"{row.rank} {row.label}" for row in rows if row.result.target_hash != usual[0][0])


def _score(row: Row, column: Column) -> str:
    mean = row.means[column.name]
    if not mean.count:
        why = row.result.missing.get(column.name, "not measured").removeprefix("n/a: ")
        return markdown_cell(f"n/a: {why}")
    text = column.show(mean.mean)
    text = {1: f"**{text}**", 2: f"*{text}*"}.get(row.marks.get(column.name, 0), text)
    return f"{text} [{column.show(mean.low)}, {column.show(mean.high)}]"
