"""Questions to git. Starts without torch."""

import subprocess
from pathlib import Path

#: The folder of the package: a checkout, or where it is installed.
CHECKOUT = Path(__file__).resolve().parents[1]
#: What of our checkout decides about scores; results and docs written by a run must not make it dirty.
CODE = ("bokehbench", "pyproject.toml")


def git(folder: Path, *words: str) -> str:
    """Output of a git command in ``folder``; "" where git or a repository is not there."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def commit(root: Path = CHECKOUT) -> str:
    """The commit of the checkout at ``root``, 40 hex digits; "" where there is none.

    An installed package inside somebody's own repository is not of that commit: ``root`` itself must be a checkout.
    """
    return git(root, "rev-parse", "HEAD") if (root / ".git").exists() else ""


def dirty(root: Path = CHECKOUT) -> bool:
    """Whether the code of the checkout at ``root`` has uncommitted changes; False where there is no checkout."""
    paths = CODE if root == CHECKOUT else ()
    return (root / ".git").exists() and bool(git(root, "status", "--porcelain", "--", *paths))
