"""Files that people write, of every wrong shape: a sentence that names the file, and the key where there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from made_boards import make_board, make_result

from bokehbench import experiments
from bokehbench.board import boards, results
from bokehbench.errors import BokehbenchError
from bokehbench.external.description import read_description
from bokehbench.suite.suite import read_suite
from bokehbench.sweep.definition import read_sweep

READERS = {
    "suite": read_suite,
    "sweep": read_sweep,
    "board": lambda path: boards.read_board(path.parent),
    "configuration": lambda path: experiments.configuration(str(path)),
    "description": read_description,
    "result": results.read,
}
DEEP = 3000
BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 20))
#: Whole files that are nothing at all.
NOTHING = {
    "empty": b"", "number": b"5", "text": b"words", "list": b"[1, 2]", "null": b"null", "binary": bytes(range(256)),
    "zeros": bytes(64), "utf16": "a: 1".encode("utf-16"), "latin1": "a: \xe9".encode("latin-1"), "tabs": b"a:\n\t- 1",
    "unclosed": b"{a: [1", "deep list": b"[" * DEEP + b"]" * DEEP, "deep mapping": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "bomb": BOMB.encode(), "itself": b"a: &a [*a]", "unknown alias": b"a: *b", "two documents": b"a: 1\n---\nb: 2\n",
    "tag": b"a: !!python/object/apply:os.system [true]", "set": b"a: !!set {x}", "own tag": b"a: !mine 5",
    "twice": b"a: 1\na: 2\n", "list as key": b"? [1, 2]\n: 3\n", "huge number": b"a: " + b"9" * 5000,
    "html": b"<!DOCTYPE html><html><body>Not found</body></html>", "large": b"a: [" + b"1, " * 600_000 + b"1]",
    "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
}  # fmt: skip
#: In place of a setting.
WRONG = [5, -1, 1.5, float("nan"), float("inf"), 10**400, True, None, "", "x" * 300, [], [1], [[]], [None], {},
         {"x": 1}, {1: 2}, {"x": {"y": [{"z": None}]}}]  # fmt: skip


def document(kind: str, folder: Path) -> dict[str, Any]:
    """A file of the kind that is right, with every setting that it may have."""
    option = {"trainer.max_steps": 5}
    if kind == "suite":
        one = {"name": "a", "model": "deeplens", "config": "deeplens_quick", "fit": option, "test": option,
               "options": option, "published": {"psnr": 20.0}, "source": "S"}  # fmt: skip
        return {"about": "A", "board": "synthetic-quick", "experiments": [one, "identity"], "fit": option,
                "test": option, "options": option, "config": "deeplens_quick", "columns": ["psnr"], "source": "S",
                "expect": [{"better": "a", "than": "identity", "column": "psnr"}],
                "inputs": {"p": "photos"}}  # fmt: skip
    if kind == "sweep":
        return {"method": "random", "metric": {"name": "val/psnr", "goal": "maximize"},
                "command": ["bokehbench", "fit", "${args}"],
                "parameters": {"a": {"values": [1, 2]}, "b": {"min": 1.0, "max": 2.0}}}  # fmt: skip
    if kind == "configuration":
        return {"model": {"class_path": "DeepLens", "init_args": {"channels": 8}}, "trainer": {"max_steps": 5},
                "data": {"class_path": "SyntheticDoF", "init_args": {"size": 64}}}  # fmt: skip
    if kind == "description":
        return {"title": "T", "command": ["run", "{image}"], "map": {"kind": "disparity"}, "seconds": 5.0}
    if kind == "result":
        return json.loads(make_result().to_json())
    return yaml.safe_load((make_board(folder, data={"name": "ebb"}) / "board.yaml").read_text())


def written(kind: str, folder: Path, content: bytes) -> Path:
    """The file where its reader looks for it."""
    name = {"board": "tiny/board.yaml", "result": "result.json"}.get(kind, "mine.yaml")
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("shape", NOTHING)
def test_what_is_no_such_file_is_a_sentence_with_its_name(kind: str, shape: str, tmp_path: Path) -> None:
    path = written(kind, tmp_path, NOTHING[shape])
    if kind == "configuration" and shape == "pointer":
        pytest.skip("a line of YAML, which Lightning refuses")
    with pytest.raises(BokehbenchError) as refused:
        READERS[kind](path)
    assert path.name in str(refused.value)
    assert len(str(refused.value)) < 700


@pytest.mark.parametrize("kind", READERS)
def test_every_setting_of_another_shape_is_taken_or_named(kind: str, tmp_path: Path) -> None:
    right = document(kind, tmp_path)
    path = written(kind, tmp_path, json.dumps(right).encode())
    if kind != "description":  # whose command is not there
        READERS[kind](path)
    refused = 0
    for key in right:
        for wrong in WRONG:
            dump = json.dumps if kind == "result" else yaml.safe_dump
            path = written(kind, tmp_path, dump({**right, key: wrong}).encode())
            try:
                READERS[kind](path)
            except BokehbenchError as error:
                refused += 1
                said = str(error)
                assert path.name in said or f"{path.parent}" in said, (key, wrong, said)
                assert len(said) < 700, (key, wrong)
    assert refused > 4 * len(right), "most values are wrong for most settings"


@pytest.mark.parametrize("kind", ["suite", "board", "result", "description"])
def test_an_unknown_and_a_lacking_setting_are_named(kind: str, tmp_path: Path) -> None:
    right = document(kind, tmp_path)
    with pytest.raises(BokehbenchError, match="colour"):
        READERS[kind](written(kind, tmp_path, json.dumps({**right, "colour": 1}).encode()))
    needed = {"suite": "experiments", "board": "count", "result": "protocol", "description": "command"}[kind]
    del right[needed]
    with pytest.raises(BokehbenchError, match=needed):
        READERS[kind](written(kind, tmp_path, json.dumps(right).encode()))


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ({"min": 1, "max": 10**30}, "'a'"), ({"min": float("nan"), "max": 1.0}, "'a'"),
        ({"min": 0.0, "max": float("inf")}, "'a'"), ({"distribution": "log_uniform", "min": 0, "max": 1e6}, "'a'"),
        ({"distribution": "constant"}, "'a'"), ({"distribution": ["uniform"], "min": 0, "max": 1}, "'a'"),
        ({"min": 1, "max": 10**9}, "'a': a grid of 1e"), (5, "'parameters'"), ([1], "'parameters'"),
    ],
)  # fmt: skip
def test_a_parameter_without_an_end_is_refused(parameter, said, tmp_path: Path) -> None:
    content = {**document("sweep", tmp_path), "method": "grid", "parameters": {"a": parameter, "c": {"values": [1, 2]}}}
    with pytest.raises(BokehbenchError) as refused:
        read_sweep(written("sweep", tmp_path, yaml.safe_dump(content).encode()))
    assert said in str(refused.value)


@pytest.mark.parametrize("origins", [5, [5], [{}], [{"method": 5}], {"a": 1}, [{"method": "A", "training": {}}]])
def test_origins_of_another_shape_are_refused(origins, tmp_path: Path) -> None:
    content = {**document("result", tmp_path), "training": {"origins": origins}}
    with pytest.raises(BokehbenchError, match="origin"):
        results.read(written("result", tmp_path, json.dumps(content).encode()))


@pytest.mark.parametrize("content", ["5", "[]", '{"a": 5}', '{"a": ["x"]}', "[" * DEEP, '{"a": [1e999, "nan", null]}'])
def test_fingerprints_of_another_shape_are_refused(content: str, tmp_path: Path) -> None:
    folder = make_board(tmp_path)
    (folder / boards.TARGETS).write_text(content)
    with pytest.raises(BokehbenchError, match=r"targets\.json"):
        boards.read_board(folder)
