"""Folders of weights: written, passed on, read wherever a checkpoint is; and what is no such folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import pytest
import torch
import yaml
from hub_server import REPOSITORY, hub_of
from made_boards import make_board, make_result
from makers import picture, save
from methods import tiny, words

import bokehbench as bb
from bokehbench.board import results
from bokehbench.checkpoints import CARD, CONFIG, WEIGHTS, read_checkpoint
from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.method import Method
from bokehbench.models.load import load_model
from bokehbench.models.weights import weights_hash
from bokehbench.sharing import Weights


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """The last checkpoint of a fit of both stages."""
    root = tmp_path_factory.mktemp("run")
    assert main(["fit", *words("deeplens"), f"--trainer.default_root_dir={root}", "--seed_everything=7"]) == 0
    return root / "deeplens" / "version_0" / "checkpoints" / "last.ckpt"


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory) -> Path:
    """The same weights as a folder."""
    place = tmp_path_factory.mktemp("weights") / "kept"
    bb.load(run).save_pretrained(place, licence="cc-by-4.0")
    return place


@pytest.fixture
def photo(tmp_path) -> Path:
    return save(tmp_path / "photo.png", picture(1, (64, 80)))


def copied(folder: Path, place: Path, **changes: object) -> Path:
    """The folder with another ``config.json``; None leaves a key out."""
    place.mkdir()
    for path in folder.iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    config = {**json.loads((place / CONFIG).read_text()), **changes}
    (place / CONFIG).write_text(json.dumps({key: value for key, value in config.items() if value is not None}))
    return place


# What is written --------------------------------------------------------------------------------------------------


def test_a_folder_is_the_checkpoint_that_it_was_made_of(run, folder) -> None:
    assert {path.name for path in folder.iterdir()} == {WEIGHTS, CONFIG, CARD}
    kept, model = load_model(folder), load_model(run)
    assert weights_hash(kept) == weights_hash(model) == json.loads((folder / CONFIG).read_text())["weights_hash"]
    assert kept.provenance.stages.keys() == {"depth", "rendering"}
    for name in ("seed", "data", "seconds", "commit", "architecture"):
        assert getattr(kept.provenance, name) == getattr(model.provenance, name)
    assert kept.provenance.licence == "cc-by-4.0"
    assert kept.architecture_arguments == model.architecture_arguments


def test_the_card_tells_what_the_record_tells(folder) -> None:
    card = huggingface_hub.ModelCard.load(folder / CARD)
    head = yaml.safe_load((folder / CARD).read_text().split("---")[1])
    assert (card.data.license, card.data.library_name) == (head["license"], head["library_name"])
    assert (head["license"], head["library_name"]) == ("cc-by-4.0", "bokehbench")
    assert "bokeh" in head["tags"]
    for said in ("| rendering | 2 |", "Seed: 7", "hours on", "SyntheticDoF", "No result on the boards"):
        assert said in card.text, said
    assert "disparity=" not in card.text, "it has a trained depth network of its own"


def test_half_precision_is_half_the_size_and_reads_as_single(run, folder, tmp_path, photo) -> None:
    model = bb.load(run)
    model.save_pretrained(tmp_path / "half", half=True)
    assert (tmp_path / "half" / WEIGHTS).stat().st_size < 0.6 * (folder / WEIGHTS).stat().st_size
    halved = bb.load(tmp_path / "half")
    assert {value.dtype for value in halved.model.state_dict().values()} == {torch.float32, torch.int64}
    assert abs(halved(photo).image - model(photo).image).mean() < 0.01
    assert weights_hash(halved.model) == json.loads((tmp_path / "half" / CONFIG).read_text())["weights_hash"]
    before = {path.name: path.read_bytes() for path in (tmp_path / "half").iterdir()}
    halved.save_pretrained(tmp_path / "half", half=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "half").iterdir()} == before, "in its place"
    next(model.model.parameters()).data[0] = 1e6
    with pytest.raises(BokehbenchError, match="half precision cannot hold"):
        model.save_pretrained(tmp_path / "large", half=True)
    assert not (tmp_path / "large").exists()


def test_other_files_are_never_in_the_way(run, tmp_path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BokehbenchError, match=r"holds notes\.txt"):
        bb.load(run).save_pretrained(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with pytest.raises(BokehbenchError, match="is a file"):
        bb.load(run).save_pretrained(tmp_path / "notes.txt")


def test_a_method_without_weights_has_none_to_keep(tmp_path) -> None:
    with pytest.raises(BokehbenchError, match="no weights of its own"):
        bb.load("layered").save_pretrained(tmp_path / "kept")


def test_the_scores_of_a_card_are_the_boards(run, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    board = make_board(tmp_path, columns=["psnr", "ssim", "lpips"])
    model = bb.load(run)
    mine = make_result(weights_hash=weights_hash(model.model))
    for result in (mine, make_result("Other", shift=3.0, weights_hash="b" * 64)):
        results.write(board, result)
    model.save_pretrained("kept")
    rows = [line for line in Path("kept", CARD).read_text().splitlines() if line.startswith("| tiny")]
    psnr = sum(mine.values("psnr").values()) / 30
    assert len(rows) == 1
    assert f"| {psnr:.2f} |" in rows[0]
    assert mine.id in rows[0]


# What is read -----------------------------------------------------------------------------------------------------


def test_every_verb_that_takes_a_checkpoint_takes_a_folder(run, folder, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    photo = save(tmp_path / "photo.png", picture(1, (64, 80)))
    assert main(["render", str(photo), "--checkpoint", str(folder), "-o", "a.png"]) == 0
    assert main(["render", str(photo), "--checkpoint", str(run.parents[1]), "-o", "b.png"]) == 0, "a run's folder"
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    scenes = [word for word in words("deeplens")[2:] if word.startswith(("--data", "--trainer"))]
    scores = []
    for checkpoint in (folder, run):
        for verb in ("validate", "test"):
            place = f"--trainer.default_root_dir={tmp_path / checkpoint.name / verb}"
            assert main([verb, "--checkpoint", str(checkpoint), *scenes, place]) == 0, capsys.readouterr().err
        scores += [next((tmp_path / checkpoint.name / "test").rglob("test.csv")).read_text()]
    assert scores[0] == scores[1]
    capsys.readouterr()
    assert main(["fit", "--checkpoint", str(folder), *scenes]) == 2
    assert "start from them with --model.weights" in capsys.readouterr().err
    begun = ["fit", *words("deeplens", 1), "--model.stages=[rendering]", f"--model.weights={folder}"]
    assert main(begun) == 0
    started = bb.load(tmp_path / "runs" / "deeplens" / "version_0").model.provenance
    assert started.origins[0].weights_hash == weights_hash(load_model(run))
    parts = {"renderer": str(folder), "depth": f"checkpoint:{folder}"}
    assert bb.load("combination", **parts)(photo).image.shape == (64, 80, 3)


# What is no such folder -------------------------------------------------------------------------------------------


def test_a_flipped_byte_is_seen(folder, tmp_path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-100] ^= 1
    (copied(folder, tmp_path / "kept") / WEIGHTS).write_bytes(content)
    with pytest.raises(BokehbenchError, match=r"model\.safetensors is not the file that config\.json"):
        bb.load(tmp_path / "kept")


@pytest.mark.parametrize("place", [0.3, 0.6, 0.999])
def test_a_flipped_byte_of_the_file_alone_is_seen(folder, tmp_path, place) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    header = int.from_bytes(content[:8], "little")
    whole = tmp_path / "whole.safetensors"
    whole.write_bytes(content)
    content[8 + header + int(place * (len(content) - 8 - header))] ^= 1
    (tmp_path / "a.safetensors").write_bytes(content)
    assert read_checkpoint(whole)["state_dict"]
    with pytest.raises(BokehbenchError, match=r"a\.safetensors is damaged"):
        read_checkpoint(tmp_path / "a.safetensors")


def test_a_cut_or_missing_file_is_named(folder, tmp_path) -> None:
    place = copied(folder, tmp_path / "kept")
    (place / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:5000])
    with pytest.raises(BokehbenchError, match="is not the file"):
        bb.load(place)
    (place / WEIGHTS).unlink()
    with pytest.raises(BokehbenchError, match=r"no checkpoint .*model\.safetensors"):
        bb.load(place)
    (place / CONFIG).unlink()
    with pytest.raises(BokehbenchError, match=r"neither config\.json nor last\.ckpt"):
        bb.load(place)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"method": "DeepLens"}', "\xff"])
def test_a_config_that_is_none_is_named(folder, tmp_path, text) -> None:
    (copied(folder, tmp_path / "kept") / CONFIG).write_bytes(text.encode("latin-1"))
    with pytest.raises(BokehbenchError, match=r"config\.json does not describe"):
        bb.load(tmp_path / "kept")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"method": "sentinel.Model"}, "is of the method sentinel.Model .*not registered"),
        ({"method": "os.system"}, "is of the method os.system .*not registered"),
        ({"method": "bokehbench.models.Nothing"}, "does not have"),
        ({"method": "bokehbench.models.external.External"}, "no file may run"),
        ({"arguments": {"rendering": {"class_path": "sentinel.Model"}}}, "names a class"),
        ({"arguments": {"colour": 1}}, "cannot be made .*colour"),
        ({"arguments": {"channels": "many"}}, "is broken: its argument 'channels' is 'many'"),
        ({"arguments": {}}, "do not fit"),
        ({"provenance": {"origins": 3}}, "provenance that cannot be read"),
        ({"sha256": None}, "does not describe"),
    ],
)
def test_nothing_is_imported_or_run_because_of_a_folder(folder, tmp_path, monkeypatch, capsys, changes, why) -> None:
    (tmp_path / "sentinel.py").write_text("class Model: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    place = copied(folder, tmp_path / "kept", **changes)
    with pytest.raises(BokehbenchError, match=why) as caught:
        load_model(place)
    assert "\n" not in str(caught.value)
    assert main(["test", "--checkpoint", str(place), "--data", "syntheticdof", "--trainer.accelerator=cpu"]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert "sentinel" not in sys.modules


def test_weights_alone_and_checkpoints_are_read_as_before(run, folder) -> None:
    assert read_checkpoint(run)["state_dict"].keys() == read_checkpoint(folder / WEIGHTS)["state_dict"].keys()
    started = tiny("deeplens", weights=str(folder / WEIGHTS))
    assert weights_hash(started) == weights_hash(load_model(run))
    assert started.provenance.weights == "unknown origin"


# The hub ----------------------------------------------------------------------------------------------------------

PROGRAM = """
import sys, bokehbench as bb
from bokehbench.errors import BokehbenchError
for name in sys.argv[1:]:
    try:
        print(name, bb.load(name).model.provenance.seed)
    except BokehbenchError as error:
        print("refused:", error)
