"""Broken and hostile checkpoints at every door: one sentence that names the file, and nothing is run or allocated."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from makers import picture, save
from methods import options, words

import bokehbench as bb
from bokehbench.cli import main
from bokehbench.errors import BokehbenchError

METHOD = "pix2pix"
Content = dict[str, Any]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory):
    """The working folder: a fit that was told to end after two of three steps, and a photo."""
    folder = tmp_path_factory.mktemp("broken")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        end = ["--trainer.callbacks+=kill_at.SignalAt", "--trainer.callbacks.step=1"]
        assert main(["fit", *words(METHOD, steps=3), *end]) == 143
        shutil.copy(folder / "runs" / METHOD / "version_0" / "checkpoints" / "last.ckpt", "good.ckpt")
        save(folder / "photo.png", picture(1, (32, 32)))
        yield folder


def first(content: Content) -> str:
    return next(name for name, value in content["state_dict"].items() if value.is_floating_point())


def in_state(change: Callable[[torch.Tensor], Any]) -> Callable[[Content], None]:
    """Another tensor in the place of the first one."""

    def changed(content: Content) -> None:
        name = first(content)
        content["state_dict"][name] = change(content["state_dict"][name])

    return changed


def put(*path: str | int, value: Any) -> Callable[[Content], None]:
    """Another value in the place of the one at ``path``."""

    def changed(content: Content) -> None:
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return changed


def drop(*path: str) -> Callable[[Content], None]:
    def changed(content: Content) -> None:
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]

    return changed


RECORD = ("bokehbench", "provenance")
LOOPS = ("loops", "fit_loop", "epoch_loop.batch_progress")
#: What makes of a good checkpoint one that no door takes.
CHANGES: dict[str, Callable[[Content], None]] = {
    "state of numbers": put("state_dict", value=[1, 2]),
    "state of numbers for names": put("state_dict", value={1: torch.zeros(2)}),
    "a text for a tensor": in_state(lambda value: "weights"),
    "a list for a tensor": in_state(lambda value: value.tolist()),
    "NaN": in_state(lambda value: value * torch.nan),
    "infinity": in_state(lambda value: value / 0),
    "complex": in_state(lambda value: value.to(torch.complex64)),
    "whole numbers": in_state(lambda value: value.long()),
    "sparse": in_state(lambda value: value.to_sparse()),
    "another shape": in_state(lambda value: value[:-1].clone()),
    "no numbers": in_state(lambda value: value[:0].clone()),
    "one number for many": in_state(lambda value: torch.zeros(()).expand(value.shape)),
    "one number for terabytes": in_state(lambda value: torch.zeros(()).expand(2**20, 2**20)),
    "no state": put("state_dict", value={}),
    "one tensor less": lambda content: content["state_dict"].pop(first(content)),
    "one tensor more": put("state_dict", "more", value=torch.zeros(2)),
    "arguments of a list": put("hyper_parameters", value=["width"]),
    "an argument of text": put("hyper_parameters", "width", value="wide"),
    "an argument of a list": put("hyper_parameters", "width", value=[8]),
    "an argument of none": put("hyper_parameters", "width", value=None),
    "a width that is not finite": put("hyper_parameters", "width", value=float("nan")),
    "a width below nothing": put("hyper_parameters", "width", value=-8),
    "another width": put("hyper_parameters", "width", value=16),
    "a width for terabytes": put("hyper_parameters", "width", value=10**6),
    "a width beyond numbers": put("hyper_parameters", "width", value=10**40),
    "levels beyond sense": put("hyper_parameters", "levels", value=10**5),
    "an argument that is not there": put("hyper_parameters", "depth_of_field", value=1),
    "a mark of text": put("bokehbench", value="Pix2Pix"),
    "a method of a number": put("bokehbench", "model", value=3),
    "a method that is not there": put("bokehbench", "model", value="os.system"),
    "stages of a number": put("bokehbench", "stages", value=7),
    "stages of numbers": put("bokehbench", "stages", value=[1, 2]),
    "a record of text": put(*RECORD, value="trained"),
    "seconds of text": put(*RECORD, "seconds", value="long"),
    "seconds without end": put(*RECORD, "seconds", value=float("nan")),
    "recipes of numbers": put(*RECORD, "stages", value={"translation": 3}),
    "origins of text": put(*RECORD, "origins", value="others"),
    "a seed of a list": put(*RECORD, "seed", value=[1]),
}  # fmt: skip
#: What only a fit that goes on from it looks at.
STATES: dict[str, Callable[[Content], None]] = {
    "no loops": drop("loops"),
    "loops of text": put("loops", value="two"),
    "no loop of the fit": put("loops", value={"validate_loop": {}}),
    "a step of text": put(*LOOPS, "current", "ready", value="two"),
    "a step below nothing": put(*LOOPS, "current", "ready", value=-2),
    "no count": drop(*LOOPS),
    "no optimiser": drop("optimizer_states"),
    "an optimiser of text": put("optimizer_states", value="Adam"),
    "an optimiser of numbers": put("optimizer_states", value=[3]),
    "moments of NaN": lambda content: content["optimizer_states"][0]["state"][0]["exp_avg"].mul_(torch.nan),
    "moments of another shape": put("optimizer_states", 0, "state", 0, "exp_avg", value=torch.zeros(3)),
    "no schedule": drop("lr_schedulers"),
    "a schedule of numbers": put("lr_schedulers", value=[3]),
    "callbacks of numbers": put("callbacks", value={"StageCheckpoints": 3}),
    "a stage that is not there": put("bokehbench", "stage", value="elsewhere"),
}  # fmt: skip


def packed(raw: bytes) -> bytes:
    """The archive with its records compressed: a few bytes that unpack to many."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        new.writestr(f"{name.split('/')[0]}/data/bomb", bytes(2**25))
    return out.getvalue()


