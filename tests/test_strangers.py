"""Methods and data sets of other packages: by their short names, by dotted names, and never because a file says so."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from made_boards import make_board
from makers import picture, ramp, save
from strangers import FARLENS, write_package

import bokehbench as bb
from bokehbench.board import results
from bokehbench.checkpoints import read_checkpoint
from bokehbench.cli import main
from bokehbench.commands.arguments import prepare
from bokehbench.data import DATA
from bokehbench.errors import BokehbenchError
from bokehbench.metrics.columns import columns, find_column
from bokehbench.models import MODELS
from bokehbench.models.load import load_model
from bokehbench.provenance import Provenance
from bokehbench.suite.suite import read_suite

QUIET = ["--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder to work in, with farlens (short names) and nearlens (none) installed beside bokehbench."""
    folder, patch = tmp_path_factory.mktemp("home"), pytest.MonkeyPatch()
    site = folder / "site"
    write_package(site, "farlens", FARLENS)
    write_package(site, "nearlens", {})
    patch.syspath_prepend(site)
    patch.setenv("PYTHONPATH", f"{site}:{Path(bb.__file__).parents[1]}")
    patch.chdir(folder)
    importlib.invalidate_caches()
    yield folder
    patch.undo()


@pytest.fixture(scope="module")
def fitted(home) -> Path:
    """The last checkpoint of a fit by short names."""
    middle = "--trainer.callbacks+=strangers.SaveFirst"
    assert main(["fit", "--model", "shade", "--data", "ramps", *QUIET, middle]) == 0
    return home / "runs" / "shade" / "version_0" / "checkpoints" / "last.ckpt"


@pytest.fixture(scope="module")
def board(home) -> Path:
    settings = {"count": 2, "ids": None, "data": {"name": "ramps", "arguments": {"side": 24}}, "columns": ["psnr"]}
    return make_board(home, protocol="bokehme", **settings)


