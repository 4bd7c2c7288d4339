"""The completion scripts, in the shells themselves where these are here."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from bokehbench.cli import main
from bokehbench.verbs import VERBS


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """A function: shell -> file with its script."""
    import contextlib
    import io

    folder = tmp_path_factory.mktemp("completion")

    def write(shell: str):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            assert main(["completion", shell]) == 0
        path = folder / shell
        path.write_text(output.getvalue())
        return path

    return write


@pytest.fixture(scope="module")
def complete(script):
    """A function: the words typed so far (the last is being typed) -> the words offered."""
    path = script("bash")

    def ask(*words: str) -> set[str]:
        quoted = " ".join(f"'{word}'" for word in ("bokehbench", *words))
        state = f"COMP_WORDS=({quoted}); COMP_CWORD={len(words)}"
        program = f"source {path}; {state}; _bokehbench; printf '%s\\n' ${{COMPREPLY[@]}}"
        done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True, timeout=30)
        assert not done.stderr
        return set(done.stdout.split())

    return ask


def test_verbs(complete) -> None:
    assert complete("") == set(VERBS)
    assert complete("leader") == {"leaderboard"}


def test_names_after_options(complete) -> None:
    assert {"deeplens", "d2f"} <= complete("fit", "--model", "d")
    assert complete("fit", "--data", "e") == {"ebb"}
    assert "deeplens_synthetic" in complete("fit", "--config", "deeplens_s")
    assert "quick" in complete("benchmark", "qu")


def test_options_follow_the_chosen_method(complete) -> None:
    assert complete("fit", "--model", "deeplens", "--model.rendering.st") == {"--model.rendering.steps"}
    assert complete("fit", "--model", "pynet", "--model.rendering.st") == set()
    assert "--data.hold_out" in complete("fit", "--data", "ebb", "--data.h")
    assert "--trainer.devices" in complete("fit", "--trainer.dev")


def test_options_of_verbs_with_actions(complete) -> None:
    assert "render" in complete("leaderboard", "ren")
    assert "--focus" in complete("render", "--foc")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_can_read_theirs(script, shell) -> None:
    path = script(shell)
    assert "deeplens" in path.read_text()
    if shutil.which(shell):
        done = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