"""


def asked(endpoint: str, cache: Path, *names: str) -> list[str]:
    """What a process says that loads repositories from a hub."""
    env = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HUB_CACHE": str(cache), "NO_PROXY": "127.0.0.1", "HF_TOKEN": ""}
    env.pop("HF_HUB_OFFLINE", None)
    command = [sys.executable, "-c", PROGRAM, *names]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=cache.parent)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_repository_of_the_hub_is_loaded_and_stays(folder, tmp_path) -> None:
    with hub_of(folder) as endpoint:
        names = [REPOSITORY, f"{REPOSITORY}@v1", "user/none", f"{REPOSITORY}@v2"]
        said = asked(endpoint, tmp_path / "cache", *names)
    assert said[:2] == [f"{REPOSITORY} 7", f"{REPOSITORY}@v1 7"]
    assert "refused: user/none is nothing that is here" in said[2]
    assert "RepositoryNotFoundError" in said[2]
    assert "RevisionNotFoundError" in said[3]
    fetched, unknown = asked(endpoint, tmp_path / "cache", REPOSITORY, "user/other")
    assert fetched == f"{REPOSITORY} 7", "without the hub: from the cache"
    assert "refused: user/other" in unknown
    assert "check the name, the network" in unknown


def test_pushing_writes_the_same_folder(run, folder, monkeypatch) -> None:
    found: dict[str, bytes] = {}

    class Api:
        def __init__(self, token: str | None = None) -> None:
            self.token = token

        def create_repo(self, repo_id: str, **more: object) -> huggingface_hub.RepoUrl:
            return huggingface_hub.RepoUrl(f"https://huggingface.co/{repo_id}")

        def upload_folder(self, folder_path: Path, **more: object) -> str:
            found.update({path.name: path.read_bytes() for path in Path(folder_path).iterdir()})
            return "the commit"

    monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi", Api)
    assert bb.load(run).push_to_hub("user/repo", licence="cc-by-4.0") == "the commit"
    assert found == {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(Api, "create_repo", lambda *args, **more: (_ for _ in ()).throw(ConnectionError()))
    with pytest.raises(BokehbenchError, match="hf auth login"):
        bb.load(run).push_to_hub("user/repo")


def test_the_hubs_own_call_loads_it(folder) -> None:
    model = Weights.from_pretrained(folder).model
    assert Method(model).name == "DeepLens"
    assert model.provenance.seed == 7
