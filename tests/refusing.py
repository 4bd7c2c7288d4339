"""Command lines that must be refused: ``said = refused(words, capfd)``."""

from __future__ import annotations

import pytest

from bokehbench.cli import main


def refused(command: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    """What ``bokehbench COMMAND`` says, from the program's name on; it ends with 2 and without a stack trace."""
    capfd.readouterr()
    assert main(command) == 2
    said = capfd.readouterr().err
    assert "Traceback" not in said
    return said[said.index("bokehbench: ") :]