def test_names_are_listed_without_torch_and_without_the_packages(home) -> None:
    program = (
        "import sys, bokehbench as bb\nfrom bokehbench.metrics.columns import columns\n"
        "from bokehbench.verbs import VERBS\n"
        "print(*bb.methods(), *bb.data_sets(), *VERBS, *columns(), *bb.protocols(), *bb.boards())\n"
        "print({'torch', 'farlens', 'farlens.method'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    names, loaded = done.stdout.splitlines()
    assert {"shade", "deeplens", "ramps", "ebb", "hello", "fit", "psnr", "dmshn"} <= set(names.split())
    assert loaded == "set()"


def test_the_import_is_light() -> None:
    """Processor time, not the clock of ``-X importtime``, which counts what else a busy machine does."""
    program = "import time; a = time.process_time(); import bokehbench; print(time.process_time() - a)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.05


def test_a_fit_says_what_to_type_next_and_whose_it_is(fitted, capsys) -> None:
    record = Provenance.of_checkpoint(read_checkpoint(fitted), "it")
    assert (record.method, record.distribution, record.version) == ("farlens.method.Shade", "farlens", "1.0")
    assert record.data == {"class": "Ramps", "side": 24}
    middle = fitted.with_name("middle.ckpt")
    assert Provenance.of_checkpoint(read_checkpoint(middle), "it").stages["rendering"]["steps_done"] == 1
    capsys.readouterr()
    assert main(["fit", "--checkpoint", str(middle), "--data", "ramps", *QUIET]) == 0
    assert "render PHOTO --model shade" in capsys.readouterr().out


def test_render_and_predict_and_python(fitted, home, capsys) -> None:
    photo, depth = save(home / "photo.png", picture(1, (20, 24))), save(home / "depth.png", ramp((20, 24)))
    words = ["render", str(photo), "--disparity", str(depth), "-o", str(home / "out.png")]
    assert main([*words, "--model", "shade"]) == 0, "the newest of its runs"
    assert main([*words, "--checkpoint", str(fitted)]) == 0
    assert main(["predict", "--checkpoint", str(fitted), "--data", "farlens.scenes.Ramps", *QUIET]) == 0
    model = bb.load(str(fitted))
    assert type(model.model) is MODELS["shade"] is MODELS.typed("farlens.method:Shade")
    assert not model.model.training
    assert type(bb.load("shade").model) is type(model.model)
    with pytest.raises(BokehbenchError, match="no such setting"):
        bb.load(fitted, colour=1)


def test_suite_board_and_verify(fitted, board, home, capsys) -> None:
    experiments = [{"model": "shade", "checkpoint": str(fitted)}]
    (home / "far.yaml").write_text(yaml.safe_dump({"board": str(board), "experiments": experiments}))
    assert main(["benchmark", "far.yaml", "--trainer.accelerator=cpu"]) == 0, capsys.readouterr().err
    (result,) = results.read_all(board)
    assert result.method == "Shade"
    assert result.training["code"].items() >= {"distribution": "farlens", "class": "farlens.method.Shade"}.items()
    assert main(["leaderboard", "verify", result.id, "--checkpoint", str(fitted), "--device", "cpu"]) == 0
    assert "Shade" in (board / "table.md").read_text()


def test_the_other_verbs_know_the_names(home, capsys) -> None:
    assert main(["data", "describe", "--data", "ramps"]) == 0
    assert "Ramps" in capsys.readouterr().out
    assert main(["hello"]) == 3
    assert main(["--help"]) == 0
    assert f"{'hello':<16}say hello" in capsys.readouterr().out
    assert main(["completion", "bash"]) == 0
    said = capsys.readouterr().out
    assert "--model shade " in said
    assert "--model.kernel" in said
    assert main(["doctor", str(home / "site")]) == 0
    assert "method shade of farlens 1.0 (farlens.method:Shade)" in capsys.readouterr().out
    assert main(["fit", "--model", "shad"]) == 2
    assert "did you mean 'shade'" in capsys.readouterr().err


def test_by_dotted_names(home, capsys) -> None:
    words = ["--model", "nearlens.method.Shade", "--data", "nearlens.scenes:Ramps", *QUIET]
    assert main(["fit", *words, "--model.kernel=1"]) == 0
    checkpoint = home / "runs" / "nearlens.method.Shade" / "version_0" / "checkpoints" / "last.ckpt"
    assert "--model nearlens.method.Shade --checkpoint" in capsys.readouterr().out
    assert main(["test", *words, "--checkpoint", str(checkpoint)]) == 0
    assert main(["data", "describe", "--data", "nearlens.scenes.Ramps"]) == 0
    photo, depth = save(home / "photo.png", picture(1, (20, 24))), save(home / "depth.png", ramp((20, 24)))
    words = ["render", str(photo), "--disparity", str(depth), "-o", str(home / "out.png")]
    assert main([*words, "--model", "nearlens.method.Shade"]) == 0
    assert main([*words, "--model", "shade", "--checkpoint", str(checkpoint)]) == 2
    assert "is of nearlens.method.Shade, not of farlens.method.Shade" in capsys.readouterr().err


def test_a_suite_and_a_configuration_may_import_since_their_user_named_them(home) -> None:
    (home / "near.yaml").write_text(yaml.safe_dump({"experiments": ["nearlens.method.Shade"]}))
    (experiment,) = read_suite(home / "near.yaml").experiments
    assert (experiment.name, experiment.model, experiment.variant) == ("shade", "nearlens.method.Shade", "")
    content = {"model": {"class_path": "nearlens.method.Shade"}, "data": {"class_path": "nearlens.scenes.Ramps"}}
    (home / "config.yaml").write_text(yaml.safe_dump(content))
    words, _ = prepare(["fit", "--config", "config.yaml"])
    assert words[words.index("--model") + 1] == "nearlens.method.Shade"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nowhere.Model", "nowhere does not import"),
        ("nearlens.method.Shad", "did you mean 'Shade'"),
        ("os.system", "is no method"),
        ("bokehbench.models.base.BokehModel", "lacks blur"),
    ],
)
def test_a_dotted_name_that_is_none_is_one_sentence(home, capsys, name, why) -> None:
    assert main(["fit", "--model", name]) == 2
    assert why in capsys.readouterr().err


