"""Picture files of strangers: what they say of themselves, their colours and bits, and files that lie."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from makers import picture, save
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2
from torchvision.io import decode_image

from bokehbench.cli import main
from bokehbench.data import colour, decoding
from bokehbench.data.decoding import picture_size
from bokehbench.data.image_io import Photo, read_photo, read_rgb, write_photo
from bokehbench.data.in_memory import photo_of
from bokehbench.data.maps import read_map, read_values
from bokehbench.data.pixels import quick_size, read_rgba
from bokehbench.errors import BokehbenchError
from bokehbench.measure.paired_folders import pair_folders

PIXELS = picture(0, (40, 56)).copy()
DEEP = np.random.default_rng(0).integers(0, 65536, (40, 56, 4), dtype=np.uint16)
MAKER, COPYRIGHT = "Café", "© Müller 図"
Base = ExifTags.Base


def encoded(kind: str, pixels: np.ndarray = PIXELS, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def camera_exif() -> Image.Exif:
    """What cameras write: descriptions, structure of their own file, a maker's note, a position, and nonsense."""
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Model], exif[Base.Orientation] = "Maker", "Model", 6
    exif[Base.ImageDescription], exif[Base.XResolution] = "long " * 8000, IFDRational(72)
    exif[Base.StripOffsets], exif[Base.BitsPerSample] = 12, (16, 16, 16)
    inner = {Base.ExposureTime: IFDRational(1, 250), Base.FNumber: IFDRational(18, 10), Base.ISOSpeedRatings: 400}
    inner |= {Base.DateTimeOriginal: "2000:01:01 00:00:00", Base.ExposureBiasValue: IFDRational(-1, 3)}
    inner |= {Base.LensModel: "Lens", Base.FocalLength: IFDRational(0, 0), Base.MakerNote: b"secret" * 9}
    exif[ExifTags.IFD.Exif] = inner
    exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (IFDRational(1), IFDRational(2), IFDRational(3))}
    return exif


def camera(path: Path) -> None:
    save(path.with_suffix(".jpg"), PIXELS, exif=camera_exif()).rename(path)


def png_with_much_text(path: Path) -> None:
    text = PngInfo()
    text.add_text("comment", "bomb" * 600_000, zip=True)
    path.write_bytes(encoded("PNG", pnginfo=text))


def pillow(mode: str, kind: str) -> Callable[[Path], None]:
    return lambda path: Image.fromarray(PIXELS).convert(mode).save(path, kind)


