"""A board as CSV (one line per score) and LaTeX (booktabs): pure functions of its standings."""

from bokehbench import tables
from bokehbench.board.reported import Beside, column_of
from bokehbench.board.standings import Row, Standings
from bokehbench.metrics.column import Column

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
    columns = standings.board.scores
    lines = [
        f"% {standings.board.name}, version {standings.board.version}; written by bokehbench leaderboard render",
        "% needs \\usepackage{booktabs}",
        "\\begin{tabular}{l" + "r" * len(columns) + "}",
        "\\toprule",
        " & ".join(["Method", *(_head(column) for column in columns)]) + " \\\\",
        "\\midrule",
    ]
    lines += [" & ".join([escape(row.label), *(_cell(row, c) for c in columns)]) + " \\\\" for row in standings.ranked]
    if published := _published(standings):
        lines += ["\\midrule"] if standings.ranked else []
        lines += [f"\\multicolumn{{{len(columns) + 1}}}{{l}}{{\\emph{{published, not ranked}}}} \\\\"]
        lines += published
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


def _head(column: Column) -> str:
    arrow = {"higher": " $\\uparrow$", "lower": " $\\downarrow$", "zero": ""}[column.better]
    return escape(column.label) + arrow


def _cell(row: Row, column: Column) -> str:
    mean = row.means[column.name]
    if not mean.count:
        return "--"
    text = escape(column.show(mean.mean))
    text = {1: f"\\textbf{{{text}}}", 2: f"\\underline{{{text}}}"}.get(row.marks.get(column.name, 0), text)
    return f"{text} {{\\tiny [{column.show(mean.low)}, {column.show(mean.high)}]}}"


def _published(standings: Standings) -> list[str]:
    groups: dict[tuple[str, str], dict[str, Beside]] = {}
    for each in standings.beside:
        column = column_of(standings.board, each.reported)
        if column is not None and each.reported.split == standings.board.split:
            groups.setdefault((each.reported.method, each.reported.source), {})[column] = each
    lines = []
    for (method, _), scores in groups.items():
        cells = [scores[c.name].reported.value if c.name in scores else "--" for c in standings.board.scores]
        lines.append(" & ".join([escape(method), *cells]) + " \\\\")
    return lines


def escape(text: str) -> str:
    """``text`` for LaTeX."""
    special = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}
    return "".join(special.get(one, f"\\{one}" if one in "&%$#_{}" else one) for one in text)
