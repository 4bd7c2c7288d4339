"""Files that run without bokehbench: what they compute is what the method renders."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from methods import NAMES, SMALL, tiny
from PIL import Image
from torch import nn

from bokehbench import exporting
from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.exporting import FORMATS, TOLERANCE, metadata, picture, program_of
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel
from bokehbench.models.baselines.baseline import Baseline
from bokehbench.models.uses import Uses

PAGE = (Path(__file__).parents[2] / "docs" / "export.md").read_text()
#: Those that a file can hold, with fewer layers where that leaves the way of computing: tracing takes long.
FILES = {"compositional": {}, "d2f": {"kernel_set": 6}, "deeplens": {}, "identity": {}, "layered": {"layers": 4}}
FILES |= {"pix2pix": {}, "pynet": {}, "scatter": {}}
SIZES = ((65, 67), (71, 129), (127, 65), (99, 101), (75, 91))
SIZE, LARGEST = 64, 3.0
#: Makes one halving of these sizes, and a third of the radii.
LARGEST_OF = {"deeplens": 9.0, "scatter": 1.0}


@cache
def method(name: str) -> BokehModel:
    torch.manual_seed(0)
    if MODELS[name].trainable:
        return tiny(name, **FILES.get(name, {})).eval()
    return MODELS[name](**SMALL.get(name, {}), **FILES.get(name, {})).eval()


def differences(model: BokehModel, form: str, largest: float = LARGEST) -> list[float]:
    exported = model.exported(SIZE, largest)
    _, run = FORMATS[form](exported, metadata(model, exported), SIZE)
    found = []
    for size in SIZES:
        inputs = picture(exported, *size)
        found.append(float((model.render(**inputs).image - run(inputs)).abs().max()))
    return found


@pytest.mark.parametrize("name", FILES)
def test_onnx_computes_what_the_method_renders_at_odd_sizes(name) -> None:
    pytest.importorskip("onnxruntime", reason="needs bokehbench[export]")
    pytest.importorskip("onnxscript", reason="needs bokehbench[export]")
    assert max(differences(method(name), "onnx", LARGEST_OF.get(name, LARGEST))) <= TOLERANCE


@pytest.mark.parametrize("name", ["identity", "layered"])
def test_pt2_computes_what_the_method_renders_at_odd_sizes(name) -> None:
    assert max(differences(method(name), "pt2")) <= TOLERANCE


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(FILES)))
def test_every_other_method_says_why_not(name) -> None:
    with pytest.raises(BokehbenchError, match="cannot be exported: ") as caught:
        program_of(method(name).exported(SIZE, LARGEST), SIZE)
    assert "\n" not in str(caught.value)


def test_an_aperture_beyond_the_largest_is_rendered_as_the_largest() -> None:
    exported = method("layered").exported(SIZE, LARGEST)
    inputs = picture(exported, 65, 67)
    wider = exported(**{**inputs, "aperture": torch.tensor([3 * LARGEST])})
    assert torch.equal(wider, exported(**inputs))


def test_a_file_of_deeplens_holds_no_depth_network() -> None:
    held = method("deeplens").exported(SIZE, 9.0).state_dict()
    assert 0 < len(held) < len(method("deeplens").state_dict()) / 2


class Convolved(Baseline):
    """A method of another package: a blur that looks at no value."""

    title, paper = "Convolved", "nobody"
    uses = Uses(focus=False, aperture=True, disparity="ignored")

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Conv2d(3, 3, 5, padding=2)

    def blur(self, image, disparity, focus, aperture):
        share = (aperture / 20).clamp(0, 1).reshape(-1, 1, 1, 1)
        return torch.lerp(image, self.net(image), share).clamp(0, 1)


class Asking(Convolved):
    """One that looks at the aperture's value."""

    def blur(self, image, disparity, focus, aperture):
        return super().blur(image, disparity, focus, aperture) if aperture.item() > 1 else image


def test_methods_of_other_packages_are_exported_or_told_how() -> None:
    assert Convolved().exported(SIZE, LARGEST).inputs == ("image", "aperture")
    assert max(differences(Convolved().eval(), "pt2")) <= TOLERANCE
    with pytest.raises(BokehbenchError, match=r"torch\.export refuses its code .* exported\(\)"):
        program_of(Asking().exported(SIZE, LARGEST), SIZE)