SOURCES: dict[str, Callable[[Path], None]] = {
    "camera": camera,
    "grey16": lambda path: Image.fromarray(DEEP[..., 0]).save(path, "TIFF"),
    "rgb16": lambda path: tifffile.imwrite(path, DEEP[..., :3], photometric="rgb"),
    "rgba": pillow("RGBA", "TIFF"),
    "cmyk": pillow("CMYK", "TIFF"),
    "float": lambda path: Image.fromarray(PIXELS[..., 0] / np.float32(255)).save(path, "TIFF"),
    "text": png_with_much_text,
    "palette": pillow("P", "GIF"),
}


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"])
@pytest.mark.parametrize("source", SOURCES)
def test_every_written_file_is_read_by_every_reader(tmp_path: Path, source: str, suffix: str) -> None:
    SOURCES[source](tmp_path / "in.bin")
    photo = read_photo(tmp_path / "in.bin")
    path = tmp_path / f"out{suffix}"
    write_photo(path, photo.image, like=photo)
    expected = (photo.image * 255).round()
    with Image.open(path) as image:
        by_pillow = torch.from_numpy(np.array(image)).permute(2, 0, 1)
        assert image.getexif().get(Base.Orientation, 1) == 1
    by_other = torch.from_numpy(tifffile.imread(path)).permute(2, 0, 1) if ".tif" in suffix else decode_image(str(path))
    for read in (by_pillow, by_other):
        if suffix in (".png", ".tif", ".tiff"):
            assert torch.equal(read, expected)
        else:
            noisy = "16" in source or source == "palette"
            assert (read.float() - expected).abs().mean() < (60 if noisy else 8)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_what_describes_a_photo_is_kept_and_what_does_not_fit_is_said(tmp_path: Path, suffix: str) -> None:
    camera(tmp_path / "in.bin")
    photo = read_photo(tmp_path / "in.bin")
    write_photo(tmp_path / f"out{suffix}", photo.image, like=photo)
    with Image.open(tmp_path / f"out{suffix}") as image:
        outer = image.getexif()
        inner = outer.get_ifd(ExifTags.IFD.Exif)
    assert (outer[Base.Make], outer[Base.Model]) == ("Maker", "Model")
    assert Base.ImageDescription not in outer
    assert not {Base.GPSInfo, Base.XResolution} & outer.keys()
    assert inner == {
        Base.ExposureTime: IFDRational(1, 250), Base.FNumber: IFDRational(18, 10), Base.ISOSpeedRatings: 400,
        Base.DateTimeOriginal: "2000:01:01 00:00:00", Base.ExposureBiasValue: IFDRational(-1, 3),
        Base.LensModel: "Lens",
    }  # fmt: skip
    assert photo.notes == ("metadata left out: FocalLength, GPSInfo, ImageDescription, MakerNote",)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_names_of_any_language_are_kept_byte_by_byte(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Copyright] = "M" * len(MAKER.encode()), "C" * len(COPYRIGHT.encode())
    block = exif.tobytes().replace(exif[Base.Make].encode(), MAKER.encode())
    block = block.replace(exif[Base.Copyright].encode(), COPYRIGHT.encode())
    photo = read_photo(save(tmp_path / "in.png", PIXELS, exif=block))
    write_photo(tmp_path / f"out{suffix}", photo.image, like=photo)
    with Image.open(tmp_path / f"out{suffix}") as image:
        found = {tag: image.getexif()[tag].encode("latin-1").decode() for tag in (Base.Make, Base.Copyright)}
    assert found == {Base.Make: MAKER, Base.Copyright: COPYRIGHT}


# Bits ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "layout",
    [{}, {"compression": "zlib"}, {"compression": "zlib", "predictor": True, "tile": (16, 16)}, {"planarconfig": 2}],
    ids=["plain", "packed", "tiles", "planes"],
)
def test_16_bit_tiffs_keep_their_bits(tmp_path: Path, channels: int, order: str, layout: dict) -> None:
    pixels = DEEP[..., :channels]
    stored = np.ascontiguousarray(pixels.transpose(2, 0, 1)) if "planarconfig" in layout else pixels
    extra = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", byteorder=order, **layout, **extra)
    assert np.array_equal(read_rgba(tmp_path / "a.tif")[..., :channels], pixels)


def test_bits_that_are_lost_are_said(tmp_path: Path) -> None:
    planes = np.ascontiguousarray(DEEP[..., :3].transpose(2, 0, 1))
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate", compression="zlib")
    header = b"P6 56 40 65535\n"
    (tmp_path / "a.ppm").write_bytes(header + DEEP[..., :3].astype(">u2").tobytes())
    for name in ("a.tif", "a.ppm"):
        photo = read_photo(tmp_path / name)
        assert "8 of its bits" in photo.notes[0]
        assert np.abs(photo.image.permute(1, 2, 0).numpy() - DEEP[..., :3] / 65535).max() < 1 / 255


def test_grey_of_12_bits_and_with_white_as_0_is_read_as_it_looks(tmp_path: Path) -> None:
    grey = DEEP[..., 0]
    tifffile.imwrite(tmp_path / "white.tif", grey, photometric="miniswhite")
    assert np.allclose(read_rgb(tmp_path / "white.tif")[0], 1 - grey / 65535, atol=1e-6)
    tifffile.imwrite(tmp_path / "long.tif", grey.astype(np.int32) * 9)
    with pytest.raises(BokehbenchError, match=r"long\.tif.*0 \.\. 65535"):
        read_rgb(tmp_path / "long.tif")


