"""Any file that people have becomes the tensor that it looks like, or one sentence that names it."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from makers import picture, save
from PIL import Image, ImageCms, ImageOps

from bokehbench.data.decoding import ORIENTATION_TAG, picture_size
from bokehbench.data.image_io import Photo, read_photo, read_rgb, write_photo
from bokehbench.data.maps import open_map, read_map, read_values
from bokehbench.data.pixels import read_pixels
from bokehbench.errors import BokehbenchError

PIXELS = picture(0)


def as_tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1) / 255


def png16(path: Path, pixels: np.ndarray) -> Path:
    """A 16-bit PNG with H W C channels, which Pillow cannot write."""
    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    chunks = (struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in parts)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path


def other_profile() -> bytes:
    """An RGB profile whose primaries are not sRGB's: red and blue exchanged, by patching a made sRGB profile."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "zRGB".encode("utf-16-be"))


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.PNG", "with space.png", "ünï—図.png", 'it\'s "q".png'])
def test_lossless_pictures_are_read_exactly(tmp_path: Path, name: str) -> None:
    assert torch.equal(read_rgb(save(tmp_path / name, PIXELS)), as_tensor(PIXELS))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int, suffix: str) -> None:
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    path = save(tmp_path / f"a{suffix}", PIXELS, exif=exif)
    with Image.open(path) as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    assert torch.equal(read_rgb(path), as_tensor(upright))
    assert picture_size(path) == upright.shape[:2]
    for depth in (np.uint8, np.uint16):
        Image.fromarray(PIXELS[..., 0].astype(depth)).save(path, exif=exif)
        assert np.array_equal(read_values(path)[0], upright[..., 0])


def test_greyscale_bilevel_and_palette_become_rgb(tmp_path: Path) -> None:
    grey = Image.fromarray(PIXELS).convert("L")
    grey.save(tmp_path / "l.png")
    assert torch.equal(read_rgb(tmp_path / "l.png"), as_tensor(np.asarray(grey.convert("RGB"))))
    grey.convert("1").save(tmp_path / "b.png")
    assert set(read_rgb(tmp_path / "b.png").unique().tolist()) <= {0.0, 1.0}
    palette = Image.fromarray(PIXELS).quantize(16)
    palette.save(tmp_path / "p.png")
    assert torch.equal(read_rgb(tmp_path / "p.png"), as_tensor(np.asarray(palette.convert("RGB"))))


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).convert("CMYK").save(tmp_path / "a.jpg", quality=100, subsampling=0)
    photo = read_photo(tmp_path / "a.jpg")
    assert (photo.image - as_tensor(PIXELS)).abs().mean() < 0.02
    assert photo.icc_profile is None


@pytest.mark.parametrize("sixteen", [False, True])
def test_alpha_is_flattened_over_white_and_said_so(tmp_path: Path, sixteen: bool) -> None:
    alpha = np.zeros((*PIXELS.shape[:2], 1), dtype=np.uint8)
    alpha[:, 16:] = 255
    rgba = np.concatenate([PIXELS, alpha], axis=2)
    path = tmp_path / "a.png"
    if sixteen:
        png16(path, rgba.astype(np.uint16) * 257)
    else:
        save(path, rgba)
    photo = read_photo(path)
    assert (photo.image[:, :, :16] == 1).all()
    assert torch.allclose(photo.image[:, :, 16:], as_tensor(PIXELS)[:, :, 16:], atol=1e-6)
    assert "white" in photo.notes[0]


def test_opaque_alpha_needs_no_note(tmp_path: Path) -> None:
    rgba = np.concatenate([PIXELS, np.full((*PIXELS.shape[:2], 1), 255, np.uint8)], axis=2)
    assert read_photo(save(tmp_path / "a.png", rgba)).notes == ()


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bit_keeps_all_its_levels(tmp_path: Path, channels: int) -> None:
    levels = np.arange(24 * 32 * channels, dtype=np.uint16).reshape(24, 32, channels) * 28 + 7
    read = read_rgb(png16(tmp_path / "a.png", levels))
    expected = torch.from_numpy(levels.astype(np.float32) / 65535).permute(2, 0, 1).expand(3, -1, -1)
    assert torch.allclose(read, expected, atol=1e-7)
    assert len(read.unique()) == levels.size


def test_read_pixels_is_the_cheap_form_of_the_same(tmp_path: Path) -> None:
    assert np.array_equal(read_pixels(save(tmp_path / "a.png", PIXELS)), PIXELS)


def test_other_profile_is_converted_and_written_back(tmp_path: Path) -> None:
    profile = other_profile()
    photo = read_photo(save(tmp_path / "a.png", PIXELS, icc_profile=profile))
    assert (photo.image - as_tensor(PIXELS)).abs().mean() > 0.05
    assert photo.icc_profile == profile
    write_photo(tmp_path / "b.png", photo.image, like=photo)
    with Image.open(tmp_path / "b.png") as written:
        assert written.info["icc_profile"] == profile
    again = read_photo(tmp_path / "b.png")
    assert (again.image - photo.image).abs().max() < 0.03  # two roundings, and colours at the edge of the gamut


