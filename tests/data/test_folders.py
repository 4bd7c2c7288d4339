"""What a folder holds: listed by one rule everywhere, with unique names, and what is left out is named."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from makers import blurred, make_ebb, make_pairs, make_rgbd, picture, ramp, save, square

from bokehbench.cli import main
from bokehbench.data.decoding import PICTURE_SUFFIXES
from bokehbench.data.ebb import EBB
from bokehbench.data.folders import list_pictures, output_names
from bokehbench.data.iphone_depth import IPhoneDepth
from bokehbench.data.pairs import Pairs
from bokehbench.depth import FolderDepth
from bokehbench.errors import BokehbenchError

#: One name, as Linux and Windows write it, and as macOS does.
NFC, NFD = (unicodedata.normalize(form, "Café Ångström") for form in ("NFC", "NFD"))
LEFT_OUT = ("IMG_1.heic", "clip.mov", "raw.dng")


def litter(folder: Path) -> None:
    """Hidden files, which nobody misses, and files that are not read."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (".hidden.jpg", "._a.png", ".DS_Store", *LEFT_OUT):
        (folder / name).write_bytes(b"no picture")
    (folder / "folder.png").mkdir()


def render_names(folder: Path, output: Path, *more: str) -> set[str]:
    assert main(["render", str(folder), "--model", "identity", "-o", str(output), *more]) == 0
    return {path.name for path in output.iterdir()}


def test_every_readable_suffix_is_rendered_and_the_rest_is_named(tmp_path: Path, capsys) -> None:
    litter(tmp_path / "in")
    for suffix in PICTURE_SUFFIXES:
        name = f"{suffix[1:]}{suffix.upper() if suffix == '.jpg' else suffix}"
        options = {".mpo": {"format": "MPO"}}.get(suffix, {})
        save(tmp_path / "in" / name, picture(0) if suffix != ".pgm" else ramp(), **options)
    assert render_names(tmp_path / "in", tmp_path / "out") == {f"{suffix[1:]}.png" for suffix in PICTURE_SUFFIXES}
    printed = capsys.readouterr().out
    assert all(name in printed for name in LEFT_OUT)
    assert "hidden" not in printed


@pytest.mark.parametrize(
    "names",
    [
        ["same.jpg", "same.png"],
        ["same.jpg", "same.png", "same_jpg.png", "same_png.bmp"],
        ["a.b.jpg", "a.b.png", "a_b_png.png", "a_b_png_.png"],
        ["A.jpg", "a.png", "a_png.tif"],
        ["A.jpg", "a.jpg", "A_JPG.png"],
        [f"{NFC}.jpg", f"{NFD}.png"],
        [f"{NFC}.jpg", f"{NFD}.jpg"],
    ],
)
def test_two_photos_are_never_written_to_one_name(tmp_path: Path, names: list[str]) -> None:
    """On a file system that takes no notice of capitals or of the form of accents neither."""
    photos = [save(tmp_path / "in" / name, picture(seed)) for seed, name in enumerate(names)]
    made = output_names(photos)
    assert len({unicodedata.normalize("NFC", name).casefold() for name in made}) == len(names)
    assert len(render_names(tmp_path / "in", tmp_path / "out")) == len(names)


def test_a_lone_photo_keeps_its_name(tmp_path: Path) -> None:
    assert output_names([tmp_path / "x.y.jpg", tmp_path / "B.png"]) == ["x.y", "B"]