# Colours -------------------------------------------------------------------------------------------------------------

D50 = (0.9642, 1.0, 0.8249)
PRIMARIES = {
    "srgb": ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)),
    "p3": ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)),
    "adobe": ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)),
}


def fixed(*numbers: float) -> bytes:
    return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)


def gamma(value: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IHxx", 1, round(value * 256))


SRGB_CURVE = b"para" + bytes(5) + b"\3\0\0" + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
STRAIGHT = b"curv" + bytes(8)


def table(count: int) -> bytes:
    values = np.linspace(0, 1, count)
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return b"curv" + bytes(4) + struct.pack(">I", count) + np.rint(light * 65535).astype(">u2").tobytes()


def profile(primaries: str, curve: bytes, name: str = "sRGB") -> bytes:
    """An ICC profile of version 4; grey without primaries."""
    words = name.encode("utf-16-be")
    tags = {b"desc": b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(words), 28) + words}
    tags[b"wtpt"] = b"XYZ " + bytes(4) + fixed(*D50)
    for letter, column in zip("rgb", PRIMARIES.get(primaries, ()), strict=False):
        tags |= {f"{letter}XYZ".encode(): b"XYZ " + bytes(4) + fixed(*column), f"{letter}TRC".encode(): curve}
    if not primaries:
        tags[b"kTRC"] = curve
    entries, body, start = b"", b"", 132 + 12 * len(tags)
    for tag, content in tags.items():
        entries += struct.pack(">4sII", tag, start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    kind = b"RGB " if primaries else b"GRAY"
    head = (
        bytes(4)
        + b"\4"
        + bytes(3)
        + b"mntr"
        + kind
        + b"XYZ "
        + bytes(12)
        + b"acsp"
        + bytes(28)
        + fixed(*D50)
        + bytes(48)
    )
    whole = bytes(4) + head + struct.pack(">I", len(tags)) + entries + body
    return struct.pack(">I", len(whole)) + whole[4:]


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize(
    ("primaries", "curve"),
    [("srgb", gamma(1)), ("srgb", STRAIGHT), ("srgb", gamma(2.2)), ("p3", SRGB_CURVE), ("adobe", gamma(563 / 256))],
    ids=["linear", "straight", "2.2", "P3", "Adobe"],
)
def test_profiles_are_converted_by_what_they_hold(tmp_path: Path, primaries: str, curve: bytes, deep: bool) -> None:
    icc = profile(primaries, curve)
    expected = np.asarray(colour.littlecms(Image.fromarray(PIXELS), icc)).astype(float)
    if deep:
        tag = (34675, 7, len(icc), icc, True)
        tifffile.imwrite(tmp_path / "a", PIXELS * np.uint16(257), photometric="rgb", extratags=[tag])
    else:
        (tmp_path / "a").write_bytes(encoded("PNG", icc_profile=icc))
    photo = read_photo(tmp_path / "a")
    assert np.abs(photo.image.permute(1, 2, 0).numpy() * 255 - expected).max() < 1.6  # LittleCMS has 8 bits
    assert "converted" in photo.notes[0]
    assert (photo.icc_profile is None) == (curve in (gamma(1), STRAIGHT))  # 8 bits would lose the shadows


def test_a_linear_profile_of_any_name_makes_188_of_half_the_light(tmp_path: Path) -> None:
    half = np.full((40, 40, 3), 128, np.uint8)
    profiles = (profile("srgb", gamma(1)), profile("srgb", STRAIGHT, "linear-sRGB"), profile("", gamma(1)))
    for number, icc in enumerate(profiles):
        pixels = half if number < 2 else half[..., 0]
        path = save(tmp_path / f"{number}.png", pixels, icc_profile=icc)
        assert (read_rgb(path) * 255).round().unique().tolist() == [188]
        if number == 2:
            Image.fromarray(pixels * np.uint16(257)).save(path, icc_profile=icc)
            assert (read_rgb(path) * 255).round().unique().tolist() == [188]


@pytest.mark.parametrize("curve", [SRGB_CURVE, table(1024), table(42)], ids=["formula", "1024", "42"])
def test_srgb_is_known_by_its_curves_whatever_its_name(tmp_path: Path, curve: bytes) -> None:
    icc = profile("srgb", curve, "another name")
    photo = read_photo(save(tmp_path / "a.png", PIXELS, icc_profile=icc))
    assert torch.equal(photo.image, torch.from_numpy(PIXELS).permute(2, 0, 1) / 255)
    assert photo.icc_profile == icc
    assert photo.notes == ()


def test_the_gamma_of_a_png_is_obeyed(tmp_path: Path) -> None:
    content = encoded("PNG", np.full((40, 40, 3), 128, np.uint8))
    for value, expected in ((100_000, 188), (45_455, 128)):
        (tmp_path / "a.png").write_bytes(content[:33] + chunk(b"gAMA", struct.pack(">I", value)) + content[33:])
        assert (read_rgb(tmp_path / "a.png") * 255).round().unique().tolist() == [expected]


def adobe(tags: dict) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.IFD.Exif] = tags
    return exif