def test_the_package_of_the_docs_works(tmp_path, monkeypatch) -> None:
    page = (Path(__file__).resolve().parents[1] / "docs" / "adding_a_model.md").read_text()
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", page, re.S) if "class SoftEdges" in block]
    (tmp_path / "softedges.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    model = MODELS.typed("softedges.SoftEdges")(width=4).eval()
    pictures = {"image": torch.rand(2, 3, 8, 9), "bokeh": torch.rand(2, 3, 8, 9), "disparity": torch.rand(2, 1, 8, 9)}
    batch = {**pictures, "focus": torch.tensor([0.2, 0.5]), "aperture": torch.ones(2), "name": ["a", "b"]}
    model.losses(model.stages[0], batch)["l1"].backward()
    assert model.render(batch["image"], disparity=batch["disparity"], focus=0.5).image.shape == (2, 3, 8, 9)


# What a file says -------------------------------------------------------------------------------------------------


@pytest.fixture
def sentinel(tmp_path, monkeypatch):
    """A module ``sentinel`` that can be imported, and a function: was it?"""
    (tmp_path / "sentinel.py").write_text("class Model: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    return lambda: "sentinel" in sys.modules


def forged(fitted: Path, path: Path, name: str, **arguments: object) -> Path:
    content = read_checkpoint(fitted)
    content["bokehbench"]["model"] = name.rpartition(".")[2]
    content["bokehbench"]["provenance"] |= {"method": name, "distribution": "mypkg"}
    content["hyper_parameters"] |= arguments
    torch.save(content, path)
    return path


@pytest.mark.parametrize("name", ["sentinel.Model", "os.system", "uninstalled.Model"])
def test_a_checkpoint_imports_nothing(fitted, tmp_path, sentinel, name, capsys) -> None:
    path = forged(fitted, tmp_path / "forged.ckpt", name)
    with pytest.raises(BokehbenchError, match=f"{name} .distribution mypkg 1.0., which is not registered"):
        load_model(path)
    for verb in (["test"], ["fit"], ["render", "photo.png", "-o", "x.png"]):
        assert main([*verb, "--checkpoint", str(path)]) == 2
        assert f"install it, and give --model {name}" in capsys.readouterr().err
    assert not sentinel()


@pytest.mark.parametrize("value", [{"class_path": "sentinel.Model"}, [{"class_path": "sentinel.Model"}]])
def test_nor_do_its_arguments(fitted, tmp_path, sentinel, value, capsys) -> None:
    path = forged(fitted, tmp_path / "forged.ckpt", "farlens.method.Shade", rendering=value)
    assert main(["test", "--checkpoint", str(path), "--data", "ramps"]) == 2
    assert "names a class" in capsys.readouterr().err
    assert not sentinel()


def test_a_board_imports_nothing(home, tmp_path, sentinel, capsys) -> None:
    folder = make_board(tmp_path, count=2, ids=None, data={"name": "sentinel.Model"}, columns=["psnr"])
    assert main(["leaderboard", "pin", str(folder)]) == 2
    assert "give --data sentinel.Model" in capsys.readouterr().err
    assert not sentinel()
    near = make_board(tmp_path / "near", count=2, ids=None, data={"name": "nearlens.scenes.Ramps"}, columns=["psnr"])
    assert main(["leaderboard", "pin", str(near), "--data", "nearlens.scenes.Ramps"]) == 0


# Names that two have, and packages that are broken -----------------------------------------------------------------


@pytest.fixture
def troubled(tmp_path, monkeypatch):
    entries = {
        "bokehbench.models": {
            "hollow": "troubled.nowhere:Model",
            "deeplens": "troubled.method:Shade",
            "text": "troubled:__name__",
        },
        "bokehbench.data": {"hollow": "troubled.nowhere:Data"},
        "bokehbench.columns": {"hollow": "troubled.nowhere:COLUMN"},
        "bokehbench.verbs": {"hollow": "troubled.nowhere", "score": "troubled.verb"},
    }
    write_package(tmp_path / "site", "troubled", entries)
    monkeypatch.syspath_prepend(tmp_path / "site")
    importlib.invalidate_caches()


@pytest.mark.usefixtures("troubled")
def test_only_what_uses_a_broken_or_doubtful_name_stops(capsys) -> None:
    for registry in (MODELS, DATA):
        with pytest.raises(BokehbenchError, match=r"'hollow' of troubled 1\.0 .* does not load .*uninstall troubled"):
            registry["hollow"]
    with pytest.raises(BokehbenchError, match="is no method"):
        MODELS["text"]
    with pytest.raises(BokehbenchError, match=r"of bokehbench and of troubled 1\.0"):
        MODELS["deeplens"]
    assert MODELS.typed("bokehbench.models.DeepLens") is bb.models.DeepLens
    assert not {"hollow", "text", "deeplens"} & set(MODELS.loaded())
    assert "psnr" in columns()
    with pytest.raises(BokehbenchError, match=r"no column 'hollow'.*troubled\.nowhere:COLUMN"):
        find_column("hollow")
    assert main(["data", "describe", "--data", "syntheticdof"]) == 0
    assert main(["--help"]) == 0
    assert "cannot be used: see `bokehbench doctor`" in capsys.readouterr().out
    assert main(["score", "a"]) == 2
    assert "There are 2 verbs 'score', of bokehbench and of troubled 1.0" in capsys.readouterr().err


@pytest.mark.usefixtures("troubled")
def test_doctor_names_them(tmp_path, capsys) -> None:
    assert main(["doctor", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    for name in ("The method 'hollow'", "The data set 'hollow'", "The column 'hollow'", "The verb 'hollow'"):
        assert f"PROBLEM  {name} of troubled 1.0" in said
    assert "PROBLEM  There are 2 methods 'deeplens', of bokehbench and of troubled 1.0" in said