def declaring(raw: bytes, old: bytes, new: bytes) -> bytes:
    """The archive with other words in its pickle, and right checksums."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as before, zipfile.ZipFile(out, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            after.writestr(name, content.replace(old, new) if name.endswith("data.pkl") else content)
    return out.getvalue()


def flipped(raw: bytes) -> bytes:
    """One bit of a weight."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        largest = max(archive.infolist(), key=lambda each: each.file_size)
    at = largest.header_offset + 30 + largest.file_size // 2 + 256
    return raw[:at] + bytes([raw[at] ^ 64]) + raw[at + 1 :]


class _Runs:
    def __reduce__(self) -> Any:
        return eval, ("open('ran', 'w')",)


def running(raw: bytes) -> bytes:
    out = io.BytesIO()
    torch.save({"state_dict": {"weight": _Runs()}}, out)
    return out.getvalue()


def larger(raw: bytes) -> bytes:
    """A storage that declares 2**31 numbers."""
    out = io.BytesIO()
    torch.save({"state_dict": {"weight": torch.arange(777, dtype=torch.float32)}}, out)
    count = b"M" + struct.pack("<H", 777)
    return declaring(out.getvalue(), count, b"J" + struct.pack("<i", 2**31 - 1))


def header(raw: bytes) -> bytes:
    """Safetensors that declare a terabyte."""
    told = json.dumps({"weight": {"dtype": "F32", "shape": [2**19, 2**19], "data_offsets": [0, 2**40]}}).encode()
    return struct.pack("<Q", len(told)) + told + bytes(64)