def test_the_verb_checks_writes_and_says_what_was_fixed(tmp_path, capsys) -> None:
    out = tmp_path / "new" / "layered.pt2"
    words = ["--model", "layered", "--model.layers", "4", "--size", "96", "--largest-aperture", "5"]
    assert main(["export", *words, "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert "96 x 96 px: differs from torch by" in said
    assert "97 x 73 px: differs from torch by" in said
    assert "reads image, disparity, focus, aperture; largest_aperture 5" in said
    extra = {"bokehbench.json": ""}
    module = torch.export.load(BytesIO(out.read_bytes()), extra_files=extra).module()
    told = json.loads(extra["bokehbench.json"])
    assert told["bokehbench.largest_aperture"] == "5"
    assert told["bokehbench.weights"] == "no weights"
    assert told["bokehbench.disparity"].endswith("1 = nearest")
    model = MODELS["layered"](layers=4).eval()
    inputs = picture(model.exported(96, 5), 81, 77)
    assert (module(**inputs) - model.render(**inputs).image).abs().max() <= TOLERANCE


def test_a_file_that_differs_is_not_written(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setitem(FORMATS, "onnx", lambda exported, said, size: (b"", lambda inputs: inputs["image"] + 1e-3))
    assert main(["export", "--model", "identity", "--size", "64", "-o", str(tmp_path / "a.onnx")]) == 2
    assert "1.0e-03 at most, but 0.0001 is allowed" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-o", "a.png"], "a.png: give --to onnx or pt2"),
        (["-o", "a.onnx", "--size", "8"], "--size 8: give 64 or more"),
        (["-o", "a.onnx", "--largest-aperture", "-1"], "--largest-aperture -1.0: give 0 or more"),
    ],
)
def test_options_that_cannot_be_are_refused(words, told, capsys) -> None:
    assert main(["export", "--model", "identity", *words]) == 2
    assert told in capsys.readouterr().err


def test_without_the_packages_it_says_what_to_install(tmp_path, capsys, monkeypatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name=name)

    monkeypatch.setattr(exporting, "import_module", missing)
    assert main(["export", "--model", "identity", "-o", str(tmp_path / "a.onnx")]) == 2
    assert "pip install 'bokehbench[export]'" in capsys.readouterr().err


#: Neither can be imported; what the page says is run.
ALONE = "import sys; sys.modules['torch'] = sys.modules['bokehbench'] = None; exec(open('page.py').read())"


def test_the_lines_of_the_page_run_without_bokehbench_and_torch(tmp_path, monkeypatch) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="needs bokehbench[export]")
    pytest.importorskip("onnxscript", reason="needs bokehbench[export]")
    monkeypatch.chdir(tmp_path)
    assert (
        main(["export", "--model", "compositional", "--size", "80", "--largest-aperture", "4", "-o", "bokeh.onnx"]) == 0
    )
    told = runtime.InferenceSession("bokeh.onnx").get_modelmeta().custom_metadata_map
    assert told["bokehbench.method"] == "Compositional"
    made = picture(MODELS["compositional"]().exported(80, 4), 70, 95)
    photo = (made["image"][0].permute(1, 2, 0) * 255).round().byte().numpy()
    depth = (made["disparity"][0, 0] * 255).round().byte().numpy()
    Image.fromarray(photo).save("photo.png")
    Image.fromarray(depth).save("disparity.png")
    code = next(block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "onnxruntime" in block)
    assert len(code.strip().splitlines()) <= 11  # ten, and an empty one
    Path("page.py").write_text(code)
    subprocess.run([sys.executable, "-c", ALONE], check=True, env={}, timeout=100)
    given = {"disparity": torch.from_numpy(depth)[None, None] / 255, "focus": 0.7, "aperture": 4.0}
    wanted = MODELS["compositional"]().render(torch.from_numpy(photo).permute(2, 0, 1)[None] / 255, **given).image
    found = np.asarray(Image.open("bokeh.png"), np.float32)
    assert np.abs(wanted[0].permute(1, 2, 0).numpy() * 255 - found).max() < 0.52
