"""``bokehbench submit``: a bundle made by a test is accepted, and each way to spoil it has its sentence."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import yaml
from measured_boards import make_scenes_board, test_on
from PIL import Image

from bokehbench.board import leaderboard, results
from bokehbench.board.results import Result
from bokehbench.cli import main
from bokehbench.commands.submit import arguments
from bokehbench.data import open_data
from bokehbench.data.image_io import to_pixels

NAME = "synthetic-test-000001"
PICTURE = f"pictures/{NAME}.png"
WORDS = ["--overlap", "None: nothing was trained.", "--code-licence", "Apache-2.0", "--weights-licence", "none",
         "--contact", "someone@example.org"]  # fmt: skip
STORE = ["--trainer.callbacks.pictures=3"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A board of three scenes with one row, tests of two baselines that stored their pictures, and a golden bundle."""
    home, patch = tmp_path_factory.mktemp("submit"), pytest.MonkeyPatch()
    patch.chdir(home)
    board = make_scenes_board(home, protocol="bokehbench", columns=["psnr", "ssim", "psnr_in_focus"])
    row = test_on(board, home / "row" / "result.json", "--model", "gaussian")
    leaderboard.add(board, replace(row, flags=()))  # as from a clean checkout
    for method in ("layered", "identity"):
        test_on(board, home / method / "result.json", "--model", method, *STORE)
    assert pack(home / "layered", home / "golden.zip") == 0
    yield home
    patch.undo()


def pack(source, output, *more):
    return main(["submit", "pack", str(source), "-o", str(output), *(more or WORDS)])


def check(bundle, *more):
    return main(["submit", "check", str(bundle), *map(str, more)])


