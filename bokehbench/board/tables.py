"""A board as CSV (one line per score) and LaTeX (booktabs): pure functions of its standings."""

from bokehbench import tables
from bokehbench.board.reported import column_of
from bokehbench.board.standings import Row, Standings
from bokehbench.metrics.column import Column
from bokehbench.templates import filled

CSV_FIELDS = (
    "board", "version", "method", "id", "rank", "score", "mean", "low", "high", "pictures", "published", "difference",
    "status", "source", "why",
)  # fmt: skip


def csv_text(standings: Standings) -> str:
    """Every score of every result, with the published value beside it; quoted ones have no ``mean``."""
    board, lines = standings.board, []
    for row in standings.rows:
        for column in board.scores:
            mean = row.means[column.name]
            why = row.reason or ("" if mean.count else row.result.missing.get(column.name, "not measured"))
            numbers = map(tables.number, (mean.mean, mean.low, mean.high))
            lines.append([row.label, row.result.id, row.rank, column.name, *numbers, mean.count, *[None] * 4, why])
    for each in standings.beside:
        reported = each.reported
        score = column_of(board, reported) or reported.metric
        why = "; ".join(filter(None, (each.why, reported.flag, reported.note)))
        lines.append([reported.method, None, None, score, tables.number(each.ours), None, None, None, reported.value,
                      tables.number(each.difference), each.status, reported.source, why])  # fmt: skip
    return tables.csv_text(CSV_FIELDS, ([board.name, board.version, *line] for line in lines))


def latex(standings: Standings) -> str:
    """A ``tabular`` to ``\\input``: ranked rows with intervals, then published ones, which are not ranked."""
    published: dict[tuple[str, str], dict[str, str]] = {}
    for each in standings.beside:
        column = column_of(standings.board, each.reported)
        if column is not None and each.reported.split == standings.board.split:
            source = each.reported.method, each.reported.source
            published.setdefault(source, {})[column] = each.reported.value
    text = filled(
        "board", "table.tex", board=standings.board, columns=standings.board.scores, ranked=standings.ranked,
        published=[(method, values) for (method, _), values in published.items()], escape=escape, score=_score,
    )  # fmt: skip
    return text + "\n"


def _score(row: Row, column: Column) -> str:
    mean = row.means[column.name]
    if not mean.count:
        return "--"
    text = escape(column.show(mean.mean))
    text = {1: f"\\textbf{{{text}}}", 2: f"\\underline{{{text}}}"}.get(row.marks.get(column.name, 0), text)
    return f"{text} {{\\tiny [{column.show(mean.low)}, {column.show(mean.high)}]}}"


def escape(text: str) -> str:
    """``text`` for LaTeX, in one line."""
    text = " ".join(text.splitlines())
    special = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}
    return "".join(special.get(one, f"\\{one}" if one in "&%$#_{}" else one) for one in text)
