"""A renderer of somebody else, which knows nothing of bokehbench: ``toy.py MANIFEST [MISTAKE]``.

Planes of disparity, blurred with disks in linear light and composited from far to near; with numpy and Pillow.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

PLANES = 24


def blur(planes, radius):
    """H W C, each pixel spread over a disk."""
    reach = int(np.ceil(radius))
    if reach < 1:
        return planes
    steps = np.arange(-reach, reach + 1)
    away = np.hypot(steps[:, None], steps)
    disk = np.clip(radius + 0.5 - away, 0, 1)
    disk /= disk.sum()
    padded = np.pad(planes, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    shape = padded.shape[:2]
    product = np.fft.rfft2(padded, axes=(0, 1)) * np.fft.rfft2(disk, shape)[..., None]
    return np.fft.irfft2(product, shape, axes=(0, 1))[2 * reach :, 2 * reach :]


def render(image, disparity, focus, radius):
    light = np.dstack([(image / 255.0) ** 2.2, np.ones(image.shape[:2])])
    result = np.zeros_like(light)
    plane_of = np.clip((disparity * PLANES).astype(int), 0, PLANES - 1)
    for plane in range(PLANES):
        alpha = (plane_of == plane).astype(float)[..., None]
        if alpha.any():
            away = max(abs((plane + 0.5) / PLANES - focus) - 0.5 / PLANES, 0)
            layer = blur(np.dstack([light * alpha, alpha]), radius * away)
            result = result * (1 - layer[..., 4:]) + layer[..., :4]
    colour = np.clip(result[..., :3] / np.maximum(result[..., 3:], 1e-6), 0, 1)
    return (255 * colour ** (1 / 2.2)).round().astype(np.uint8)


def main(manifest, mistake=""):
    assert "torch" not in sys.modules
    pictures = json.loads(Path(manifest).read_text())["pictures"]
    for picture in pictures[:-1] if mistake == "count" else pictures:
        if mistake == "hang":
            time.sleep(600)
        if mistake == "crash" and picture["name"] == "0003":
            raise RuntimeError("out of memory, says the toy")
        image = np.asarray(Image.open(picture["image"]))
        disparity = np.asarray(Image.open(picture["map"])) / 65535.0
        focus, radius = picture["focus"], picture["strength"]
        if mistake == "swapped":
            disparity = 1 - disparity
        if mistake == "occlusion":
            disparity, focus = 1 - disparity, 1 - focus
        focus = 0.5 if mistake == "focus" else focus
        radius = {"strength": 8.0, "inverted": 36.0 / max(radius, 1)}.get(mistake, radius)
        pixels = render(image, disparity, focus, radius)
        if mistake == "random":
            pixels = np.clip(pixels + np.random.default_rng().normal(0, 4, pixels.shape), 0, 255).astype(np.uint8)
        if mistake == "size":
            pixels = pixels[:-1]
        format = "JPEG" if mistake == "lossy" else "PNG"
        Image.fromarray(pixels).save(picture["output"], format=format)


if __name__ == "__main__":
    main(*sys.argv[1:])