@pytest.mark.parametrize("tags", [{Base.ColorSpace: 2}, {Base.ColorSpace: 65535, 0xA005: {1: "R03"}}], ids=["2", "R03"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_adobe_rgb_that_exif_alone_declares_is_converted(tmp_path: Path, kind: str, tags: dict) -> None:
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    (tmp_path / "a").write_bytes(encoded(kind, exif=adobe(tags), **options))
    expected = np.asarray(colour.littlecms(Image.fromarray(PIXELS), profile("adobe", gamma(563 / 256)))).astype(float)
    photo = read_photo(tmp_path / "a")
    assert np.abs(photo.image.permute(1, 2, 0).numpy() * 255 - expected).max() < 1.6
    assert photo.notes[0] == "converted from the colours that its file declares to sRGB"
    (tmp_path / "a").write_bytes(encoded(kind, exif=adobe({Base.ColorSpace: 65535}), **options))
    assert read_photo(tmp_path / "a").notes == ()


def avif(primaries: int, curve: int, bits: int = 8) -> bytes:
    content = bytearray(encoded("AVIF", quality=95))
    at = content.index(b"colrnclx") + 8
    content[at : at + 4] = struct.pack(">HH", primaries, curve)
    content[content.index(b"av1C") + 6] |= {8: 0, 10: 0x40, 12: 0x60}[bits]
    return bytes(content)


def declaring(kind: bytes, data: bytes) -> bytes:
    content = encoded("PNG")
    return content[:33] + chunk(kind, data) + content[33:]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (declaring(b"cICP", bytes([12, 13, 0, 1])), "converted from the colours that its file declares to sRGB"),
        (declaring(b"cICP", bytes([9, 16, 0, 1])), "what it says of its colours cannot be used: taken as sRGB"),
        (declaring(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)), "converted"),
        (declaring(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)), ""),
        (declaring(b"cICP", bytes([1, 13, 0, 1])), ""),
        (avif(12, 13), "converted from the colours that its file declares to sRGB"),
        (avif(9, 18), "what it says of its colours cannot be used: taken as sRGB"),
        (avif(1, 13), ""),
    ],
    ids=["P3", "PQ", "primaries", "sRGB's", "sRGB", "AVIF P3", "AVIF HLG", "AVIF"],
)
def test_what_a_file_declares_of_its_colours_is_obeyed_or_said(tmp_path: Path, content: bytes, note: str) -> None:
    (tmp_path / "a").write_bytes(content)
    notes = read_photo(tmp_path / "a").notes
    assert notes[0].startswith(note) if note else notes == ()


