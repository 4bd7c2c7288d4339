"""Tiny data sets for tests: ``from makers import make_ebb, make_pairs, make_rgbd``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

Size = tuple[int, int]


def picture(seed: int, size: Size = (24, 32)) -> np.ndarray:
    """A smooth random picture, H W 3 uint8, that JPEG keeps well."""
    height, width = size
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def blurred(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(2)))


def ramp(size: Size = (24, 32)) -> np.ndarray:
    """H W uint8 from 20 (left, far) to 220 (right, near)."""
    height, width = size
    return np.tile(np.linspace(20, 220, width).round().astype(np.uint8), (height, 1))


def square(size: Size = (24, 32)) -> np.ndarray:
    """H W bool: True in the right-hand third, half way up."""
    height, width = size
    mask = np.zeros((height, width), dtype=bool)
    mask[height // 4 : 3 * height // 4, 2 * width // 3 :] = True
    return mask


def save(path: Path, pixels: np.ndarray, **options: object) -> Path:
    if path.suffix.lower() == ".exr":
        return write_exr(path, {"RGB" if pixels.ndim == 3 else "Y": (pixels / 255).astype(np.float16)})
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() in (".jpg", ".jpeg"):
        options = {"quality": 95, "subsampling": 0} | options
    Image.fromarray(pixels).save(path, **options)
    return path


def make_ebb(
    root: Path,
    ids: Iterable[int] = (0, 1, 2, 4400, 4401),
    size: Size = (24, 32),
    depth: bool = True,
    mask: bool = True,
    layout: str = "public",
    half_depth: bool = False,
) -> Path:
    """EBB! in its public layout, or PyNET's (``layout="pynet"``: ids from 4400 on go to ``test``)."""
    for number in ids:
        split = "Training" if layout == "public" else "test" if number >= 4400 else "train"
        folder, sharp = root / split, picture(number, size)
        save(folder / "original" / f"{number}.jpg", sharp)
        save(folder / "bokeh" / f"{number}.jpg", blurred(sharp))
        if depth:
            small = (size[0] // 2, size[1] // 2) if half_depth else size
            save(folder / "original_depth" / f"{number}.png", ramp(small))
        if mask:
            save(folder / "focus_mask" / f"{number}.png", square(size))
    return root


def make_pairs(
    root: Path,
    names: Iterable[str] = ("a", "b", "c"),
    size: Size = (24, 32),
    disparity: bool = False,
    mask: bool = False,
    suffix: str = ".png",
    target: str = "target",
) -> Path:
    """``input`` and ``target`` folders, with ``disparity`` and ``mask`` where asked for."""
    for number, name in enumerate(names):
        sharp = picture(number, size)
        save(root / "input" / f"{name}{suffix}", sharp)
        save(root / target / f"{name}{suffix}", blurred(sharp))
        if disparity:
            save(root / "disparity" / f"{name}.png", ramp(size))
        if mask:
            save(root / "mask" / f"{name}.png", square(size))
    return root


def make_rgbd(root: Path, names: Iterable[str] = ("a", "b", "c", "d"), size: Size = (24, 32)) -> Path:
    """``images`` and 16-bit ``depth`` in millimetres: 500 at the right to 5000 at the left, one missing pixel."""
    for number, name in enumerate(names):
        save(root / "images" / f"{name}.jpg", picture(number, size))
        depth = np.tile(np.linspace(5000, 500, size[1]).round().astype(np.uint16), (size[0], 1))
        depth[0, 0] = 0
        save(root / "depth" / f"{name}.png", depth)
    return root


def make_saliency(root: Path, names: Iterable[str] = ("s1", "s2"), size: Size = (24, 32), style: str = "msra") -> Path:
    """Image and mask side by side (``msra``), in folders ending with -Image and -Mask (``duts``), or in fg and alpha
    (``xu2017``)."""
    places = {"msra": ("", ""), "duts": ("DUTS-TR-Image", "DUTS-TR-Mask"), "xu2017": ("fg", "alpha")}
    for number, name in enumerate(names):
        image, mask = (root / place for place in places[style])
        save(image / f"{name}.jpg", picture(100 + number, size))
        save(mask / f"{name}.png", square(size))
    return root


#: Split -> scene -> f-numbers of its targets.
SCENES: Mapping[str, Mapping[int, Sequence[float]]] = {
    "train": {1: (2.0, 11), 2: (2.0, 2.8, 11)}, "validation": {1: (2.0,)}, "test": {1: (2.0, 7.1), 2: (2.0, 20)},
}  # fmt: skip


def make_realbokeh(
    root: Path,
    splits: Mapping[str, Mapping[int, Sequence[float]]] = SCENES,
    size: Size = (24, 32),
    disparity: bool = False,
    targets: bool = True,
) -> Path:
    """RealBokeh as published: the more blurred, the smaller the f-number; without ``targets`` as a challenge has it."""
    for number, (split, scenes) in enumerate(splits.items()):
        for scene, f_numbers in scenes.items():
            sharp, folder = picture(1000 * number + scene, size), root / split
            save(folder / "in" / f"{scene}_f22.JPG", sharp, format="JPEG")
            names = [f"gt/{scene}/{scene}_f{each:.1f}.JPG" if each < 10 else f"gt/{scene}/{scene}_f{each:g}.JPG"
                     for each in f_numbers]  # fmt: skip
            for name, each in zip(names, f_numbers, strict=True):
                blur = Image.fromarray(sharp).filter(ImageFilter.GaussianBlur(6 / each))
                if targets:
                    save(folder / name, np.asarray(blur), format="JPEG")
            if disparity:
                save(folder / "disparity" / f"{scene}_f22.png", ramp(size))
            said = {
                "id": scene, "source_image": f"in/{scene}_f22.JPG", "source_av": 22.0, "target_images": names,
                "target_avs": [float(each) for each in f_numbers], "focal_length": 44, "ISO": 100, "EV": 13,
                "focus_plane_distance": 0.36, "focus_plane_uncertainty": 0.0,
            }  # fmt: skip
            (folder / "metadata").mkdir(exist_ok=True)
            (folder / "metadata" / f"{scene}.json").write_text(json.dumps(said, indent=4))
    return root


def make_vabd(root: Path, names: Iterable[str] = ("0001", "0002"), size: Size = (24, 32), maps: bool = True) -> Path:
    """VABD as published: the first name in ``train``, the others in ``test``; f/16, f/1.8, f/2.8, f/8."""
    for number, name in enumerate(names):
        folder, sharp = root / ("train" if number == 0 else "test"), picture(number, size)
        save(folder / "input" / f"{name}.JPG", sharp, format="JPEG")
        for aperture, radius in (("1_8", 3), ("2_8", 2), ("8", 1)):
            blur = Image.fromarray(sharp).filter(ImageFilter.GaussianBlur(radius))
            save(folder / aperture / f"{name}.JPG", np.asarray(blur), format="JPEG")
        if maps:
            save(folder / "depth" / f"{name}.png", ramp(size))
            save(folder / "focal" / f"{name}.png", square(size))
    return root


def write_exr(path: Path, channels: dict[str, np.ndarray]) -> Path:
    """An EXR as a user's renderer writes it: half or float, by channel; ``RGB`` is H W 3."""
    import OpenEXR

    path.parent.mkdir(parents=True, exist_ok=True)
    head = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(head, {name: np.ascontiguousarray(values) for name, values in channels.items()}).write(str(path))
    return path


def make_blb(
    root: Path,
    scenes: Iterable[str] = ("277",),
    size: Size = (64, 96),
    unit: str = "raw",
    radii: Iterable[float] = (3.0, 8.0),
    planes: int = 2,
    brightest: float = 0.9,
    kind: type = np.float32,
) -> Path:
    """Scenes of BLB rendered by our scatter renderer in linear light, K in the author's raw unit or the normalised one.

    The widest blurs have the radii (px) that are given; light goes up to ``brightest``, white being 1.
    """
    import torch

    from bokehbench.optics import scatter

    for number, scene in enumerate(scenes):
        light = brightest * (picture(number, size) / 255.0).astype(np.float32) ** 2.2
        light[::7, ::5] *= 0.3
        depth = np.full(size, 65504, np.float32)
        depth[size[0] // 3 :, size[1] // 4 :] = 40
        depth[square(size)] = 14
        light, depth = light.astype(kind), depth.astype(kind)
        disparity = 1 / torch.from_numpy(depth.astype(np.float32))
        low, high = float(disparity.min()), float(disparity.max())
        near = np.linspace(low, high, planes)
        write_exr(root / scene / "image.exr", {"RGB": light})
        write_exr(root / scene / "depth.exr", {"Y": depth})
        picture_ = torch.from_numpy(light.astype(np.float32)).permute(2, 0, 1)[None]
        for level, radius in enumerate(radii):
            for plane, focus in enumerate(near):
                made = scatter(picture_, radius / (high - low) * (disparity - focus)[None, None])[0]
                values = made.permute(1, 2, 0).numpy().astype(kind)
                write_exr(root / scene / f"bokeh_{level:02d}_{plane:02d}.exr", {"RGB": values})
        blurs = [radius / (high - low) if unit == "raw" else radius for radius in radii]
        info = {"blur_parameters": blurs, "focus_distances": [float(1 / focus) for focus in near]}
        (root / scene / "info.json").write_text(json.dumps(info))
    return root
