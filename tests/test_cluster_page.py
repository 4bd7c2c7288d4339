"""docs/cluster.md: its commands, scripts and YAML are read by what reads them; a Slurm or Kubernetes is not needed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from bokehbench.cli import main
from bokehbench.commands.sweep import arguments

PAGE = (Path(__file__).parents[1] / "docs" / "cluster.md").read_text()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.S | re.M)


def lines(program: str) -> list[str]:
    """The words that follow ``program`` in shell blocks and inline code, without comments and ``&``."""
    prose = re.sub(r"^```.*?^```", "", PAGE, flags=re.S | re.M)
    text = "\n".join(blocks("sh")).replace("\\\n", " ").splitlines() + re.findall(r"`([^`]+)`", prose)
    text = [" ".join(line.split()) for line in text]
    found = [re.search(rf"(?:^|\s){program} ([^&#]*)", line) for line in text]
    return sorted({match[1].strip() for match in found if match and match[1].strip()})


@pytest.mark.parametrize(("program", "module"), [("dask scheduler", "dask_scheduler"), ("dask worker", "dask_worker")])
def test_dask_takes_the_options_of_its_lines(program, module) -> None:
    pytest.importorskip("distributed", reason="pip install 'bokehbench[cluster]'")
    command = import_module(f"distributed.cli.{module}").main
    found = lines(program)
    (in_yaml,) = (each for each in containers() if " ".join(each["command"]).startswith(program))
    for words in [*map(shlex.split, found), in_yaml["command"][2:]]:
        command.make_context(module, list(words))
    assert found


def containers() -> list[dict[str, object]]:
    spec = yaml.safe_load(blocks("yaml")[0])["spec"]
    return [each for part in ("worker", "scheduler") for each in spec[part]["spec"]["containers"]]


def test_the_kubernetes_service_leads_to_the_scheduler() -> None:
    content = yaml.safe_load(blocks("yaml")[0])
    assert (content["apiVersion"], content["kind"]) == ("kubernetes.dask.org/v1", "DaskCluster")
    name, scheduler = content["metadata"]["name"], content["spec"]["scheduler"]
    assert scheduler["service"]["selector"]["dask.org/cluster-name"] == name
    (port,) = scheduler["service"]["ports"]
    assert port["targetPort"] in [each["name"] for each in scheduler["spec"]["containers"][0]["ports"]]
    assert f"tcp://{name}-scheduler:{port['port']}" in PAGE


def test_the_python_block_makes_a_job_with_one_task_at_a_time(monkeypatch, capsys) -> None:
    pytest.importorskip("dask_jobqueue", reason="pip install dask-jobqueue")
    monkeypatch.setattr("dask_jobqueue.SLURMCluster.adapt", lambda self, **given: None)
    monkeypatch.setattr("builtins.input", lambda *given: "")
    names: dict[str, object] = {}
    exec(blocks("python")[0], names)
    names["cluster"].close()
    script = capsys.readouterr().out
    assert "#SBATCH --gres=gpu:1" in script
    assert "--nthreads 1 --resources GPU=1" in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_slurm_script_is_one_that_goes_on_from_a_checkpoint(tmp_path) -> None:
    (script,) = (each for each in blocks("text") if each.startswith("#!/bin/bash"))
    for name, body in {
        "srun": f'echo "$@" >> "{tmp_path}/said"; exit 143',
        "scontrol": f'echo "$@" >> "{tmp_path}/said"',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    place = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_JOB_NAME": "a job", "SLURM_JOB_ID": "12"}
    for number in (0, 1):
        subprocess.run(["bash", "-c", script], cwd=tmp_path, env=place, check=True)
        last = tmp_path / "runs" / "a job" / "pynet" / f"version_{number}" / "checkpoints" / "last.ckpt"
        last.parent.mkdir(parents=True)
        last.touch()
    first, requeued, second, _ = (tmp_path / "said").read_text().splitlines()
    assert "--checkpoint" not in first
    assert requeued == "requeue 12"
    assert second.endswith("--checkpoint runs/a job/pynet/version_0/checkpoints/last.ckpt")
    words = shlex.split(first.replace("runs/a job", "runs"))
    assert words[:3] == ["python", "-m", "bokehbench"]
    with pytest.raises(SystemExit) as end:
        main([*words[3:], "--print_config"])
    assert not end.value.code


def test_sweeps_take_the_options_of_their_lines() -> None:
    found = lines("bokehbench sweep")
    assert len(found) >= 3
    for line in found:
        arguments(shlex.split(line))