#: What makes of a good file one that is none: its name, and its bytes.
FILES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "empty": ("a.ckpt", lambda raw: b""),
    "half": ("a.ckpt", lambda raw: raw[: len(raw) // 2]),
    "all but a byte": ("a.ckpt", lambda raw: raw[:-1]),
    "a flipped bit": ("a.ckpt", flipped),
    "zeros": ("a.ckpt", lambda raw: bytes(len(raw))),
    "a pointer": ("a.ckpt", lambda raw: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
    "a page": ("a.ckpt", lambda raw: b"<!DOCTYPE html><html>404</html>"),
    "an answer": ("a.ckpt", lambda raw: b'{"error": "not found"}'),
    "text": ("a.ckpt", lambda raw: b"weights\n" * 9),
    "a picture": ("a.ckpt", lambda raw: b"\x89PNG\r\n\x1a\n" + bytes(99)),
    "a pickle of a list": ("a.ckpt", lambda raw: pickle.dumps([1, 2])),
    "a bomb": ("a.ckpt", packed),
    "a storage for gigabytes": ("a.ckpt", larger),
    "code": ("a.ckpt", running),
    "safetensors of a checkpoint": ("a.safetensors", lambda raw: raw),
    "safetensors for terabytes": ("a.safetensors", header),
    "safetensors of nothing": ("a.safetensors", lambda raw: b""),
    "a header for gigabytes": ("a.safetensors", lambda raw: struct.pack("<Q", 2**40) + b"{}"),
}
KINDS = [*CHANGES, *FILES]


def broken(place: Path, kind: str) -> Path:
    """The file of a kind."""
    good = place / "good.ckpt"
    if kind in FILES:
        name, change = FILES[kind]
        path = place / name
        path.write_bytes(change(good.read_bytes()))
        return path
    content = torch.load(good, weights_only=True)
    {**CHANGES, **STATES}[kind](content)
    torch.save(content, place / "a.ckpt")
    return place / "a.ckpt"


def refused(command: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    capfd.readouterr()
    assert main(command) == 2
    said = capfd.readouterr().err
    assert "Traceback" not in said
    (sentence,) = (line for line in said.splitlines() if line.startswith("bokehbench: "))
    assert "a.ckpt" in sentence or "a.safetensors" in sentence or "checkpoint" in sentence or "width" in sentence


@pytest.mark.parametrize("kind", KINDS)
def test_python_and_render_refuse_with_a_sentence(place, kind, capfd) -> None:
    path = broken(place, kind)
    with pytest.raises(BokehbenchError, match=path.name):
        bb.load(path)
    assert not Path("ran").exists()
    refused(["render", "photo.png", "--checkpoint", str(path), "-o", "out.png"], capfd)
    assert not Path("out.png").exists()


#: Of which every kind of check has one.
SOME = ["NaN", "another width", "an argument of text", "a width for terabytes", "a flipped bit"]


@pytest.mark.parametrize("kind", SOME)
@pytest.mark.parametrize("verb", ["test", "fit", "validate", "predict", "export", "weights"])
def test_every_other_door_refuses_too(place, kind, verb, capfd) -> None:
    path = str(broken(place, kind))
    if verb == "export":
        refused(["export", "--checkpoint", path, "-o", "out.onnx"], capfd)
    elif verb == "weights":
        if kind not in SOME[1:4]:  # arguments of the file do not count where only its weights are asked for
            refused(["fit", *words(METHOD), f"--model.weights={path}"], capfd)
    else:
        refused([verb, "--model", METHOD, "--checkpoint", path, "--trainer.accelerator=cpu"], capfd)


@pytest.mark.parametrize("kind", STATES)
def test_a_fit_does_not_go_on_from_a_broken_state(place, kind, capfd) -> None:
    before = (place / "good.ckpt").read_bytes()
    refused(["fit", *words(METHOD, steps=3), "--checkpoint", str(broken(place, kind))], capfd)
    assert (place / "good.ckpt").read_bytes() == before


@pytest.mark.parametrize("kind", ["empty", "a page", "code", "a bomb"])
def test_weights_of_the_authors_are_refused_as_well(place, kind, capfd) -> None:
    refused(["import-weights", "--model", "d2f", "--checkpoint", str(broken(place, kind)), "-o", "out.ckpt"], capfd)
    assert not Path("ran").exists()


def test_the_good_one_is_taken_and_so_are_its_weights_alone(place, capfd) -> None:
    from safetensors.torch import save_file

    save_file(bb.load("good.ckpt").model.state_dict(), "alone.safetensors")
    same = ["--data.size=64", "--data.test_samples=1", "--data.num_workers=0", "--trainer.accelerator=cpu"]
    scores = []
    for name in ("good.ckpt", "alone.safetensors"):
        capfd.readouterr()
        assert main(["test", *options(METHOD), *same, "--checkpoint", name]) == 0
        scores.append([line for line in capfd.readouterr().out.splitlines() if line.startswith("Pix2Pix")])
    assert scores[0] == scores[1]
    assert scores[0]


def test_a_fit_whose_last_checkpoint_is_cut_short_goes_on_from_the_newest_whole_one(place, capfd) -> None:
    folder = Path("cut", "checkpoints")
    folder.mkdir(parents=True)
    shutil.copy("good.ckpt", folder / "translation.ckpt")
    (folder / "last.ckpt").write_bytes(Path("good.ckpt").read_bytes()[:-99])
    capfd.readouterr()
    assert main(["fit", *words(METHOD, steps=3), "--checkpoint", str(folder / "last.ckpt")]) == 0
    said = capfd.readouterr().out
    assert "translation.ckpt" in said
    assert "last.ckpt is truncated" in said