def test_two_maps_for_a_photo_are_refused(tmp_path: Path, capsys) -> None:
    photo, words = save(tmp_path / "a.png", picture(0)), ["--model", "layered", "-o", str(tmp_path / "out.png")]
    save(tmp_path / "maps" / "a.jpg", ramp())
    save(tmp_path / "maps" / "a.png", ramp())
    assert main(["render", str(photo), *words, "--disparity", str(tmp_path / "maps")]) == 2
    assert "several maps for a.png, a.jpg and a.png: keep one" in capsys.readouterr().err
    (tmp_path / "maps" / "a.jpg").rename(tmp_path / "maps" / "a.txt")  # no map
    assert main(["render", str(photo), *words, "--disparity", str(tmp_path / "maps")]) == 0
    (tmp_path / "maps" / "a.png").unlink()
    assert main(["render", str(photo), *words, "--disparity", str(tmp_path / "maps")]) == 2
    assert "no disparity map named like a.png" in capsys.readouterr().err


def test_maps_beside_the_photos_are_found(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.jpg", picture(0))
    save(tmp_path / "a.png", ramp())
    words = ["render", str(photo), "--model", "layered", "--disparity", str(tmp_path), "-o", str(tmp_path / "out.webp")]
    assert main(words) == 0


def test_names_match_in_both_forms_of_accents(tmp_path: Path, capsys) -> None:
    """As archives from another system leave them."""
    make_pairs(tmp_path / "set", [NFC], disparity=True)
    for folder in ("target", "disparity"):
        path = tmp_path / "set" / folder / f"{NFC}.png"
        path.rename(path.with_name(f"{NFD}.png"))
    (tmp_path / "set" / "focus_aperture.csv").write_text(f"name,focus,aperture\n{NFD}.png,0.25,3\n", encoding="utf-8")
    data = Pairs(tmp_path / "set", num_workers=0)
    assert data.check() == []
    assert data.pictures("test")[0]["focus"] == 0.25  # type: ignore[index]
    photo = tmp_path / "set" / "input" / f"{NFC}.png"
    FolderDepth(tmp_path / "set" / "disparity").disparity(data.pictures("test")[0]["image"][None], [photo.stem])  # type: ignore[index]
    words = ["--model", "layered", "-o", str(tmp_path / "out.png")]
    assert main(["render", str(photo), *words, "--disparity", str(tmp_path / "set" / "disparity")]) == 0
    root = make_rgbd(tmp_path / "rgbd", [NFD, "b"])
    (root / "test.txt").write_text(NFC, encoding="utf-8")
    assert [record.name for record in IPhoneDepth(root).pictures("test").records] == [NFC]  # type: ignore[union-attr]


def checked(words: list[str], capsys) -> tuple[int, str]:
    code = main(["data", "check", *words])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


@pytest.mark.parametrize("kind", ["pairs", "iphonedepth", "ebb"])
def test_data_sets_name_what_they_leave_out(tmp_path: Path, capsys, kind: str) -> None:
    root = {"pairs": make_pairs, "iphonedepth": make_rgbd, "ebb": make_ebb}[kind](tmp_path / "set")
    inputs = {"pairs": root / "input", "iphonedepth": root / "images", "ebb": root / "Training" / "original"}[kind]
    litter(inputs)
    for name in ("validation", "depth_maps"):
        (root / name).mkdir()
        (inputs.parent / name).mkdir(exist_ok=True)
    code, said = checked(["--data", kind, "--data.root", str(root)], capsys)
    assert code == 0, said
    for name in (*LEFT_OUT, "validation/", "depth_maps/"):
        assert name in said, name
    assert "._a" not in said
    assert main(["data", "describe", "--data", kind, "--data.root", str(root)]) == 0
    assert "validation/" in capsys.readouterr().out


def test_an_unused_depth_folder_and_a_folder_of_a_split_are_named(tmp_path: Path, capsys) -> None:
    for split in ("train", "test", "validation"):
        make_pairs(tmp_path / split, [split])
        (tmp_path / split / "depth").mkdir()
    code, said = checked(["--data", "pairs", "--data.root", str(tmp_path)], capsys)
    assert code == 0
    assert f"{tmp_path}: not read: validation/; what is read there is test, train" in said
    assert f"{tmp_path / 'test'}: not read: depth/" in said


def test_ids_of_no_split_are_named(tmp_path: Path, capsys) -> None:
    root = make_ebb(tmp_path, ids=(1, 4400))
    for name in ("0012", "5000", "holiday"):
        save(root / "Training" / "original" / f"{name}.jpg", picture(0))
    assert any("3 pictures not used" in note and "0012, 5000, holiday" in note for note in built(EBB(root)).notes)
    (root / "Training" / "original" / "1.jpg").unlink()
    (root / "Training" / "original" / "4400.jpg").unlink()
    for kind in ("bokeh", "original_depth", "focus_mask"):
        for path in (root / "Training" / kind).iterdir():
            path.unlink()
    code, said = checked(["--data", "ebb", "--data.root", str(root)], capsys)
    assert code == 2
    assert "no pictures" in said
    assert "holiday" in said


def built(data: EBB) -> EBB:
    data.pictures("test")
    return data


@pytest.mark.parametrize("action", ["describe", "check"])
@pytest.mark.parametrize("kind", ["pairs", "iphonedepth", "ebb"])
def test_nothing_is_an_error(tmp_path: Path, capsys, action: str, kind: str) -> None:
    folders = {"pairs": "input target", "iphonedepth": "images depth", "ebb": "Training/original Training/bokeh"}
    for folder in folders[kind].split():
        (tmp_path / folder).mkdir(parents=True)
    assert main(["data", action, "--data", kind, "--data.root", str(tmp_path)]) == 2
    assert "has no pictures" in capsys.readouterr().err


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lists_in_any_encoding_are_read(tmp_path: Path, encoding: str, end: str) -> None:
    root = make_rgbd(tmp_path, ["Käse", "b", "c"])
    (root / "test.txt").write_bytes(f"Käse{end}# note{end}b.jpg{end}".encode(encoding))
    data = IPhoneDepth(root)
    assert [record.name for record in data.pictures("test").records] == ["Käse", "b"]  # type: ignore[union-attr]
    assert data.check() == []


@pytest.mark.parametrize("content", ["a\nb\n".encode("utf-16-le"), "a\nb\n".encode("utf-32"), b"\0\1\2\3"])
@pytest.mark.parametrize("name", ["train.txt", "test.txt", "val.txt"])
def test_what_is_no_text_is_a_sentence(tmp_path: Path, capsys, content: bytes, name: str) -> None:
    root = make_rgbd(tmp_path)
    (root / name).write_bytes(content)
    code, said = checked(["--data", "iphonedepth", "--data.root", str(root)], capsys)
    assert code == 1
    assert f"{name} is no text that can be read: save it as UTF-8" in said


def test_masks_of_some_pictures_are_counted(tmp_path: Path, capsys) -> None:
    for number, name in enumerate("abcd"):
        save(tmp_path / "out" / f"{name}.png", blurred(picture(number, (40, 40))))
        save(tmp_path / "true" / f"{name}.png", picture(number, (40, 40)))
    save(tmp_path / "mask" / "a.png", square((40, 40)))
    litter(tmp_path / "mask")
    words = ["score", str(tmp_path / "out"), "--targets", str(tmp_path / "true"), "--protocol", "bokehme"]
    words += ["--workers", "1", "--mask", str(tmp_path / "mask")]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "1 of 4 pictures have a map; scores by region are of these alone; without: b, c, d" in printed
    assert "IMG_1.heic" in printed
    (tmp_path / "mask" / "a.png").rename(tmp_path / "mask" / "other.png")
    assert main(words) == 2
    assert "no map named like a picture" in capsys.readouterr().err


def test_a_listing_has_a_sentence_for_two_files_of_one_stem(tmp_path: Path) -> None:
    for name in (f"{NFC}.jpg", f"{NFD}.png"):
        save(tmp_path / name, picture(0))
    assert len(list_pictures(tmp_path).problems) == 1
    with pytest.raises(BokehbenchError, match="two maps for one picture"):
        FolderDepth(tmp_path)
