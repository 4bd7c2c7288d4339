"""What stands in more than one file of the project is the same in all of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

import bokehbench

ROOT = Path(__file__).resolve().parents[1]


def read(name: str) -> str:
    return (ROOT / name).read_text()


def test_one_version_and_its_date() -> None:
    citation = yaml.safe_load(read("CITATION.cff"))
    newest = re.search(r"^## \[(.+)\] - (.+)$", read("CHANGELOG.md"), re.M)
    assert newest is not None
    assert newest.groups() == (bokehbench.__version__, str(citation["date-released"]))
    assert citation["version"] == bokehbench.__version__


def test_the_image_runs_the_first_command_of_the_readme() -> None:
    said = re.search(r"^pip install -e \. && (.+)$", read("README.md"), re.M)
    words = [json.loads(line) for line in re.findall(r"^(?:ENTRYPOINT|CMD) (.+)$", read("Dockerfile"), re.M)]
    assert said is not None
    assert said[1].split() == [word for part in words for word in part]


def test_hooks_and_the_workflow_run_what_lands() -> None:
    (hooks,) = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    lines = read(".ci/run").splitlines()
    for hook in hooks["hooks"]:
        assert any(line.startswith(hook["name"]) for line in lines)
    jobs = yaml.safe_load(read(".github/workflows/ci.yml"))["jobs"]
    assert ".ci/run" in [step.get("run") for step in jobs["test"]["steps"]]