@pytest.mark.parametrize("bits", [10, 12])
def test_an_avif_of_more_bits_than_are_read_is_said(tmp_path: Path, bits: int, monkeypatch) -> None:
    """Pillow writes 8 bits alone, and reads no file whose header says other bits than its pixels have."""
    said = decoding._code_points
    monkeypatch.setattr(decoding, "_code_points", lambda kind, start: said(kind, avif(1, 13, bits)))
    (tmp_path / "a").write_bytes(avif(1, 13))
    assert read_photo(tmp_path / "a").notes == ("read with 8 of its bits, written with 8",)


def test_clipped_colours_and_flattened_alpha_are_told_by_render(tmp_path: Path, capsys) -> None:
    red = np.zeros((40, 40, 3), np.uint8)
    red[..., 0] = 255
    save(tmp_path / "in" / "p3.png", red, icc_profile=profile("p3", SRGB_CURVE))
    save(tmp_path / "in" / "cutout.png", np.dstack([red, red[..., 1]]))
    camera(tmp_path / "in" / "camera.jpg")
    assert main(["render", str(tmp_path / "in"), "--model", "identity", "-o", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    for words in ("colours outside of sRGB were clipped", "put over white", "metadata left out", "MakerNote"):
        assert words in said
    assert "unchanged" not in said


# Bad metadata, trailers ----------------------------------------------------------------------------------------------


def broken_chunk(kind: bytes) -> bytes:
    return chunk(kind, b"comment\0\0nonsense")[:-1] + b"?"


PNG = encoded("PNG")
ASCII_RESOLUTION = ImageFileDirectory_v2()
ASCII_RESOLUTION.tagtype[Base.XResolution] = 2
ASCII_RESOLUTION[Base.XResolution] = "72"
BAD_METADATA = {
    "resolution.jpg": encoded("JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0" + ASCII_RESOLUTION.tobytes(8)),
    "text before.png": PNG[:33] + broken_chunk(b"tEXt") + PNG[33:],
    "text after.png": PNG[:-12] + broken_chunk(b"iTXt") + PNG[-12:],
    "bomb after.png": PNG[:-12] + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**7))) + PNG[-12:],
    "exif.png": PNG[:33] + chunk(b"eXIf", b"II*\0\xff\xff\xff\xffnonsense") + PNG[33:],
    "exif.webp": encoded("WEBP", lossless=True, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01"),
    "exif.jpg": encoded("JPEG", exif=b"Exif\0\0nonsense"),
    "short exif.jpg": encoded("JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x40\0"),
    "trailer.jpg": encoded("JPEG") + b"film" * 40_000,
    "trailer.png": PNG + b"film" * 40_000,
    "zeros.jpg": encoded("JPEG") + bytes(100),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", BAD_METADATA)
def test_bad_metadata_and_trailers_are_not_bad_pixels(tmp_path: Path, name: str) -> None:
    for folder in ("ours", "theirs"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(BAD_METADATA[name])
    path = tmp_path / "ours" / name
    photo = read_photo(path)
    assert (photo.image - torch.from_numpy(PIXELS).permute(2, 0, 1) / 255).abs().mean() < 0.02
    assert picture_size(path) == quick_size(path) == (40, 56)
    assert len(pair_folders({"ours": tmp_path / "ours"}, tmp_path / "theirs").pairs["ours"]) == 1
    write_photo(tmp_path / "out.tif", photo.image, like=photo)
    assert tifffile.imread(tmp_path / "out.tif").shape == (40, 56, 3)


# Files that lie ------------------------------------------------------------------------------------------------------


def claiming(content: bytes, width: int, height: int) -> bytes:
    """A JPEG of that size by its header alone."""
    place = max(content.find(b"\xff\xc0"), content.find(b"\xff\xc2"))
    return content[: place + 5] + struct.pack(">HH", height, width) + content[place + 9 :]


LIES = {
    f"{name}{'-progressive' if progressive else ''}": (lie, progressive)
    for progressive in (False, True)
    for name, lie in {
        "2000": lambda content: claiming(content, 2000, 2000),
        "13000": lambda content: claiming(content, 13000, 13000),
        "taller": lambda content: claiming(content, 56, 64),
        "wider": lambda content: claiming(content, 64, 40),
        "cut": lambda content: content[: len(content) * 6 // 10] + b"\xff\xd9",
    }.items()
    if not (progressive and name == "cut")  # such a picture is whole, and less sharp
}


@pytest.mark.parametrize("name", LIES)
def test_a_jpeg_with_fewer_pixels_than_it_claims_is_named(tmp_path: Path, name: str) -> None:
    lie, progressive = LIES[name]
    noise = np.random.default_rng(0).integers(0, 256, (40, 56), dtype=np.uint8)
    (tmp_path / "lie.jpg").write_bytes(lie(encoded("JPEG", noise, progressive=progressive)))
    for read in (read_photo, read_map, read_values):
        with pytest.raises(BokehbenchError, match=r"lie\.jpg: is corrupt or truncated"):
            read(tmp_path / "lie.jpg")
    if name.startswith(("2", "1")):  # seen in the header
        with pytest.raises(BokehbenchError, match=r"lie\.jpg.*too short"):
            picture_size(tmp_path / "lie.jpg")


@pytest.mark.parametrize("progressive", [False, True])
def test_a_photo_that_ends_in_grey_is_no_lie(tmp_path: Path, progressive: bool) -> None:
    (tmp_path / "grey.jpg").write_bytes(encoded("JPEG", np.full((50, 50, 3), 128, np.uint8), progressive=progressive))
    assert read_photo(tmp_path / "grey.jpg").notes == ()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".pgm", ".bmp"])
def test_other_formats_never_reach_a_program(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mark, program = tmp_path / "ran", tmp_path / "bin" / "gs"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    path = tmp_path / f"photo{suffix}"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\nshowpage\n")
    readers = (read_photo, read_rgba, read_map, read_values, picture_size, photo_of, lambda p: photo_of(Image.open(p)))
    for read in readers:
        with pytest.raises(BokehbenchError, match=r"that can be read|format is EPS"):
            read(path)
    assert not mark.exists()


def test_of_many_pages_the_first_is_read_and_that_is_said(tmp_path: Path) -> None:
    pages = [Image.fromarray(PIXELS), *(Image.new("RGB", (8, 8)) for _ in range(999))]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    photo = read_photo(tmp_path / "a.tif")
    assert photo.image.shape == (3, 40, 56)
    assert photo.notes == ("only the first of its pictures was read",)


def test_a_photo_of_one_row_is_read_and_written(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", np.zeros((1, 65500, 3), np.uint8))
    photo = read_photo(tmp_path / "a.jpg")
    write_photo(tmp_path / "b.jpg", photo.image, like=photo)
    assert picture_size(tmp_path / "b.jpg") == (1, 65500)
    for suffix in (".webp", ".jpg"):
        with pytest.raises(BokehbenchError, match=rf"long\{suffix}.*pixels a side"):
            write_photo(tmp_path / f"long{suffix}", torch.zeros(3, 1, 65501))


def test_a_block_of_somebody_else_is_cleaned_before_it_is_written(tmp_path: Path) -> None:
    block = camera_exif().tobytes()
    for suffix in (".tif", ".jpg"):
        write_photo(tmp_path / f"a{suffix}", torch.zeros(3, 40, 56), like=Photo(torch.zeros(3, 40, 56), None, block))
        with Image.open(tmp_path / f"a{suffix}") as image:
            assert image.getexif()[Base.Make] == "Maker"
            assert image.getexif()[Base.Orientation] == 1