def test_srgb_profile_changes_nothing_and_is_kept(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = read_photo(save(tmp_path / "a.png", PIXELS, icc_profile=profile))
    assert torch.equal(photo.image, as_tensor(PIXELS))
    assert photo.icc_profile == profile


def test_broken_profile_is_taken_as_srgb_and_said_so(tmp_path: Path) -> None:
    photo = read_photo(save(tmp_path / "a.png", PIXELS, icc_profile=b"nonsense"))
    assert torch.equal(photo.image, as_tensor(PIXELS))
    assert photo.icc_profile is None
    assert "profile" in photo.notes[0]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_written_photos_keep_size_and_look(tmp_path: Path, suffix: str) -> None:
    write_photo(tmp_path / f"out{suffix}", as_tensor(PIXELS))
    assert (read_rgb(tmp_path / f"out{suffix}") - as_tensor(PIXELS)).abs().mean() < 0.02
    assert [p.name for p in tmp_path.iterdir()] == [f"out{suffix}"]


def test_rotated_photo_is_written_upright_with_its_other_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION_TAG], exif[0x010F] = 6, "A maker"
    photo = read_photo(save(tmp_path / "in.jpg", PIXELS, exif=exif))
    assert photo.image.shape == (3, 32, 24)
    write_photo(tmp_path / "out.jpg", photo.image, like=photo)
    with Image.open(tmp_path / "out.jpg") as written:
        assert written.size == (24, 32)
        assert written.getexif()[0x010F] == "A maker"
        assert written.getexif()[ORIENTATION_TAG] == 1


def test_unwritable_suffix_is_explained_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BokehbenchError, match=r"\.gif"):
        write_photo(tmp_path / "a.gif", as_tensor(PIXELS), like=Photo(as_tensor(PIXELS)))
    assert list(tmp_path.iterdir()) == []


def cut(path: Path, part: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_truncated_files_are_named(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"cut{suffix}", np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    cut(path, 0.6)
    with pytest.raises(BokehbenchError, match=rf"cut\{suffix}"):
        read_rgb(path)


def test_other_bad_files_are_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "folder.png").mkdir()
    reasons = {
        "empty.png": "empty",
        "text.jpg": "not a picture that",
        "folder.png": "folder",
        "gone.png": "no such file",
    }
    for name, reason in reasons.items():
        for read in (read_rgb, picture_size, read_map):
            with pytest.raises(BokehbenchError, match=rf"{name}.*{reason.replace('a picture', 'a (picture|map)')}"):
                read(tmp_path / name)


def test_corrupt_png_is_named(tmp_path: Path) -> None:
    path = save(tmp_path / "bad.png", PIXELS)
    content = bytearray(path.read_bytes())
    content[60:80] = bytes(20)
    path.write_bytes(bytes(content))
    with pytest.raises(BokehbenchError, match=r"bad\.png"):
        read_rgb(path)


def test_enormous_pictures_are_refused_before_decoding(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("1", (20000, 20000)).save(buffer, "PNG")
    (tmp_path / "bomb.png").write_bytes(buffer.getvalue())
    with pytest.raises(BokehbenchError, match=r"bomb\.png.*million pixels"):
        read_rgb(tmp_path / "bomb.png")


# Maps ----------------------------------------------------------------------------------------------------------------


def test_integer_maps_are_divided_by_their_largest_value(tmp_path: Path) -> None:
    eight = np.array([[0, 51, 255]], dtype=np.uint8)
    sixteen = np.array([[0, 13107, 65535]], dtype=np.uint16)
    Image.fromarray(eight).save(tmp_path / "8.png")
    Image.fromarray(sixteen).save(tmp_path / "16.png")
    Image.fromarray(sixteen).save(tmp_path / "16.tif")
    np.save(tmp_path / "16.npy", sixteen)
    for name in ("8.png", "16.png", "16.tif", "16.npy"):
        read = read_map(tmp_path / name)
        assert read.shape == (1, 1, 3)
        assert torch.allclose(read, torch.tensor([0, 0.2, 1]))
    Image.fromarray(eight > 60).save(tmp_path / "1.png")
    assert read_map(tmp_path / "1.png").tolist() == [[[0, 0, 1]]]
    assert read_values(tmp_path / "16.png").tolist() == [[[0, 13107, 65535]]]


@pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.pfm"])
def test_float_maps_of_any_range_are_stretched_and_said_so(tmp_path: Path, name: str) -> None:
    values = np.array([[0.0, 2.0], [4.0, 8.0]], dtype=np.float32)
    if name == "a.npy":
        np.save(tmp_path / name, values)
    else:
        Image.fromarray(values).save(tmp_path / name)
    read, notes = open_map(tmp_path / name)
    assert read.tolist() == [[[0, 0.25], [0.5, 1]]]
    assert "0 to 8 was stretched" in notes[0]
    assert torch.equal(read_values(tmp_path / name), torch.from_numpy(values)[None])


def test_grey_pictures_with_three_channels_are_maps_and_colour_is_not(tmp_path: Path) -> None:
    grey = np.repeat(PIXELS[..., :1], 3, axis=2)
    assert torch.equal(read_map(save(tmp_path / "g.png", grey)), as_tensor(grey)[:1])
    with pytest.raises(BokehbenchError, match="colour picture"):
        read_map(save(tmp_path / "c.png", PIXELS))


def test_nan_maps_are_named_but_raw_values_keep_them(tmp_path: Path) -> None:
    np.save(tmp_path / "n.npy", np.array([[0.5, np.nan]]))
    with pytest.raises(BokehbenchError, match=r"n\.npy.*NaN"):
        read_map(tmp_path / "n.npy")
    assert read_values(tmp_path / "n.npy").isnan().tolist() == [[[False, True]]]


def test_arrays_of_other_shapes_and_types_are_explained(tmp_path: Path) -> None:
    np.save(tmp_path / "3.npy", np.zeros((4, 5, 3)))
    np.save(tmp_path / "s.npy", np.array([["a"]]))
    np.save(tmp_path / "1.npy", np.zeros((1, 4, 5)))
    for name in ("3.npy", "s.npy"):
        with pytest.raises(BokehbenchError, match=name):
            read_map(tmp_path / name)
    assert read_map(tmp_path / "1.npy").shape == (1, 4, 5)
    assert picture_size(tmp_path / "1.npy") == (4, 5)
