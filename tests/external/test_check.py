"""``bokehbench method check``: a right method passes, and each wrong one is told what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bokehbench.cli import main
from bokehbench.measure.conformance import problems
from bokehbench.models import MODELS

TOY = Path(__file__).with_name("toy.yaml")
#: What the toy is told to do wrong -> what must be said of it.
MISTAKES = {
    "size": "Toy, batch of 4: 0001.png is 112 x 79 pixels, and its photo 112 x 80",
    "count": "Toy, batch of 4: the command did not write 0004.png",
    "swapped": "Near and far are swapped",
    "occlusion": "Near and far are swapped",
    "focus": "The focus is ignored",
    "strength": "The strength is ignored",
    "inverted": "The strength is inverted",
    "random": "It is not deterministic",
    "lossy": "Toy, batch of 4: 0001.png is JPEG, which changes pixels",
    "crash": "Toy, picture 3 of 4: the command ended with exit status 1; the last line of its errors: RuntimeError",
    "hang": "Toy, batch of 4: the command did not end within 2 s and was killed",
}


def described(path: Path, *words: str, **more: object) -> Path:
    """The toy's description with more words of its command, and other settings."""
    content = yaml.safe_load(TOY.read_text()) | {"folder": str(TOY.parent)} | more
    content["command"] += words
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("calls", ["batch", "picture"])
def test_a_right_one_passes(tmp_path, capsys, calls) -> None:
    assert main(["method", "check", str(described(tmp_path / "toy.yaml", calls=calls))]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line == f"Toy (external): does what {tmp_path / 'toy.yaml'} says."


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_one_is_told_so(tmp_path, capsys, mistake) -> None:
    more = {"hang": {"seconds": 2.0}, "crash": {"calls": "picture"}}.get(mistake, {})
    assert main(["method", "check", str(described(tmp_path / "toy.yaml", mistake, **more))]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert MISTAKES[mistake] in line


def test_what_is_declared_as_ignored_is_not_checked(tmp_path, capsys) -> None:
    (tmp_path / "photo.py").write_text(
        "import json, shutil, sys\n"
        "for each in json.load(open(sys.argv[1]))['pictures']:\n"
        "    assert set(each) == {'name', 'image', 'output'}\n"
        "    shutil.copy(each['image'], each['output'])\n"
    )
    ignored = {"focus": "none", "strength": "none", "map": {"kind": "none"}, "folder": str(tmp_path)}
    path = described(tmp_path / "photo.yaml", **ignored, command=["{python}", "photo.py", "{manifest}"])
    assert main(["method", "check", str(path)]) == 0
    assert main(["method", "check", str(described(path, **{**ignored, "strength": "K"}, command=["false"]))]) == 1
    assert "exit status 1; the last line of its errors: nothing" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["gaussian", "compositional", "scatter", "layered", "raytraced"])
def test_nothing_is_found_in_our_own_renderers(name) -> None:
    """Some are no better than a method of others may be: they know no order of depth."""
    assert list(problems(MODELS[name]().eval())) == []
