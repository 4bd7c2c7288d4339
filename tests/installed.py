"""bokehbench as somebody without the checkout has it: a wheel in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PIP = (sys.executable, "-m", "pip", "-q", "--disable-pip-version-check")


def build_wheel(project: Path, folder: Path) -> Path:
    """The wheel of a project, built in ``folder`` by the backend that is installed here: no download."""
    command = [*PIP, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(folder), str(project)]
    subprocess.run(command, check=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Installed:
    """An environment with our wheel.

    The libraries are those of the Python that runs the tests: their folder is on the path behind the environment's own.
    A folder that is added so has its ``.pth`` files left unread, so an editable bokehbench in it is not found.
    """

    folder: Path
    wheel: Path

    @classmethod
    def create(cls, folder: Path) -> Installed:
        """An environment in ``folder`` with a wheel of this checkout and nothing else of ours."""
        wheel = build_wheel(ROOT, folder / "wheels")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True, timeout=120)
        made = cls(folder / "venv", wheel)
        libraries = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
        (made.site / "libraries.pth").write_text("".join(f"{path}\n" for path in libraries))
        made.install(wheel)
        return made

    @property
    def site(self) -> Path:
        """Its own ``site-packages``."""
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    def install(self, wheel: Path) -> None:
        """Add a wheel, without what it depends on."""
        python = str(self.folder / "bin" / "python")
        subprocess.run(
            [*PIP, "--python", python, "install", "--no-deps", "--no-index", str(wheel)], check=True, timeout=120
        )

    def run(
        self, program: str, *words: str, cwd: Path, more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A program of the environment (``bokehbench``, ``python``) in ``cwd``; ``more``: environment variables."""
        kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
        path = f"{self.folder / 'bin'}{os.pathsep}{kept['PATH']}"
        environment = {**kept, "PATH": path, "PYTHONNOUSERSITE": "1", **(more or {})}
        command = [str(self.folder / "bin" / program), *words]
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=240)

    def bokehbench(self, *words: str, cwd: Path) -> str:
        """What ``bokehbench WORDS`` prints; it must end well."""
        done = self.run("bokehbench", *words, cwd=cwd)
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}"
        return done.stdout
