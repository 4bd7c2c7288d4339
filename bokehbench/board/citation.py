"""How to cite a row or a board: in words, a permalink at its commit, BibTeX of methods, board and suite."""

import re
from pathlib import Path

from bokehbench import __version__
from bokehbench.board.boards import Board
from bokehbench.board.identity import slug
from bokehbench.board.results import place
from bokehbench.board.standings import Row, Standings
from bokehbench.counted import counted
from bokehbench.repository import git
from bokehbench.templates import filled


def cite(folder: Path, board: Board, row: Row) -> str:
    """Row, permalink and BibTeX, for a paper's table and its bibliography."""
    scores = [
        f"{column.label} {column.show(mean.mean)} [{column.show(mean.low)}, {column.show(mean.high)}]"
        for column in board.scores
        if (mean := row.means[column.name]).count
    ]
    return filled(
        "board", "citation.txt", board=board, row=row, scores=scores, counted=counted, version=__version__,
        permalink=permalink(place(folder, row.result)), methods=method_entries(folder, row.result.method),
        commit=row.result.commit,
    )  # fmt: skip


def cite_board(folder: Path, standings: Standings) -> str:
    """The board in words, permalink of its folder, and BibTeX: of the methods on it, of itself, of the suite."""
    methods = sorted({slug(row.result.method) for row in standings.rows})
    link = permalink(folder)
    commit = re.search(r"[0-9a-f]{40}", link)
    return filled(
        "board", "board_citation.txt", board=standings.board, counted=counted, ranked=len(standings.ranked),
        permalink=link, methods=[entry for method in methods for entry in method_entries(folder, method)],
        version=__version__, commit=commit[0] if commit else "", year=(commit and _year(folder)) or "",
    )  # fmt: skip


def permalink(path: Path) -> str:
    """The web address of a file or folder at the commit that brought it; says so where there is none yet."""
    path = path.resolve()
    top = git(path.parent, "rev-parse", "--show-toplevel")
    commit = git(path.parent, "log", "-1", "--format=%H", "--", str(path))
    if not top or not commit:
        return f"permalink: none yet, commit {path.name} first ({path})"
    inside = path.relative_to(Path(top).resolve()).as_posix()
    remote = git(path.parent, "remote", "get-url", "origin")
    web = re.sub(r"^(?:ssh://)?git@([^:/]+)[:/]", r"https://\1/", remote).removesuffix(".git")
    if not web.startswith("https://"):
        return f"permalink: {inside} at commit {commit} (this checkout has no public remote 'origin')"
    return f"{web}/{'tree' if path.is_dir() else 'blob'}/{commit}/{inside}"


def _year(folder: Path) -> str:
    """Of the board's newest commit."""
    return git(folder, "log", "-1", "--format=%cd", "--date=format:%Y", "--", ".")


def method_entries(folder: Path, method: str) -> list[str]:
    """BibTeX entries of ``references.bib`` beside the boards whose key is the method's name."""
    path = folder / ".." / "references.bib"
    if not path.exists():
        return []
    entries = re.split(r"\n(?=@)", path.read_text(encoding="utf-8"))
    return [entry for entry in entries if re.match(rf"@\w+{{{re.escape(slug(method))},", entry)]
