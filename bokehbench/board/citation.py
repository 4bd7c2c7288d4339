"""How to cite a row: the row in words, a permalink to its file at its commit, BibTeX of method and suite."""

import re
from pathlib import Path

from bokehbench import __version__
from bokehbench.board.boards import Board
from bokehbench.board.identity import slug
from bokehbench.board.results import place
from bokehbench.board.standings import Row
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
        permalink=permalink(folder, row), methods=method_entries(folder, row.result.method),
    )  # fmt: skip


def permalink(folder: Path, row: Row) -> str:
    """The web address of the result's file at the commit that brought it; says so where there is none yet."""
    path = place(folder, row.result).resolve()
    top = git(folder, "rev-parse", "--show-toplevel")
    commit = git(folder, "log", "-1", "--format=%H", "--", str(path))
    if not top or not commit:
        return f"permalink: none yet, commit {path.name} first ({path})"
    inside = path.relative_to(Path(top).resolve()).as_posix()
    remote = git(folder, "remote", "get-url", "origin")
    web = re.sub(r"^(?:ssh://)?git@([^:/]+)[:/]", r"https://\1/", remote).removesuffix(".git")
    if not web.startswith("https://"):
        return f"permalink: {inside} at commit {commit} (this checkout has no public remote 'origin')"
    return f"{web}/blob/{commit}/{inside}"


def method_entries(folder: Path, method: str) -> list[str]:
    """BibTeX entries of ``references.bib`` beside the boards whose key is the method's name."""
    path = folder / ".." / "references.bib"
    if not path.exists():
        return []
    entries = re.split(r"\n(?=@)", path.read_text(encoding="utf-8"))
    return [entry for entry in entries if re.match(rf"@\w+{{{re.escape(slug(method))},", entry)]