def png(pixels, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def pixels_of(content):
    return np.asarray(Image.open(io.BytesIO(content)))


class Bundle(dict):
    """A bundle's members by name; ``honest()`` makes the manifest that of a forger who knows how."""

    def __init__(self, path):
        with zipfile.ZipFile(path) as archive:
            super().__init__({name: archive.read(name) for name in archive.namelist()})

    def edit(self, document, **entries):
        self[document] = json.dumps(json.loads(self[document]) | entries).encode()

    def honest(self):
        pictures = {name[9:-4]: sha256(self[name]).hexdigest() for name in self if name.startswith("pictures/")}
        self.edit("manifest.json", pictures=pictures)

    @property
    def result(self):
        return Result.from_json(self["result.json"].decode())

    def record(self, **fields):
        """A record of other fields whose id fits."""
        self["result.json"] = replace(self.result, **fields).to_json().encode()

    def write(self, path):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.items():
                archive.writestr(name, content)
        return path


def scenes(key):
    """Pictures of the test scenes as PNG: their inputs or targets."""
    data = open_data("syntheticdof", size=64, test_samples=3, aperture=8, num_workers=0)
    return {f"pictures/{item['name']}.png": png(to_pixels(item[key])) for item in data.pictures("test")}


def test_the_golden_bundle_is_accepted_and_compared(home, capsys):
    assert check("golden.zip") == 0
    said = capsys.readouterr().out
    layered = results.read(home / "layered" / "result.json")
    assert f"the record goes to leaderboards/tiny/results/layered/{layered.id}.json" in said.splitlines()[-1]
    row = next(line.split() for line in said.splitlines() if line.startswith("Gaussian"))
    gaussian = results.read(home / "row" / "result.json")
    means = [np.mean(list(each.values("psnr").values())) for each in (layered, gaussian)]
    assert float(row[3]) == pytest.approx(means[0] - means[1], abs=0.006)
    assert "someone@example.org" in said
    assert str(home) not in "".join(str(content) for content in Bundle("golden.zip").values())


def test_packing_twice_gives_the_same_bytes(home):
    assert pack(home / "layered" / "result.json", home / "again.zip") == 0
    assert Path("again.zip").read_bytes() == Path("golden.zip").read_bytes()


# Spoilt bundles ------------------------------------------------------------------------------------------------------


def edited_score(bundle):
    rows = {name: dict(row) for name, row in bundle.result.per_image.items()}
    rows[NAME]["ssim"] += 0.01
    bundle.record(per_image=rows)


def edited_picture(bundle):
    bundle[PICTURE] = png(255 - pixels_of(bundle[PICTURE]))


def repacked_picture(bundle):
    pixels = pixels_of(bundle[PICTURE]).copy()
    pixels[0, 0] ^= 1
    bundle[PICTURE] = png(pixels)
    bundle.honest()


def missing_picture(bundle):
    del bundle[PICTURE]


def never_packed(bundle):
    del bundle[PICTURE]
    bundle.honest()


def extra_picture(bundle):
    bundle["pictures/more.png"] = bundle[PICTURE]


def picture_of_no_board(bundle):
    extra_picture(bundle)
    bundle.honest()


def wrong_size(bundle):
    bundle[PICTURE] = png(pixels_of(bundle[PICTURE])[:-1])
    bundle.honest()


def truncated(bundle):
    bundle[PICTURE] = bundle[PICTURE][:-900]
    bundle.honest()


def lossy(bundle):
    bundle[PICTURE] = png(pixels_of(bundle[PICTURE]), "JPEG", quality=95)
    bundle.honest()


def targets(bundle):
    bundle.update(scenes("bokeh"))
    bundle.honest()


def inputs(bundle):
    bundle.update(scenes("image"))
    bundle.honest()


def contaminated(bundle):
    bundle.edit("declaration.json", data=[{"name": "SyntheticDoF", "split": "Test"}])


def own_data_not_described(bundle):
    bundle.edit("declaration.json", data=[{"name": "own", "split": "all"}])


def undeclared_training(bundle):
    bundle.record(training={"stages": {"one": {"steps": 5}}})


def contaminated_record(bundle):
    bundle.record(flags=("contaminated",))


def other_version(bundle):
    bundle.record(board_version=2)


def other_settings(bundle):
    inference = bundle.result.inference
    bundle.record(inference=inference | {"data": inference["data"] | {"aperture": 9.0}})


def edited_record(bundle):
    bundle.edit("result.json", method="Better")


def odd_record(bundle):
    bundle.edit("result.json", training=[1])


def column_left_out(bundle):
    rows = {name: {"psnr": row["psnr"]} for name, row in bundle.result.per_image.items()}
    bundle.record(per_image=rows)


def traversal(bundle):
    bundle["../../evil.png"] = b"x"


def absolute(bundle):
    bundle["/etc/evil.png"] = b"x"


def script(bundle):
    bundle["setup.py"] = b"raise SystemExit"


def bomb(bundle):
    bundle["pictures/bomb.png"] = bytes(65 << 20)


def no_declaration(bundle):
    del bundle["declaration.json"]


def declaration_that_is_none(bundle):
    bundle["declaration.json"] = b"[1]"


def endless_record(bundle):
    bundle.edit("result.json", training=json.loads('{"a":' * 500 + "1" + "}" * 500))


def no_contact(bundle):
    bundle.edit("declaration.json", contact=" ")


def not_json(bundle):
    bundle["manifest.json"] = b"[" * 100_000


SPOILT = {
    edited_score: f"- {NAME} ssim: stored",
    edited_picture: f"output of {NAME} is not the one that was packed: its SHA-256",
    repacked_picture: "The pictures are not those that the record was made from",
    missing_picture: f"The output of {NAME} is missing",
    never_packed: f"The output of {NAME} is missing",
    extra_picture: "The output more is not in the record",
    picture_of_no_board: "The output more is not in the record",
    wrong_size: f"The output of {NAME} has 64 x 63 pixels, not 64 x 64",
    truncated: f"- {PICTURE}: is corrupt or truncated",
    lossy: f"The output of {NAME} is no PNG",
    targets: f"The output of {NAME} is its target",
    inputs: f"The output of {NAME} is its input",
    contaminated: "training data SyntheticDoF (Test) hold the test pictures of tiny",
    own_data_not_described: "declaration.json: `data` needs name and split",
    undeclared_training: "weights that were trained, and the declaration names no training data",
    contaminated_record: "The record says that its weights saw the test pictures",
    other_version: "was measured for tiny version 2, not for tiny version 1",
    other_settings: "is on other pictures than tiny's: aperture 9.0 instead of 8",
    edited_record: "result.json was edited",
    odd_record: "is not a result of bokehbench",
    column_left_out: "The record lacks psnr_in_focus, ssim and does not say why",
    traversal: "../../evil.png has no place in a bundle",
    absolute: "/etc/evil.png has no place in a bundle",
    script: "setup.py has no place in a bundle",
    bomb: "pictures/bomb.png unpacks to 65 MiB",
    no_declaration: "The bundle has no declaration.json",
    declaration_that_is_none: "A document has another entry",
    endless_record: "recursion limit exceeded",
    no_contact: "declaration.json does not tell contact: give an address",
    not_json: "cannot be read",
}


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_a_spoilt_bundle_has_its_sentence(home, tmp_path, spoil, capsys):
    bundle = Bundle("golden.zip")
    spoil(bundle)
    assert check(bundle.write(tmp_path / "spoilt.zip")) == 1
    said = capsys.readouterr().out
    assert SPOILT[spoil] in said
    assert "NOT ACCEPTED" in said.splitlines()[-1]
    assert not list(tmp_path.parent.rglob("evil.png"))


def test_a_link_is_refused(home, tmp_path, capsys):
    bundle = Bundle("golden.zip")
    bundle.write(tmp_path / "link.zip")
    link = zipfile.ZipInfo("pictures/link.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert check(tmp_path / "link.zip") == 1
    assert "pictures/link.png has no place in a bundle" in capsys.readouterr().out


def test_what_is_no_bundle_is_one_sentence(home, tmp_path, capsys):
    (tmp_path / "text.zip").write_text("text")
    for path in (tmp_path / "text.zip", tmp_path / "nowhere.zip"):
        assert check(path) == 1
        assert f"{path} cannot be read" in capsys.readouterr().out


# Ways to pack and check ----------------------------------------------------------------------------------------------


def test_inputs_need_a_reason(home, tmp_path, capsys):
    assert pack("identity", tmp_path / "a.zip") == 0
    assert check(tmp_path / "a.zip") == 1
    assert "is its input" in capsys.readouterr().out
    words = {"data": [], "overlap": "None.", "code_licence": "x", "weights_licence": "none", "contact": "a@b.example"}
    (tmp_path / "words.yaml").write_text(yaml.safe_dump(words | {"unchanged": "It is the identity."}))
    assert pack("identity", tmp_path / "b.zip", "--declaration", str(tmp_path / "words.yaml")) == 0
    assert check(tmp_path / "b.zip") == 0


def test_hashes_only(home, tmp_path, capsys):
    assert pack("layered", tmp_path / "small.zip", *WORDS, "--hashes-only", "https://example.org/mine.zip") == 0
    assert not [name for name in Bundle(tmp_path / "small.zip") if name.startswith("pictures")]
    assert check(tmp_path / "small.zip") == 1
    assert "The pictures are at https://example.org/mine.zip" in capsys.readouterr().out
    assert check(tmp_path / "small.zip", "--outputs", "layered/pictures/output") == 0
    assert check(tmp_path / "small.zip", "--outputs", "identity/pictures/output") == 1


def test_a_folder_of_outputs_of_a_method_that_bokehbench_does_not_have(home, tmp_path, capsys):
    board = Path("leaderboards/tiny")
    (tmp_path / "true").mkdir()
    for name, content in scenes("bokeh").items():
        (tmp_path / "true" / Path(name).name).write_bytes(content)
    own = shutil.copytree(board, tmp_path / "tiny")
    words = ["--outputs", "Mine=layered/pictures/output", "--targets", str(tmp_path / "true")]
    assert main(["leaderboard", "add", "--board", str(own), *words]) == 0
    (record,) = (own / "results" / "mine").glob("*.json")
    assert pack(record, tmp_path / "mine.zip", *WORDS, "--outputs", "layered/pictures/output") == 0
    assert check(tmp_path / "mine.zip") == 0, capsys.readouterr().out
    assert f"the record goes to leaderboards/tiny/results/mine/{record.name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (WORDS[2:], "The command line does not tell overlap"),
        ([*WORDS, "--trained-on", "ebb"], "needs name and split"),
        ([*WORDS, "--declaration", "odd.yaml"], "`data` needs name and split"),
        ([*WORDS, "--declaration", "nowhere.yaml"], "nowhere.yaml cannot be read"),
        ([*WORDS, "--outputs", "row"], "There are no outputs of synthetic-test-000000 and 2 others"),
        ([*WORDS[2:], "--overlap", "Kept in /home/me/photos."], "names /home/me/photos., a place on a machine"),
    ],
)
def test_what_cannot_be_packed_leaves_no_file(home, tmp_path, words, message, capsys):
    Path("odd.yaml").write_text("data: [ebb]\n")
    assert pack("layered", tmp_path / "bundle.zip", *words) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_check_opens_no_network_and_imports_nothing_that_a_bundle_names(home, tmp_path, monkeypatch):
    (tmp_path / "sentinel.py").write_text("class Model: pass\n")
    monkeypatch.syspath_prepend(tmp_path)

    def connect(self, address, inherited=socket.socket.connect):
        assert self.family == socket.AF_UNIX, f"a connection to {address}"  # the data loader's own are of this machine
        inherited(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words, **more: pytest.fail("a name was looked up"))
    bundle = Bundle("golden.zip")
    training = {"code": {"distribution": "sentinel", "version": "1", "class": "sentinel.Model"}, "weights": "untrained"}
    bundle.record(method="sentinel.Model", training=training, architecture={"depth": {"class_path": "sentinel.Model"}})
    assert check(bundle.write(tmp_path / "stranger.zip")) == 0
    assert "sentinel" not in sys.modules


def test_packing_starts_without_torch(home, tmp_path):
    words = ["submit", "pack", "layered", "-o", str(tmp_path / "bundle.zip"), *WORDS]
    program = f"import sys; from bokehbench.cli import main; print(main({words!r}), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-2:] == ["0", "False"]


def test_the_page_in_the_docs_is_true(home, tmp_path):
    page = (Path(__file__).resolve().parents[2] / "docs" / "submitting.md").read_text()
    lines = [line.replace("\\\n", "") for line in re.findall(r"^ *bokehbench submit (?:.*\\\n)*.*$", page, re.M)]
    assert {arguments(shlex.split(line)[2:]).action for line in lines} == {"pack", "check"}
    (tmp_path / "words.yaml").write_text(re.search(r"```yaml\n(.*?)```", page, re.S)[1])
    assert pack("layered", tmp_path / "bundle.zip", "--declaration", str(tmp_path / "words.yaml")) == 0
